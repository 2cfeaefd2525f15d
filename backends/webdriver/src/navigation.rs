//! Opening a page: the browser navigates, and the page is then asked how far it has loaded.
//!
//! ```text
//!   POST /url, which does not wait ──► ask the page ──┬─ as before: no page yet, or, by Chromium's log, none at all
//!                                         ▲           ├─ new, loading ─── pause
//!                                         └───────────┤
//!                                                     ├─ new, far enough ──► url and status
//!                                                     └─ an error page ────► which error
//! ```
//!
//! Two documents differ by address and start time. The address of Firefox's error page names the error. Chromium's does
//! not, so the browser navigates once more with a command whose answer names the error, unless the page opens this
//! time.

mod document;

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::navigation::{IDLE_PAUSE, Idle, Waiting};
use plimsoll_core::page::{LOOK, PageError, neterror};
use plimsoll_core::port::Page;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Goto, LoadState};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use self::document::{Document, Verdict};
use crate::call::{CallError, Code};
use crate::settings::Family;
use crate::tab::{Arrival, ScriptWorld, Tab};
use crate::world;

/// Pauses between two questions in milliseconds; the last is repeated. Most pages are there within a tenth of a second,
/// and a page that loads slowly does not receive too many questions.
const PAUSES: [u64; 8] = [10, 20, 30, 50, 100, 100, 250, 500];
/// The longest time for listeners to a page's load event; after it the page counts as loaded: Firefox takes a tenth of
/// a second to detect that a listener has opened a dialog.
const LISTENERS: Duration = Duration::from_secs(1);

/// Opens a page, within `budget`.
///
/// # Errors
/// A [`Fault`] of class `navigation`, `proxy` or `timeout`, or the fault of a failed call.
pub(crate) async fn goto(tab: &mut Tab, goto: &Goto, budget: Budget) -> Result<Page, Fault> {
    let arrival = tab.leave();
    let mut navigation = Navigation { tab, goto, url: goto.url.as_str(), budget, waiting: Waiting::Response };
    match timeout(budget.left(), navigation.arrive(arrival)).await {
        Ok(arrived) => {
            tab.count_incidents(budget).await;
            arrived
        }
        Err(_) => Err(navigation.waiting.late(navigation.url, budget.whole())),
    }
}

struct Navigation<'a> {
    tab: &'a Tab,
    goto: &'a Goto,
    url: &'a str,
    budget: Budget,
    waiting: Waiting,
}

/// The reply of `Page.navigate`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Navigated {
    error_text: Option<String>,
}

