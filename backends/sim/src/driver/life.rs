//! Whether a simulated browser still runs, and how it ended: [`Life`].

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::watch;

/// The end of a browser, shared with its contexts.
#[derive(Debug)]
pub(super) struct Life {
    end: watch::Sender<Option<String>>,
    run: Supervisor,
}

impl Life {
    /// The life of a browser that ends at the latest when `run` is cancelled.
    pub(super) fn new(run: Supervisor) -> Self {
        Self { end: watch::Sender::new(None), run }
    }

    /// Ends the browser; the first reason is kept.
    pub(super) fn end(&self, how: &str) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert_with(|| how.to_owned());
            first
        });
    }

    /// Completes when the browser has ended, with the reason.
    pub(super) async fn ended(&self) -> String {
        let mut end = self.end.subscribe();
        tokio::select! {
            // This value holds the sender, so the wait cannot fail.
            Ok(end) = end.wait_for(Option::is_some) => end.clone().unwrap_or_default(),
            () = self.run.cancelled() => "the run is over".to_owned(),
        }
    }

    /// The outcome of `work`, or a fault if the browser ends first.
    pub(super) async fn during<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            how = self.ended() => Err(Fault::transient(FailureClass::BrowserCrash, how)),
            outcome = work => outcome,
        }
    }
}
