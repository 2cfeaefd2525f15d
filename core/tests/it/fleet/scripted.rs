//! A driver and a store that follow a script. The host of a job's URL is the script: `ok` succeeds after a while,
//! `slow` after two seconds, `hang` never answers, `panic` panics, `crash-N` crashes N times, `status-N` returns status
//! N, `unresolved` has no address, `stuck` succeeds but its context does not close, `proxied` uses a proxy that does
//! not exist, `pictured` takes a picture that the store refuses, `unstored` takes a picture that the store never
//! finishes writing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::{BrowserId, JobId, Ticket};
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::outcome::{FailureClass, Fault, Outcome};
use plimsoll_core::port::{
    Artifact, ArtifactKind, Browser, BrowserEnd, CloseError, Context, Driver, Incidents, JobRecord,
    OpenRequest, Opening, Page, PlainOpening, StepOutput, Store, StoreError,
};
use plimsoll_core::step::Step;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Default)]
pub(crate) struct ScriptedDriver(Arc<World>);

#[derive(Default)]
struct World {
    refuse: std::sync::atomic::AtomicBool,
    browsers: Mutex<Vec<CancellationToken>>,
    launched: AtomicU64,
    closed: AtomicU64,
    contexts: Level,
    creating: Level,
    crashes: Mutex<HashMap<String, u32>>,
}

/// A counter that goes up and down, and its maximum.
#[derive(Default)]
struct Level(AtomicU64, AtomicU64);

impl Level {
    fn up(&self) {
        self.1.fetch_max(self.0.fetch_add(1, Relaxed) + 1, Relaxed);
    }

    fn down(&self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl ScriptedDriver {
    pub(crate) fn shared(&self) -> Arc<dyn Driver> {
        Arc::new(self.clone())
    }

    pub(crate) fn open_contexts(&self) -> u64 {
        self.0.contexts.0.load(Relaxed)
    }

    pub(crate) fn peak_contexts(&self) -> u64 {
        self.0.contexts.1.load(Relaxed)
    }

    pub(crate) fn peak_creating(&self) -> u64 {
        self.0.creating.1.load(Relaxed)
    }

    pub(crate) fn browsers_launched(&self) -> u64 {
        self.0.launched.load(Relaxed)
    }

    pub(crate) fn browsers_closed(&self) -> u64 {
        self.0.closed.load(Relaxed)
    }

    pub(crate) fn open_browsers(&self) -> u64 {
        self.browsers_launched() - self.browsers_closed()
    }

    pub(crate) fn refuse_launches(&self) {
        self.0.refuse.store(true, Relaxed);
    }

    pub(crate) fn kill_a_browser(&self) {
        self.0.browsers.lock().expect("no panics here")[0].cancel();
    }
}

#[async_trait]
impl Driver for ScriptedDriver {
    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    fn name(&self) -> &str {
        "scripted"
    }

    async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        sleep(Duration::from_millis(300)).await;
        if self.0.refuse.load(Relaxed) {
            return Err(Fault::transient(FailureClass::BrowserCrash, "refused by the script"));
        }
        let dead = CancellationToken::new();
        self.0.launched.fetch_add(1, Relaxed);
        self.0.browsers.lock().expect("no panics here").push(dead.clone());
        Ok(Arc::new(ScriptedBrowser { world: Arc::clone(&self.0), dead }))
    }
}

struct ScriptedBrowser {
    world: Arc<World>,
    dead: CancellationToken,
}

#[async_trait]
impl Browser for ScriptedBrowser {
    fn open(&self, _: OpenRequest, _: Duration) -> Box<dyn Opening> {
        let (world, dead) = (Arc::clone(&self.world), self.dead.clone());
        PlainOpening::of(async move {
            world.creating.up();
            world.contexts.up();
            sleep(Duration::from_millis(50)).await;
            world.creating.down();
            Ok(Box::new(ScriptedContext { world, dead, stuck: false }) as Box<dyn Context>)
        })
    }

    async fn ended(&self) -> BrowserEnd {
        self.dead.cancelled().await;
        BrowserEnd::Died("killed by the script".into())
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.dead.cancel();
        sleep(Duration::from_millis(100)).await;
        self.world.closed.fetch_add(1, Relaxed);
        Ok(())
    }
}

struct ScriptedContext {
    world: Arc<World>,
    dead: CancellationToken,
    stuck: bool,
}

#[async_trait]
impl Context for ScriptedContext {
    async fn perform(&mut self, step: &Step, _: Duration) -> Result<StepOutput, Fault> {
        let goto = match step {
            Step::Goto(goto) => goto,
            Step::Screenshot(_) => {
                let bytes = b"\x89PNG\r\n\x1a\n".to_vec();
                return Ok(StepOutput::Artifact(Artifact { kind: ArtifactKind::Png, bytes }));
            }
            _ => return Ok(StepOutput::named("seen", true.into())),
        };
        let site = goto.url.site().expect("the script");
        let script = site.trim_end_matches(":80").to_owned();
        let play = async {
            match script.split_once('-') {
                Some(("status", code)) => {
                    return Ok(StepOutput::Page(Page {
                        url: goto.url.to_string(),
                        status: code.parse().ok(),
                    }));
                }
                Some(("crash", times)) => {
                    let mut crashes = self.world.crashes.lock().expect("no panics here");
                    let so_far = crashes.entry(script.clone()).or_default();
                    *so_far += 1;
                    if *so_far <= times.parse().expect("a number") {
                        return Err(Fault::transient(FailureClass::PageCrash, "crashed by the script"));
                    }
                }
                _ => {}
            }
            match script.as_str() {
                "hang" => std::future::pending().await,
                "panic" => panic!("planted in a step"),
                "unresolved" => {
                    return Err(Fault::persistent(FailureClass::Navigation, "net::ERR_NAME_NOT_RESOLVED"));
                }
                "proxied" => return Err(Fault::transient(FailureClass::Proxy, "no proxy")),
                "stuck" => self.stuck = true,
                "slow" => sleep(Duration::from_secs(2)).await,
                "long" => sleep(Duration::from_secs(18)).await,
                _ => sleep(Duration::from_millis(200)).await,
            }
            Ok(StepOutput::Page(Page { url: goto.url.to_string(), status: None }))
        };
        tokio::select! {
            played = play => played,
            () = self.dead.cancelled() => Err(Fault::transient(FailureClass::BrowserCrash, "its browser died")),
        }
    }

