//! One run of a driver library, in this process or in a child: from its start to its verified end.
//!
//! ```text
//!   running ──process ends─────────────────► over (died) ──killed, verified──► gone
//!           ──a call is overdue──────────────► over (hung) ──────┘
//!           ──dropped, or supervisor cancelled──► over ──────────┘
//! ```
//!
//! A task, the reaper, waits for each of these ends. A library in this process cannot be killed: one that hangs keeps its
//! threads, and is never verified gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plimsoll_core::port::BrowserEnd;
use plimsoll_core::port::call::DriverMade;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::time::Moment;
use plimsoll_plugin_abi::{level, op};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::calls::{Ask, Calls, Doing, Overdue, Unanswered};
use crate::error::LoadError;
use crate::frame::Frame;
use crate::info::LibraryInfo;
use crate::instance::Instance;
use crate::library::{Checked, LOAD_BUDGET, Library};
use crate::load_spec::{Isolation, LoadSpec};
use crate::process::{self, Process, Shutdown, Writer};
use crate::reading;
use crate::sink::{PluginLog, Reply, Sink, wanted_level};

/// Time beyond a call's limit, in which the library can report what it waited for.
const GRACE: Duration = Duration::from_millis(250);
/// The time in which a library must answer a call after its caller left.
const CANCEL_GRACE: Duration = Duration::from_secs(5);
/// How often the reaper looks for calls that are overdue.
const LOOK: Duration = Duration::from_millis(250);

/// The state of a session.
#[derive(Debug, Clone)]
enum Stage {
    Running,
    /// No call can be made any more; [`Calls::over`] says why.
    Over,
    /// Verified gone, or why that could not be verified.
    Gone(Result<(), String>),
}

/// See the module.
pub(crate) struct Session {
    transport: Transport,
    calls: Arc<Calls>,
    clock: Clock,
    objects: AtomicU64,
    stage: watch::Receiver<Stage>,
    /// Ends the session when it is dropped.
    _exit: DropGuard,
}

enum Transport {
    InProcess(Instance),
    Process(Writer),
}

/// Receives the answers, log lines and counters of one session's library.
struct CallSink {
    calls: Arc<Calls>,
    log: Arc<PluginLog>,
}

impl Sink for CallSink {
    fn complete(&self, call: u64, reply: Reply) {
        if !self.calls.complete(call, reply) && self.calls.stray() == 1 {
            self.log.log(
                level::WARN,
                "loader",
                "it answered a call twice, or a call that does not exist; a step with two answers fails",
            );
        }
    }

    fn log(&self, level: u32, target: &str, message: &str) {
        self.log.log(level, target, message);
    }

    fn count(&self, name: &str, delta: u64) {
        self.log.count(name, delta);
    }
}

impl Session {
    /// Loads the library and makes its driver.
    pub(crate) async fn start(spec: &LoadSpec) -> Result<(Arc<Self>, LibraryInfo, DriverMade), LoadError> {
        let calls = Arc::new(Calls::default());
        let sink: Arc<dyn Sink> =
            Arc::new(CallSink { calls: Arc::clone(&calls), log: Arc::clone(&spec.log) });
        let supervisor = spec.supervisor.child();
        let path = spec.path.clone();
        let checked = supervisor.spawn_blocking("check library", move || Checked::open(&path));
        let checked = in_time(spec, "being checked", checked).await?;
        let (transport, process, info) = match &spec.isolation {
            Isolation::InProcess => {
                let loading = supervisor.spawn_blocking("load library", move || load(checked, sink));
                let (instance, info) = in_time(spec, "being loaded", loading).await?;
                (Transport::InProcess(instance), None, info)
            }
            Isolation::Process => {
                let (process, writer, info) =
                    process::start(checked, &spec.program, &spec.spawner, &supervisor, sink).await?;
                (Transport::Process(writer), Some(process), info)
            }
        };
        let exit = CancellationToken::new();
        let (tell, stage) = watch::channel(Stage::Running);
        let reaper = Reaper {
            log: Arc::clone(&spec.log),
            calls: Arc::clone(&calls),
            clock: spec.clock,
            supervisor: supervisor.clone(),
            exit: exit.clone(),
            stage: tell,
            process,
        };
        // The stage shows how the session ended.
        drop(supervisor.spawn_graceful("plugin reaper", reaper.keep()));
        let session = Arc::new(Self {
            transport,
            calls,
            clock: spec.clock,
            objects: AtomicU64::new(0),
            stage,
            _exit: exit.drop_guard(),
        });
        let made = session.make_driver(spec).await?;
        Ok((session, info, made))
    }

