//! The state that the contexts of one browser share.

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::lifecycle::Lifetime;

use crate::page_targets::PageTargets;
use crate::transport::{Connection, Session};

/// The state that the contexts of one browser share.
#[derive(Debug)]
pub(crate) struct BrowserHandle {
    /// Commands to the browser itself.
    pub(crate) root: Session,
    /// The pages that open in the browser.
    pub(crate) targets: PageTargets,
    /// Owns the tasks that work for this browser; stopped when the browser is gone.
    pub(crate) supervisor: Supervisor,
    /// The fleet's time.
    pub(crate) clock: Clock,
    /// The end of the browser.
    pub(crate) lifetime: Lifetime,
}

impl BrowserHandle {
    /// The connection that all sessions share.
    pub(crate) const fn connection(&self) -> &Connection {
        self.root.connection()
    }
}
