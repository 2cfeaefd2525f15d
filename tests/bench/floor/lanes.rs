//! Shared by the clients of this binary: runs a fixed number of jobs at a time, and writes a result line for each.

use std::cell::Cell;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use chromiumoxide::error::CdpError;
use futures_util::future::join_all;
use plimsoll_cdp::transport::{CallError, SessionEnd};
use plimsoll_core::runtime::clock::Clock;
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::options::Work;

/// The time limit of a job, as in Plimsoll's defaults. A job that takes longer is not done.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The result of a job.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    pub(crate) data: Map<String, Value>,
    /// The page was loaded, but its load event never came.
    pub(crate) lost_load: bool,
}

/// Why a job was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// A call of the bare client failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Its page was closed.
    #[error(transparent)]
    Session(#[from] SessionEnd),
    /// A call of the bare WebDriver client failed.
    #[error("{0}")]
    WebDriver(String),
    /// The contender's own error.
    #[error(transparent)]
    Contender(#[from] CdpError),
}

/// Runs the jobs.
pub(crate) async fn run<J>(work: &Work, clock: Clock, job: J) -> Result<(), Failure>
where
    J: AsyncFn() -> Result<Harvest, JobError>,
{
    let results = File::create(&work.results)?;
    let left = Cell::new(work.jobs.get());
    let lane = async || {
        while let Some(now_left) = left.get().checked_sub(1) {
            left.set(now_left);
            let begin = clock.now();
            let done = timeout(DEADLINE, job()).await;
            let took = clock.now().since(begin);
            let id = work.jobs.get() - now_left;
            // In one write, so that a reader of the file sees whole lines.
            (&results).write_all(line(id, took, done.map_err(|_| "it hung")).as_bytes())?;
        }
        Ok::<_, std::io::Error>(())
    };
    join_all((0..work.flight.get()).map(|_| lane())).await.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}

fn line(id: u32, took: Duration, done: Result<Result<Harvest, JobError>, &str>) -> String {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let failed = |message: String| json!({ "id": id, "outcome": "failed", "ms": ms, "message": message });
    let line = match done {
        Ok(Ok(Harvest { data, lost_load })) => {
            json!({ "id": id, "outcome": "succeeded", "ms": ms, "data": data, "lost_load": lost_load })
        }
        Ok(Err(error)) => failed(error.to_string()),
        Err(message) => failed(message.to_owned()),
    };
    format!("{line}\n")
}
