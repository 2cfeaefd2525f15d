//! A custom driver: it fetches pages over plain HTTP, without a browser, and can extract their titles.
//! `cargo run -p plimsoll --example own_driver -- http://127.0.0.1:8080/page/1`
//!
//! A driver makes browsers, a browser opens contexts, and a context carries out the steps of one attempt. The engine
//! does the rest: it limits how many contexts are open, bounds each call, and tries failed jobs again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll::{Engine, Job};
use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{
    Browser, BrowserEnd, CloseError, Context, Driver, Incidents, OpenRequest, Opening, Page, PlainOpening,
    StepOutput,
};
use plimsoll_core::step::{Extract, Step};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

struct PlainHttp;

#[async_trait]
impl Driver for PlainHttp {
    fn name(&self) -> &str {
        "plain-http"
    }

    /// A job that needs more than this is refused before it runs.
    fn capabilities(&self) -> Capabilities {
        [Capability::Extract].into_iter().collect()
    }

    async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        Ok(Arc::new(Client))
    }
}

/// There is no process, so a client neither ends by itself nor needs to be ended.
struct Client;

#[async_trait]
impl Browser for Client {
    fn open(&self, _: OpenRequest, _: Duration) -> Box<dyn Opening> {
        PlainOpening::of(async { Ok(Box::new(Tab::default()) as Box<dyn Context>) })
    }

    async fn ended(&self) -> BrowserEnd {
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), CloseError> {
        Ok(())
    }
}

#[derive(Default)]
struct Tab {
    html: String,
}

#[async_trait]
impl Context for Tab {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        match step {
            Step::Goto(goto) => timeout(budget, self.fetch(goto.url.as_str())).await.unwrap_or_else(|_| {
                Err(Fault::transient(FailureClass::Timeout, format!("no answer within {budget:?}")))
            }),
            Step::Extract(extract) => Ok(self.extract(extract)),
            _ => {
                Err(Fault::persistent(FailureClass::Unsupported, "this driver opens pages and reads titles"))
            }
        }
    }

    fn incidents(&self) -> Incidents {
        Incidents::default()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        Ok(())
    }
}

impl Tab {
    async fn fetch(&mut self, address: &str) -> Result<StepOutput, Fault> {
        let unreachable = |why: &dyn Error| Fault::transient(FailureClass::Navigation, why.to_string());
        let url = Url::parse(address).map_err(|why| unreachable(&why))?;
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(80));
        let mut stream = TcpStream::connect((host, port)).await.map_err(|why| unreachable(&why))?;
        let request = format!("GET {} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n", url.path());
        stream.write_all(request.as_bytes()).await.map_err(|why| unreachable(&why))?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.map_err(|why| unreachable(&why))?;
        self.html = String::from_utf8_lossy(&answer).into_owned();
        // The first line is `HTTP/1.0 200 OK`.
        let status = self.html.split(' ').nth(1).and_then(|status| status.parse().ok());
        Ok(StepOutput::Page(Page { url: address.to_owned(), status }))
    }

    /// Gives the title for every field, whatever the selector.
    fn extract(&self, extract: &Extract) -> StepOutput {
        let title = self.html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
        let title = title.map(|(title, _)| title);
        StepOutput::Data(extract.fields.keys().map(|name| (name.clone(), title.into())).collect())
    }
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it got")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("name a page: own_driver http://127.0.0.1:8080/page/1")?;
    let engine = Engine::builder().own_driver(Arc::new(PlainHttp)).start().await?;
    let page = engine.submit(Job::visit(&url)?.extract("title", "title"))?.await?;
    println!("{}: {}", page.record.outcome.name(), page.record.data["title"]);
    engine.close().await?;
    Ok(())
}
