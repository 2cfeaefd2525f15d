//! One attempt of one job: open a context, carry out the steps, close the context.
//!
//! It is run as one owned task that always runs to its end: cancellation and panics are results, not exits, so
//! the context is closed and the permit returned on every path.
//!
//! ```text
//!  open ──► step 0 (url) ──► step 1 … n ──► close ──► report
//!    │          │  fault, deadline, cancellation, panic  ▲
//!    └──────────┴────────────────────────────────────────┘
//! ```

use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::duration::rounded;
use crate::id::Ticket;
use crate::job::Job;
use crate::outcome::{Failure, FailureClass, Fault, Stage};
use crate::policy::dispatch::AttemptEnd;
use crate::port::{Browser, CloseError, Context, Incidents, OpenRequest, Page, StepOutput, Store};
use crate::runtime::clock::Clock;
use crate::runtime::permit::Permit;
use crate::step::Step;
use crate::time::Moment;

/// What a driver gets beyond its budget before its future is dropped: time to say itself what it was waiting for.
const GRACE: Duration = Duration::from_millis(500);
/// How long a context may take to be closed and verified gone.
const CLOSE_BUDGET: Duration = Duration::from_secs(15);

/// Everything an attempt needs.
pub(crate) struct AttemptOrder {
    pub(crate) ticket: Ticket,
    pub(crate) job: Arc<Job>,
    pub(crate) browser: Arc<dyn Browser>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) budget: Duration,
    pub(crate) clock: Clock,
    /// Cancels every attempt of the fleet.
    pub(crate) cancel: CancellationToken,
    /// Cancels the job of this attempt.
    pub(crate) withdrawn: CancellationToken,
    /// Makes this attempt give way.
    pub(crate) evict: CancellationToken,
}

/// What came of it. The permit comes back with the report: whoever reads it decides whether the slot is free.
pub(crate) struct AttemptReport {
    pub(crate) end: AttemptEnd,
    pub(crate) harvest: Harvest,
    pub(crate) finished: Moment,
    pub(crate) closed: Result<(), CloseError>,
    pub(crate) permit: Permit,
}

/// What an attempt brought back.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    pub(crate) data: Map<String, Value>,
    pub(crate) artifacts: Vec<String>,
    pub(crate) status: Option<u16>,
    pub(crate) incidents: Incidents,
}

/// Makes the attempt.
pub(crate) async fn run(order: AttemptOrder, permit: Permit) -> AttemptReport {
    let deadline = order.clock.now() + order.budget;
    let mut harvest = Harvest::default();
    let context = match open(&order, deadline).await {
        Ok(context) => context,
        Err(end) => {
            return AttemptReport { end, harvest, finished: order.clock.now(), closed: Ok(()), permit };
        }
    };
    permit.opened();
    let (end, context) = work(&order, deadline, context, &mut harvest).await;
    let finished = order.clock.now();
    harvest.incidents = context.incidents();
    let closing = AssertUnwindSafe(timeout(CLOSE_BUDGET, context.close())).catch_unwind();
    let closed = match closing.await {
        Ok(Ok(closed)) => closed,
        Ok(Err(_)) => Err(CloseError(format!("the context did not close within {CLOSE_BUDGET:?}"))),
        Err(_) => Err(CloseError("closing the context panicked".to_owned())),
    };
    AttemptReport { end, harvest, finished, closed, permit }
}

async fn open(order: &AttemptOrder, deadline: Moment) -> Result<Box<dyn Context>, AttemptEnd> {
    let request = OpenRequest { setup: order.job.setup.clone(), first: order.job.start.clone() };
    let budget = deadline.since(order.clock.now());
    let opening =
        AssertUnwindSafe(timeout(budget + GRACE, order.browser.open(request, budget))).catch_unwind();
    let opened = tokio::select! {
        biased;
        end = called_off(order) => return Err(end),
        opened = opening => opened,
    };
    let fault = match opened {
        Ok(Ok(Ok(context))) => return Ok(context),
        Ok(Ok(Err(fault))) => fault,
        Ok(Err(_)) => out_of_time(order.budget),
        Err(_) => panicked(),
    };
    Err(AttemptEnd::Failed(fault.at(Stage::Create)))
}

