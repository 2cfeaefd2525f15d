//! A driver, one of its browsers, and contexts whose steps are written as in a job.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{Browser, Context, Driver, OpenRequest, Page, StepOutput};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_http::{HttpDriver, HttpSettings};
use serde_json::{Map, Value, json};

/// The time limit of a step that should succeed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with these settings.
pub(crate) async fn browser_with(settings: Value) -> Arc<dyn Browser> {
    let settings = HttpSettings::read(settings).expect("settings");
    let driver = HttpDriver::new(settings, &Supervisor::root()).expect("a driver");
    driver.launch(BrowserId(1), PATIENCE).await.expect("a browser")
}

pub(crate) async fn browser() -> Arc<dyn Browser> {
    browser_with(Value::Null).await
}

/// A context and its operations.
pub(crate) struct Tab(pub(crate) Box<dyn Context>);

impl Tab {
    pub(crate) async fn open(browser: &dyn Browser) -> Self {
        Self::open_with(browser, Setup::default()).await.expect("a context")
    }

    pub(crate) async fn open_with(browser: &dyn Browser, setup: Setup) -> Result<Self, Fault> {
        Ok(Self(browser.open(OpenRequest { setup, first: None }, PATIENCE).ready().await?))
    }

    /// Carries out a step, written as in a job.
    pub(crate) async fn perform(&mut self, step: Value) -> Result<StepOutput, Fault> {
        self.perform_within(PATIENCE, step).await
    }

    pub(crate) async fn perform_within(
        &mut self,
        budget: Duration,
        step: Value,
    ) -> Result<StepOutput, Fault> {
        let step: Step = serde_json::from_value(step).expect("a step");
        self.0.perform(&step, budget).await
    }

    pub(crate) async fn goto(&mut self, url: &str) -> Result<Page, Fault> {
        match self.perform(json!({ "goto": url })).await? {
            StepOutput::Page(page) => Ok(page),
            other => panic!("a goto brings a page, not {other:?}"),
        }
    }

    /// The data of a step that must succeed.
    pub(crate) async fn data(&mut self, step: Value) -> Map<String, Value> {
        match self.perform(step).await {
            Ok(StepOutput::Data(data)) => data,
            other => panic!("{other:?}"),
        }
    }

    /// The text of an element.
    pub(crate) async fn text(&mut self, selector: &str) -> Value {
        self.data(json!({ "extract": { "text": selector } })).await.remove("text").unwrap_or_default()
    }
}

/// Checks that a call failed with this class and these words.
#[track_caller]
pub(crate) fn failed<T: std::fmt::Debug>(
    done: Result<T, Fault>,
    class: FailureClass,
    recurrence: Recurrence,
    words: &str,
) {
    let fault = done.expect_err(words);
    assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
    assert!(fault.message.contains(words), "{words:?} is not in: {fault}");
}
