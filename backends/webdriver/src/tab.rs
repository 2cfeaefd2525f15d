//! A session as steps use it: its window, and the incidents that its page has caused.
//!
//! Incidents are counted after each step, since what an action causes may come a moment later. Chromium's driver keeps
//! a log of the page's events (`performance_log`): dialogs, popups, downloads, and how far the page has loaded. Firefox
//! has no log: dialogs are counted by the answers to commands, popups by the list of windows, downloads not at all.

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

/// How long counting incidents may take: a page that is busy delays even its log.
const COUNTING: Duration = Duration::from_secs(1);

/// A session's window.
#[derive(Debug)]
pub(crate) struct Tab {
    session: Arc<Session>,
    family: Family,
    window: WindowSize,
    /// Its own window's name, once it was asked for. In Chromium it is also the name of the main frame.
    handle: OnceCell<String>,
    log: PerformanceLog,
    popups: Popups,
    arrival: Arrival,
}

/// Whether a session has had a page before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It has the blank page that it was made with.
    First,
    /// It has had others.
    Later,
}

impl Tab {
    /// The window of a new session.
    pub(crate) fn new(session: Arc<Session>, family: Family, window: WindowSize) -> Self {
        Self {
            session,
            family,
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

    /// What browser it is.
    pub(crate) const fn family(&self) -> Family {
        self.family
    }

    /// The size that it should have unless the job says otherwise.
    pub(crate) const fn window(&self) -> WindowSize {
        self.window
    }

    /// Notes that the window is about to open a page, and returns whether that page is its first.
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

    /// Counts what a step has caused, and closes popups. What cannot be counted now is counted after the next step.
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

    /// How far Chromium's page has come, by its log. Ask only when the page has just answered: while its driver waits
    /// for a response, it does not read the log.
    pub(crate) async fn progress(&self, budget: Budget) -> Result<Progress, CallError> {
        let own = self.handle(budget).await?;
        self.log.read(&self.session, own, budget).await
    }

    async fn handle(&self, budget: Budget) -> Result<&String, CallError> {
        self.handle.get_or_try_init(|| self.session.get("window", budget.left())).await
    }

    async fn close_popups(&self, budget: Budget) -> Result<(), CallError> {
        let own = self.handle(budget).await?;
        self.popups.close(&self.session, self.family, own, budget).await?;
        self.log.events().opened = 0;
        Ok(())
    }
}
