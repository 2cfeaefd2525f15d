//! Chromium's performance log: the page's events as chromedriver records them, and the page's progress by them.
//!
//! Reading the log empties it. When a caller has no time left to wait for a reading, the reading is kept and the next
//! caller waits for it, so no event is lost. While chromedriver waits for a page's response it does not answer a
//! reading.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::runtime::budget::Budget;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::call::CallError;
use crate::session::Session;

/// The longest total time of one reading; one step may start it and the next one wait for it.
const READING: Duration = Duration::from_secs(60);

/// The log of one window.
#[derive(Debug, Default)]
pub(crate) struct PerformanceLog {
    events: Mutex<Events>,
    /// A reading in progress: chromedriver has already removed its events from the log.
    reading: tokio::sync::Mutex<Option<Reading>>,
}

/// What the log has reported so far.
#[derive(Debug, Default)]
pub(crate) struct Events {
    pub(crate) dialogs: u32,
    pub(crate) downloads: u32,
    /// Windows that were opened and have not been closed.
    pub(crate) opened: u32,
    progress: Progress,
    /// The loader of the document that the main frame is navigating to.
    loader: String,
}

/// The progress of the main frame since its last navigation started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Progress {
    /// It has a new document.
    pub(crate) committed: bool,
    /// The document is loaded.
    pub(crate) loaded: bool,
    /// Loading has stopped, with or without a document.
    pub(crate) stopped: bool,
}

/// A reading of the log in progress.
struct Reading(Pin<Box<dyn Future<Output = Result<Vec<Line>, CallError>> + Send>>);

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

impl PerformanceLog {
    /// Reads the log, and returns the progress of the page in the window `own`.
    pub(crate) async fn read(
        &self,
        session: &Arc<Session>,
        own: &str,
        budget: Budget,
    ) -> Result<Progress, CallError> {
        let lines = self.lines(session, budget).await?;
        let mut events = self.events();
        for line in lines {
            if let Ok(message) = serde_json::from_str::<Message>(&line.message) {
                events.take(&message, own);
            }
        }
        Ok(events.progress)
    }

    /// What the log has reported so far.
    pub(crate) fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn lines(&self, session: &Arc<Session>, budget: Budget) -> Result<Vec<Line>, CallError> {
        let mut slot = self.reading.lock().await;
        let reading = slot.get_or_insert_with(|| {
            let session = Arc::clone(session);
            Reading(Box::pin(async move {
                session.post("se/log", &json!({ "type": "performance" }), READING).await
            }))
        });
        let left = budget.left();
        let lines = timeout(left, &mut reading.0).await;
        let lines = lines.map_err(|_| CallError::Timeout { call: "se/log".to_owned(), after: left })?;
        *slot = None;
        lines
    }
}

impl Events {
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
            // The blank page of a new session may arrive after the next navigation has started.
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

    fn events(events: &[(&str, &str, Value)]) -> Events {
        let mut taken = Events::default();
        for (webview, method, params) in events {
            let message = Event { method: format!("Page.{method}"), params: params.clone() };
            taken.take(&Message { message, webview: (*webview).to_owned() }, "own");
        }
        taken
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
        assert_eq!(events(&done).progress, Progress { committed: true, loaded: true, stopped: true });
        let again = [&done[..], &[("own", "frameStartedNavigating", to("b"))]].concat();
        assert_eq!(events(&again).progress, Progress::default());
        let child = [&again[..], &[("own", "frameStoppedLoading", frame("child"))]].concat();
        assert_eq!(events(&child).progress, Progress::default());
        let download = [&again[..], &[("own", "frameStoppedLoading", frame("own"))]].concat();
        assert_eq!(events(&download).progress, Progress { stopped: true, ..Progress::default() });
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
        assert_eq!(events(&overtaken).progress, Progress::default());
        let there = [("own", "frameNavigated", json!({"frame": {"id": "own", "loaderId": "page"}}))];
        let there = [&overtaken[..], &there].concat();
        assert_eq!(events(&there).progress, Progress { committed: true, ..Progress::default() });
    }

    #[test]
    fn a_page_s_incidents_are_its_own() {
        let none = json!({});
        let own = events(&[
            ("own", "javascriptDialogOpening", none.clone()),
            ("popup", "javascriptDialogOpening", none.clone()),
            ("own", "downloadWillBegin", none.clone()),
            ("own", "windowOpen", none),
        ]);
        assert_eq!((own.dialogs, own.downloads, own.opened), (1, 1, 1));
    }
}
