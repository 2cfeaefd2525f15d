//! The floor over WebDriver: a bare HTTP client for its own chromedrivers. It makes the calls of a session one after
//! the other, the same calls as Plimsoll without faults.

use std::cell::Cell;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser;
use plimsoll_host::tree::Ladder;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use crate::failure::Failure;
use crate::lanes::{self, DEADLINE, Harvest, JobError};
use crate::launch::Launched;
use crate::options::Work;
use crate::visit;

/// Sessions per chromedriver, as in Plimsoll.
const SESSIONS: u32 = 8;
/// The pauses between checks whether the page is loaded, in milliseconds; the last repeats, as in Plimsoll.
const PAUSES: [u64; 8] = [10, 20, 30, 50, 100, 100, 250, 500];

/// A remote end, and the capabilities of its sessions.
struct End {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    capabilities: Value,
    calls: Cell<u64>,
}

/// Does the work; then prints the number of calls.
pub(crate) async fn run(work: &Work, supervisor: &Supervisor) -> Result<(), Failure> {
    let (mut drivers, mut ends) = (Vec::new(), Vec::new());
    for _ in 0..work.flight.get().div_ceil(SESSIONS) {
        let driver = Launched::driver(supervisor).await?;
        let port = timeout(DEADLINE, driver.said(port)).await?.ok_or("chromedriver told no port")?;
        ends.push(End {
            client: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
            base: format!("http://127.0.0.1:{port}"),
            capabilities: capabilities(&work.flags)?,
            calls: Cell::new(0),
        });
        drivers.push(driver);
    }
    let next = Cell::new(0);
    lanes::run(work, Clock::start(), async || {
        let end = &ends[next.get() % ends.len()];
        next.set(next.get() + 1);
        end.visit(&work.url).await
    })
    .await?;

    let calls: u64 = ends.iter().map(|end| end.calls.get()).sum();
    println!("{}", json!({ "browser": "chromedriver", "sent": calls, "received": calls }));
    for driver in drivers {
        driver.end_by(Ladder::NOW, supervisor).await?;
    }
    Ok(())
}

fn port(line: &str) -> Option<u16> {
    line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
}

/// The capabilities of Plimsoll's sessions, with the flags of one of its browsers.
fn capabilities(flags: &[String]) -> Result<Value, Failure> {
    let flags = flags.iter().filter(|flag| flag.starts_with("--"));
    let args: Vec<_> = flags.map(String::as_str).chain(["--remote-debugging-pipe"]).collect();
    Ok(json!({ "alwaysMatch": {
        "browserName": "chrome",
        "pageLoadStrategy": "none",
        "goog:loggingPrefs": { "performance": "ALL" },
        "goog:chromeOptions": {
            "binary": browser::find(None)?.path,
            "args": args,
            "perfLoggingPrefs": { "enableNetwork": false, "enablePage": true },
        },
    }, "firstMatch": [{}] }))
}

impl End {
    async fn visit(&self, url: &str) -> Result<Harvest, JobError> {
        let opened = self.post("/session", &json!({ "capabilities": self.capabilities })).await?;
        let session = format!("/session/{}", opened["sessionId"].as_str().unwrap_or_default());
        let read = self.read(&session, url).await;
        self.exchange(Method::DELETE, &session, None).await?;
        read
    }

    async fn read(&self, session: &str, url: &str) -> Result<Harvest, JobError> {
        let post = async |path: &str, body: Value| self.post(&format!("{session}/{path}"), &body).await;
        let log = async || post("se/log", json!({ "type": "performance" })).await;
        let run = async |script: String| post("execute/sync", json!({ "script": script, "args": [] })).await;
        let deny = json!({ "behavior": "deny", "eventsEnabled": true });
        post("goog/cdp/execute", json!({ "cmd": "Browser.setDownloadBehavior", "params": deny })).await?;
        post("url", json!({ "url": url })).await?;
        let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
        let loaded = "return location.href !== 'data:,' && document.readyState === 'complete'";
        while run(loaded.to_owned()).await? != true {
            sleep(Duration::from_millis(pauses.next().unwrap_or_default())).await;
        }
        self.exchange(Method::GET, &format!("{session}/window"), None).await?;
        log().await?;
        let fields: Vec<_> = visit::expressions().map(|(name, read)| format!("{name}: {read}")).collect();
        let data = run(format!("return {{{}}}", fields.join(", "))).await?;
        log().await?;
        let data: Map<String, Value> = serde_json::from_value(data).unwrap_or_default();
        Ok(Harvest { data, lost_load: false })
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, JobError> {
        self.exchange(Method::POST, path, Some(body)).await
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, JobError> {
        self.calls.set(self.calls.get() + 1);
        let body = Full::from(body.map(Value::to_string).unwrap_or_default());
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        let answer = self.client.request(request.map_err(wrong)?).await.map_err(wrong)?;
        let ok = answer.status().is_success();
        let bytes = answer.into_body().collect().await.map_err(wrong)?.to_bytes();
        let mut answer: Value = serde_json::from_slice(&bytes).map_err(wrong)?;
        let value = answer["value"].take();
        if ok { Ok(value) } else { Err(JobError::WebDriver(format!("{path}: {value}"))) }
    }
}

fn wrong(why: impl std::fmt::Display) -> JobError {
    JobError::WebDriver(why.to_string())
}
