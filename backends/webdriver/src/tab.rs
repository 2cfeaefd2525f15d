//! A session as steps see it: its window, and what the page tried meanwhile.
//!
//! Chromium's driver keeps a log of the page's events: dialogs, popups, downloads, and how far it has loaded. It is read
//! after each step, since what an action causes may come a moment later, and whenever a navigation wants to know what
//! became of it. Firefox's has none: dialogs are told by the answers to commands, popups by the list of windows,
//! downloads not at all.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::port::Incidents;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_host::window::WindowSize;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::call::CallError;
use crate::session::Session;
use crate::settings::Family;

/// How long taking stock may take: a page that is busy makes even its log wait.
const STOCK: Duration = Duration::from_secs(1);

/// How long a reading of the log may take in all, begun by one step and waited for by the next.
const LATE: Duration = Duration::from_secs(60);

/// The log, being read.
struct Reading(Pin<Box<dyn Future<Output = Result<Vec<Line>, CallError>> + Send>>);

/// A session's window.
#[derive(Debug)]
pub(crate) struct Tab {
    session: Arc<Session>,
    family: Family,
    window: WindowSize,
    /// Its own window's name, once it was asked for: to Chromium also the name of its main frame.
    handle: OnceCell<String>,
    log: Mutex<Log>,
    /// A reading that somebody had no time to wait for: the driver has forgotten by now what it answers.
    reading: tokio::sync::Mutex<Option<Reading>>,
    popups: AtomicU32,
}

/// What the log has told so far.
#[derive(Debug, Default)]
struct Log {
    dialogs: u32,
    downloads: u32,
    /// Windows that were opened and have not been closed.
    opened: u32,
    progress: Progress,
    /// The loader of the document that the main frame is on its way to.
    loader: String,
}

/// How far the main frame has come since it last began to navigate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// It has a new document.
    pub(crate) committed: bool,
    /// The document is loaded.
    pub(crate) loaded: bool,
    /// Nothing is being loaded any more, whether there is a document or not.
    pub(crate) stopped: bool,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
struct Line {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Message {
    message: Event,
    #[serde(default)]
    webview: String,
}

#[derive(Debug, Deserialize)]
struct Event {
    method: String,
    #[serde(default)]
    params: Value,
}

impl Tab {
    /// The window of a new session.
    pub(crate) fn new(session: Arc<Session>, family: Family, window: WindowSize) -> Self {
        Self {
            session,
            family,
            window,
            handle: OnceCell::new(),
            log: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            popups: AtomicU32::new(0),
        }
    }

    /// The session, for commands.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// What browser it is.
    pub(crate) const fn family(&self) -> Family {
        self.family
    }

    /// The size that it should have unless the job says otherwise.
    pub(crate) const fn window(&self) -> WindowSize {
        self.window
    }

    /// What the page has tried so far.
    pub(crate) fn incidents(&self) -> Incidents {
        let Log { dialogs, downloads, .. } = *self.log();
        let dialogs = match self.family {
            Family::Chromium => dialogs,
            Family::Firefox => self.session.dialogs(),
        };
        Incidents { dialogs, popups: self.popups.load(Ordering::Relaxed), downloads }
    }

    /// Counts what a step has caused, and closes popups. What cannot be told now is told after the next step.
    pub(crate) async fn take_stock(&self, budget: Budget) {
        let budget = budget.at_most(Some(budget.whole().saturating_sub(budget.left()) + STOCK));
        let taken = match self.family {
            Family::Chromium => match self.progress(budget).await {
                Ok(_) if self.log().opened == 0 => Ok(()),
                Ok(_) => self.close_popups(budget).await,
                Err(error) => Err(error),
            },
            Family::Firefox => self.close_popups(budget).await,
        };
        if let Err(error) = taken {
            tracing::debug!(%error, "a page's incidents are not counted yet");
        }
    }

    /// How far Chromium's page has come, by its log. Ask only when the page has just answered: while a response is being
    /// waited for, the driver does not.
    pub(crate) async fn progress(&self, budget: Budget) -> Result<Progress, CallError> {
        let handle = self.handle(budget).await?;
        let lines = self.read(budget).await?;
        let mut log = self.log();
        for line in lines {
            if let Ok(message) = serde_json::from_str::<Message>(&line.message) {
                log.take(&message, handle);
            }
        }
        Ok(log.progress)
    }

    async fn read(&self, budget: Budget) -> Result<Vec<Line>, CallError> {
        let mut slot = self.reading.lock().await;
        let reading = slot.get_or_insert_with(|| {
            let session = Arc::clone(&self.session);
            Reading(Box::pin(
                async move { session.post("se/log", &json!({ "type": "performance" }), LATE).await },
            ))
        });
        let left = budget.left();
        let lines = timeout(left, &mut reading.0).await;
        let lines = lines.map_err(|_| CallError::Timeout { call: "se/log".to_owned(), after: left })?;
        *slot = None;
        lines
    }

