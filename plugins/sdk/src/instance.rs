//! One instance of the library: the calls that are under way on its driver.
//!
//! ```text
//!   submit ──► number entered ──► task spawned ──► carried out ──► answered, number forgotten
//!                    │                 ▲ must wait       ▲
//!                    └─ begun in place ┴─ need not wait ─┘
//!   cancel ──► the task stops at its next await and answers that it was cancelled
//! ```
//!
//! Steps of a driver whose steps begin quickly run first on the thread that submits them (`promptness`); all other calls
//! run on the library's own threads.
//!
//! Each call is answered exactly once, by the task that carries it out. Only a driver that never releases a thread can
//! keep a call from its answer.

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{self, Poll, Waker};

use futures_util::FutureExt;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_plugin_abi::{Buf, op, status};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::call;
use crate::driver::DriverState;
use crate::host::HostRef;
use crate::objects::Reserved;
use crate::promptness::Promptness;
use crate::start::Make;

/// Calls that may be under way at once; more are refused.
const MAX_CALLS: usize = 16_384;

/// See the module.
pub(crate) struct Instance {
    host: HostRef,
    runtime: Handle,
    driver: DriverState,
    promptness: Promptness,
    calls: Mutex<HashMap<u64, CancellationToken>>,
}

impl Instance {
    pub(crate) fn new(host: HostRef, make: Make, runtime: Handle) -> Self {
        Self {
            host,
            runtime,
            driver: DriverState::new(host, make),
            promptness: Promptness::new(Clock::start()),
            calls: Mutex::default(),
        }
    }

    /// Begins a call.
    pub(crate) fn submit(self: &Arc<Self>, call: u64, op: u32, object: u64, payload: Buf) {
        let Some(cancel) = self.enter(call) else {
            let fault = Fault::transient(FailureClass::Overload, "the driver has too many calls under way");
            return self.host.complete(call, Answer::new(status::FAULT, &fault));
        };
        let reserved = match op {
            op::LAUNCH => self.driver.browsers.reserve(object).map_or(Reserved::Nothing, Reserved::Browser),
            op::OPEN => self.driver.contexts.reserve(object).map_or(Reserved::Nothing, Reserved::Context),
            _ => Reserved::Nothing,
        };
        let this = Arc::clone(self);
        let mut work = Box::pin(async move {
            let work = call::carry_out(&this.driver, op, object, reserved, payload);
            match AssertUnwindSafe(cancel.run_until_cancelled(work)).catch_unwind().await {
                Ok(Some(answer)) => answer,
                Ok(None) => Answer::bare(status::CANCELLED),
                Err(payload) => Answer::panicked(payload.as_ref()),
            }
        });
        let _on_its_runtime = self.runtime.enter();
        let is_step = op == op::PERFORM;
        if is_step && self.promptness.is_earned() {
            // No waker is needed: the task below polls again and finds what has happened since.
            let mut nobody = task::Context::from_waker(Waker::noop());
            let begun = self.promptness.watch(|| work.as_mut().poll(&mut nobody));
            if let Poll::Ready(answer) = begun {
                return self.answer(call, op, object, answer);
            }
        }
        let this = Arc::clone(self);
        // Its answer reports how it ended.
        drop(self.driver.supervisor.spawn_graceful("call", async move {
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

    /// Cancels a call, if it is not answered yet.
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
        self.driver.supervisor.cancel();
        self.calls().values().for_each(CancellationToken::cancel);
    }

    fn enter(&self, call: u64) -> Option<CancellationToken> {
        let mut calls = self.calls();
        let cancel = CancellationToken::new();
        (calls.len() < MAX_CALLS).then(|| calls.insert(call, cancel.clone()))?;
        Some(cancel)
    }

    fn forget_what_was_not_made(&self, op: u32, object: u64) {
        match op {
            op::LAUNCH => self.driver.browsers.forget(object),
            // What is half made stays until it is closed.
            op::OPEN if self.host.closes_what_did_not_open() => self.driver.contexts.forget_empty(object),
            op::OPEN => self.driver.contexts.forget(object),
            _ => {}
        }
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<u64, CancellationToken>> {
        // A map cannot be left half changed.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
