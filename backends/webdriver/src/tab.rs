//! A session as steps use it: its window, and the incidents that its page has caused.
//!
//! Incidents are counted after each step, because the effect of an action may come a moment later. chromedriver keeps a
//! log of the page's events (`performance_log`): dialogs, popups, downloads, and how far the page has loaded. Firefox
//! has no log: dialogs are counted from answers to commands, popups from the list of windows, downloads not at all.

use std::sync::Arc;
use std::time::Duration;

use plimsoll_core::port::Incidents;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_host::window::WindowSize;
use tokio::sync::OnceCell;

use crate::call::CallError;
use crate::performance_log::{PerformanceLog, Progress};
use crate::popups::Popups;
use crate::session::Session;
use crate::settings::Family;

/// The longest time for counting incidents: a busy page delays even its log.
const COUNTING: Duration = Duration::from_secs(1);

/// A session's window.
#[derive(Debug)]
pub(crate) struct Tab {
    session: Arc<Session>,
    family: Family,
    scripts: ScriptWorld,
    window: WindowSize,
    /// The handle of its own window, once it was requested. In Chromium it is also the id of the main frame.
    handle: OnceCell<String>,
    log: PerformanceLog,
    popups: Popups,
    arrival: Arrival,
}

/// Whether a session has had a page before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It has only its initial blank page.
    First,
    /// It has had other pages.
    Later,
}

/// Where our scripts run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScriptWorld {
    /// In a world of their own, through the DevTools commands of a chromedriver on this machine.
    Own,
    /// In the page's. A remote end may forward no DevTools commands, and Firefox has none.
    Page,
}

impl Tab {
    /// The window of a new session.
    pub(crate) fn new(
        session: Arc<Session>,
        family: Family,
        scripts: ScriptWorld,
        window: WindowSize,
    ) -> Self {
        Self {
            session,
            family,
            scripts,
            window,
            handle: OnceCell::new(),
            log: PerformanceLog::default(),
            popups: Popups::default(),
            arrival: Arrival::First,
        }
    }

    /// The session, for commands.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The browser family.
    pub(crate) const fn family(&self) -> Family {
        self.family
    }

    /// Where scripts run in it.
    pub(crate) const fn scripts(&self) -> ScriptWorld {
        self.scripts
    }

    /// The window size unless the job sets another.
    pub(crate) const fn window(&self) -> WindowSize {
        self.window
    }

    /// Records that the window is about to open a page, and returns whether that page is its first.
    pub(crate) const fn leave(&mut self) -> Arrival {
        std::mem::replace(&mut self.arrival, Arrival::Later)
    }

    /// The incidents counted so far.
    pub(crate) fn incidents(&self) -> Incidents {
        let (dialogs, downloads) = {
            let events = self.log.events();
            (events.dialogs, events.downloads)
        };
        let dialogs = match self.family {
            Family::Chromium => dialogs,
            Family::Firefox => self.session.dialogs(),
        };
        Incidents { dialogs, popups: self.popups.closed(), downloads }
    }

    /// Counts the incidents of a step, and closes popups. Incidents not counted now are counted after the next step.
    pub(crate) async fn count_incidents(&self, budget: Budget) {
        let budget = budget.at_most(Some(budget.whole().saturating_sub(budget.left()) + COUNTING));
        let counted = match self.family {
            Family::Chromium => match self.progress(budget).await {
                Ok(_) if self.log.events().opened == 0 => Ok(()),
                Ok(_) => self.close_popups(budget).await,
                Err(error) => Err(error),
            },
            Family::Firefox => self.close_popups(budget).await,
        };
        if let Err(error) = counted {
            tracing::debug!(%error, "a page's incidents are not counted yet");
        }
    }

    /// The progress of Chromium's page, from its log. Call it only when the page has just answered: while chromedriver
    /// waits for a response, it does not read the log.
    pub(crate) async fn progress(&self, budget: Budget) -> Result<Progress, CallError> {
        let own = self.handle(budget).await?;
        self.log.read(&self.session, own, budget).await
    }

    /// The handle of its own window, which in Chromium is the id of the main frame.
    pub(crate) async fn handle(&self, budget: Budget) -> Result<&String, CallError> {
        self.handle.get_or_try_init(|| self.session.get("window", budget.left())).await
    }

    async fn close_popups(&self, budget: Budget) -> Result<(), CallError> {
        let own = self.handle(budget).await?;
        self.popups.close(&self.session, self.family, own, budget).await?;
        self.log.events().opened = 0;
        Ok(())
    }
}
