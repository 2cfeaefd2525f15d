//! Failed openings: the slot of a context stays taken until the partly created context is gone.
//!
//! The host of a job's URL selects the behaviour of its opening. In every case the context is in the browser's list
//! from the start, and leaves the list only when the context or its browser is verified gone.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::DispatchConfig;
use plimsoll_core::policy::LimitPolicy;
use plimsoll_core::port::{
    Blindfold, Browser, BrowserEnd, CloseError, Context, Driver, Incidents, OpenRequest, Opening, Page,
    StepOutput,
};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, FleetReport, Stop, Surroundings};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::fleet::scripted::ScriptedStore;

/// The maximum number of contexts at the same time.
const LIMIT: u32 = 4;
/// The time that a browser needs to remove a partly created context.
const REMOVAL: Duration = Duration::from_secs(3);

#[derive(Clone, Default)]
struct HalfMaking(Arc<World>);

#[derive(Default)]
struct World {
    /// The number of contexts in all browsers, partly created or open.
    existing: AtomicU64,
    peak: AtomicU64,
    launched: AtomicU64,
}

#[async_trait]
impl Driver for HalfMaking {
    fn name(&self) -> &str {
        "half-making"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::all()
    }

    async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        self.0.launched.fetch_add(1, Relaxed);
        Ok(Arc::new(HalfMakingBrowser(Arc::new(List {
            world: Arc::clone(&self.0),
            contexts: Mutex::default(),
            next: AtomicU64::new(0),
            closed: CancellationToken::new(),
        }))))
    }
}

/// The browser's own list of its contexts.
struct List {
    world: Arc<World>,
    contexts: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
    closed: CancellationToken,
}

impl List {
    fn add(&self) -> u64 {
        let context = self.next.fetch_add(1, Relaxed);
        self.contexts.lock().expect("no panics here").insert(context);
        let existing = self.world.existing.fetch_add(1, Relaxed) + 1;
        self.world.peak.fetch_max(existing, Relaxed);
        context
    }

    fn remove(&self, context: u64) {
        if self.contexts.lock().expect("no panics here").remove(&context) {
            self.world.existing.fetch_sub(1, Relaxed);
        }
    }
}

struct HalfMakingBrowser(Arc<List>);

#[async_trait]
impl Browser for HalfMakingBrowser {
    fn open(&self, request: OpenRequest, _: Duration) -> Box<dyn Opening> {
        let site = request.first.as_ref().and_then(|goto| goto.url.site()).expect("the script");
        let script = site.trim_end_matches(":80").to_owned();
        let context = self.0.add();
        assert_ne!(script, "panics-at-once", "planted before anything is returned");
        Box::new(HalfMade { list: Arc::clone(&self.0), context, script })
    }

    async fn ended(&self) -> BrowserEnd {
        std::future::pending().await
    }

    async fn close(&self) -> Result<(), CloseError> {
        sleep(REMOVAL).await;
        self.0.closed.cancel();
        let contexts = self.0.contexts.lock().expect("no panics here").clone();
        contexts.into_iter().for_each(|context| self.0.remove(context));
        Ok(())
    }
}

struct HalfMade {
    list: Arc<List>,
    context: u64,
    script: String,
}

/// Panics when it is dropped, as a driver's code may do.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "planted in a drop");
    }
}

#[async_trait]
impl Opening for HalfMade {
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault> {
        sleep(Duration::from_millis(50)).await;
        match self.script.as_str() {
            "hangs" => std::future::pending().await,
            "panics" => panic!("planted in an opening"),
            "panics-in-a-drop" => {
                let _planted = PanicsWhenDropped;
                std::future::pending().await
            }
            "fails" | "fails-unverified" | "fails-and-stays" | "fails-and-panics" => {
                Err(Fault::persistent(FailureClass::Script, "refused by the script"))
            }
            _ => {
                let (list, script) = (Arc::clone(&self.list), self.script.clone());
                Ok(Box::new(Whole { list, context: self.context, script }))
            }
        }
    }

    async fn abandon(self: Box<Self>) -> Result<(), CloseError> {
        match self.script.as_str() {
            "fails-unverified" => return Err(CloseError("the script".to_owned())),
            "fails-and-stays" => std::future::pending().await,
            "fails-and-panics" => panic!("planted in the abandoning"),
            _ => sleep(REMOVAL).await,
        }
        self.list.remove(self.context);
        Ok(())
    }
}

struct Whole {
    list: Arc<List>,
    context: u64,
    script: String,
}

#[async_trait]
impl Context for Whole {
    async fn perform(&mut self, step: &Step, _: Duration) -> Result<StepOutput, Fault> {
        sleep(Duration::from_millis(100)).await;
        Ok(match step {
            Step::Goto(goto) => StepOutput::Page(Page { url: goto.url.to_string(), status: None }),
            _ => StepOutput::named("seen", true.into()),
        })
    }

