//! The ports' calls as data: what crosses the edge of a driver library or of a process.
//!
//! Whoever carries them (`plugins/`) adds which call it is and whom it is for. The content of an artifact can be large
//! and travels beside the rest, raw: [`StepOutput::split`] takes it out, [`OutputHead::join`] puts it back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::capability::Capabilities;
use crate::id::BrowserId;
use crate::outcome::Fault;
use crate::port::driver::OpenRequest;
use crate::port::output::{Artifact, ArtifactKind, Incidents, Page, StepOutput};
use crate::step::Step;

/// A driver that has been made from its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverMade {
    /// [`Driver::name`](crate::port::Driver::name).
    pub name: String,
    /// [`Driver::capabilities`](crate::port::Driver::capabilities), by name: the other side may know more of them.
    pub capabilities: Vec<String>,
}

impl DriverMade {
    /// What to say of a driver.
    #[must_use]
    pub fn new(name: &str, capabilities: &Capabilities) -> Self {
        let capabilities = capabilities.iter().map(|capability| capability.name().to_owned()).collect();
        Self { name: name.to_owned(), capabilities }
    }

    /// The capabilities that this side knows too.
    #[must_use]
    pub fn known_capabilities(&self) -> Capabilities {
        Capabilities::all()
            .iter()
            .filter(|known| self.capabilities.iter().any(|name| known.name() == name))
            .collect()
    }
}

/// [`Driver::launch`](crate::port::Driver::launch).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    /// The browser's number.
    pub id: BrowserId,
    /// How long it may take.
    pub budget: Duration,
}

/// [`Browser::open`](crate::port::Browser::open).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// On which browser, by the number that its launch was given.
    pub browser: u64,
    /// What for.
    pub request: OpenRequest,
    /// How long it may take.
    pub budget: Duration,
}

/// [`Context::perform`](crate::port::Context::perform). Written with a `&Step`, read with a `Step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Perform<S = Step> {
    /// What to do.
    pub step: S,
    /// How long it may take.
    pub budget: Duration,
}

/// What came of a step, and what the page has tried up to then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Performed {
    /// The output, without the content of an artifact.
    pub output: Result<OutputHead, Fault>,
    /// [`Context::incidents`](crate::port::Context::incidents) after the step.
    pub incidents: Incidents,
}

/// A [`StepOutput`] without the content of its artifact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputHead {
    /// Nothing but its effect.
    Done,
    /// A page was opened.
    Page(Page),
    /// Values for the job's data.
    Data(Map<String, Value>),
    /// A picture or a PDF, whose content travels beside.
    Artifact(ArtifactKind),
}

impl StepOutput {
    /// What can be written as text, and the bytes that should not be.
    #[must_use]
    pub fn split(self) -> (OutputHead, Vec<u8>) {
        match self {
            Self::Done => (OutputHead::Done, Vec::new()),
            Self::Page(page) => (OutputHead::Page(page), Vec::new()),
            Self::Data(data) => (OutputHead::Data(data), Vec::new()),
            Self::Artifact(Artifact { kind, bytes }) => (OutputHead::Artifact(kind), bytes),
        }
    }
}

impl OutputHead {
    /// The output whole again. `bytes` are those of an artifact.
    #[must_use]
    pub fn join(self, bytes: Vec<u8>) -> StepOutput {
        match self {
            Self::Done => StepOutput::Done,
            Self::Page(page) => StepOutput::Page(page),
            Self::Data(data) => StepOutput::Data(data),
            Self::Artifact(kind) => StepOutput::Artifact(Artifact { kind, bytes }),
        }
    }
}