/// Carries out the steps. The context comes back whatever happens, to be closed.
async fn work(
    order: &AttemptOrder,
    deadline: Moment,
    mut context: Box<dyn Context>,
    harvest: &mut Harvest,
) -> (AttemptEnd, Box<dyn Context>) {
    let mut stage = Stage::Step(0);
    let steps =
        AssertUnwindSafe(carry_out(order, deadline, context.as_mut(), harvest, &mut stage)).catch_unwind();
    let worked = tokio::select! {
        biased;
        end = called_off(order) => Err(end),
        worked = steps => Ok(worked),
    };
    let end = match worked {
        Err(end) => end,
        Ok(Ok(Ok(()))) => AttemptEnd::Succeeded,
        Ok(Ok(Err(fault))) => AttemptEnd::Failed(fault.at(stage)),
        Ok(Err(_)) => AttemptEnd::Failed(panicked().at(stage)),
    };
    (end, context)
}

/// Completes when the attempt is to end before its time, and says how.
async fn called_off(order: &AttemptOrder) -> AttemptEnd {
    tokio::select! {
        biased;
        () = order.cancel.cancelled() => AttemptEnd::Cancelled,
        () = order.withdrawn.cancelled() => AttemptEnd::Cancelled,
        () = order.evict.cancelled() => AttemptEnd::Evicted,
    }
}

async fn carry_out(
    order: &AttemptOrder,
    deadline: Moment,
    context: &mut dyn Context,
    harvest: &mut Harvest,
    stage: &mut Stage,
) -> Result<(), Fault> {
    let start = order.job.start.clone().map(Step::Goto);
    let numbered = start.iter().map(|step| (0, step)).chain((1..).zip(&order.job.steps));
    for (number, step) in numbered {
        *stage = Stage::Step(number);
        // To the millisecond, since drivers tell it when it is used up.
        let budget = rounded(deadline.since(order.clock.now()));
        if budget.is_zero() {
            return Err(out_of_time(order.budget));
        }
        let performed = timeout(budget + GRACE, context.perform(step, budget)).await;
        let output = performed.unwrap_or_else(|_| Err(out_of_time(order.budget)))?;
        gather(order, deadline, output, harvest).await?;
    }
    Ok(())
}

async fn gather(
    order: &AttemptOrder,
    deadline: Moment,
    output: StepOutput,
    harvest: &mut Harvest,
) -> Result<(), Fault> {
    match output {
        StepOutput::Done => {}
        StepOutput::Page(page) => {
            harvest.status = page.status;
            accept(&order.job, &page)?;
        }
        StepOutput::Data(data) => harvest.data.extend(data),
        StepOutput::Artifact(artifact) => {
            let keeping = order.store.keep(order.ticket, &order.job.id, artifact);
            let kept = timeout(deadline.since(order.clock.now()), keeping).await;
            // Not a timeout of the page: the breaker of its host must not open for a slow disk.
            let late = |_| Fault::transient(FailureClass::Overload, "the artifact was not stored in time");
            let name = kept.map_err(late)?.map_err(|why| {
                let because = std::error::Error::source(&why).map(ToString::to_string).unwrap_or_default();
                let message = format!("{why}: {because}");
                // A full disk may empty; a store that keeps none will not begin to.
                match why.source.kind() {
                    ErrorKind::Unsupported => Fault::persistent(FailureClass::Unsupported, message),
                    _ => Fault::transient(FailureClass::Overload, message),
                }
            })?;
            harvest.artifacts.push(name);
        }
    }
    Ok(())
}

/// A job may accept a status from 400 upwards; nobody else does.
fn accept(job: &Job, page: &Page) -> Result<(), Fault> {
    match page.status {
        Some(status) if status >= 400 && !job.accept_status.contains(&status) => {
            let message = format!("{} answered {status}", page.url);
            Err(if status >= 500 || status == 429 {
                Fault::transient(FailureClass::HttpStatus, message)
            } else {
                Fault::persistent(FailureClass::HttpStatus, message)
            })
        }
        _ => Ok(()),
    }
}

fn out_of_time(budget: Duration) -> Fault {
    Fault::transient(FailureClass::Timeout, format!("the attempt's {budget:?} are used up"))
}

/// The panic's own words were logged where it was raised; the job learns that it was ours.
fn panicked() -> Fault {
    Fault::persistent(FailureClass::Internal, "a step panicked: this is a bug of Plimsoll or of its driver")
}

/// The failure of an attempt whose task was lost as a whole.
pub(crate) fn lost_task(why: &dyn std::fmt::Display) -> Failure {
    Fault::persistent(FailureClass::Internal, format!("the attempt's task was lost: {why}")).at(Stage::Close)
}
