//! The port over a library: [`PluginDriver`] and its browsers and contexts.
//!
//! Each browser and context has a number in a [`Session`]. An object that is dropped before it was closed, or whose caller
//! left before it was made, is closed in the background. When a session is over, all its objects have ended. The next
//! launch starts a new session, so the fleet's launch backoff also paces the restarts of a library.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use plimsoll_core::capability::Capabilities;
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::policy::Trim;
use plimsoll_core::port::call::{Launch, Open, Perform, Performed};
use plimsoll_core::port::{
    Browser, BrowserEnd, CloseError, Context, Driver, Incidents, OpenRequest, Opening, StepOutput,
};
use plimsoll_core::step::Step;
use plimsoll_plugin_abi::op;
use serde::Serialize;

use crate::calls::{Ask, Unanswered};
use crate::error::LoadError;
use crate::info::PluginInfo;
use crate::load_spec::{Isolation, LoadSpec};
use crate::reading;
use crate::session::{HeldCall, Session};

/// The time limit for closing a context or browser.
const CLOSE_BUDGET: Duration = Duration::from_secs(10);
/// The time limit for releasing memory.
const TRIM_BUDGET: Duration = Duration::from_secs(10);
/// The greatest number of hung sessions in this process: each keeps its threads.
const MAX_HUNG: u32 = 3;

/// A session that runs or is being started.
type Coming = Shared<BoxFuture<'static, Result<Arc<Session>, Fault>>>;

/// A driver from a library.
pub struct PluginDriver {
    spec: Arc<LoadSpec>,
    info: PluginInfo,
    state: Mutex<State>,
}

struct State {
    session: Coming,
    /// Sessions in this process that were left hanging.
    hung: u32,
}

impl PluginDriver {
    /// Makes the driver for the first time.
    pub(crate) async fn start(spec: LoadSpec) -> Result<Self, LoadError> {
        let spec = Arc::new(spec);
        // A task, so that a caller that leaves during the start leaves nothing behind.
        let starting = Arc::clone(&spec);
        let starting =
            spec.supervisor.spawn_graceful("start plugin", async move { Session::start(&starting).await });
        let lost = |why: plimsoll_core::runtime::supervisor::TaskFailure| LoadError::Process {
            path: spec.path.clone(),
            why: why.to_string(),
        };
        let (session, library, made) = starting.await.map_err(lost)??;
        let info = PluginInfo { library, capabilities: made.known_capabilities(), driver: made.name };
        let session = std::future::ready(Ok(session)).boxed().shared();
        // The session runs: poll the shared future now, so that later callers find it complete.
        let _up = session.clone().now_or_never();
        Ok(Self { spec, info, state: Mutex::new(State { session, hung: 0 }) })
    }

    /// What is known of the library and its driver.
    #[must_use]
    pub const fn info(&self) -> &PluginInfo {
        &self.info
    }

    /// Where the library's code runs.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.spec.isolation
    }

    /// Ends every browser of the driver, which then launches no other browser.
    ///
    /// # Errors
    /// When something could not be verified gone within `budget`.
    pub async fn drain(&self, budget: Duration) -> Result<(), CloseError> {
        let session = self.state.lock().unwrap_or_else(PoisonError::into_inner).session.peek().cloned();
        match session {
            Some(Ok(session)) => close(&session, op::DRAIN, 0, "being drained", budget).await,
            _ => Ok(()),
        }
    }

    /// The running session, or a new one. Concurrent callers share it.
    async fn session(&self) -> Result<Arc<Session>, Fault> {
        let session = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let renew = match state.session.peek() {
                Some(Ok(session)) => !session.is_running(),
                Some(Err(_)) => true,
                None => false,
            };
            if renew {
                if self.spec.isolation == Isolation::InProcess {
                    state.hung += 1;
                    if state.hung > MAX_HUNG {
                        return Err(Fault::persistent(
                            FailureClass::BrowserCrash,
                            format!(
                                "the plugin hung {MAX_HUNG} times in this process; set `isolation = \"process\"`"
                            ),
                        ));
                    }
                }
                state.session = self.start_again();
            }
            state.session.clone()
        };
        session.await
    }

    fn start_again(&self) -> Coming {
        let spec = Arc::clone(&self.spec);
        let starting =
            self.spec.supervisor.spawn_graceful("restart plugin", async move { Session::start(&spec).await });
        let fault = |why: String| Fault::transient(FailureClass::BrowserCrash, why);
        let started = async move {
            let (session, ..) = starting
                .await
                .map_err(|why| fault(why.to_string()))?
                .map_err(|why| fault(why.to_string()))?;
            Ok(session)
        };
        started.boxed().shared()
    }
}

#[async_trait]
impl Driver for PluginDriver {
    fn name(&self) -> &str {
        &self.info.driver
    }

    fn capabilities(&self) -> Capabilities {
        self.info.capabilities.clone()
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        self.spec.log.counters()
    }

    async fn launch(&self, id: BrowserId, budget: Duration) -> Result<Arc<dyn Browser>, Fault> {
        let session = self.session().await?;
        let object = Object::new(session, op::CLOSE_BROWSER);
        let object = object.make(op::LAUNCH, &Launch { id, budget }, "launching a browser", budget).await?;
        Ok(Arc::new(PluginBrowser { object }))
    }
}

/// A browser or context of a session: closed when it is dropped, unless it is known to be gone.
struct Object {
    session: Arc<Session>,
    number: u64,
    closing: u32,
    gone: std::sync::atomic::AtomicBool,
}

impl Object {
    fn new(session: Arc<Session>, closing: u32) -> Self {
        let number = session.next_object();
        Self { session, number, closing, gone: std::sync::atomic::AtomicBool::new(false) }
    }