    async fn make_driver(self: &Arc<Self>, spec: &LoadSpec) -> Result<DriverMade, LoadError> {
        let payload = serde_json::to_vec(&spec.config).unwrap_or_default();
        const DOING: &str = "making its driver";
        let within = Some(LOAD_BUDGET);
        let ask = Ask { op: op::START, object: 0, payload, doing: DOING.into(), within };
        let path = spec.path.clone();
        match self.call(ask).await {
            Ok(reply) => reading::json::<DriverMade>(&reply)
                .map_err(|fault| LoadError::Constructor { path, why: fault.message }),
            Err(Unanswered::Over(end)) => Err(LoadError::Process { path, why: end.to_string() }),
            Err(Unanswered::Late(within)) => Err(LoadError::Silent { path, doing: DOING, within }),
            Err(Unanswered::Twice) => {
                Err(LoadError::Constructor { path, why: format!("it answered twice while {DOING}") })
            }
        }
    }

    /// Whether calls can still be made.
    pub(crate) fn is_running(&self) -> bool {
        matches!(*self.stage.borrow(), Stage::Running)
    }

    /// The number for a new browser or context.
    pub(crate) fn next_object(&self) -> u64 {
        self.objects.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Makes a call and waits for its answer. The call is cancelled when its caller leaves.
    pub(crate) async fn call(self: &Arc<Self>, ask: Ask) -> Result<Reply, Unanswered> {
        Ok(self.call_held(ask).await?.0)
    }

    /// As [`Session::call`]. The second value shows whether another answer comes later.
    pub(crate) async fn call_held(self: &Arc<Self>, ask: Ask) -> Result<(Reply, HeldCall), Unanswered> {
        let Ask { op, object, payload, doing, within } = ask;
        let due = within.map_or(Moment::NEVER, |within| self.clock.now() + within + GRACE + CANCEL_GRACE);
        let (call, answer) = self.calls.begin(doing, due).map_err(Unanswered::Over)?;
        let held = HeldCall { session: Arc::clone(self), call };
        let exchange = async {
            match &self.transport {
                Transport::InProcess(instance) => instance.submit(call, op, object, payload),
                Transport::Process(writer) => writer.send(&Frame::Submit { call, op, object, payload }).await,
            }
            answer.await
        };
        let answered = match within {
            Some(within) => timeout(within + GRACE, exchange).await.map_err(|_| Unanswered::Late(within))?,
            None => exchange.await,
        };
        let reply = answered.map_err(|_| Unanswered::Over(self.calls.over().unwrap_or_else(unseen)))?;
        if held.was_answered_again() { Err(Unanswered::Twice) } else { Ok((reply, held)) }
    }

    /// Makes a call without waiting for its answer.
    pub(crate) fn tell(&self, op: u32, object: u64, doing: Doing, within: Duration) {
        let due = self.clock.now() + within + CANCEL_GRACE;
        let Ok(call) = self.calls.begin_abandoned(doing, due) else { return };
        match &self.transport {
            Transport::InProcess(instance) => instance.submit(call, op, object, Vec::new()),
            Transport::Process(writer) => {
                writer.send_now(&Frame::Submit { call, op, object, payload: Vec::new() });
            }
        }
    }

    /// Completes when the driver is over, with the reason.
    pub(crate) async fn over(&self) -> BrowserEnd {
        let mut stage = self.stage.clone();
        // The reaper sets a stage before it ends.
        let _set = stage.wait_for(|stage| !matches!(stage, Stage::Running)).await;
        self.calls.over().unwrap_or_else(unseen)
    }

    /// Completes when the session is verified gone; an error says why that could not be verified.
    pub(crate) async fn gone(&self) -> Result<(), String> {
        let mut stage = self.stage.clone();
        match stage.wait_for(|stage| matches!(stage, Stage::Gone(_))).await.as_deref() {
            Ok(Stage::Gone(verdict)) => verdict.clone(),
            _ => Err("the task that watches it has ended".to_owned()),
        }
    }
}

/// A call that its caller has not forgotten. It is cancelled when it is dropped before the answer.
pub(crate) struct HeldCall {
    session: Arc<Session>,
    call: u64,
}

impl HeldCall {
    /// Whether the library answered the call more than once.
    pub(crate) fn was_answered_again(&self) -> bool {
        self.session.calls.was_answered_again(self.call)
    }
}

impl Drop for HeldCall {
    fn drop(&mut self) {
        let Session { transport, calls, clock, .. } = self.session.as_ref();
        if calls.abandon(self.call, clock.now() + CANCEL_GRACE) {
            match transport {
                Transport::InProcess(instance) => instance.cancel(self.call),
                Transport::Process(writer) => writer.send_now(&Frame::Cancel { call: self.call }),
            }
        }
    }
}

/// Waits for the end of a session and verifies it.
struct Reaper {
    log: Arc<PluginLog>,
    calls: Arc<Calls>,
    clock: Clock,
    supervisor: Supervisor,
    exit: CancellationToken,
    stage: watch::Sender<Stage>,
    process: Option<Process>,
}

impl Reaper {
    async fn keep(mut self) {
        let (end, shutdown) = tokio::select! {
            end = died(self.process.as_mut()) => (end, Shutdown::Kill),
            end = hung(&self.log, &self.calls, self.clock) => (end, Shutdown::Kill),
            () = self.exit.cancelled() => (released(), Shutdown::Exit),
            () = self.supervisor.cancelled() => (released(), Shutdown::Kill),
        };
        self.calls.end(end.clone());
        self.stage.send_replace(Stage::Over);
        let verdict = match &self.process {
            Some(process) => process.shut_down(shutdown).await,
            None if matches!(end, BrowserEnd::Hung(_)) => {
                Err("it hangs in this process, where it cannot be killed; set `isolation = \"process\"`"
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

async fn hung(log: &PluginLog, calls: &Calls, clock: Clock) -> BrowserEnd {
    loop {
        sleep(LOOK).await;
        if calls.overdue(clock.now()).is_none() {
            continue;
        }
        // If the whole program was paused, its callers must get the time to leave first.
        sleep(LOOK).await;
        if let Some(Overdue { doing, span }) = calls.overdue(clock.now()) {
            let message = format!(
                "it holds a call {CANCEL_GRACE:?} after the end of its time ({doing}); the library is shut down"
            );
            span.in_scope(|| log.log(level::ERROR, "loader", &message));
            return BrowserEnd::Hung(CANCEL_GRACE);
        }
    }
}

fn released() -> BrowserEnd {
    BrowserEnd::Died("the driver was released".to_owned())
}

fn unseen() -> BrowserEnd {
    BrowserEnd::Died("how it ended is not known".to_owned())
}

fn load(checked: Checked, sink: Arc<dyn Sink>) -> Result<(Instance, LibraryInfo), LoadError> {
    let library: Library = checked.load()?;
    let instance = Instance::create(&library, sink, wanted_level());
    let path = library.info.path.clone();
    Ok((instance.ok_or(LoadError::NoInstance(path))?, library.info))
}

/// Waits for work on a separate thread, because it may hang in a file system or in a library's constructors.
async fn in_time<T>(
    spec: &LoadSpec,
    doing: &'static str,
    work: plimsoll_core::runtime::supervisor::Task<Result<T, LoadError>>,
) -> Result<T, LoadError> {
    let path = || spec.path.clone();
    match timeout(LOAD_BUDGET, work).await {
        Ok(Ok(done)) => done,
        Ok(Err(lost)) => Err(LoadError::Process { path: path(), why: lost.to_string() }),
        Err(_) => Err(LoadError::Silent { path: path(), doing, within: LOAD_BUDGET }),
    }
}
