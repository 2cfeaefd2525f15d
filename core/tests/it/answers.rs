//! A driver that answers each step with what the table says: no wrong answer counts as success.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Recurrence, Stage};
use plimsoll_core::policy::{DispatchConfig, LeakyConfig, Rule};
use plimsoll_core::port::{
    Artifact, ArtifactKind, Blindfold, Browser, BrowserEnd, CloseError, Context, Driver, Incidents,
    OpenRequest, Opening, Page, PlainOpening, StepOutput,
};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, FleetReport, Surroundings};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::{Goto, Step};
use serde_json::{Value, json};

use crate::fleet::scripted::ScriptedStore;

type Answer = Result<StepOutput, Fault>;

/// Answers the last step of job N, whose URL is `http://site/N`, with answer N, and opens pages.
#[derive(Clone)]
struct Answering(Arc<Vec<Answer>>);

struct Job {
    answers: Arc<Vec<Answer>>,
    number: usize,
    steps: Vec<&'static str>,
}

#[async_trait]
impl Driver for Answering {
    fn name(&self) -> &str {
        "answering"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        [("answers".to_owned(), self.0.len() as u64)].into()
    }

    async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Browser for Answering {
    fn open(&self, request: OpenRequest, _: Duration) -> Box<dyn Opening> {
        let Some(Goto { url, .. }) = request.first else { panic!("every job has a URL") };
        let number = url.path().trim_start_matches('/').parse().expect("the number of the job");
        let answers = Arc::clone(&self.0);
        PlainOpening::of(async move {
            Ok(Box::new(Job { answers, number, steps: Vec::new() }) as Box<dyn Context>)
        })
    }

    async fn ended(&self) -> BrowserEnd {
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), CloseError> {
        Ok(())
    }
}

#[async_trait]
impl Context for Job {
    async fn perform(&mut self, step: &Step, _: Duration) -> Answer {
        self.steps.push(step.name());
        match step {
            Step::Goto(goto) if self.steps.len() == 1 => page(goto.url.as_str(), Some(200)),
            _ => self.answers[self.number].clone(),
        }
    }

