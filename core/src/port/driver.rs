//! The ports that a driver implements.

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

/// Makes browsers: over CDP, over WebDriver, simulated, from a plugin.
#[async_trait]
pub trait Driver: Send + Sync {
    /// The name by which settings choose it.
    fn name(&self) -> &str;

    /// What its contexts can do. A job that needs more is refused before it runs.
    fn capabilities(&self) -> Capabilities;

    /// Starts (or connects to) a browser that is ready to open contexts, within `budget`.
    ///
    /// # Errors
    /// A [`Fault`] of class `browser_crash`, `unsupported` or `overload`; nothing is left running.
    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault>;
}

/// One browser process or endpoint. Shared: contexts are opened on it side by side.
#[async_trait]
pub trait Browser: Send + Sync {
    /// Begins to open an isolated context with one page, which may take `budget`. It is called within a tokio runtime
    /// and does not block.
    fn open(&self, request: OpenRequest, budget: Duration) -> Box<dyn Opening>;

    /// Completes when the browser has died or hangs: from then on it is useless and must be closed.
    async fn ended(&self) -> BrowserEnd;

    /// Ends the browser, by force if need be, and returns when it is verified gone.
    ///
    /// # Errors
    /// When something of it still lives.
    async fn close(&self) -> Result<(), CloseError>;

    /// Asks the browser to give back memory that it can do without. Nothing waits for it.
    async fn trim(&self, _trim: Trim) {}
}

/// A context that is being opened.
///
/// ```text
///   Browser::open ─► ready ── Ok ──────────────────────────► Context ─► … ─► Context::close, verified gone
///                      └───── fault, or its future dropped ─► abandon ──────► verified gone
/// ```
///
/// [`Opening::ready`] is called once. Unless it returned a context, [`Opening::abandon`] is the next and last call. An
/// opening that is dropped without it removes what it had made too, but nobody learns whether that worked.
#[async_trait]
pub trait Opening: Send {
    /// Waits for the context. The future may be dropped at any await.
    ///
    /// # Errors
    /// A [`Fault`]; what was half made may still exist, until [`Opening::abandon`] has returned.
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault>;

    /// Gives the opening up, and returns when whatever was half made is verified gone.
    ///
    /// # Errors
    /// When it could not be verified; the browser is then no longer to be trusted.
    async fn abandon(self: Box<Self>) -> Result<(), CloseError>;
}

/// One isolated session, used by one attempt at a time.
#[async_trait]
pub trait Context: Send {
    /// Carries out one step within `budget`.
    ///
    /// # Errors
    /// A [`Fault`]; the context may be used on unless the class is a crash.
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault>;

    /// What the page tried that could have hung the job.
    fn incidents(&self) -> Incidents;

    /// Ends the context and returns when it is verified gone: its pages, cookies and storage with it.
    ///
    /// # Errors
    /// When it could not be verified; the browser is then no longer to be trusted.
    async fn close(self: Box<Self>) -> Result<(), CloseError>;
}

/// What a context is opened for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenRequest {
    /// How it is set up before its first page.
    pub setup: Setup,
    /// The page it will be asked for first. A driver may begin to load it at once, and wait for it when the
    /// `goto` is performed: a target that is created with its URL costs the browser 12 to 17 % less.
    pub first: Option<Goto>,
}

/// How a browser came to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowserEnd {
    /// Its process ended or its connection broke; the text says how, with the last words of its log.
    #[error("the browser died: {0}")]
    Died(String),
    /// It lives, but has not answered for so long.
    #[error("the browser has not answered for {0:?}")]
    Hung(Duration),
}

/// A context or browser that could not be verified gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("not verified gone: {0}")]
pub struct CloseError(pub String);
