//! [`OwnedOpening`]: an opening that a task of the browser carries out. If the caller stops waiting, no work is
//! interrupted half-way.
//!
//! ```text
//!   caller                              task
//!   ready ◄──────── context or fault ── Requester::give, refuse
//!   drop or abandon ──────────────────► Requester::left ─► removes what it has made
//!   abandon ◄─────── verdict ────────── the task's result
//! ```
//!
//! The task's result is the verdict: `Ok` if the caller has the context or nothing is left of it; `None` if the rest is
//! removed with the browser, which is being closed. A cancelled task means the same.

use tokio::sync::oneshot;

use crate::outcome::Fault;
use crate::port::{CloseError, Context};
use crate::runtime::supervisor::{Task, TaskFailure};

/// The removal of a context that the caller does not have. `None`: the context is removed with its browser.
pub type Verdict = Option<Result<(), CloseError>>;

/// The caller's half of an opening.
pub struct OwnedOpening {
    answer: oneshot::Receiver<Answer>,
    task: Task<Verdict>,
}

/// The task's half of an opening: the channel to the caller.
pub struct Requester(oneshot::Sender<Answer>);

type Answer = Result<Box<dyn Context>, Fault>;

impl OwnedOpening {
    /// The opening that is carried out by the task of `spawn`.
    pub fn begin(spawn: impl FnOnce(Requester) -> Task<Verdict>) -> Self {
        let (give, answer) = oneshot::channel();
        Self { answer, task: spawn(Requester(give)) }
    }

    /// Waits for the context or for the fault; `None` if the task ended without either because the browser is being
    /// closed.
    pub async fn ready(&mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }

    /// Cancels the opening and waits for the task's verdict.
    pub async fn abandon(self) -> Verdict {
        let Self { mut answer, task } = self;
        answer.close();
        // The context may have arrived at this moment.
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
    /// Completes when the caller no longer waits.
    pub async fn left(&mut self) {
        self.0.closed().await;
    }

    /// Sends the context to the caller, or closes the context if the caller no longer waits.
    pub async fn give(self, context: Box<dyn Context>) -> Verdict {
        match self.0.send(Ok(context)) {
            Err(Ok(context)) => Some(context.close().await),
            Ok(()) | Err(Err(_)) => Some(Ok(())),
        }
    }

    /// Sends the caller the reason why there is no context.
    pub fn refuse(self, fault: Fault) {
        // If the caller no longer waits, the reason is not needed.
        drop(self.0.send(Err(fault)));
    }
}
