//! One simulated context: it keeps its address, its cookies, and whether its page still runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Artifact, ArtifactKind, CloseError, Context, Incidents, Page, StepOutput};
use plimsoll_core::step::{Cookie, Expect, Expectation, Goto, ImageFormat, Step, WaitFor, WaitTarget};
use serde_json::{Map, Value, json};

use super::life::Life;
use super::luck::Luck;
use super::{SimSettings, invented, pass};
use crate::chance::Chance;

/// A context.
#[derive(Debug)]
pub(super) struct SimContext {
    settings: SimSettings,
    luck: Arc<Luck>,
    browser: Arc<Life>,
    cookies: Vec<Cookie>,
    /// The current address.
    url: String,
    /// The number of steps so far: each has its own duration.
    steps: u64,
    crashed: bool,
}

impl SimContext {
    pub(super) fn new(settings: SimSettings, luck: Arc<Luck>, browser: Arc<Life>, setup: Setup) -> Self {
        let url = "about:blank".to_owned();
        Self { settings, luck, browser, cookies: setup.cookies, url, steps: 0, crashed: false }
    }

    async fn act(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        if self.crashed {
            return Err(Fault::transient(FailureClass::PageCrash, "the page died in an earlier step"));
        }
        self.steps += 1;
        match step {
            Step::Goto(goto) => self.open(goto, budget).await,
            Step::WaitFor(WaitFor { target, timeout }) if never(&condition(target)) => {
                let patience = timeout.unwrap_or(budget).min(budget);
                tokio::time::sleep(patience).await;
                let what = condition(target);
                let message = format!("waiting for {what:?}: it never comes, within {patience:?}");
                Err(Fault::transient(FailureClass::Timeout, message))
            }
            Step::Expect(Expect { that, timeout }) if never(&expectation(that)) => {
                tokio::time::sleep(budget.min(*timeout)).await;
                let message = format!("expected {:?}, which never comes", expectation(that));
                Err(Fault::persistent(FailureClass::Assertion, message))
            }
            step => {
                let mut chance = Chance::of(self.settings.seed, &[3, invented::key(&self.url), self.steps]);
                let what = format!("`{}`", step.name());
                pass(&mut chance, self.settings.step, budget, &what).await?;
                Ok(self.output(step))
            }
        }
    }

    /// Opens a page, which may fail.
    async fn open(&mut self, goto: &Goto, budget: Duration) -> Result<StepOutput, Fault> {
        let (url, faults) = (goto.url.as_str(), self.settings.faults);
        let mut chance = self.luck.next(self.settings.seed, url);
        let hangs = url.starts_with("chrome://hang") || chance.happens(faults.hang);
        if hangs {
            tokio::time::sleep(budget).await;
            let message = format!("{url} was not loaded after {budget:?}");
            return Err(Fault::transient(FailureClass::Timeout, message));
        }
        pass(&mut chance, self.settings.page, budget, url).await?;
        if chance.happens(faults.browser_crash) {
            self.browser.end("the simulated browser crashed");
            return Err(Fault::transient(
                FailureClass::BrowserCrash,
                format!("{url} took its browser along"),
            ));
        }
        let fault_page = url.starts_with("chrome://");
        if fault_page || chance.happens(faults.page_crash) {
            self.crashed = true;
            return Err(Fault::transient(FailureClass::PageCrash, format!("{url} died")));
        }
        let host = goto.url.site().unwrap_or_default();
        if host.rsplit_once(':').is_some_and(|(host, _)| host.ends_with(".invalid")) {
            return Err(Fault::persistent(FailureClass::Navigation, format!("{host} does not exist")));
        }
        if chance.happens(faults.navigation) {
            return Err(Fault::transient(FailureClass::Navigation, format!("{url} could not be reached")));
        }
        url.clone_into(&mut self.url);
        Ok(StepOutput::Page(Page { url: url.to_owned(), status: status(url) }))
    }

    /// The output of a step.
    fn output(&mut self, step: &Step) -> StepOutput {
        let seed = self.settings.seed;
        let artifact = |kind, bytes: &[u8]| StepOutput::Artifact(Artifact { kind, bytes: bytes.to_owned() });
        match step {
            Step::Extract(extract) => StepOutput::Data(invented::fields(seed, &self.url, &extract.fields)),
            Step::Evaluate(evaluate) => {
                named(&evaluate.name, json!(invented::text(seed, &self.url, &evaluate.script)))
            }
            Step::Content(content) => named(&content.name, json!(invented::page(seed, &self.url))),
            Step::GetCookies(cookies) => named(&cookies.name, json!(self.cookies)),
            Step::SetCookies(cookies) => {
                self.cookies.retain(|old| !cookies.iter().any(|new| new.name == old.name));
                self.cookies.extend(cookies.iter().cloned());
                StepOutput::Done
            }
            Step::Screenshot(screenshot) => match screenshot.format {
                ImageFormat::Png => artifact(ArtifactKind::Png, include_bytes!("blank.png")),
                ImageFormat::Jpeg => artifact(ArtifactKind::Jpeg, include_bytes!("blank.jpg")),
            },
            Step::Pdf(_) => artifact(ArtifactKind::Pdf, include_bytes!("blank.pdf")),
            _ => StepOutput::Done,
        }
    }
}

#[async_trait]
impl Context for SimContext {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let browser = Arc::clone(&self.browser);
        browser.during(self.act(step, budget)).await
    }

    fn incidents(&self) -> Incidents {
        Incidents::default()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        Ok(())
    }
}

fn named(name: &str, value: Value) -> StepOutput {
    StepOutput::Data(Map::from_iter([(name.to_owned(), value)]))
}

/// The status of the server's answer: the status in the path, or success.
fn status(url: &str) -> Option<u16> {
    let said = url.split_once("/status/").and_then(|(_, rest)| rest.get(..3)?.parse().ok());
    url.starts_with("http").then(|| said.filter(|status| (200..600).contains(status)).unwrap_or(200))
}

fn never(condition: &str) -> bool {
    condition.contains("never")
}

fn condition(target: &WaitTarget) -> String {
    match target {
        WaitTarget::Load(_) => String::new(),
        WaitTarget::Selector(text, _)
        | WaitTarget::Text(text)
        | WaitTarget::Url(text)
        | WaitTarget::Function(text) => text.clone(),
    }
}

fn expectation(that: &Expectation) -> String {
    match that {
        Expectation::Text(text)
        | Expectation::Title(text)
        | Expectation::Url(text)
        | Expectation::Element(text, _)
        | Expectation::Count(text, _)
        | Expectation::Function(text) => text.clone(),
        Expectation::ElementText(selector, text) => format!("{selector} {text}"),
    }
}
