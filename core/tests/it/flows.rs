//! Control flow as attempts carry it out: a driver that is a book of pages gets plain steps only.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::DispatchConfig;
use plimsoll_core::port::{
    Blindfold, Browser, BrowserEnd, CloseError, Context, Driver, Incidents, JobRecord, OpenRequest, Opening,
    Page, PlainOpening, StepOutput,
};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, Surroundings};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::{Expectation, Field, Step};
use serde_json::{Map, Value, json};

use crate::fleet::scripted::ScriptedStore;

/// Three pages with two rows each, and a link `.next` on all but the last.
const LAST: usize = 3;

/// The driver and everything else of the port, and the steps that its contexts got.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

struct Reader {
    book: Book,
    page: usize,
}

#[async_trait]
impl Driver for Book {
    fn name(&self) -> &str {
        "book"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Browser for Book {
    fn open(&self, _: OpenRequest, _: Duration) -> Box<dyn Opening> {
        let book = self.clone();
        PlainOpening::of(async move { Ok(Box::new(Reader { book, page: 1 }) as Box<dyn Context>) })
    }

    async fn ended(&self) -> BrowserEnd {
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), CloseError> {
        Ok(())
    }
}

#[async_trait]
impl Context for Reader {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let written = serde_json::to_string(step).expect("plain data");
        self.book.0.lock().expect("no panic").push(written);
        let page = self.page;
        let done = |holds: bool, class| {
            if holds { Ok(StepOutput::Done) } else { Err(Fault::persistent(class, "no")) }
        };
        match step {
            Step::Goto(goto) => {
                self.page = goto.url.path().trim_start_matches('/').parse().unwrap_or(1);
                Ok(StepOutput::Page(Page { url: goto.url.to_string(), status: Some(200) }))
            }
            Step::Expect(expect) => match &expect.that {
                Expectation::Element(selector, _) if selector.ends_with(".next") => {
                    done(page < LAST, FailureClass::Assertion)
                }
                Expectation::Function(expression) => done(expression != "false", FailureClass::Assertion),
                _ => done(false, FailureClass::Assertion),
            },
            Step::Click(_) => {
                self.page += 1;
                done(page < LAST, FailureClass::Timeout)
            }
            Step::Extract(extract) => {
                let read = |field: &Field| match field {
                    Field::One { .. } => json!(format!("page {page}")),
                    Field::All { .. } => json!([format!("{page}a"), format!("{page}b")]),
                    Field::Records { .. } => json!([{}, {}]),
                };
                let data: Map<_, _> =
                    extract.fields.iter().map(|(name, field)| (name.clone(), read(field))).collect();
                Ok(StepOutput::Data(data))
            }
            Step::Evaluate(evaluate) => Ok(StepOutput::named(&evaluate.name, json!(evaluate.script))),
            Step::Press(press) => {
                let class = match press.key.as_str() {
                    "crash" => FailureClass::PageCrash,
                    "late" => FailureClass::Timeout,
                    "hang" => {
                        tokio::time::sleep(budget).await;
                        FailureClass::Timeout
                    }
                    _ => return Ok(StepOutput::Done),
                };
                Err(Fault::persistent(class, format!("`{}` was pressed", press.key)))
            }
            Step::Fill(fill) => Err(Fault::persistent(
                FailureClass::Script,
                format!("{} refuses {}", fill.selector, fill.text),
            )),
            _ => Ok(StepOutput::Done),
        }
    }

    fn incidents(&self) -> Incidents {
        Incidents::default()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        Ok(())
    }
}

/// The record of a job with these keys, and the steps that its last attempt performed.
async fn run(mut keys: Value) -> (JobRecord, Vec<String>) {
    keys["id"] = json!("1");
    keys["url"] = json!("http://site/1");
    let store = ScriptedStore::of(&[&keys.to_string()]);
    let book = Book::default();
    let config = FleetConfig {
        dispatch: DispatchConfig::default(),
        attempt_timeout: Duration::from_secs(5),
        launch_timeout: Duration::from_secs(30),
        seed: 1,
    };
    let surroundings = Surroundings {
        name: "book".into(),
        driver: Arc::new(book.clone()),
        store: store.shared(),
        probe: Box::new(Blindfold),
        observer: Arc::new(()),
    };
    let mut fleet = Fleet::start(config, surroundings, Clock::start(), &Supervisor::root());
    let report = fleet.ended().await.expect("the fleet's own task does not fail");
    assert_eq!(report.jobs.lost(), 0);
    let log = book.0.lock().expect("no panic").clone();
    (store.record_of(0), log)
}

fn failure(record: &JobRecord) -> (FailureClass, String, String) {
    let failure = record.outcome.failure().unwrap_or_else(|| panic!("it failed: {record:?}"));
    (failure.fault.class, failure.path.clone().unwrap_or_default(), failure.fault.message.clone())
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_until_there_is_no_next_one() {
    let (record, log) = run(json!({"steps": [
        {"append": {"rows": {"all": "td"}}},
        {"repeat": [{"click": ".next"}, {"append": {"rows": {"all": "td"}, "pages": "h1"}}], "while": ".next"},
    ]}))
    .await;
    assert_eq!(record.outcome, Outcome::Succeeded, "{log:?}");
    assert_eq!(record.data["rows"], json!(["1a", "1b", "2a", "2b", "3a", "3b"]));
    assert_eq!(record.data["pages"], json!(["page 2", "page 3"]));
    let expected = r#"{"expect":{"selector":".next","state":"visible","timeout":"0s"}}"#;
    assert_eq!(log.iter().filter(|step| *step == expected).count(), 3, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn values_of_earlier_steps_are_put_into_later_ones() {
    let (record, log) = run(json!({"steps": [
        {"extract": {"title": "h1", "rows": {"all": "td"}}},
        {"type": {"selector": "#q", "text": "{{data.title}}: {{ data.rows }}"}},
        {"goto": "http://site/2?q={{data.title}}"},
        {"if": {"function": "{{data.rows}}.length > 1"}, "then": [{"evaluate": {"script": "{{data.title}}", "name": "e"}}]},
    ]}))
    .await;
    assert_eq!(record.outcome, Outcome::Succeeded, "{log:?}");
    assert_eq!(record.data["e"], "\"page 1\"", "a text is a literal of JavaScript");
    let typed = r##"{"type":{"selector":"#q","text":"page 1: [\"1a\",\"1b\"]"}}"##;
    assert!(log.iter().any(|step| step == typed), "{log:?}");
    assert!(log.iter().any(|step| step.contains("http://site/2?q=page%201")), "{log:?}");
    let (record, _) = run(json!({"steps": [
        {"if": {"function": "false"}, "then": [{"evaluate": "1"}]}, {"press": "{{data.evaluate}}"},
    ]}))
    .await;
    let (class, _, message) = failure(&record);
    assert_eq!(class, FailureClass::Script);
    assert!(message.contains("`{{data.evaluate}}` has no value yet"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn steps_of_a_for_each_are_relative_to_their_element() {
    let (record, log) = run(json!({"steps": [
        {"for_each": "tr", "do": [
            {"hover": ":scope"},
            {"for_each": "td", "do": [{"append": {"cells": "b"}}]},
            {"if": ".next", "then": [{"press": {"key": "Enter", "selector": "a"}}]},
        ]},
    ]}))
    .await;
    assert_eq!(record.outcome, Outcome::Succeeded, "{log:?}");
    assert_eq!(
        record.data,
        *json!({"cells": ["page 1", "page 1", "page 1", "page 1"]}).as_object().expect("a map")
    );
    for selector in
        ["tr >> nth=1", "tr >> nth=0 >> td >> nth=1 >> b", "tr >> nth=1 >> .next", "tr >> nth=1 >> a"]
    {
        assert!(log.iter().any(|step| step.contains(&format!(":\"{selector}\""))), "{selector}: {log:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_job_s_own_is_handled_and_others_end_the_attempt() {
    let caught = |steps: Value| {
        json!({"steps": [{"try": steps, "catch": [
        {"evaluate": {"script": "{{error.class}} {{error.message}}", "name": "why"}}]}, {"press": "z"}]})
    };
    let (record, _) = run(caught(json!([{"press": "late"}]))).await;
    assert_eq!(record.outcome, Outcome::Succeeded);
    assert_eq!(record.data["why"], "\"timeout\" \"`late` was pressed\"");
    let (record, _) = run(caught(json!([{"fill": {"selector": "#p", "text": "canary"}}]))).await;
    assert_eq!(record.data["why"], "\"script\" \"#p refuses (redacted)\"");
    let (record, log) = run(caught(json!([{"press": "crash"}]))).await;
    assert_eq!(failure(&record).0, FailureClass::PageCrash);
    assert!(!log.iter().any(|step| step.contains("error.")), "{log:?}");
    let (record, log) = run(caught(json!([{"press": "hang"}]))).await;
    let (class, path, _) = failure(&record);
    assert_eq!(
        (class, path.as_str()),
        (FailureClass::Timeout, "steps[0].try[0]"),
        "the attempt has no time left"
    );
    assert_eq!(log.len(), 2, "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_names_the_path_to_its_step_and_hides_what_was_filled() {
    let (record, _) = run(json!({
        "steps": [{"press": "a"}, {"extract": {"title": "h1"}}, {"repeat": [{"click": "a"}, {"use": "p"}], "times": 9}],
        "procedures": {"p": [{"if": {"not": ".next"}, "then": [{"fill": {"selector": "#p", "text": "{{data.title}}"}}]}]},
    }))
    .await;
    let failure = record.outcome.failure().expect("it failed");
    assert_eq!(failure.path.as_deref(), Some("steps[2].repeat[1].steps[1].use.p[0].then[0]"));
    assert_eq!((failure.stage, failure.fault.message.as_str()), (Stage::Step(3), "#p refuses (redacted)"));
    assert_eq!(
        failure.to_string(),
        "script at step 3, steps[2].repeat[1].steps[1].use.p[0].then[0]: #p refuses (redacted)"
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_attempt_bounds_its_loops() {
    let (record, log) = run(json!({"timeout": "2s", "steps": [
        {"repeat": [{"try": [{"press": "hang"}], "catch": []}], "times": 100},
    ]}))
    .await;
    assert_eq!((failure(&record).0, log.len()), (FailureClass::Timeout, 2), "{log:?}");
    let (record, _) =
        run(json!({"steps": [{"repeat": [{"press": "a"}], "until": {"text": "x"}, "at_most": 50}]})).await;
    let (class, path, message) = failure(&record);
    assert_eq!((class, path.as_str()), (FailureClass::Script, "steps[0].until"));
    assert!(message.contains("took 50 turns"), "{message}");
}
