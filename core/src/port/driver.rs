//! The ports that a driver implements.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::capability::Capabilities;
use crate::id::BrowserId;
use crate::job::Setup;
use crate::outcome::Fault;
use crate::policy::pressure::Trim;
use crate::port::output::{Incidents, StepOutput};
use crate::step::{Goto, Step};

/// Launches browsers: over CDP, over WebDriver, simulated, or from a plugin.
#[async_trait]
pub trait Driver: Send + Sync {
    /// The name that selects this driver in the settings.
    fn name(&self) -> &str;

    /// The capabilities of its contexts. A job that needs other capabilities is refused before it runs.
    fn capabilities(&self) -> Capabilities;

    /// Counts of the driver's own for the report, by name; none by default.
    fn counters(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// Starts a browser (or connects to one) that can open contexts, within `budget`.
    ///
    /// # Errors
    /// A [`Fault`] of class `browser_crash`, `unsupported` or `overload`. After an error, nothing is left running.
    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault>;
}

/// One browser process or endpoint. It is shared: several contexts may be opened at the same time.
#[async_trait]
pub trait Browser: Send + Sync {
    /// Starts to open an isolated context with one page, which may take `budget`. The caller is inside a tokio runtime,
    /// and the call must not block.
    fn open(&self, request: OpenRequest, budget: Duration) -> Box<dyn Opening>;

    /// Completes when the browser has exited, is disconnected or hangs. It is then useless and must be closed.
    async fn ended(&self) -> BrowserEnd;

    /// Ends the browser, by force if necessary, and returns when it is verified gone.
    ///
    /// # Errors
    /// If a part of the browser still exists.
    async fn close(&self) -> Result<(), CloseError>;

    /// Asks the browser to free memory that it does not need. The result is not awaited.
    async fn trim(&self, _trim: Trim) {}
}

/// A context that is being opened.
///
/// ```text
///   Browser::open ─► ready ── Ok ──────────────────────────► Context ─► … ─► Context::close, verified gone
///                      └───── fault, or its future dropped ─► abandon ──────► verified gone
/// ```
///
/// [`Opening::ready`] is called once. Unless it returns a context, [`Opening::abandon`] is the next and last call.
/// Dropping an opening also removes what it created, but does not report whether the removal succeeded.
#[async_trait]
pub trait Opening: Send {
    /// Waits for the context. The future may be dropped at any await.
    ///
    /// # Errors
    /// A [`Fault`]. A partly created context may exist until [`Opening::abandon`] has returned.
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault>;

    /// Cancels the opening and returns when the partly created context is verified gone.
    ///
    /// # Errors
    /// If the removal could not be verified. The browser must then no longer be used.
    async fn abandon(self: Box<Self>) -> Result<(), CloseError>;
}

/// One isolated session. Only one attempt uses it at a time.
#[async_trait]
pub trait Context: Send {
    /// Performs one step within `budget`. The caller checks that the output is what the step owes
    /// ([`StepOutput::check`]).
    ///
    /// # Errors
    /// A [`Fault`]. The context remains usable unless the class is a crash.
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault>;

    /// The incidents of the page: attempts that could have blocked the job.
    fn incidents(&self) -> Incidents;

    /// Closes the context and returns when it is verified gone, with its pages, cookies and storage.
    ///
    /// # Errors
    /// If the removal could not be verified. The browser must then no longer be used.
    async fn close(self: Box<Self>) -> Result<(), CloseError>;
}

/// The purpose of a context.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenRequest {
    /// The settings that apply before the first page is opened.
    pub setup: Setup,
    /// The first page that the job will open. A driver may start to load it at once and wait for it when the `goto` is
    /// performed: creating a target with its URL costs the browser 12 to 17 % less.
    pub first: Option<Goto>,
}

/// How a browser ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowserEnd {
    /// The process exited or the connection broke. The text gives the details and the last lines of the browser's log.
    #[error("the browser died: {0}")]
    Died(String),
    /// The browser still runs, but has not answered for this duration.
    #[error("the browser has not answered for {0:?}")]
    Hung(Duration),
}

/// A context or browser that could not be verified gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("not verified gone: {0}")]
pub struct CloseError(pub String);
