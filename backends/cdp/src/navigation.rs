//! Opening a page: a wait that depends on no single event.
//!
//! ```text
//!   created with its address ─┐                    ┌─ no response yet, loading ── wait: event or pause
//!                             ├──► ask the page ───┼─ there ──────────────────► url and status
//!   Page.navigate ────────────┘        ▲           └─ error page, nothing ─┐
//!          ▲                           └─────────── it worked this time ◄──┤ Page.navigate tells the reason
//!          └───────────────────────────────────────────────────────────────┘
//! ```
//!
//! Load events get lost, and so do replies of a document that is being replaced. So an event only triggers a question
//! to the page about its state. The page is also asked at intervals without an event, and again when it does not
//! answer.
//!
//! A page that was created with its address does not report why it shows an error page. So the browser is sent one
//! `Page.navigate` to the same address: its reply names the error, or the page opens after all.

mod document;

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::network::{DisableParams, EnableParams};
use chromiumoxide_cdp::cdp::browser_protocol::page::NavigateParams;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::navigation::{IDLE_PAUSE, Idle, Waiting};
use plimsoll_core::page::{LOOK, PageError, neterror};
use plimsoll_core::port;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Goto, LoadState};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use self::document::{Answer, Ask, Document, Origin, Verdict};
use crate::page::Page;
use crate::page_events::{PageEvents, Progress, Reached};
use crate::transport::CallError;

/// Pauses after which a page is asked without any event; the last pause is repeated. A lost event costs a quarter of a
/// second, and a page that loads slowly does not receive too many questions.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1000)];
/// Chromium's pages that crash, kill or hang a renderer.
const FAULT_PAGES: &str = "chrome://";

/// How a navigation starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The page was created with this address and already loads it.
    UnderWay,
    /// The browser must navigate to it.
    Tell,
}

/// Opens a page, within `budget`.
///
/// # Errors
/// A [`Fault`] of class `navigation`, `proxy` or `timeout`, or the fault of a failed call.
pub(crate) async fn goto(
    page: &Page,
    events: &PageEvents,
    goto: &Goto,
    start: Start,
    budget: Budget,
) -> Result<port::Page, Fault> {
    let mut navigation = Navigation {
        page,
        events,
        url: goto.url.as_str(),
        wanted: goto.wait_until,
        budget,
        waiting: Waiting::Response,
    };
    match timeout(budget.left(), navigation.arrive(start)).await {
        Ok(arrival) => arrival,
        Err(_) => Err(navigation.waiting.late(navigation.url, budget.whole())),
    }
}

struct Navigation<'a> {
    page: &'a Page,
    events: &'a PageEvents,
    url: &'a str,
    wanted: LoadState,
    budget: Budget,
    waiting: Waiting,
}

