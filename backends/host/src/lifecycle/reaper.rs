//! The task that owns a browser and removes it, whatever happens to the callers.

use std::future::{Future, ready};
use std::time::Duration;

use plimsoll_core::port::{BrowserEnd, CloseError};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::watch;
use tokio::time::timeout;

use super::lifetime::{Lifetime, LifetimeSender};

/// The longest time that the tasks of a browser may take to end after the browser is gone.
const TASKS: Duration = Duration::from_secs(8);

/// The parts of a browser that must not be left behind, owned by its reaper. Dropping it ends all parts that can end
/// without waiting.
pub trait Owned: Send + Sync + 'static {
    /// Completes when the browser has died or hangs.
    fn ended(&self) -> impl Future<Output = BrowserEnd> + Send;

    /// Completes when a requested close may begin; by default at once.
    fn ready_to_close(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// Removes the browser and verifies that nothing of it is left.
    fn remove(
        self,
        removal: Removal,
        supervisor: &Supervisor,
    ) -> impl Future<Output = Result<(), CloseError>> + Send;
}

/// How a browser is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The browser works and is asked to end first.
    Asked,
    /// By force at once: the browser does not work, or there is no time to wait for it.
    Forced,
}

/// The reaper of one browser, before it starts.
#[derive(Debug)]
pub struct Reaper {
    reports: LifetimeSender,
}

/// The only handle on a browser that has a reaper. Dropping it requests the close.
#[derive(Debug)]
pub struct ReaperHandle {
    close: watch::Sender<()>,
    lifetime: Lifetime,
}

impl Reaper {
    /// A reaper, and the lifetime that it reports to.
    #[must_use]
    pub fn new() -> (Self, Lifetime) {
        let reports = LifetimeSender::default();
        let lifetime = Lifetime::from(&reports);
        (Self { reports }, lifetime)
    }

    /// Starts the task. `supervisor` outlives the browser: when it is cancelled, the browser is removed by force.
    pub fn start(self, browser: impl Owned, supervisor: &Supervisor) -> ReaperHandle {
        let lifetime = Lifetime::from(&self.reports);
        let (close, requests) = watch::channel(());
        let owner = supervisor.clone();
        drop(supervisor.spawn_graceful("browser reaper", self.reap(browser, requests, owner)));
        ReaperHandle { close, lifetime }
    }

    async fn reap(self, browser: impl Owned, mut requests: watch::Receiver<()>, supervisor: Supervisor) {
        let requested = async {
            // An error means that the handle was dropped, which also requests the close.
            let _ = requests.changed().await;
            browser.ready_to_close().await;
        };
        let (end, removal) = tokio::select! {
            () = requested => (BrowserEnd::Died("it was closed".to_owned()), Removal::Asked),
            () = supervisor.cancelled() => {
                (BrowserEnd::Died("the run was cancelled".to_owned()), Removal::Forced)
            }
            end = browser.ended() => (end, Removal::Forced),
        };
        self.reports.end.send_replace(Some(end));
        let verdict = browser.remove(removal, &supervisor).await;
        self.reports.gone.send_replace(Some(verdict));
    }
}

impl ReaperHandle {
    /// Completes when the browser has ended.
    pub async fn ended(&self) -> BrowserEnd {
        self.lifetime.ended().await
    }

    /// Requests the close and returns when nothing of the browser is left.
    ///
    /// # Errors
    /// When a part of the browser may be left.
    pub async fn close(&self) -> Result<(), CloseError> {
        self.close.send_replace(());
        self.lifetime.gone().await
    }
}