    fn incidents(&self) -> Incidents {
        Incidents::default()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        if self.stuck {
            std::future::pending::<()>().await;
        }
        sleep(Duration::from_millis(20)).await;
        Ok(())
    }
}

impl Drop for ScriptedContext {
    fn drop(&mut self) {
        self.world.contexts.down();
    }
}

/// A store of jobs that are given by their URL, or as JSON with an id.
#[derive(Clone)]
pub(crate) struct ScriptedStore {
    jobs: Arc<Mutex<Vec<String>>>,
    given: Arc<AtomicU64>,
    records: Arc<Mutex<Vec<(Ticket, JobRecord)>>>,
    released: Arc<Mutex<Vec<Ticket>>>,
    /// The number of records that fit on the disk.
    pub(crate) room: usize,
}

impl ScriptedStore {
    pub(crate) fn of(urls: &[&str]) -> Self {
        let jobs = urls.iter().rev().filter(|url| **url != "disk full").map(ToString::to_string).collect();
        Self {
            jobs: Arc::new(Mutex::new(jobs)),
            given: Arc::default(),
            records: Arc::default(),
            released: Arc::default(),
            room: usize::MAX,
        }
    }

    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        Arc::new(self.clone())
    }

    pub(crate) fn records(&self) -> Vec<JobRecord> {
        self.records.lock().expect("no panics here").iter().map(|(_, record)| record.clone()).collect()
    }

    /// The tickets that were recorded or released, in order.
    pub(crate) fn tickets(&self) -> Vec<u64> {
        let records = self.records.lock().expect("no panics here");
        let released = self.released.lock().expect("no panics here");
        let mut tickets: Vec<_> =
            records.iter().map(|(ticket, _)| ticket).chain(released.iter()).map(|ticket| ticket.0).collect();
        tickets.sort_unstable();
        tickets
    }

    /// The number of jobs that were given out, and the number that were released unfinished.
    pub(crate) fn given_and_released(&self) -> (u64, u64) {
        (self.given.load(Relaxed), self.released.lock().expect("no panics here").len() as u64)
    }

    pub(crate) fn record_of(&self, index: u64) -> JobRecord {
        let records = self.records.lock().expect("no panics here");
        let found: Vec<_> = records.iter().filter(|(ticket, _)| *ticket == ticket_of(index)).collect();
        assert_eq!(found.len(), 1, "job {index} ends exactly once");
        found[0].1.clone()
    }

    pub(crate) fn outcome(&self, index: u64) -> Outcome {
        self.record_of(index).outcome
    }
}

/// Tickets that do not count from 0, so that the tests detect a fleet that numbers jobs by itself.
pub(crate) const fn ticket_of(index: u64) -> Ticket {
    Ticket(1_000_000 - 7 * index)
}

#[async_trait]
impl Store for ScriptedStore {
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
        let Some(url) = self.jobs.lock().expect("no panics here").pop() else { return Ok(None) };
        if url == "broken" {
            return Err(StoreError {
                doing: "reading jobs".into(),
                source: std::io::ErrorKind::InvalidData.into(),
            });
        }
        let accept =
            url.split_once("accept=").map_or_else(|| "[]".into(), |(_, status)| format!("[{status}]"));
        let proxy = if url == "http://proxied/" { r#","proxy":"http://proxy:1""# } else { "" };
        let step = match url.as_str() {
            "http://pictured/" | "http://unstored/" => r#"{"screenshot":"page"}"#,
            _ => r#"{"evaluate":{"script":"1","name":"seen"}}"#,
        };
        let json = format!(r#"{{"url":"{url}","accept_status":{accept},"steps":[{step}]{proxy}}}"#);
        let json = if url.starts_with('{') { &url } else { &json };
        let keys: JobKeys = serde_json::from_str(json).expect("a job");
        let id = || JobId::try_from(url.clone()).expect("a URL is an id");
        let ticket = ticket_of(self.given.fetch_add(1, Relaxed));
        Ok(Some((ticket, keys.into_job(id).expect("a job that makes sense"))))
    }

    async fn keep(&self, _: Ticket, job: &JobId, _: Artifact) -> Result<String, StoreError> {
        if job.as_str() == "http://unstored/" {
            std::future::pending::<()>().await;
        }
        Err(StoreError { doing: "keeping a picture".into(), source: std::io::ErrorKind::Unsupported.into() })
    }

    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError> {
        if self.records().len() == self.room {
            let source = std::io::ErrorKind::StorageFull.into();
            return Err(StoreError { doing: "writing results".into(), source });
        }
        self.records.lock().expect("no panics here").push((ticket, record));
        Ok(())
    }

    async fn release(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.released.lock().expect("no panics here").push(ticket);
        Ok(())
    }
}
