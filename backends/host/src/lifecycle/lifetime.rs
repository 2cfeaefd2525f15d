//! The state of one browser's end, for its handle and its contexts.
//!
//! A browser *ends* when it dies, hangs or is closed: no operation runs on it from then on. It is *gone* when no
//! process or file of it is left on the machine, which takes a little longer.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{BrowserEnd, CloseError};
use tokio::sync::watch;
use tokio::time::timeout;

/// The longest time from a browser's end until it is gone: longer than a kill ladder takes, and less than the 15 s that
/// a fleet gives to the close of a context.
const REMOVAL: Duration = Duration::from_secs(14);

/// The state of one browser's end. Copies refer to the same browser.
#[derive(Debug, Clone)]
pub struct Lifetime {
    end: watch::Receiver<Option<BrowserEnd>>,
    gone: watch::Receiver<Option<Result<(), CloseError>>>,
}

/// The reaper's side of a [`Lifetime`]. When it is dropped, states that it has not reported count as failures.
#[derive(Debug, Default)]
pub(super) struct LifetimeSender {
    pub(super) end: watch::Sender<Option<BrowserEnd>>,
    pub(super) gone: watch::Sender<Option<Result<(), CloseError>>>,
}

impl From<&LifetimeSender> for Lifetime {
    fn from(sender: &LifetimeSender) -> Self {
        Self { end: sender.end.subscribe(), gone: sender.gone.subscribe() }
    }
}

impl Lifetime {
    /// How the browser ended, if it has.
    #[must_use]
    pub fn end(&self) -> Option<BrowserEnd> {
        self.end.borrow().clone()
    }

    /// Completes when the browser has ended.
    pub async fn ended(&self) -> BrowserEnd {
        let mut end = self.end.clone();
        let ended = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        ended.unwrap_or_else(|| BrowserEnd::Died("its reaper task ended before it did".to_owned()))
    }

    /// Completes when the browser has ended, with the resulting fault for a job in one of its contexts.
    pub async fn lost(&self) -> Fault {
        Fault::transient(FailureClass::BrowserCrash, self.ended().await.to_string())
    }

    /// Completes when nothing of the browser is left, or when its removal has failed.
    ///
    /// # Errors
    /// When something of it may be left.
    pub async fn gone(&self) -> Result<(), CloseError> {
        let mut gone = self.gone.clone();
        let verdict = gone.wait_for(Option::is_some).await.ok().and_then(|gone| gone.clone());
        verdict.unwrap_or_else(|| Err(CloseError("the browser's reaper task ended early".to_owned())))
    }

    /// The same, for a context of a browser that has ended: the context is gone when all of the browser is. Takes at
    /// most 14 seconds.
    ///
    /// # Errors
    /// When something of the browser may be left.
    pub async fn gone_in_time(&self) -> Result<(), CloseError> {
        match timeout(REMOVAL, self.gone()).await {
            Ok(verdict) => verdict,
            Err(_) => Err(CloseError(format!("the browser ended but is not gone after {REMOVAL:?}"))),
        }
    }
}
