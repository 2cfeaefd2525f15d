//! One life of a driver, in this process or in another: from its start to its verified end.
//!
//! ```text
//!   running ──process ends─────────────────► over (died) ──killed, verified──► gone
//!           ──a call lies too long───────────► over (hung) ──────┘
//!           ──dropped, or supervisor cancelled──► let go ────────┘
//! ```
//!
//! A task of its own, the keeper, sees each of these. Within this process nothing can be killed: a library that hangs
//! is left alone with its threads, and is never verified gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plimsoll_core::port::BrowserEnd;
use plimsoll_core::port::call::DriverMade;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::time::Moment;
use plimsoll_plugin_abi::op;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::calls::Calls;
use crate::error::LoadError;
use crate::frame::Frame;
use crate::info::LibraryInfo;
use crate::instance::Instance;
use crate::library::{Checked, Library};
use crate::process::{self, Burial, Process, Writer};
use crate::reading;
use crate::recipe::{Isolation, Recipe};
use crate::sink::{Outlet, Reply, Sink, wanted_level};

/// What loading a library may take, and what making its driver may.
pub(crate) const LOAD_BUDGET: Duration = Duration::from_secs(10);
/// What a library gets to let go of a call that nobody waits for any more.
const MERCY: Duration = Duration::from_secs(5);
/// How often the keeper looks for calls that were not let go.
const LOOK: Duration = Duration::from_millis(250);

/// A call to be made.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) op: u32,
    /// Which browser or context, by its number in this session.
    pub(crate) object: u64,
    pub(crate) payload: Vec<u8>,
    /// For messages: "performing a step".
    pub(crate) doing: &'static str,
    /// How long the answer may take; for ever when `None`.
    pub(crate) within: Option<Duration>,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The driver is over.
    Over(BrowserEnd),
    /// Not within this time.
    Late(Duration),
}

/// How far it has come.
#[derive(Debug, Clone)]
enum Stage {
    Running,
    /// No call can be made any more; [`Calls::over`] says why.
    Over,
    /// Verified gone, or why that is not known.
    Gone(Result<(), String>),
}

/// See the module.
pub(crate) struct Session {
    link: Link,
    calls: Arc<Calls>,
    clock: Clock,
    objects: AtomicU64,
    stage: watch::Receiver<Stage>,
    /// Lets the keeper know that nobody needs the session any more.
    _farewell: DropGuard,
}

enum Link {
    Inside(Instance),
    Outside(Writer),
}

/// Takes a library's words for its session.
struct Ear {
    calls: Arc<Calls>,
    outlet: Arc<Outlet>,
}

impl Sink for Ear {
    fn complete(&self, call: u64, reply: Reply) {
        if !self.calls.complete(call, reply) && self.calls.stray() == 1 {
            self.outlet.log(
                plimsoll_plugin_abi::level::WARN,
                "loader",
                "it answers what was not asked; ignored",
            );
        }
    }

    fn log(&self, level: u32, target: &str, message: &str) {
        self.outlet.log(level, target, message);
    }

    fn count(&self, name: &str, delta: u64) {
        self.outlet.count(name, delta);
    }
}

