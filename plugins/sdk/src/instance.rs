//! One instance of the driver: its calls, its browsers and contexts.
//!
//! ```text
//!   submit ──► number entered ──► task spawned ──► carried out ──► answered, number forgotten
//!                    │                 ▲ must wait       ▲
//!                    └─ begun in place ┴─ need not wait ─┘
//!   cancel ──► the task drops what it does at its next await, and answers that
//! ```
//!
//! Steps of a driver that is prompt begin on the thread that submits them (`promptness`); all else is done on the
//! library's own threads.
//!
//! Whatever happens to a call, it is answered exactly once: by whoever carries it out to its end, and that always
//! happens, unless the driver never lets go of the thread.

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{self, Poll, Waker};

use futures_util::FutureExt;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, Context, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_plugin_abi::{Buf, op, status};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::call;
use crate::counters::Counters;
use crate::export::Make;
use crate::host::HostRef;
use crate::objects::{Objects, Turn};
use crate::promptness::Promptness;
use crate::start::Start;

/// Calls that may be under way at once; more are refused.
const MAX_CALLS: usize = 16_384;

/// A context, and whether a panic has left it in an unknown state.
pub(crate) struct OpenContext {
    pub(crate) context: Box<dyn Context>,
    pub(crate) poisoned: bool,
}

/// See the module.
pub(crate) struct Instance {
    host: HostRef,
    make: Make,
    runtime: Handle,
    supervisor: Supervisor,
    driver: OnceLock<Box<dyn Driver>>,
    draining: AtomicBool,
    promptness: Promptness,
    calls: Mutex<HashMap<u64, CancellationToken>>,
    pub(crate) browsers: Objects<Arc<dyn Browser>>,
    pub(crate) contexts: Objects<OpenContext>,
}

/// What a call that makes something has set aside for it.
pub(crate) enum Reserved {
    Nothing,
    Browser(Turn<Arc<dyn Browser>>),
    Context(Turn<OpenContext>),
}

impl Instance {
    pub(crate) fn new(host: HostRef, make: Make, runtime: Handle) -> Self {
        Self {
            host,
            make,
            runtime,
            supervisor: Supervisor::root(),
            driver: OnceLock::new(),
            draining: AtomicBool::new(false),
            promptness: Promptness::new(Clock::start()),
            calls: Mutex::default(),
            browsers: Objects::default(),
            contexts: Objects::default(),
        }
    }

    /// Begins a call.
    pub(crate) fn submit(self: &Arc<Self>, call: u64, op: u32, object: u64, payload: Buf) {
        let Some(cancel) = self.enter(call) else {
            let fault = Fault::transient(FailureClass::Overload, "the driver has too many calls under way");
            return self.host.complete(call, Answer::new(status::FAULT, &fault));
        };
        let reserved = match op {
            op::LAUNCH => self.browsers.reserve(object).map_or(Reserved::Nothing, Reserved::Browser),
            op::OPEN => self.contexts.reserve(object).map_or(Reserved::Nothing, Reserved::Context),
            _ => Reserved::Nothing,
        };
        let this = Arc::clone(self);
        let mut work = Box::pin(async move {
            let work = call::carry_out(&this, op, object, reserved, payload);
            match AssertUnwindSafe(cancel.run_until_cancelled(work)).catch_unwind().await {
                Ok(Some(answer)) => answer,
                Ok(None) => Answer::bare(status::CANCELLED),
                Err(payload) => Answer::panicked(payload.as_ref()),
            }
        });
        let _on_its_runtime = self.runtime.enter();
        let is_step = op == op::PERFORM;
        if is_step && self.promptness.is_earned() {
            // Nobody need be woken: whatever happens before the task below polls it again, that poll finds.
            let mut nobody = task::Context::from_waker(Waker::noop());
            let begun = self.promptness.watch(|| work.as_mut().poll(&mut nobody));
            if let Poll::Ready(answer) = begun {
                return self.answer(call, op, object, answer);
            }
        }
        let this = Arc::clone(self);
        // Its end is told by its answer.
        drop(self.supervisor.spawn_graceful("call", async move {
            let begun = poll_fn(|context| {
                let mut begin = || work.as_mut().poll(context);
                Poll::Ready(if is_step { this.promptness.watch(begin) } else { begin() })
            });
            let answer = match begun.await {
                Poll::Ready(answer) => answer,
                Poll::Pending => work.await,
            };
            this.answer(call, op, object, answer);
        }));
    }

    /// Takes a call back, if it is still under way.
    pub(crate) fn cancel(&self, call: u64) {
        if let Some(cancel) = self.calls().get(&call) {
            cancel.cancel();
        }
    }

    fn answer(&self, call: u64, op: u32, object: u64, answer: Answer) {
        if answer.status != status::OK {
            self.forget_what_was_not_made(op, object);
        }
        self.calls().remove(&call);
        self.host.complete(call, answer);
    }

    /// Ends every task of the driver at its next await.
    pub(crate) fn end(&self) {
        self.supervisor.cancel();
        self.calls().values().for_each(CancellationToken::cancel);
    }

    /// Makes the driver, once.
    pub(crate) fn start(&self, config: Value) -> Result<&dyn Driver, Fault> {
        let start = Start {
            config,
            supervisor: self.supervisor.child(),
            clock: Clock::start(),
            counters: Counters::new(self.host),
        };
        let driver = (self.make)(start)?;
        let again = || Fault::persistent(FailureClass::Internal, "the driver was started twice");
        self.driver.set(driver).map_err(|_| again())?;
        self.driver()
    }

    /// The driver, once it was made and until it is drained.
    pub(crate) fn driver(&self) -> Result<&dyn Driver, Fault> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Fault::transient(FailureClass::BrowserCrash, "the driver is being shut down"));
        }
        let none = || Fault::persistent(FailureClass::Internal, "the driver was not started");
        self.driver.get().map(AsRef::as_ref).ok_or_else(none)
    }

    /// From now on no browser is launched.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn enter(&self, call: u64) -> Option<CancellationToken> {
        let mut calls = self.calls();
        let cancel = CancellationToken::new();
        (calls.len() < MAX_CALLS).then(|| calls.insert(call, cancel.clone()))?;
        Some(cancel)
    }

    fn forget_what_was_not_made(&self, op: u32, object: u64) {
        match op {
            op::LAUNCH => self.browsers.forget(object),
            op::OPEN => self.contexts.forget(object),
            _ => {}
        }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<u64, CancellationToken>> {
        // A map cannot be left half changed.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