    fn incidents(&self) -> Incidents {
        assert_ne!(self.script, "panics-late", "planted in the incidents");
        Incidents::default()
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        sleep(Duration::from_millis(50)).await;
        self.list.remove(self.context);
        Ok(())
    }
}

/// Runs one job for each script and checks that no context exists without a permit.
async fn run(scripts: &[&str], stop: Option<(Duration, Stop)>) -> (FleetReport, ScriptedStore, HalfMaking) {
    let urls: Vec<_> = scripts.iter().map(|script| format!("http://{script}/")).collect();
    let store = ScriptedStore::of(&urls.iter().map(String::as_str).collect::<Vec<_>>());
    let (driver, supervisor) = (HalfMaking::default(), Supervisor::root());
    let mut dispatch = DispatchConfig::default();
    dispatch.admission.policy = LimitPolicy::Fixed;
    dispatch.admission.max_contexts = LIMIT;
    let config = FleetConfig {
        dispatch,
        attempt_timeout: Duration::from_secs(5),
        launch_timeout: Duration::from_secs(30),
        seed: 1,
    };
    let surroundings = Surroundings {
        name: "half-making".into(),
        driver: Arc::new(driver.clone()),
        store: store.shared(),
        probe: Box::new(Blindfold),
        observer: Arc::new(()),
    };
    let mut fleet = Fleet::start(config, surroundings, Clock::start(), &supervisor);
    let mut snapshots = fleet.snapshots();
    let watch = async {
        while snapshots.changed().await.is_ok() {
            let (active, existing) = (snapshots.borrow().active, driver.0.existing.load(Relaxed));
            assert!(u64::from(active) >= existing, "{active} permits for {existing} contexts");
        }
    };
    let stopping = async {
        if let Some((after, how)) = stop {
            sleep(after).await;
            fleet.stop(how);
        }
    };
    tokio::join!(stopping, watch);
    let report = fleet.ended().await.expect("the fleet's own task does not fail");
    assert_eq!(report.jobs.lost(), 0);
    assert_eq!(driver.0.existing.load(Relaxed), 0, "a context was left");
    assert!(driver.0.peak.load(Relaxed) <= u64::from(LIMIT), "{} at once", driver.0.peak.load(Relaxed));
    assert_eq!(report.peaks.active, LIMIT.min(u32::try_from(scripts.len()).expect("few")));
    (report, store, driver)
}

fn failure(store: &ScriptedStore, job: u64) -> Option<(FailureClass, Stage)> {
    store.outcome(job).failure().map(|failure| (failure.fault.class, failure.stage))
}

#[tokio::test(start_paused = true)]
async fn a_slot_is_free_only_when_what_was_half_made_is_gone() {
    let scripts = ["fails", "hangs", "panics", "ok"].repeat(10);
    let (report, store, _) = run(&scripts, None).await;
    assert_eq!((report.jobs.succeeded, report.jobs.failed), (10, 30));
    for (job, class) in
        [FailureClass::Script, FailureClass::Timeout, FailureClass::Internal].iter().enumerate()
    {
        assert_eq!(failure(&store, job as u64), Some((*class, Stage::Create)));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_verified_gone_keeps_its_slot_until_its_browser_is() {
    let bad =
        ["fails-unverified", "fails-and-stays", "fails-and-panics", "panics-at-once", "panics-in-a-drop"];
    for script in bad {
        let (report, store, driver) = run(&[&[script; 5][..], &["ok"; 5]].concat(), None).await;
        assert_eq!(report.jobs.ended(), 10, "{script}");
        assert!(matches!(failure(&store, 0), Some((_, Stage::Create | Stage::Close))), "{script}");
        assert!(driver.0.launched.load(Relaxed) > 1, "{script}: its browser is replaced");
        let last = store.outcome(9);
        assert!(last == Outcome::Succeeded, "{script}: {last:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_that_are_cancelled_while_they_open_leave_nothing() {
    for stop in [Stop::Now, Stop::After(Duration::from_secs(1))] {
        let (report, _, driver) = run(&["hangs"; 20], Some((Duration::from_secs(2), stop))).await;
        assert_eq!(report.jobs.cancelled, 20);
        assert_eq!(driver.0.launched.load(Relaxed), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_incidents_are_read_fails_its_job_and_the_context_is_closed() {
    let (report, store, driver) = run(&["panics-late", "ok"], None).await;
    assert_eq!((report.jobs.succeeded, report.jobs.failed), (1, 1));
    assert_eq!(failure(&store, 0), Some((FailureClass::Internal, Stage::Close)));
    assert_eq!(driver.0.launched.load(Relaxed), 1);
}