    async fn handle(&self, budget: Budget) -> Result<&String, CallError> {
        self.handle.get_or_try_init(|| self.session.get("window", budget.left())).await
    }

    async fn close_popups(&self, budget: Budget) -> Result<(), CallError> {
        let own = self.handle(budget).await?;
        let handles: Vec<String> = self.session.get("window/handles", budget.left()).await?;
        let strangers: Vec<&String> = handles.iter().filter(|handle| *handle != own).collect();
        for popup in &strangers {
            match self.family {
                Family::Chromium => {
                    let close = json!({ "targetId": popup });
                    self.session.devtools::<Value>("Target.closeTarget", close, budget.left()).await?;
                }
                Family::Firefox => {
                    self.session.post::<Value>("window", &json!({ "handle": popup }), budget.left()).await?;
                    self.session.delete::<Value>("window", budget.left()).await?;
                }
            }
            self.popups.fetch_add(1, Ordering::Relaxed);
        }
        if self.family == Family::Firefox && !strangers.is_empty() {
            self.session.post::<Value>("window", &json!({ "handle": own }), budget.left()).await?;
        }
        self.log().opened = 0;
        Ok(())
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn take(&mut self, Message { message: Event { method, params }, webview }: &Message, own: &str) {
        let is_main = webview == own && params["frameId"].as_str().is_none_or(|frame| frame == own);
        match method.as_str() {
            "Page.javascriptDialogOpening" if webview == own => self.dialogs += 1,
            "Page.downloadWillBegin" if webview == own => self.downloads += 1,
            "Page.windowOpen" => self.opened += 1,
            "Page.frameStartedNavigating" if is_main => {
                self.progress = Progress::default();
                self.loader = params["loaderId"].as_str().unwrap_or_default().to_owned();
            }
            "Page.frameStartedLoading" if is_main => self.progress.stopped = false,
            // The blank page of a new session may arrive when the next one is already on its way.
            "Page.frameNavigated"
                if webview == own
                    && params["frame"]["id"] == own
                    && params["frame"]["loaderId"] == self.loader.as_str() =>
            {
                self.progress = Progress { committed: true, ..Progress::default() };
            }
            "Page.loadEventFired" if is_main => self.progress.loaded = self.progress.committed,
            "Page.frameStoppedLoading" if is_main => self.progress.stopped = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(events: &[(&str, &str, Value)]) -> Log {
        let mut log = Log::default();
        for (webview, method, params) in events {
            let message = Event { method: format!("Page.{method}"), params: params.clone() };
            log.take(&Message { message, webview: (*webview).to_owned() }, "own");
        }
        log
    }

    #[test]
    fn progress_is_the_main_frame_s_since_it_last_began() {
        let frame = |id: &str| json!({ "frameId": id });
        let to = |loader: &str| json!({ "frameId": "own", "loaderId": loader });
        let done = [
            ("own", "frameStartedNavigating", to("a")),
            ("own", "frameNavigated", json!({"frame": {"id": "own", "loaderId": "a"}})),
            ("own", "loadEventFired", json!({})),
            ("own", "frameStoppedLoading", frame("own")),
        ];
        assert_eq!(log(&done).progress, Progress { committed: true, loaded: true, stopped: true });
        let again = [&done[..], &[("own", "frameStartedNavigating", to("b"))]].concat();
        assert_eq!(log(&again).progress, Progress::default());
        let child = [&again[..], &[("own", "frameStoppedLoading", frame("child"))]].concat();
        assert_eq!(log(&child).progress, Progress::default());
        let download = [&again[..], &[("own", "frameStoppedLoading", frame("own"))]].concat();
        assert_eq!(log(&download).progress, Progress { stopped: true, ..Progress::default() });
    }

    #[test]
    fn a_document_that_was_overtaken_is_no_progress() {
        let to = |loader: &str| json!({ "frameId": "own", "loaderId": loader });
        let overtaken = [
            ("own", "frameStartedNavigating", to("blank")),
            ("own", "frameStartedNavigating", to("page")),
            ("own", "frameNavigated", json!({"frame": {"id": "own", "loaderId": "blank"}})),
            ("own", "loadEventFired", json!({})),
        ];
        assert_eq!(log(&overtaken).progress, Progress::default());
        let there = [("own", "frameNavigated", json!({"frame": {"id": "own", "loaderId": "page"}}))];
        let there = [&overtaken[..], &there].concat();
        assert_eq!(log(&there).progress, Progress { committed: true, ..Progress::default() });
    }

    #[test]
    fn a_page_s_incidents_are_its_own() {
        let none = json!({});
        let log = log(&[
            ("own", "javascriptDialogOpening", none.clone()),
            ("popup", "javascriptDialogOpening", none.clone()),
            ("own", "downloadWillBegin", none.clone()),
            ("own", "windowOpen", none),
        ]);
        assert_eq!((log.dialogs, log.downloads, log.opened), (1, 1, 1));
    }
}
