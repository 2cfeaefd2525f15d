//! The pages that open in a browser: the page of each context, and popups.
//!
//! The browser attaches us to every new page before the page runs (`Target.setAutoAttach` with
//! `waitForDebuggerOnStart`). The first page of a context is the page that the context was opened for; the task that
//! waits for it receives it. Every further page is a popup: it is counted, and closed before it has loaded a byte. So a
//! popup costs one event and two commands, and a large number of popups does not delay other contexts.
//!
//! When events were dropped because they arrived too fast, the browser is asked for its list of pages.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::target::{CloseTargetParams, GetTargetsParams};
use chromiumoxide_cdp::cdp::js_protocol::runtime::RunIfWaitingForDebuggerParams;
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::transport::Session;

/// The event that announces a page; the only event that is requested of the browser itself.
pub(crate) const METHODS: &[&str] = &["Target.attachedToTarget"];

/// The longest time that the browser may take to close a popup or list its pages. Nothing waits for it.
const REPLY: Duration = Duration::from_secs(10);

/// The contexts of one browser, each with its page, which is either awaited or present.
#[derive(Debug, Default)]
pub(crate) struct PageTargets(Mutex<HashMap<String, ContextTargets>>);

/// One context.
#[derive(Debug)]
struct ContextTargets {
    page: PageSlot,
    popups: Arc<AtomicU32>,
}

#[derive(Debug)]
enum PageSlot {
    /// A task waits for the page.
    Awaited(oneshot::Sender<String>),
    /// The page with this target id has arrived.
    Present(String),
}

/// The page that a context waits for.
#[derive(Debug)]
pub(crate) struct AwaitedPage {
    /// Receives the page's session id.
    pub(crate) session: oneshot::Receiver<String>,
    /// The number of popups that the context has opened.
    pub(crate) popups: Arc<AtomicU32>,
}

/// The action for a page.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The page belongs to its context.
    Leave,
    /// It is a popup.
    Close,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    session_id: String,
    target_info: Target,
    waiting_for_debugger: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    target_id: String,
    browser_context_id: Option<String>,
}

impl PageTargets {
    /// Announces that the first page of `context` belongs to the caller.
    pub(crate) fn expect(&self, context: &str) -> AwaitedPage {
        let (give, session) = oneshot::channel();
        let popups = Arc::new(AtomicU32::new(0));
        let context_targets = ContextTargets { page: PageSlot::Awaited(give), popups: Arc::clone(&popups) };
        self.lock().insert(context.to_owned(), context_targets);
        AwaitedPage { session, popups }
    }

    /// The context is gone.
    pub(crate) fn forget(&self, context: &str) {
        self.lock().remove(context);
    }

    /// Receives pages until the connection ends.
    pub(crate) async fn receive(&self, root: &Session) {
        while let Ok(event) = root.next_event().await {
            if let Ok(attached) = event.parse::<Attached>()
                && self.place(&attached) == Verdict::Close
            {
                close(root, attached.target_info.target_id).await;
                resume(root, &attached.session_id).await;
            }
            if event.lagged > 0 {
                self.resync(root).await;
            }
        }
    }

    fn place(&self, attached: &Attached) -> Verdict {
        let Attached { session_id, target_info, waiting_for_debugger } = attached;
        let mut contexts = self.lock();
        let context = target_info.browser_context_id.as_deref();
        let Some(context_targets) = context.and_then(|context| contexts.get_mut(context)) else {
            // A browser's own window already runs; a page that is held in a context that is closing is a popup.
            return if *waiting_for_debugger { Verdict::Close } else { Verdict::Leave };
        };
        if let PageSlot::Present(_) = context_targets.page {
            return context_targets.verdict(&target_info.target_id);
        }
        let came = PageSlot::Present(target_info.target_id.clone());
        if let PageSlot::Awaited(waiting) = std::mem::replace(&mut context_targets.page, came) {
            // A caller that has left disposes of the whole context.
            drop(waiting.send(session_id.clone()));
        }
        Verdict::Leave
    }

    /// Closes the popups whose announcements were lost.
    async fn resync(&self, root: &Session) {
        let Ok(answer) = root.call(GetTargetsParams::default(), REPLY).await else { return };
        for target in answer.target_infos {
            let context = target.browser_context_id.as_ref().map(AsRef::as_ref);
            let id = target.target_id.as_ref();
            let unwanted = context.is_some_and(|context: &str| {
                self.lock()
                    .get_mut(context)
                    .is_some_and(|context_targets| context_targets.verdict(id) == Verdict::Close)
            });
            if unwanted {
                close(root, id.to_owned()).await;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, ContextTargets>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ContextTargets {
    /// Decides about, and counts, a page that may be the awaited page.
    fn verdict(&mut self, target: &str) -> Verdict {
        match &self.page {
            PageSlot::Present(page) if page != target => {
                self.popups.fetch_add(1, Ordering::Relaxed);
                Verdict::Close
            }
            _ => Verdict::Leave,
        }
    }
}

/// Asks the browser to close a page. The reply is ignored: a popup that stays open is closed with its context.
async fn close(root: &Session, target: String) {
    drop(root.start(CloseTargetParams::new(target), REPLY).await);
}

/// Resumes a page that is being closed. Until then its opener is blocked in its `window.open`.
async fn resume(root: &Session, session: &str) {
    let popup = root.connection().session(session, &[]);
    drop(popup.start(RunIfWaitingForDebuggerParams::default(), REPLY).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(session: &str, target: &str, context: Option<&str>, waiting_for_debugger: bool) -> Attached {
        let target_info =
            Target { target_id: target.to_owned(), browser_context_id: context.map(str::to_owned) };
        Attached { session_id: session.to_owned(), target_info, waiting_for_debugger }
    }

    #[test]
    fn the_first_page_is_handed_over_and_every_other_is_a_popup() {
        let targets = PageTargets::default();
        let mut a = targets.expect("a");
        let b = targets.expect("b");
        assert_eq!(targets.place(&attached("s1", "t1", Some("a"), true)), Verdict::Leave);
        assert_eq!(a.session.try_recv().as_deref(), Ok("s1"));
        for popup in ["t2", "t3"] {
            assert_eq!(targets.place(&attached("s", popup, Some("a"), true)), Verdict::Close);
        }
        assert_eq!(targets.place(&attached("s1", "t1", Some("a"), true)), Verdict::Leave, "told twice");
        assert_eq!((a.popups.load(Ordering::Relaxed), b.popups.load(Ordering::Relaxed)), (2, 0));
    }

    #[test]
    fn a_paused_page_without_a_context_is_closed_and_the_browser_s_own_window_is_left() {
        let targets = PageTargets::default();
        drop(targets.expect("a"));
        assert_eq!(
            targets.place(&attached("s", "t", Some("a"), true)),
            Verdict::Leave,
            "its context is closing"
        );
        targets.forget("a");
        assert_eq!(targets.place(&attached("s", "t", Some("a"), true)), Verdict::Close);
        assert_eq!(targets.place(&attached("s", "t", Some("default"), false)), Verdict::Leave);
        assert_eq!(targets.place(&attached("s", "t", None, true)), Verdict::Close);
    }
}
