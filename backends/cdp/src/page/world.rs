//! The world of our scripts in a page: its DOM is the page's, its classes and functions are not.
//!
//! A page may replace `Event`, `Promise` or `performance`; what runs in an isolated world does not see that. Each document
//! has a world of its own, which costs the browser about a millisecond, so it is created when the first script needs it.
//! Its number may mean another world in another process, so it is forgotten as soon as the page has another document.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chromiumoxide_types::{Command, Method, MethodId};
use plimsoll_core::page::PageError;
use serde::{Deserialize, Serialize};

use crate::transport::Session;

/// The name of the world, as the developer tools show it.
const NAME: &str = "plimsoll";

/// Our world in the current document.
#[derive(Debug)]
pub(super) struct World {
    /// The main frame of the page.
    frame: String,
    /// The number of documents that the frame has had.
    documents: Arc<AtomicU64>,
    /// The number of the document, and the id of the world in it.
    known: Mutex<Option<(u64, i64)>>,
}

impl World {
    /// No world yet.
    pub(super) const fn new(frame: String, documents: Arc<AtomicU64>) -> Self {
        Self { frame, documents, known: Mutex::new(None) }
    }

    /// The id of the world, which is created if there is none.
    pub(super) async fn id(&self, session: &Session, deadline: Duration) -> Result<i64, PageError> {
        let document = self.documents.load(Ordering::Relaxed);
        let known = *self.known();
        if let Some((_, id)) = known.filter(|(of, _)| *of == document) {
            return Ok(id);
        }
        let create = Create { frame_id: &self.frame, world_name: NAME };
        let id = session.call(create, deadline).await?.execution_context_id;
        *self.known() = Some((document, id));
        Ok(id)
    }

    /// Forgets the id: the document is gone.
    pub(super) fn forget(&self) {
        *self.known() = None;
    }

    fn known(&self) -> MutexGuard<'_, Option<(u64, i64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `Page.createIsolatedWorld`. With the same name it answers the same world again.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Create<'a> {
    frame_id: &'a str,
    world_name: &'static str,
}

impl Method for Create<'_> {
    fn identifier(&self) -> MethodId {
        "Page.createIsolatedWorld".into()
    }
}

impl Command for Create<'_> {
    type Response = Created;
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    execution_context_id: i64,
}
