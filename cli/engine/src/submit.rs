//! Why an engine refuses a job, or has no result for it: [`SubmitError`] holds the [`Refusal`] and the job, [`NotRun`]
//! the reason after a job was accepted.

use plimsoll_core::capability::Capabilities;
use plimsoll_core::job::Job as CheckedJob;

use crate::job::{Job, JobMistake};

/// A job that an engine refused. The job is in it.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct SubmitError {
    /// The job.
    pub job: Box<Job>,
    /// Why it was refused.
    #[source]
    pub refusal: Refusal,
}

/// Why a job was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The job is not right.
    #[error(transparent)]
    Mistake(#[from] JobMistake),
    /// The job names a driver that the engine was not started with.
    #[error("the engine has no driver `{0}`; `route` in its settings names the drivers that it starts")]
    NoDriver(String),
    /// The job needs something that its driver cannot do.
    #[error("the job needs {lacks}, unsupported by the driver `{driver}`")]
    Unsupported {
        /// The driver's name.
        driver: String,
        /// What it cannot do.
        lacks: Capabilities,
    },
    /// As many jobs are open as the engine takes: `limits.queue_capacity` and `limits.max_contexts` together.
    #[error("{0} jobs are open, and the engine takes no more; wait until one has ended")]
    Full(usize),
    /// The engine is being drained.
    #[error("the engine is being drained and takes no jobs")]
    Draining,
    /// The engine is closed.
    #[error("the engine is closed and takes no jobs")]
    Closed,
    /// The engine was started on a store of its caller.
    #[error("the engine takes its jobs from the store that it was started on")]
    OtherStore,
}

/// Why a job that was accepted has no result.
#[derive(Debug, thiserror::Error)]
pub enum NotRun {
    /// The engine was drained before the job finished; the job comes back.
    #[error("job `{}` did not finish before the engine was drained", .0.id)]
    Released(Box<CheckedJob>),
    /// The engine ended without a result for the job: the engine's task failed, or the engine was dropped.
    #[error("the engine ended before the job did")]
    EngineEnded,
}

/// Why a job of [`Engine::run`](crate::Engine::run) has no result.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The engine refused it.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// The engine accepted it and ended first.
    #[error(transparent)]
    NotRun(#[from] NotRun),
}
