//! A context whose steps are written as jobs write them.
//!
//! A step is performed even if the driver does not declare the needed capability; the driver must then refuse it,
//! which ends the case.

use std::time::Duration;

use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::JobId;
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{Artifact, Incidents, OpenRequest, Page, StepOutput};
use plimsoll_core::step::Step;
use serde_json::{Map, Value, json};

use crate::rig::{Opened, Rig};
use crate::uses;
use crate::verdict::lacks;

/// A context with a page.
pub(crate) struct Tab<'a> {
    rig: &'a Rig,
    opened: Option<Opened>,
    reusable: bool,
}

/// A job as it is written.
pub(crate) fn job(written: Value) -> Job {
    let keys: JobKeys = serde_json::from_value(written).expect("a job");
    keys.into_job(|| JobId::try_from("case".to_owned()).expect("a plain id")).expect("a job that makes sense")
}

/// A step that does not end by itself and that the driver declares: a wait for what never appears or, where no script can
/// bring anything, a page that never comes.
pub(crate) fn endless(rig: &Rig) -> Step {
    let waits = rig.declares(Capability::WaitFor) && rig.declares(Capability::Evaluate);
    let never = json!({"wait_for": {"text": "never"}});
    let written = if waits { never } else { json!({"goto": rig.site.url("/hang")}) };
    step(&written).0
}

/// A step and the capabilities that it needs.
fn step(written: &Value) -> (Step, Capabilities) {
    let job = job(json!({"steps": [{"goto": "about:blank"}, written]}));
    let needs = job.needs();
    (job.steps.into_iter().nth(1).expect("the second step"), needs)
}

/// Ends the case if a driver without `needs` refuses; passes other results through.
fn judge<T>(rig: &Rig, needs: &Capabilities, result: Result<T, Fault>) -> Result<T, Fault> {
    let missing = rig.capabilities.missing(needs);
    if missing.is_empty() {
        uses::asked(needs);
        if result.is_ok() {
            uses::done(needs);
        }
        return result;
    }
    let Err(fault) = result else { panic!("it did what needs {missing}, which it does not declare") };
    let refusal = (FailureClass::Unsupported, Recurrence::Persistent);
    assert_eq!((fault.class, fault.recurrence), refusal, "without {missing}: {fault}");
    lacks(missing)
}

impl Rig {
    /// A context at `path` of the site, perhaps a reused one.
    pub(crate) async fn open(&self, path: &str) -> Tab<'_> {
        let Some(opened) = self.spare() else {
            let mut tab = self.fresh(path).await;
            tab.reusable = true;
            return tab;
        };
        let mut tab = Tab { rig: self, opened: Some(opened), reusable: true };
        let before = std::mem::take(&mut tab.opened().at);
        tab.go(path)
            .await
            .unwrap_or_else(|fault| panic!("no page in a context that was at {before}: {fault}"));
        tab
    }

    /// A context whose page has this body.
    pub(crate) async fn show(&self, body: &str) -> Tab<'_> {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("html", body).finish();
        self.open(&format!("/shown?{query}")).await
    }

    /// A new context at `path` of the site.
    pub(crate) async fn fresh(&self, path: &str) -> Tab<'_> {
        let (tab, page) = self.set_up(path, json!({})).await;
        page.expect("a page");
        tab
    }

    /// A new context at `path` of the site, set up by `keys` of a job.
    pub(crate) async fn set_up(&self, path: &str, keys: Value) -> (Tab<'_>, Result<Page, Fault>) {
        let url = if path.starts_with('/') { self.site.url(path) } else { path.to_owned() };
        let mut keys = keys;
        keys["url"] = json!(url);
        let job = job(keys);
        let goto = job.start.clone().expect("it has a url");
        let needs = job.needs();
        let request = OpenRequest { setup: job.setup, first: Some(goto.clone()) };
        let mut opened = match judge(self, &needs, self.admit(request).await) {
            Ok(opened) => opened,
            Err(fault) => panic!("no context: {fault}"),
        };
        let page = opened.context.perform(&Step::Goto(goto), self.measures.patience).await.map(page);
        (Tab { rig: self, opened: Some(opened), reusable: false }, page)
    }

    /// A new context without a page.
    pub(crate) async fn blank(&self, setup: Value) -> Result<Tab<'_>, Fault> {
        let mut keys = setup;
        keys["url"] = json!("about:blank");
        let job = job(keys);
        let needs = job.needs();
        let opened = self.admit(OpenRequest { setup: job.setup, first: None }).await;
        judge(self, &needs, opened).map(|opened| Tab { rig: self, opened: Some(opened), reusable: false })
    }
}