impl Session {
    /// Loads the library and makes its driver.
    pub(crate) async fn start(recipe: &Recipe) -> Result<(Arc<Self>, LibraryInfo, DriverMade), LoadError> {
        let calls = Arc::new(Calls::default());
        let ear: Arc<dyn Sink> =
            Arc::new(Ear { calls: Arc::clone(&calls), outlet: Arc::clone(&recipe.outlet) });
        let supervisor = recipe.supervisor.child();
        let path = recipe.path.clone();
        let checked = supervisor.spawn_blocking("check library", move || Checked::open(&path));
        let checked = in_time(recipe, "being checked", checked).await?;
        let (link, process, info) = match &recipe.isolation {
            Isolation::InProcess => {
                let loading = supervisor.spawn_blocking("load library", move || load(checked, ear));
                let (instance, info) = in_time(recipe, "being loaded", loading).await?;
                (Link::Inside(instance), None, info)
            }
            Isolation::Process => {
                let (process, writer, info) =
                    process::start(checked, &recipe.program, &recipe.spawner, &supervisor, ear).await?;
                (Link::Outside(writer), Some(process), info)
            }
        };
        let farewell = CancellationToken::new();
        let (tell, stage) = watch::channel(Stage::Running);
        let keeper = Keeper {
            calls: Arc::clone(&calls),
            clock: recipe.clock,
            supervisor: supervisor.clone(),
            farewell: farewell.clone(),
            stage: tell,
            process,
        };
        // What becomes of it is told by its stage.
        drop(supervisor.spawn_graceful("plugin keeper", keeper.keep()));
        let session = Self {
            link,
            calls,
            clock: recipe.clock,
            objects: AtomicU64::new(0),
            stage,
            _farewell: farewell.drop_guard(),
        };
        let made = session.make_driver(recipe).await?;
        Ok((Arc::new(session), info, made))
    }

    async fn make_driver(&self, recipe: &Recipe) -> Result<DriverMade, LoadError> {
        let payload = serde_json::to_vec(&recipe.config).unwrap_or_default();
        let ask =
            Ask { op: op::START, object: 0, payload, doing: "making its driver", within: Some(LOAD_BUDGET) };
        let path = recipe.path.clone();
        match self.call(ask).await {
            Ok(reply) => reading::json::<DriverMade>(&reply)
                .map_err(|fault| LoadError::Constructor { path, why: fault.message }),
            Err(Unanswered::Over(end)) => Err(LoadError::Process { path, why: end.to_string() }),
            Err(Unanswered::Late(within)) => {
                Err(LoadError::Silent { path, doing: "making its driver", within })
            }
        }
    }

    /// Whether calls can still be made.
    pub(crate) fn is_running(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Running)
    }

    /// A number for a browser or context to come.
    pub(crate) fn next_object(&self) -> u64 {
        self.objects.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Makes a call and waits for its answer. A caller who leaves takes the call back.
    pub(crate) async fn call(&self, ask: Ask) -> Result<Reply, Unanswered> {
        let Ask { op, object, payload, doing, within } = ask;
        let due = within.map_or(Moment::NEVER, |within| self.clock.now() + within + MERCY);
        let (call, answer) = self.calls.begin(doing, due).map_err(Unanswered::Over)?;
        let _taken_back = TakeBack { session: self, call, doing };
        let exchange = async {
            match &self.link {
                Link::Inside(instance) => instance.submit(call, op, object, payload),
                Link::Outside(writer) => writer.send(&Frame::Submit { call, op, object, payload }).await,
            }
            answer.await
        };
        let answered = match within {
            Some(within) => timeout(within, exchange).await.map_err(|_| Unanswered::Late(within))?,
            None => exchange.await,
        };
        answered.map_err(|_| Unanswered::Over(self.calls.over().unwrap_or_else(unseen)))
    }

    /// Makes a call whose answer nobody waits for.
    pub(crate) fn tell(&self, op: u32, object: u64, doing: &'static str, within: Duration) {
        let due = self.clock.now() + within + MERCY;
        let Ok(call) = self.calls.begin_abandoned(doing, due) else { return };
        match &self.link {
            Link::Inside(instance) => instance.submit(call, op, object, Vec::new()),
            Link::Outside(writer) => {
                writer.send_now(&Frame::Submit { call, op, object, payload: Vec::new() });
            }
        }
    }

    /// Completes when the driver is over, and says how.
    pub(crate) async fn over(&self) -> BrowserEnd {
        let mut stage = self.stage.clone();
        // The keeper tells a stage before it goes.
        let _told = stage.wait_for(|stage| !matches!(stage, Stage::Running)).await;
        self.calls.over().unwrap_or_else(unseen)
    }

    /// Completes when what was left of it is verified gone, or not.
    pub(crate) async fn gone(&self) -> Result<(), String> {
        let mut stage = self.stage.clone();
        match stage.wait_for(|stage| matches!(stage, Stage::Gone(_))).await.as_deref() {
            Ok(Stage::Gone(verdict)) => verdict.clone(),
            _ => Err("its keeper has ended".to_owned()),
        }
    }
}

