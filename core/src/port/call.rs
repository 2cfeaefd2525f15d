//! The calls of the ports as data that can be sent to a driver library or to another process.
//!
//! The transports (`plugins/`) add the kind of the call and its target. The content of an artifact can be large and is
//! sent separately as raw bytes: [`StepOutput::split`] separates it, [`OutputHead::join`] joins it again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::capability::Capabilities;
use crate::id::BrowserId;
use crate::outcome::Fault;
use crate::port::driver::OpenRequest;
use crate::port::output::{Artifact, ArtifactKind, Incidents, Page, StepOutput};
use crate::step::Step;

/// A driver that was created from its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriverMade {
    /// [`Driver::name`](crate::port::Driver::name).
    pub name: String,
    /// Names of the [`Driver::capabilities`](crate::port::Driver::capabilities). The receiver may not know all of them.
    pub capabilities: Vec<String>,
}

impl DriverMade {
    /// The description of a driver.
    #[must_use]
    pub fn new(name: &str, capabilities: &Capabilities) -> Self {
        let capabilities = capabilities.iter().map(|capability| capability.name().to_owned()).collect();
        Self { name: name.to_owned(), capabilities }
    }

    /// The capabilities whose names are known on this side.
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
    /// The timeout of the launch.
    pub budget: Duration,
}

/// [`Browser::open`](crate::port::Browser::open).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// The number of the browser, as given at its launch.
    pub browser: u64,
    /// What the context is opened for.
    pub request: OpenRequest,
    /// The timeout of the opening.
    pub budget: Duration,
}

/// [`Context::perform`](crate::port::Context::perform). Serialized with a `&Step`, deserialized with a `Step`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Perform<S = Step> {
    /// The step.
    pub step: S,
    /// The timeout of the step.
    pub budget: Duration,
}

/// The result of a step, and the incidents of the page up to the end of the step.
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
    /// The step has no output.
    Done,
    /// A page was opened.
    Page(Page),
    /// Values for the job's data.
    Data(Map<String, Value>),
    /// A picture or a PDF, whose content is sent separately.
    Artifact(ArtifactKind),
}

impl StepOutput {
    /// Splits the output into the part that is sent as text and the raw bytes of an artifact.
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
    /// Joins the two parts again. `bytes` is the content of an artifact.
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
