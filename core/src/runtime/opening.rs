//! [`OwnedOpening`]: an opening that a task of the browser carries out, so that a caller who leaves interrupts nothing
//! half way.
//!
//! ```text
//!   caller                              task
//!   ready ◄──────── context or fault ── Requester::give, refuse
//!   drop or abandon ──────────────────► Requester::left ─► removes what it has made
//!   abandon ◄─────── verdict ────────── the task's result
//! ```
//!
//! The task's result is the verdict: `Ok` when the caller has the context or nothing is left of it, `None` when what is left
//! goes with the browser, which is being closed. A task that is cancelled with its browser means the same.

use tokio::sync::oneshot;

use crate::outcome::Fault;
use crate::port::{CloseError, Context};
use crate::runtime::supervisor::{Task, TaskFailure};

/// What became of a context that the caller does not have. `None`: it goes with its browser.
pub type Verdict = Option<Result<(), CloseError>>;

/// The caller's side.
pub struct OwnedOpening {
    answer: oneshot::Receiver<Answer>,
    task: Task<Verdict>,
}

/// The task's side: the caller, while it waits.
pub struct Requester(oneshot::Sender<Answer>);

type Answer = Result<Box<dyn Context>, Fault>;

impl OwnedOpening {
    /// The opening that the task which `spawn` starts carries out.
    pub fn begin(spawn: impl FnOnce(Requester) -> Task<Verdict>) -> Self {
        let (give, answer) = oneshot::channel();
        Self { answer, task: spawn(Requester(give)) }
    }

    /// Waits for the context, or for the reason why there is none; `None` when the task ended without either, because the
    /// browser is being closed.
    pub async fn ready(&mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }

    /// Gives the opening up and waits for the task's verdict.
    pub async fn abandon(self) -> Verdict {
        let Self { mut answer, task } = self;
        answer.close();
        // The context may have come in this very moment.
        if let Ok(Ok(context)) = answer.try_recv() {
            return Some(context.close().await);
        }
        match task.await {
            Ok(verdict) => verdict,
            Err(TaskFailure::Cancelled) => None,
            Err(panicked) => Some(Err(CloseError(format!("opening a context: {panicked}")))),
        }
    }
}

impl Requester {
    /// Completes when the caller has left.
    pub async fn left(&mut self) {
        self.0.closed().await;
    }

    /// Gives the caller its context, or closes the context if the caller has left.
    pub async fn give(self, context: Box<dyn Context>) -> Verdict {
        match self.0.send(Ok(context)) {
            Err(Ok(context)) => Some(context.close().await),
            Ok(()) | Err(Err(_)) => Some(Ok(())),
        }
    }

    /// Tells the caller why there is no context.
    pub fn refuse(self, fault: Fault) {
        // A caller who has left does not need the reason.
        drop(self.0.send(Err(fault)));
    }
}