/// Cancels the tasks of a browser that is gone and waits until they have ended, 8 seconds at most.
pub async fn stop_tasks(tasks: &Supervisor) {
    if timeout(TASKS, tasks.stop()).await.is_err() {
        tracing::warn!("tasks of a browser that is gone have not ended");
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::outcome::FailureClass;
    use plimsoll_core::runtime::clock::Clock;
    use tokio::sync::oneshot;

    use super::*;

    /// A browser that ends on a signal, delays a close, and is removed as the test wants.
    struct Scripted {
        ends: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
        busy: Duration,
        removed: fn(Removal) -> Result<(), CloseError>,
    }

    impl Scripted {
        fn new(removed: fn(Removal) -> Result<(), CloseError>) -> (Self, oneshot::Sender<()>) {
            let (end, ends) = oneshot::channel();
            (Self { ends: tokio::sync::Mutex::new(Some(ends)), busy: Duration::ZERO, removed }, end)
        }
    }

    impl Owned for Scripted {
        async fn ended(&self) -> BrowserEnd {
            if let Some(ends) = self.ends.lock().await.take()
                && ends.await.is_ok()
            {
                return BrowserEnd::Died("killed".to_owned());
            }
            std::future::pending().await
        }

        async fn ready_to_close(&self) {
            tokio::time::sleep(self.busy).await;
        }

        async fn remove(self, removal: Removal, _: &Supervisor) -> Result<(), CloseError> {
            (self.removed)(removal)
        }
    }

    fn asked(removal: Removal) -> Result<(), CloseError> {
        assert_eq!(removal, Removal::Asked);
        Ok(())
    }

    fn forced(removal: Removal) -> Result<(), CloseError> {
        assert_eq!(removal, Removal::Forced);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_and_a_dropped_handle_remove_a_browser_when_it_is_ready() {
        let supervisor = Supervisor::root();
        for drops in [false, true] {
            let ((mut browser, _end), (reaper, lifetime)) = (Scripted::new(asked), Reaper::new());
            browser.busy = Duration::from_secs(60);
            let handle = reaper.start(browser, &supervisor);
            assert_eq!(lifetime.end(), None);
            let clock = Clock::start();
            if drops {
                drop(handle);
            } else {
                handle.close().await.expect("gone");
            }
            assert_eq!(lifetime.gone().await, Ok(()));
            assert_eq!(clock.now().elapsed(), Duration::from_secs(60));
            assert_eq!(lifetime.end(), Some(BrowserEnd::Died("it was closed".to_owned())));
        }
        assert_eq!(supervisor.panics(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_browser_that_ends_and_a_run_that_is_cancelled_are_removed_by_force() {
        for cancels in [false, true] {
            let supervisor = Supervisor::root();
            let ((browser, end), (reaper, lifetime)) = (Scripted::new(forced), Reaper::new());
            let _handle = reaper.start(browser, &supervisor);
            let how = if cancels {
                supervisor.cancel();
                "the run was cancelled"
            } else {
                end.send(()).expect("it is watched");
                "killed"
            };
            let fault = lifetime.lost().await;
            assert_eq!(fault.class, FailureClass::BrowserCrash);
            assert!(fault.message.contains(how), "{fault}");
            assert_eq!(lifetime.gone_in_time().await, Ok(()));
            assert_eq!(supervisor.panics(), 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_removal_that_fails_or_panics_is_reported_and_never_waited_for() {
        let failed = |_| Err(CloseError("process 7 still runs".to_owned()));
        let panicked = |_| panic!("a bug");
        for (removed, says) in
            [(failed as fn(Removal) -> _, "process 7 still runs"), (panicked, "reaper task ended early")]
        {
            let supervisor = Supervisor::root();
            let ((browser, _end), (reaper, lifetime)) = (Scripted::new(removed), Reaper::new());
            let handle = reaper.start(browser, &supervisor);
            let error = handle.close().await.expect_err("not verified");
            assert!(error.0.contains(says), "{error}");
            assert_eq!(lifetime.gone_in_time().await, Err(error));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_context_waits_a_bounded_time_for_its_browser_to_be_gone() {
        let (_reaper, lifetime) = Reaper::new();
        let error = lifetime.gone_in_time().await.expect_err("it never goes");
        assert!(error.0.contains("14s"), "{error}");
    }
}
