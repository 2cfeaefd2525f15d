//! The floor: a client that does each job with the fewest calls that a textbook names, one after the other.
//!
//! It waits for the load event, and asks the page for its state when the event does not come: jobs whose page was
//! loaded without the event are counted.

use std::time::Duration;

use chromiumoxide::cdp::browser_protocol::browser::{BrowserContextId, CloseParams, GetVersionParams};
use chromiumoxide::cdp::browser_protocol::page::{EnableParams, NavigateParams};
use chromiumoxide::cdp::browser_protocol::target::{
    AttachToTargetParams, CreateBrowserContextParams, CreateTargetParams, DisposeBrowserContextParams,
};
use chromiumoxide::cdp::js_protocol::runtime::EvaluateParams;
use plimsoll_cdp::transport::{CallError, Connection, ConnectionLimits, Session, SessionEnd, pipe};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::lanes::{self, DEADLINE, Harvest, JobError};
use crate::launch::Launched;
use crate::options::Work;
use crate::visit;

/// The pauses without the event before the page is asked; the last repeats, as in Plimsoll.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_millis(1000)];

/// Does the work; then prints what was sent and received.
pub(crate) async fn run(work: &Work, supervisor: &Supervisor) -> Result<(), Failure> {
    let clock = Clock::start();
    let (ours, theirs) = pipe::pair()?;
    let fds = vec![(theirs.reads, 3), (theirs.writes, 4)];
    let browser = Launched::start(&work.flags, "--remote-debugging-pipe", fds, supervisor).await?;
    let limits = ConnectionLimits::default();
    let connection = Connection::open(ours.reader, ours.writer, supervisor, clock, limits);
    let root = connection.root(&[]);
    let version = root.call(GetVersionParams::default(), DEADLINE).await?;
    let before = connection.stats();

    lanes::run(work, clock, async || visit(&root, &work.url).await).await?;

    let stats = connection.stats();
    let told = json!({
        "browser": version.product,
        "sent": stats.sent - before.sent,
        "received": stats.received - before.received,
        "bytes_received": stats.bytes_received - before.bytes_received,
    });
    println!("{told}");
    // The reply may be lost when the browser ends.
    drop(root.call(CloseParams::default(), DEADLINE).await);
    browser.end(supervisor).await
}

async fn visit(root: &Session, url: &str) -> Result<Harvest, JobError> {
    let context = root.call(CreateBrowserContextParams::default(), DEADLINE).await?.browser_context_id;
    let read = read(root, &context, url).await;
    root.call(DisposeBrowserContextParams::new(context), DEADLINE).await?;
    read
}

async fn read(root: &Session, context: &BrowserContextId, url: &str) -> Result<Harvest, JobError> {
    let mut create = CreateTargetParams::new("about:blank");
    create.browser_context_id = Some(context.clone());
    let target = root.call(create, DEADLINE).await?.target_id;
    let attach = AttachToTargetParams { target_id: target, flatten: Some(true) };
    let session = root.call(attach, DEADLINE).await?.session_id;
    let page = root.connection().session(session.inner(), &["Page.loadEventFired"]);
    page.call(EnableParams::default(), DEADLINE).await?;
    page.call(NavigateParams::new(url), DEADLINE).await?;
    let came = loaded(&page).await?;
    let mut harvest = Harvest::default();
    for (name, expression) in visit::expressions() {
        harvest.data.insert(name.to_owned(), evaluate(&page, expression).await?);
    }
    // A late event is not lost.
    harvest.lost_load = !came && timeout(Duration::ZERO, page.next_event()).await.is_err();
    Ok(harvest)
}

/// Waits until the page is loaded; returns whether the event came.
async fn loaded(page: &Session) -> Result<bool, JobError> {
    for pause in PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1])) {
        match timeout(pause, page.next_event()).await {
            Ok(event) => return Ok(event.map(|_| true)?),
            Err(_) => {
                if evaluate(page, "document.readyState".to_owned()).await? == "complete" {
                    return Ok(false);
                }
            }
        }
    }
    Err(SessionEnd::Detached.into())
}

async fn evaluate(page: &Session, expression: String) -> Result<Value, CallError> {
    let mut evaluate = EvaluateParams::new(expression);
    evaluate.return_by_value = Some(true);
    let answer = page.call(evaluate, DEADLINE).await?;
    Ok(answer.result.value.unwrap_or_default())
}