impl Navigation<'_> {
    async fn arrive(&mut self, start: Start) -> Result<port::Page, Fault> {
        let mut progress = self.events.progress().subscribe();
        // The page may have loaded before this subscription.
        progress.mark_changed();
        let mut origin = match start {
            Start::UnderWay => Origin::Created,
            Start::Tell => {
                if let Some(status) = self.tell().await? {
                    return Ok(port::Page { url: self.url.to_owned(), status: Some(status) });
                }
                Origin::Navigated
            }
        };
        let mut pauses = PAUSES.iter().copied().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
        loop {
            self.hint(&mut progress, pauses.next().unwrap_or(LOOK)).await;
            let now = *progress.borrow_and_update();
            if now.reached >= Reached::Committed {
                self.waiting = Waiting::Load;
            }
            let Some(document) = self.ask(Ask::STATE).await? else { continue };
            match document.judge(self.url, self.wanted, origin, now) {
                Verdict::There if self.wanted == LoadState::Idle => return self.idle(document).await,
                Verdict::There => return Ok(arrived(document)),
                Verdict::NoResponse => {}
                Verdict::Loading => self.waiting = Waiting::Load,
                Verdict::Cut => {
                    return Err(neterror::broke_off(self.url));
                }
                Verdict::Nothing if self.events.downloads() > 0 => {
                    return Err(neterror::no_document(self.url));
                }
                Verdict::Error | Verdict::Nothing if origin == Origin::Created => {
                    if let Some(status) = self.tell().await? {
                        return Ok(port::Page { url: self.url.to_owned(), status: Some(status) });
                    }
                    origin = Origin::Navigated;
                }
                Verdict::Error | Verdict::Nothing => {
                    return Err(neterror::went_on_to_error(self.url));
                }
            }
        }
    }

    /// Waits for an event that shows enough progress, or for the end of `pause`.
    async fn hint(&self, progress: &mut watch::Receiver<Progress>, pause: Duration) {
        let enough = match self.wanted {
            LoadState::Commit => Reached::Committed,
            LoadState::Dom => Reached::Parsed,
            LoadState::Load | LoadState::Idle => Reached::Loaded,
        };
        // After loading has stopped there are no further events; only the page itself can be asked.
        let hinted = |progress: &Progress| progress.reached >= enough || progress.stopped;
        let asked_before = !progress.has_changed().unwrap_or(false) && hinted(&progress.borrow());
        let hint = async {
            if asked_before {
                drop(progress.changed().await);
            }
            drop(progress.wait_for(hinted).await);
        };
        drop(timeout(pause, hint).await);
    }

    /// Asks the page for its document; `None` when it does not answer.
    async fn ask(&self, question: Ask) -> Result<Option<Document>, Fault> {
        let asked = match self.page.call(question, LOOK).await.map(Answer::document) {
            // The page has replaced what is asked. Our own world costs more.
            Ok(None) => {
                self.page.call_in_world(|world| question.in_world(world), LOOK).await.map(Answer::document)
            }
            asked => asked,
        };
        match asked {
            Ok(document) => Ok(document),
            Err(PageError::Moved | PageError::Silent(_)) => Ok(None),
            Err(PageError::Fault(fault)) => Err(fault),
        }
    }

    /// Navigates the browser to the address. Returns the status of an error without a body, which gives no document.
    async fn tell(&mut self) -> Result<Option<u16>, Fault> {
        self.waiting = Waiting::Response;
        self.events.progress().send_replace(Progress::default());
        let Some(code) = self.navigate().await? else {
            self.waiting = Waiting::Load;
            return Ok(None);
        };
        if self.url.starts_with(FAULT_PAGES) {
            // The navigation is reported as aborted and takes effect now: the page crashes, or never answers again.
            std::future::pending::<()>().await;
        }
        if code != neterror::EMPTY_ERROR {
            return Err(neterror::fault(self.url, &code));
        }
        // Only network events carry this status. They are costly, so they are enabled for this one request.
        let session = self.page.session();
        drop(session.start(EnableParams::default(), self.budget.left()).await);
        let again = self.navigate().await;
        drop(session.start(DisableParams::default(), self.budget.left()).await);
        match (again?, self.events.progress().borrow().status) {
            (None, _) => Ok(None),
            (Some(_), Some(status)) => Ok(Some(status)),
            (Some(code), None) => Err(neterror::fault(self.url, &code)),
        }
    }

    /// Sends one `Page.navigate`; returns the error's code, if there is one.
    async fn navigate(&self) -> Result<Option<String>, Fault> {
        let mut progress = self.events.progress().subscribe();
        let loaded_without_reply = async {
            drop(progress.wait_for(|progress| progress.reached == Reached::Loaded).await);
            sleep(LOOK).await;
        };
        let command = NavigateParams::new(self.url);
        let reply = tokio::select! {
            // This deadline is later than that of the navigation, whose message names the missing state.
            reply = self.page.session().call(command, self.budget.left() + LOOK) => reply,
            () = loaded_without_reply => return Ok(None),
        };
        match reply {
            Ok(answer) => Ok(answer.error_text),
            Err(CallError::Protocol { message, .. }) => {
                let message = format!("cannot open {}: {message}", self.url);
                Err(Fault::persistent(FailureClass::Navigation, message))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until no resource has arrived for a period.
    async fn idle(&mut self, document: Document) -> Result<port::Page, Fault> {
        self.waiting = Waiting::Idle;
        let mut idle = Idle::new(document.arrivals(), self.budget.left());
        loop {
            sleep(IDLE_PAUSE).await;
            let Some(now) = self.ask(Ask::RESOURCES).await? else { continue };
            if idle.observe(now.arrivals(), self.budget.left()) {
                return Ok(arrived(now));
            }
        }
    }
}

fn arrived(document: Document) -> port::Page {
    port::Page { status: document.status(), url: document.url }
}
