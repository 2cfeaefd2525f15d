//! What a page does by itself while a step is carried out: dialogs, downloads, progress, and its death.
//!
//! A guard is a future beside the step's, not a task: whoever performs a step polls both, so the guard needs neither
//! lock nor owner. Between two steps the page's events wait in its session's mailbox; a dialog that opens then is
//! answered when the next step begins.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::page::HandleJavaScriptDialogParams;
use serde::Deserialize;
use tokio::sync::watch;

use crate::transport::{Event, Session, SessionEnd};

/// The events asked for of a page.
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

/// How long the browser may take to put a dialog away. Nothing waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the page says it has come. A hint: every wait also asks the page itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// The last thing that happened to the document.
    pub(crate) reached: Reached,
    /// Nothing is being loaded any more, whether there is a document or not.
    pub(crate) stopped: bool,
    /// The HTTP status of the last document, where the network was listened to.
    pub(crate) status: Option<u16>,
}

/// The milestones of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Reached {
    /// It is being waited for.
    #[default]
    Nothing,
    /// It has begun to load.
    Committed,
    /// It is parsed.
    Parsed,
    /// It is loaded.
    Loaded,
}

/// Why a page is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Its renderer died.
    Crashed,
    /// It was closed, by a script of its own.
    Closed,
    /// The connection to the browser is gone, and the browser with it.
    Disconnected,
}

/// Answers dialogs, counts, and keeps the progress.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The main frame, which has the id of its target.
    frame: String,
    dialogs: AtomicU32,
    downloads: AtomicU32,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Deserialize)]
struct Dialog {
    #[serde(rename = "type")]
    kind: String,
}

/// Names the frame, in one of two ways.
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

impl Guard {
    /// Guards the page of this target.
    pub(crate) fn new(target: &str) -> Self {
        Self {
            frame: target.to_owned(),
            dialogs: AtomicU32::new(0),
            downloads: AtomicU32::new(0),
            progress: watch::Sender::default(),
        }
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

    /// Guards the page until it is lost. May be dropped and called again.
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
            // One of those that were dropped may have been a dialog; where there is none this does nothing.
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
            "Page.frameNavigated" if self.is_main(event) => self.note(|progress| {
                *progress = Progress { reached: Reached::Committed, stopped: false, ..*progress };
            }),
            "Page.frameStartedLoading" if self.is_main(event) => {
                self.note(|progress| progress.stopped = false)
            }
            "Page.frameStoppedLoading" if self.is_main(event) => {
                self.note(|progress| progress.stopped = true)
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
        let frame =
            event.parse::<OfFrame>().ok().and_then(|of| of.frame_id.or(of.frame.map(|frame| frame.id)));
        frame.as_ref() == Some(&self.frame)
    }
}

/// What is said to a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Dismiss,
}

impl Answer {
    /// An alert is read, a page may be left; what asks for a decision gets a no.
    fn to(event: &Event) -> Self {
        match event.parse::<Dialog>() {
            Ok(dialog) if matches!(dialog.kind.as_str(), "alert" | "beforeunload") => Self::Accept,
            _ => Self::Dismiss,
        }
    }
}

/// Answers the dialog that is open. The reply is of no interest: it may have been put away meanwhile.
async fn answer(session: &Session, answer: Answer) {
    let command = HandleJavaScriptDialogParams::new(answer == Answer::Accept);
    drop(session.start(command, PATIENCE).await);
}
