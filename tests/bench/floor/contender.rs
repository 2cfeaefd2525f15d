//! chromiumoxide with its own handler, over the WebSocket that it needs.

use std::time::Duration;

use chromiumoxide::Browser;
use chromiumoxide::cdp::browser_protocol::browser::BrowserContextId;
use chromiumoxide::cdp::browser_protocol::target::{CreateBrowserContextParams, CreateTargetParams};
use chromiumoxide::handler::HandlerConfig;
use futures_util::StreamExt;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::time::{interval, timeout};

use crate::failure::Failure;
use crate::lanes::{self, DEADLINE, Harvest, JobError};
use crate::launch::Launched;
use crate::options::Work;
use crate::visit;

/// The interval at which a starting browser is checked.
const LOOK: Duration = Duration::from_millis(10);

/// Does the work.
pub(crate) async fn run(work: &Work, supervisor: &Supervisor) -> Result<(), Failure> {
    let launched = Launched::start(&work.flags, "--remote-debugging-port=0", Vec::new(), supervisor).await?;
    let url = timeout(DEADLINE, address(&launched)).await?;
    // Without a viewport, which would be set for every page; no other client does this.
    let config = HandlerConfig { viewport: None, request_timeout: DEADLINE, ..HandlerConfig::default() };
    let (mut browser, mut handler) = Browser::connect_with_config(url, config).await?;
    // The handler ends with the browser and reports no reason.
    drop(supervisor.spawn("chromiumoxide handler", async move { while handler.next().await.is_some() {} }));

    lanes::run(work, Clock::start(), async || visit(&browser, &work.url).await).await?;

    drop(timeout(DEADLINE, browser.close()).await?);
    launched.end(supervisor).await
}

/// The address that the browser's log gives.
async fn address(launched: &Launched) -> String {
    let told = launched.profile.path().join("DevToolsActivePort");
    let mut looks = interval(LOOK);
    loop {
        looks.tick().await;
        let text = std::fs::read_to_string(&told).unwrap_or_default();
        if let Some((port, path)) = text.split_once('\n').filter(|(_, path)| !path.is_empty()) {
            return format!("ws://127.0.0.1:{port}{path}");
        }
    }
}

async fn visit(browser: &Browser, url: &str) -> Result<Harvest, JobError> {
    let context = browser.create_browser_context(CreateBrowserContextParams::default()).await?;
    let read = read(browser, &context, url).await;
    browser.dispose_browser_context(context).await?;
    read
}

async fn read(browser: &Browser, context: &BrowserContextId, url: &str) -> Result<Harvest, JobError> {
    let mut create = CreateTargetParams::new("about:blank");
    create.browser_context_id = Some(context.clone());
    let page = browser.new_page(create).await?;
    // It completes when the page is loaded.
    page.goto(url).await?;
    let mut harvest = Harvest::default();
    for (name, expression) in visit::expressions() {
        let value = page.evaluate_expression(expression).await?.value().cloned();
        harvest.data.insert(name.to_owned(), value.unwrap_or_default());
    }
    Ok(harvest)
}