    fn incidents(&self) -> Incidents {
        Incidents::default()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        Ok(())
    }
}

fn page(url: &str, status: Option<u16>) -> Answer {
    Ok(StepOutput::Page(Page { url: url.to_owned(), status }))
}

fn data(value: Value) -> Answer {
    Ok(StepOutput::Data(serde_json::from_value(value).expect("a map")))
}

fn file(kind: ArtifactKind, bytes: &[u8]) -> Answer {
    Ok(StepOutput::Artifact(Artifact { kind, bytes: bytes.to_vec() }))
}

/// Runs one job for each row, which opens a page and has the row's step.
async fn run(rows: Vec<(Value, Answer)>) -> (FleetReport, ScriptedStore) {
    let job = |(number, (step, _)): (usize, &(Value, Answer))| {
        let url = format!("http://site/{number}");
        json!({"id": number.to_string(), "url": url, "steps": [step]}).to_string()
    };
    let jobs: Vec<_> = rows.iter().enumerate().map(job).collect();
    let store = ScriptedStore::of(&jobs.iter().map(String::as_str).collect::<Vec<_>>());
    let mut dispatch = DispatchConfig::default();
    // Breakers that would hold the jobs back after the first failures are kept closed.
    let patient = Rule::Leaky(LeakyConfig { trips_at: 1_000, ..LeakyConfig::default() });
    dispatch.admission.scopes.fuse.rule = patient.clone();
    dispatch.admission.scopes.global.rule = patient;
    let config = FleetConfig {
        dispatch,
        attempt_timeout: Duration::from_secs(5),
        launch_timeout: Duration::from_secs(30),
        seed: 1,
    };
    let surroundings = Surroundings {
        name: "answering".into(),
        driver: Arc::new(Answering(Arc::new(rows.into_iter().map(|(_, answer)| answer).collect()))),
        store: store.shared(),
        probe: Box::new(Blindfold),
        observer: Arc::new(()),
    };
    let mut fleet = Fleet::start(config, surroundings, Clock::start(), &Supervisor::root());
    let report = fleet.ended().await.expect("the fleet's own task does not fail");
    (report, store)
}

/// Steps with an answer that is not owed, and a part of the sentence that says so.
fn wrong() -> Vec<(Value, Answer, &'static str)> {
    let done = || Ok(StepOutput::Done);
    let extract = || json!({"extract": {"title": "h1"}});
    let internal = |message: &str| Err(Fault::persistent(FailureClass::Internal, message));
    vec![
        (json!({"goto": "http://a/"}), done(), "owes a page, and the answer is no output"),
        (json!({"goto": "http://a/"}), data(json!({})), "the answer is data"),
        (json!({"goto": "http://a/"}), page("", Some(200)), "the URL of a page"),
        (json!({"goto": "http://a/"}), page("http://a/", Some(0)), "a status from 100 to 999"),
        (
            json!({"expect": {"text": "t"}}),
            page("http://a/", Some(500)),
            "owes no output, and the answer is a page",
        ),
        (json!({"wait_for": "p"}), data(json!({})), "the answer is data"),
        (json!({"click": "p"}), page("http://a/", Some(404)), "the answer is a page"),
        (json!({"set_cookies": []}), data(json!({"cookies": []})), "the answer is data"),
        (json!({"hover": "p"}), file(ArtifactKind::Png, b""), "the answer is a PNG picture"),
        (extract(), done(), "owes data, and the answer is no output"),
        (extract(), page("http://a/", Some(503)), "the answer is a page"),
        (extract(), data(json!({})), "the field `title`, and the answer does not have it"),
        (extract(), data(json!({"title": "x", "more": "y"})), "the field `more`"),
        (extract(), data(json!({"title": 7})), "a text or null in the field `title`"),
        (json!({"extract": {"all": {"all": "li"}}}), data(json!({"all": "x"})), "a list in the field `all`"),
        (json!({"evaluate": "1"}), data(json!({"value": 1})), "the field `evaluate`"),
        (json!({"evaluate": "1"}), done(), "the answer is no output"),
        (json!({"content": {}}), file(ArtifactKind::Pdf, b"%PDF-1.4"), "the answer is a PDF document"),
        (json!({"content": {}}), data(json!({"content": ["<p>"]})), "a text in the field `content`"),
        (json!({"get_cookies": {}}), data(json!({"cookies": [1]})), "a list of cookies"),
        (json!({"screenshot": "page"}), done(), "a PNG picture, and the answer is no output"),
        (
            json!({"screenshot": "page"}),
            file(ArtifactKind::Jpeg, b"\xff\xd8\xff"),
            "the answer is a JPEG picture",
        ),
        (json!({"screenshot": "page"}), file(ArtifactKind::Png, b"<html>"), "does not begin like one"),
        (json!({"pdf": {}}), file(ArtifactKind::Pdf, b""), "the file of 0 bytes"),
        (json!({"press": "Enter"}), internal("the plugin panicked: x"), "the plugin panicked: x"),
    ]
}

#[tokio::test(start_paused = true)]
async fn no_wrong_answer_counts_as_success_and_each_is_an_internal_fault_with_driver_and_step() {
    let rows = wrong();
    let (report, store) =
        run(rows.iter().map(|(step, answer, _)| (step.clone(), answer.clone())).collect()).await;
    assert_eq!((report.jobs.failed, report.jobs.lost()), (rows.len() as u64, 0));
    for ((step, answer, says), number) in rows.iter().zip(0..) {
        let record = store.record_of(number);
        let Outcome::Failed(failure) = &record.outcome else { panic!("{step}: {answer:?}: {record:?}") };
        let found = (failure.fault.class, failure.fault.recurrence, failure.stage);
        assert_eq!(
            found,
            (FailureClass::Internal, Recurrence::Persistent, Stage::Step(1)),
            "{step}: {failure}"
        );
        let name = step.as_object().and_then(|step| step.keys().next()).expect("a step has a name");
        let begins = format!("driver `answering`, step `{name}`: ");
        let message = &failure.fault.message;
        assert!(message.starts_with(&begins) && message.contains(says), "{step}: {message}");
        assert!(record.data.is_empty() && record.artifacts.is_empty() && record.attempts == 1, "{record:?}");
        assert_eq!(record.status, Some(200), "only a page that was asked for sets the status");
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_is_judged_by_core_for_pages_that_were_asked_for() {
    let (report, store) = run(vec![(json!({"goto": "http://a/"}), page("http://a/", Some(404)))]).await;
    assert_eq!(report.counters["answering"]["answers"], 1, "the driver's counts are in the report");
    let outcome = store.outcome(0);
    assert_eq!(outcome.failure().map(|failure| failure.fault.class), Some(FailureClass::HttpStatus));
}

#[tokio::test(start_paused = true)]
async fn a_message_without_end_is_cut() {
    let endless = Fault::persistent(FailureClass::Script, "ü".repeat(1 << 20));
    let (_, store) = run(vec![(json!({"evaluate": "1"}), Err(endless))]).await;
    let outcome = store.outcome(0);
    let failure = outcome.failure().expect("it failed");
    assert!((1..=16 << 10).contains(&failure.fault.message.len()), "{}", failure.fault.message.len());
}