/// Cancels a call that its caller has left. For one that was answered there is nothing to cancel.
struct TakeBack<'a> {
    session: &'a Session,
    call: u64,
    doing: &'static str,
}

impl Drop for TakeBack<'_> {
    fn drop(&mut self) {
        let Session { link, calls, clock, .. } = self.session;
        if calls.abandon(self.call, self.doing, clock.now() + MERCY) {
            match link {
                Link::Inside(instance) => instance.cancel(self.call),
                Link::Outside(writer) => writer.send_now(&Frame::Cancel { call: self.call }),
            }
        }
    }
}

/// Sees how a session ends.
struct Keeper {
    calls: Arc<Calls>,
    clock: Clock,
    supervisor: Supervisor,
    farewell: CancellationToken,
    stage: watch::Sender<Stage>,
    process: Option<Process>,
}

impl Keeper {
    async fn keep(mut self) {
        let (end, burial) = tokio::select! {
            end = died(self.process.as_mut()) => (end, Burial::AtOnce),
            end = hung(&self.calls, self.clock) => (end, Burial::AtOnce),
            () = self.farewell.cancelled() => (let_go(), Burial::LetGo),
            () = self.supervisor.cancelled() => (let_go(), Burial::AtOnce),
        };
        self.calls.end(end.clone());
        self.stage.send_replace(Stage::Over);
        let verdict = match &self.process {
            Some(process) => process.bury(burial).await,
            None if matches!(end, BrowserEnd::Hung(_)) => {
                Err("it hangs in this process, where nothing can end it; set `isolation = \"process\"`"
                    .to_owned())
            }
            None => Ok(()),
        };
        self.stage.send_replace(Stage::Gone(verdict));
    }
}

async fn died(process: Option<&mut Process>) -> BrowserEnd {
    match process {
        Some(process) => BrowserEnd::Died(process.ended().await),
        None => std::future::pending().await,
    }
}

async fn hung(calls: &Calls, clock: Clock) -> BrowserEnd {
    loop {
        sleep(LOOK).await;
        if calls.overdue(clock.now()).is_none() {
            continue;
        }
        // After a standstill of the whole program its callers get to leave first.
        sleep(LOOK).await;
        if let Some(doing) = calls.overdue(clock.now()) {
            tracing::error!(doing, "a driver library does not let go of a call; it is given up");
            return BrowserEnd::Hung(MERCY);
        }
    }
}

fn let_go() -> BrowserEnd {
    BrowserEnd::Died("the driver was let go".to_owned())
}

fn unseen() -> BrowserEnd {
    BrowserEnd::Died("its end was not seen".to_owned())
}

fn load(checked: Checked, ear: Arc<dyn Sink>) -> Result<(Instance, LibraryInfo), LoadError> {
    let library: Library = checked.load()?;
    let instance = Instance::create(&library, ear, wanted_level());
    let path = library.info.path.clone();
    Ok((instance.ok_or(LoadError::NoInstance(path))?, library.info))
}

/// Waits for work on a thread of its own, which may hang: in a file system, or in a library's constructors.
async fn in_time<T>(
    recipe: &Recipe,
    doing: &'static str,
    work: plimsoll_core::runtime::supervisor::Task<Result<T, LoadError>>,
) -> Result<T, LoadError> {
    let path = || recipe.path.clone();
    match timeout(LOAD_BUDGET, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(lost)) => Err(LoadError::Process { path: path(), why: lost.to_string() }),
        Err(_) => Err(LoadError::Silent { path: path(), doing, within: LOAD_BUDGET }),
    }
}