impl Navigation<'_> {
    async fn arrive(&mut self, arrival: Arrival) -> Result<Page, Fault> {
        let before = match arrival {
            Arrival::First => None,
            // A page that does not answer is busy; the next document will differ by its address.
            Arrival::Later => self.ask().await?,
        };
        self.tell().await?;
        let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
        let (mut explained, mut heard_since, mut came_to_nothing) = (false, None, false);
        loop {
            if let Some(document) = self.ask().await? {
                let left = self.budget.left();
                match document.judge(before.as_ref(), self.url, self.goto.wait_until) {
                    Verdict::Heard if heard_since.get_or_insert(left).saturating_sub(left) < LISTENERS => {}
                    Verdict::There | Verdict::Heard if self.goto.wait_until == LoadState::Idle => {
                        return self.idle(document).await;
                    }
                    Verdict::There | Verdict::Heard => return Ok(document.page()),
                    Verdict::Before => {
                        // Required twice in a row: the first stop may belong to the previous page.
                        let to_nothing = self.came_to_nothing().await?;
                        if std::mem::replace(&mut came_to_nothing, to_nothing) && to_nothing {
                            return Err(neterror::no_document(self.url));
                        }
                    }
                    Verdict::Loading => self.cut().await?,
                    Verdict::Error(Some(code)) => return Err(neterror::firefox_fault(self.url, &code)),
                    Verdict::Error(None) if explained => {
                        return Err(neterror::went_on_to_error(self.url));
                    }
                    Verdict::Error(None) => {
                        explained = true;
                        self.explain().await?;
                    }
                }
            }
            sleep(Duration::from_millis(pauses.next().unwrap_or_default())).await;
        }
    }

    /// Navigates the browser to the address, without waiting for the page.
    async fn tell(&self) -> Result<(), Fault> {
        let body = json!({ "url": self.url });
        match self.tab.session().post::<Value>("url", &body, self.budget.left()).await {
            // The driver waited nevertheless, or a dialog interrupted: the page is asked next.
            Ok(_) => Ok(()),
            Err(error) if matches!(error.code(), Some(Code::Timeout | Code::UnexpectedAlertOpen)) => Ok(()),
            // The settings made the driver wait, and an error page appeared.
            Err(error) if error.code() == Some(Code::Other) => Ok(()),
            Err(CallError::Refused { code: Code::InvalidArgument, message, .. }) => {
                let message = format!("cannot open {}: {message}", self.url);
                Err(Fault::persistent(FailureClass::Navigation, message))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks the page for its document; `None` when it does not answer.
    async fn ask(&self) -> Result<Option<Document>, Fault> {
        let deadline = self.budget.left().min(LOOK * 2);
        let script = format!("try {{ return {}; }} catch {{ return null; }}", Document::STATE);
        let asked = self.tab.session().run::<Value>(&script, &json!([]), LOOK, deadline).await;
        let asked = asked.map(|answer| answer.and_then(|answer| serde_json::from_value(answer).ok()));
        let asked = match asked {
            // The page has replaced what is asked, or what chromedriver brings answers with. Our own world costs more.
            Ok(None) | Err(CallError::Refused { code: Code::Other | Code::JavascriptError, .. })
                if self.tab.scripts() == ScriptWorld::Own =>
            {
                let text = world::text(self.tab, Document::STATE, deadline).await;
                text.map(|text| serde_json::from_str(&text?).ok())
            }
            asked => asked,
        };
        match asked {
            Ok(document) => Ok(document),
            Err(error) => match PageError::from(error) {
                PageError::Moved | PageError::Silent(_) => Ok(None),
                PageError::Fault(fault) => Err(fault),
            },
        }
    }

    /// The document is still the previous document. Chromium's log shows when no other will come.
    async fn came_to_nothing(&self) -> Result<bool, Fault> {
        if self.tab.family() != Family::Chromium {
            return Ok(false);
        }
        let progress = self.tab.progress(self.budget).await?;
        Ok(progress.stopped && !progress.committed)
    }

    /// The document has not loaded far enough. Chromium's log shows when it never will.
    async fn cut(&mut self) -> Result<(), Fault> {
        self.waiting = Waiting::Load;
        if self.tab.family() == Family::Chromium {
            let progress = self.tab.progress(self.budget).await?;
            if progress.stopped && progress.committed && !progress.loaded {
                return Err(neterror::broke_off(self.url));
            }
        }
        Ok(())
    }

    /// Asks Chromium for the reason of an error page.
    async fn explain(&self) -> Result<(), Fault> {
        let params = json!({ "url": self.url });
        let navigated = self.tab.session().devtools("Page.navigate", params, self.budget.left()).await;
        let Navigated { error_text } = navigated?;
        match error_text {
            // A fault page is reported as aborted, and takes effect now.
            Some(code) if !self.goto.url.is_fault_page() => Err(neterror::fault(self.url, &code)),
            _ => Ok(()),
        }
    }

    /// Waits until no resource has arrived for a period.
    async fn idle(&mut self, document: Document) -> Result<Page, Fault> {
        self.waiting = Waiting::Idle;
        let mut idle = Idle::new(document.arrivals(), self.budget.left());
        loop {
            sleep(IDLE_PAUSE).await;
            let Some(now) = self.ask().await? else { continue };
            if idle.observe(now.arrivals(), self.budget.left()) {
                return Ok(now.page());
            }
        }
    }
}
