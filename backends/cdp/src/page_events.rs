//! The events that a page causes during a step: dialogs, downloads, loading, and its end.
//!
//! [`PageEvents::watch`] is a future that the caller polls together with the step's future. It is not a task, so it
//! needs neither a lock nor an owner. Between two steps the page's events wait in its session's mailbox; a dialog that
//! opens then is answered when the next step starts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::page::HandleJavaScriptDialogParams;
use serde::Deserialize;
use tokio::sync::watch;

use crate::transport::{Event, Session, SessionEnd};

/// The events that are requested of a page.
pub(crate) const METHODS: &[&str] = &[
    "Inspector.targetCrashed",
    "Network.responseReceived",
    "Page.domContentEventFired",
    "Page.downloadWillBegin",
    "Page.frameNavigated",
    "Page.frameStartedLoading",
    "Page.frameStoppedLoading",
    "Page.javascriptDialogOpening",
    "Page.loadEventFired",
];

/// The longest time that the browser may take to close a dialog. Nothing waits for it.
const DIALOG: Duration = Duration::from_secs(10);

/// The page's progress, derived from its events. It is a hint only: every wait also asks the page itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// The last milestone of the document.
    pub(crate) reached: Reached,
    /// Loading has stopped, with or without a document.
    pub(crate) stopped: bool,
    /// The HTTP status of the last document, if network events were enabled.
    pub(crate) status: Option<u16>,
}

/// The milestones of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Reached {
    /// No document has arrived yet.
    #[default]
    Nothing,
    /// It has begun to load.
    Committed,
    /// It is parsed.
    Parsed,
    /// It is loaded.
    Loaded,
}

/// Why a page cannot be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Its renderer crashed.
    Crashed,
    /// A script of the page closed it.
    Closed,
    /// The connection to the browser is closed, and the browser has ended.
    Disconnected,
}

/// Answers dialogs, counts incidents, and records the progress.
#[derive(Debug)]
pub(crate) struct PageEvents {
    /// The main frame; its id is that of its target.
    frame: String,
    dialogs: AtomicU32,
    downloads: AtomicU32,
    /// The number of documents that the main frame has had.
    documents: Arc<AtomicU64>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Deserialize)]
struct Dialog {
    #[serde(rename = "type")]
    kind: String,
}

/// Contains the id of the frame, in one of two fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfFrame {
    frame_id: Option<String>,
    frame: Option<Frame>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Received {
    #[serde(rename = "type")]
    resource: String,
    response: Response,
}

#[derive(Debug, Deserialize)]
struct Response {
    status: u16,
}

impl PageEvents {
    /// The events of this target's page.
    pub(crate) fn new(target: &str) -> Self {
        Self {
            frame: target.to_owned(),
            dialogs: AtomicU32::new(0),
            downloads: AtomicU32::new(0),
            documents: Arc::default(),
            progress: watch::Sender::default(),
        }
    }

    /// Counts the documents that the main frame has had.
    pub(crate) fn documents(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.documents)
    }

    /// How far the page has come.
    pub(crate) const fn progress(&self) -> &watch::Sender<Progress> {
        &self.progress
    }

    /// Dialogs answered so far.
    pub(crate) fn dialogs(&self) -> u32 {
        self.dialogs.load(Ordering::Relaxed)
    }

    /// Downloads refused so far.
    pub(crate) fn downloads(&self) -> u32 {
        self.downloads.load(Ordering::Relaxed)
    }

    /// Handles events until the page is lost. May be dropped and called again.
    pub(crate) async fn watch(&self, session: &Session) -> Loss {
        loop {
            match session.next_event().await {
                Ok(event) => {
                    if let Some(loss) = self.take(&event, session).await {
                        return loss;
                    }
                }
                Err(SessionEnd::Detached) => return Loss::Closed,
                Err(SessionEnd::Disconnected(_)) => return Loss::Disconnected,
            }
        }
    }

    async fn take(&self, event: &Event, session: &Session) -> Option<Loss> {
        if event.lagged > 0 {
            // One of the dropped events may have been a dialog; without an open dialog this has no effect.
            answer(session, Answer::Dismiss).await;
        }
        match &*event.method {
            "Inspector.targetCrashed" => return Some(Loss::Crashed),
            "Page.javascriptDialogOpening" => {
                self.dialogs.fetch_add(1, Ordering::Relaxed);
                answer(session, Answer::to(event)).await;
            }
            "Page.downloadWillBegin" => {
                self.downloads.fetch_add(1, Ordering::Relaxed);
            }
            "Page.frameNavigated" if self.is_main(event) => {
                self.documents.fetch_add(1, Ordering::Relaxed);
                self.note(|progress| {
                    *progress = Progress { reached: Reached::Committed, stopped: false, ..*progress };
                });
            }
            "Page.frameStartedLoading" if self.is_main(event) => {
                self.note(|progress| progress.stopped = false);
            }
            "Page.frameStoppedLoading" if self.is_main(event) => {
                self.note(|progress| progress.stopped = true);
            }
            "Page.domContentEventFired" => self.note(|progress| progress.reached = Reached::Parsed),
            "Page.loadEventFired" => self.note(|progress| progress.reached = Reached::Loaded),
            "Network.responseReceived" => {
                let received =
                    event.parse::<Received>().ok().filter(|received| received.resource == "Document");
                self.note(|progress| {
                    progress.status = received.map(|received| received.response.status).or(progress.status);
                });
            }
            _ => {}
        }
        None
    }

    fn note(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(change);
    }

    fn is_main(&self, event: &Event) -> bool {
        let frame = event
            .parse::<OfFrame>()
            .ok()
            .and_then(|of| of.frame_id.or_else(|| of.frame.map(|frame| frame.id)));
        frame.as_ref() == Some(&self.frame)
    }
}