impl Tab<'_> {
    fn opened(&mut self) -> &mut Opened {
        self.opened.as_mut().expect("a tab that was not closed")
    }

    /// Carries out a step, written as in a job.
    pub(crate) async fn perform(&mut self, step: Value) -> Result<StepOutput, Fault> {
        self.perform_within(self.rig.measures.patience, step).await
    }

    /// Carries out a step within `budget`.
    pub(crate) async fn perform_within(
        &mut self,
        budget: Duration,
        written: Value,
    ) -> Result<StepOutput, Fault> {
        let (step, needs) = step(&written);
        if let Step::Goto(goto) = &step {
            goto.url.as_str().clone_into(&mut self.opened().at);
        }
        let result = self.opened().context.perform(&step, budget).await;
        judge(self.rig, &needs, result)
    }

    /// Carries out a step without checking capabilities.
    pub(crate) async fn raw(&mut self, step: &Step) -> Result<StepOutput, Fault> {
        let patience = self.rig.measures.patience;
        self.opened().context.perform(step, patience).await
    }

    /// Opens `path` of the site, or a URL.
    pub(crate) async fn go(&mut self, path: &str) -> Result<Page, Fault> {
        self.go_within(self.rig.measures.patience, path).await
    }

    pub(crate) async fn go_within(&mut self, budget: Duration, path: &str) -> Result<Page, Fault> {
        let url = if path.starts_with('/') { self.rig.site.url(path) } else { path.to_owned() };
        self.perform_within(budget, json!({ "goto": url })).await.map(page)
    }

    /// Carries out a step that must succeed.
    pub(crate) async fn does(&mut self, step: Value) {
        let text = step.to_string();
        if let Err(fault) = self.perform(step).await {
            panic!("{text}: {fault}");
        }
    }

    /// The data of a step that must succeed.
    pub(crate) async fn data(&mut self, step: Value) -> Map<String, Value> {
        let text = step.to_string();
        match self.perform(step).await {
            Ok(StepOutput::Data(data)) => data,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// The picture or PDF of a step that must succeed.
    pub(crate) async fn artifact(&mut self, step: Value) -> Artifact {
        let text = step.to_string();
        match self.perform(step).await {
            Ok(StepOutput::Artifact(artifact)) => artifact,
            other => panic!("{text}: {other:?}"),
        }
    }

    /// The value of an expression.
    pub(crate) async fn js(&mut self, script: &str) -> Value {
        self.data(json!({ "evaluate": script })).await.remove("evaluate").expect("a value")
    }

    /// The text of an element.
    pub(crate) async fn text(&mut self, selector: &str) -> String {
        let data = self.data(json!({ "extract": { "text": selector } })).await;
        data["text"].as_str().unwrap_or("(missing)").to_owned()
    }

    /// The page's incidents so far.
    pub(crate) fn incidents(&mut self) -> Incidents {
        self.opened().context.incidents()
    }

    /// Scheme, host and port of the site.
    pub(crate) fn origin(&self) -> String {
        self.rig.site.url("")
    }

    /// Closes the context and verifies that it is gone.
    pub(crate) async fn close(mut self) {
        let opened = self.opened.take().expect("a tab that was not closed");
        if let Err(error) = self.rig.dismiss(opened).await {
            panic!("{error}");
        }
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        if let Some(opened) = self.opened.take() {
            self.rig.take_back(opened, self.reusable && !std::thread::panicking());
        }
    }
}

fn page(output: StepOutput) -> Page {
    match output {
        StepOutput::Page(page) => page,
        other => panic!("a goto brings a page, not {other:?}"),
    }
}