    /// Makes the object. If the caller leaves or the time runs out, nothing is left behind.
    async fn make(
        self,
        op: u32,
        payload: &impl Serialize,
        doing: &'static str,
        budget: Duration,
    ) -> Result<Self, Fault> {
        let reply = self.call(op, write(payload)?, doing, Some(budget)).await;
        let made = reply.map_err(|why| reading::unanswered(&why, doing)).map(|reply| reading::done(&reply));
        match made {
            Ok(Ok(())) => Ok(self),
            Ok(Err(fault)) => {
                self.is_gone();
                Err(fault)
            }
            Err(fault) => Err(fault),
        }
    }

    async fn call(
        &self,
        op: u32,
        payload: Vec<u8>,
        doing: &'static str,
        within: Option<Duration>,
    ) -> Result<crate::sink::Reply, Unanswered> {
        self.session.call(Ask { op, object: self.number, payload, doing: doing.into(), within }).await
    }

    async fn close(&self, doing: &'static str) -> Result<(), CloseError> {
        let closed = close(&self.session, self.closing, self.number, doing, CLOSE_BUDGET).await;
        if closed.is_ok() {
            self.is_gone();
        }
        closed
    }

    fn is_gone(&self) {
        self.gone.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if !*self.gone.get_mut() {
            self.session.tell(self.closing, self.number, "closing what was left".into(), CLOSE_BUDGET);
        }
    }
}

/// A browser of a library.
struct PluginBrowser {
    object: Object,
}

#[async_trait]
impl Browser for PluginBrowser {
    fn open(&self, request: OpenRequest, budget: Duration) -> Box<dyn Opening> {
        let object = Arc::new(Object::new(Arc::clone(&self.object.session), op::CLOSE_CONTEXT));
        let open = Open { browser: self.object.number, request, budget };
        Box::new(PluginOpening { object, open })
    }

    async fn ended(&self) -> BrowserEnd {
        let told = self.object.call(op::ENDED, Vec::new(), "waiting for a browser's end", None);
        tokio::select! {
            end = self.object.session.over() => end,
            told = told => match told {
                Ok(reply) => {
                    let end = reading::json(&reply);
                    end.unwrap_or_else(|fault: Fault| BrowserEnd::Died(fault.message))
                }
                Err(_) => self.object.session.over().await,
            },
        }
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.object.close("closing a browser").await
    }

    async fn trim(&self, trim: Trim) {
        if let Ok(payload) = write(&trim) {
            // A failure is ignored: trimming is optional.
            let _done = self.object.call(op::TRIM, payload, "giving back memory", Some(TRIM_BUDGET)).await;
        }
    }
}

/// A context of a library that is being opened.
struct PluginOpening {
    object: Arc<Object>,
    open: Open,
}

#[async_trait]
impl Opening for PluginOpening {
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault> {
        const DOING: &str = "opening a context";
        let payload = write(&self.open)?;
        let reply = self.object.call(op::OPEN, payload, DOING, Some(self.open.budget)).await;
        reading::done(&reply.map_err(|why| reading::unanswered(&why, DOING))?)?;
        let object = Arc::clone(&self.object);
        Ok(Box::new(PluginContext { object, incidents: Incidents::default(), last: None }))
    }

    async fn abandon(self: Box<Self>) -> Result<(), CloseError> {
        // Whatever the result of `OPEN` was, the library answers this call when nothing of the context is left.
        self.object.close("closing a context that was not opened").await
    }
}

/// A context of a library.
struct PluginContext {
    object: Arc<Object>,
    incidents: Incidents,
    /// The last step, which the library might answer once more.
    last: Option<HeldCall>,
}

#[async_trait]
impl Context for PluginContext {
    async fn perform(&mut self, step: &Step, budget: Duration) -> Result<StepOutput, Fault> {
        let Object { session, number, .. } = self.object.as_ref();
        let doing = format!("performing the step `{}`", step.name()).into();
        let payload = write(&Perform { step, budget })?;
        let ask = Ask { op: op::PERFORM, object: *number, payload, doing, within: Some(budget) };
        let (reply, call) = session.call_held(ask).await.map_err(|why| reading::unperformed(&why))?;
        if self.last.as_ref().is_some_and(HeldCall::was_answered_again) {
            return Err(reading::unperformed(&Unanswered::Twice));
        }
        self.last = Some(call);
        let Performed { output, incidents } = reading::json(&reply)?;
        self.incidents = incidents;
        reading::output(output?, reply.body.into_vec())
    }

    fn incidents(&self) -> Incidents {
        self.incidents
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        self.object.close("closing a context").await
    }
}

/// Closes an object. The objects of a session that is over are gone when the session is.
async fn close(
    session: &Arc<Session>,
    op: u32,
    object: u64,
    doing: &'static str,
    within: Duration,
) -> Result<(), CloseError> {
    let ask = Ask { op, object, payload: Vec::new(), doing: doing.into(), within: Some(within) };
    match session.call(ask).await {
        Ok(reply) => reading::closed(&reply),
        Err(Unanswered::Over(_)) => session.gone().await.map_err(CloseError),
        Err(Unanswered::Late(within)) => {
            Err(CloseError(format!("the plugin has not answered within {within:?} while {doing}")))
        }
        Err(Unanswered::Twice) => Err(CloseError(format!("the plugin answered twice while {doing}"))),
    }
}

fn write(payload: &impl Serialize) -> Result<Vec<u8>, Fault> {
    serde_json::to_vec(payload).map_err(|why| {
        Fault::persistent(FailureClass::Unsupported, format!("a plugin cannot be told this: {why}"))
    })
}