/// The answer to a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Dismiss,
}

impl Answer {
    /// Alerts and leaving a page are accepted; every question is dismissed.
    fn to(event: &Event) -> Self {
        match event.parse::<Dialog>() {
            Ok(dialog) if matches!(dialog.kind.as_str(), "alert" | "beforeunload") => Self::Accept,
            _ => Self::Dismiss,
        }
    }
}

/// Answers the dialog that is open. The reply is ignored: the dialog may be closed already.
async fn answer(session: &Session, answer: Answer) {
    let command = HandleJavaScriptDialogParams::new(answer == Answer::Accept);
    drop(session.start(command, DIALOG).await);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plimsoll_core::runtime::clock::Clock;
    use plimsoll_core::runtime::supervisor::Supervisor;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::timeout;

    use super::*;
    use crate::transport::{Connection, ConnectionLimits};

    /// A browser whose messages the test writes.
    struct Peer {
        session: Session,
        wire: DuplexStream,
        _supervisor: Supervisor,
    }

    impl Peer {
        fn new() -> Self {
            let supervisor = Supervisor::root();
            let (ours, wire) = tokio::io::duplex(1 << 16);
            let (reader, writer) = tokio::io::split(ours);
            let limits = ConnectionLimits::default();
            let connection = Connection::open(reader, writer, &supervisor, Clock::start(), limits);
            Self { session: connection.session("s", METHODS), wire, _supervisor: supervisor }
        }

        async fn say(&mut self, method: &str, params: &str) {
            let event = format!("{{\"method\":\"{method}\",\"params\":{params},\"sessionId\":\"s\"}}\0");
            self.wire.write_all(event.as_bytes()).await.expect("open");
        }

        /// Waits until the events are handled; none of them may close the page.
        async fn settle(&self, events: &PageEvents) {
            let lost = timeout(Duration::from_millis(10), events.watch(&self.session)).await;
            assert!(lost.is_err(), "{lost:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn alerts_and_leaving_are_accepted_and_decisions_are_refused() {
        let (mut peer, events) = (Peer::new(), PageEvents::new("t"));
        let rules =
            [("alert", true), ("beforeunload", true), ("confirm", false), ("prompt", false), ("new", false)];
        for (kind, accepted) in rules {
            peer.say("Page.javascriptDialogOpening", &format!("{{\"type\":\"{kind}\"}}")).await;
            peer.settle(&events).await;
            let mut command = [0; 1024];
            let read = peer.wire.read(&mut command).await.expect("open");
            let command: serde_json::Value = serde_json::from_slice(&command[..read - 1]).expect("a command");
            assert_eq!(command["method"], "Page.handleJavaScriptDialog");
            assert_eq!(command["params"]["accept"], accepted, "{kind}");
        }
        assert_eq!(events.dialogs(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_the_main_frame_s() {
        let (mut peer, events) = (Peer::new(), PageEvents::new("t"));
        let progress = || *events.progress().borrow();
        peer.say("Page.frameNavigated", r#"{"frame":{"id":"child"}}"#).await;
        peer.say("Page.frameStoppedLoading", r#"{"frameId":"child"}"#).await;
        peer.settle(&events).await;
        assert_eq!(progress(), Progress::default());
        peer.say("Page.frameNavigated", r#"{"frame":{"id":"t"}}"#).await;
        peer.say("Page.loadEventFired", "{}").await;
        peer.say("Page.frameStoppedLoading", r#"{"frameId":"t"}"#).await;
        peer.settle(&events).await;
        assert_eq!((progress().reached, progress().stopped), (Reached::Loaded, true));
        peer.say("Page.frameNavigated", r#"{"frame":{"id":"t"}}"#).await;
        peer.settle(&events).await;
        assert_eq!((progress().reached, progress().stopped), (Reached::Committed, false), "it moved on");
    }

    #[tokio::test(start_paused = true)]
    async fn each_loss_is_told_from_the_others() {
        let (mut peer, events) = (Peer::new(), PageEvents::new("t"));
        peer.say("Inspector.targetCrashed", "{}").await;
        assert_eq!(events.watch(&peer.session).await, Loss::Crashed);
        let detached = b"{\"method\":\"Target.detachedFromTarget\",\"params\":{\"sessionId\":\"s\"}}\0";
        peer.wire.write_all(detached).await.expect("open");
        assert_eq!(events.watch(&peer.session).await, Loss::Closed);

        let peer = Peer::new();
        drop(peer.wire);
        assert_eq!(events.watch(&peer.session).await, Loss::Disconnected);
    }
}
