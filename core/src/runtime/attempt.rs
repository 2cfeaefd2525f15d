//! One attempt of one job: it opens a context, performs the steps and closes the context.
//!
//! An attempt is one task that always runs to its end. Cancellation and panics are results, so the context, or a partly
//! created context, is removed on every path. The fleet's loop keeps the permit and uses [`AttemptReport::closed`] to
//! decide whether the slot is free, so a lost task frees no slot.
//!
//! ```text
//!  open ──► step 0 (url) ──► steps, as the interpreter says ──► close, verified ──► report
//!    │          └── fault, deadline, cancellation, panic ─┘        ▲
//!    └── the same ──► abandon what is half made, verified ─────────┘
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::duration::rounded;
use crate::flow::{self, Answer, Call, Interpreter, Purpose, Time, Values};
use crate::id::Ticket;
use crate::job::Job;
use crate::outcome::{Failure, FailureClass, Fault, Stage};
use crate::policy::dispatch::AttemptEnd;
use crate::port::{
    Browser, CloseError, Context, Incidents, OpenRequest, Opening, StepOutput, Store, StoreError,
};
use crate::runtime::clock::Clock;
use crate::runtime::driver_answer::{accept, answered};
use crate::runtime::permit::OpenedNote;
use crate::runtime::result_memory::{Held, ResultMemory};
use crate::secrets::{Secrets, revealed};
use crate::step::Step;
use crate::time::Moment;

/// The time after its budget at which a driver's future is dropped. It lets the driver report what it was waiting for.
///
/// A driver in this process is polled first when both are due, so this is for those in another process: the loader of
/// libraries gives an answer a quarter of a second before it reports that it did not come.
const GRACE: Duration = Duration::from_millis(500);
/// The timeout for the verified removal of a context or of a partly created context.
const CLOSE_BUDGET: Duration = Duration::from_secs(15);

/// The inputs of an attempt.
pub(crate) struct AttemptOrder {
    pub(crate) ticket: Ticket,
    pub(crate) job: Arc<Job>,
    /// The values of the secrets that the job has by name; nothing else holds them.
    pub(crate) named: BTreeMap<String, String>,
    /// The name of the browser's driver, for messages.
    pub(crate) driver: Arc<str>,
    pub(crate) browser: Arc<dyn Browser>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) budget: Duration,
    /// When its job was admitted, from which the budget counts: a task begins late on a busy machine.
    pub(crate) admitted: Moment,
    pub(crate) clock: Clock,
    /// Counts the memory of its data.
    pub(crate) results: ResultMemory,
    /// Reports that the context is open.
    pub(crate) opened: OpenedNote,
    /// Cancels every attempt of the fleet.
    pub(crate) cancel: CancellationToken,
    /// Cancels the job of this attempt.
    pub(crate) withdrawn: CancellationToken,
    /// Evicts this attempt.
    pub(crate) evict: CancellationToken,
}

/// The result of an attempt.
pub(crate) struct AttemptReport {
    pub(crate) end: AttemptEnd,
    pub(crate) output: AttemptOutput,
    pub(crate) finished: Moment,
    /// Whether the context, or the partly created context, is verified gone.
    pub(crate) closed: Result<(), CloseError>,
}

/// The output of an attempt.
#[derive(Debug, Default)]
pub(crate) struct AttemptOutput {
    pub(crate) data: Map<String, Value>,
    /// The memory of `data`.
    pub(crate) held: Held,
    pub(crate) artifacts: Vec<String>,
    pub(crate) status: Option<u16>,
    pub(crate) incidents: Incidents,
}

/// An attempt that ended before its context was open.
struct Unopened {
    end: AttemptEnd,
    /// The opening to abandon; `None` if the driver panicked before it returned an opening.
    opening: Option<Box<dyn Opening>>,
}

/// Runs the attempt. The message of a failure has no secret of the job, and is cut only then: a half of a secret would
/// not be found.
pub(crate) async fn run(mut order: AttemptOrder) -> AttemptReport {
    if !order.job.secrets.is_empty()
        && let Err(fault) = reveal(&mut order).await
    {
        return unopened(&order, fault);
    }
    let (job, named) = (Arc::clone(&order.job), order.named.clone());
    let mut report = run_in_context(order).await;
    if !named.is_empty() {
        Secrets::with_named(&job, &named).hide_named(&mut report.output.data);
    }
    if let AttemptEnd::Failed(Failure { stage, path, fault }) = report.end {
        let message = Secrets::with_named(&job, &named).hide(&fault.message);
        let fault = Fault { message, ..fault }.shortened();
        report.end = AttemptEnd::Failed(Failure { path, ..fault.at(stage) });
    }
    report
}

/// Looks up the secrets that the job has by name, and puts them into what its context is opened with. Steps get them when
/// they are performed.
async fn reveal(order: &mut AttemptOrder) -> Result<(), Fault> {
    for name in &order.job.secrets {
        let value = timeout(order.budget, order.store.secret(name)).await;
        let value = value.map_err(|_| out_of_time(order.budget))?;
        let refused = |why: StoreError| format!("{why}: {}", why.source);
        let value = value.map_err(|why| Fault::persistent(FailureClass::Unsupported, refused(why)))?;
        order.named.insert(name.clone(), value);
    }
    let (start, setup) =
        (revealed(&order.job.start, &order.named)?, revealed(&order.job.setup, &order.named)?);
    order.job = Arc::new(Job { start, setup, ..(*order.job).clone() });
    Ok(())
}

/// The report of an attempt that opened nothing.
fn unopened(order: &AttemptOrder, fault: Fault) -> AttemptReport {
    AttemptReport {
        end: AttemptEnd::Failed(fault.at(Stage::Create)),
        output: AttemptOutput { held: order.results.hold(), ..AttemptOutput::default() },
        finished: order.clock.now(),
        closed: Ok(()),
    }
}

async fn run_in_context(order: AttemptOrder) -> AttemptReport {
    let deadline = order.admitted + order.budget;
    let mut output = AttemptOutput { held: order.results.hold(), ..AttemptOutput::default() };
    let context = match open(&order, deadline).await {
        Ok(context) => context,
        Err(Unopened { end, opening }) => {
            let finished = order.clock.now();
            let closed = match opening {
                Some(opening) => verified("abandoning the creation of a context", opening.abandon()).await,
                None => Err(CloseError("the driver panicked when it began to open a context".to_owned())),
            };
            return AttemptReport { end, output, finished, closed };
        }
    };
    order.opened.leave();
    let (mut end, context) = work(&order, deadline, context, &mut output).await;
    let finished = order.clock.now();
    match catch_unwind(AssertUnwindSafe(|| context.incidents())) {
        Ok(incidents) => output.incidents = incidents,
        Err(_) => end = AttemptEnd::Failed(panicked().at(Stage::Close)),
    }
    let closed = verified("closing a context", context.close()).await;
    AttemptReport { end, output, finished, closed }
}

async fn open(order: &AttemptOrder, deadline: Moment) -> Result<Box<dyn Context>, Unopened> {
    let request = OpenRequest { setup: order.job.setup.clone(), first: order.job.start.clone() };
    let budget = deadline.since(order.clock.now());
    let begun = catch_unwind(AssertUnwindSafe(|| order.browser.open(request, budget)));
    let Ok(mut opening) = begun else {
        let end = AttemptEnd::Failed(panicked().at(Stage::Create));
        return Err(Unopened { end, opening: None });
    };
    let ready = AssertUnwindSafe(timeout(budget + GRACE, opening.ready())).catch_unwind();
    let ready = tokio::select! {
        biased;
        end = called_off(order) => Err(end),
        ready = ready => Ok(ready),
    };
    let end = match ready {
        Ok(Ok(Ok(Ok(context)))) => return Ok(context),
        Ok(Ok(Ok(Err(fault)))) => AttemptEnd::Failed(fault.at(Stage::Create)),
        Ok(Ok(Err(_))) => AttemptEnd::Failed(out_of_time(order.budget).at(Stage::Create)),
        Ok(Err(_)) => AttemptEnd::Failed(panicked().at(Stage::Create)),
        Err(end) => end,
    };
    Err(Unopened { end, opening: Some(opening) })
}

/// Runs `ending` and returns its result; an error if it takes longer than [`CLOSE_BUDGET`] or panics.
async fn verified(
    doing: &str,
    ending: impl Future<Output = Result<(), CloseError>>,
) -> Result<(), CloseError> {
    match AssertUnwindSafe(timeout(CLOSE_BUDGET, ending)).catch_unwind().await {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(_)) => Err(CloseError(format!("{doing} took longer than {CLOSE_BUDGET:?}"))),
        Err(_) => Err(CloseError(format!("{doing} panicked"))),
    }
}

/// Performs the steps. The context is returned on every path, so that it can be closed.
async fn work(
    order: &AttemptOrder,
    deadline: Moment,
    mut context: Box<dyn Context>,
    output: &mut AttemptOutput,
) -> (AttemptEnd, Box<dyn Context>) {
    let mut place = Place { stage: Stage::Step(0), path: None };
    let steps =
        AssertUnwindSafe(carry_out(order, deadline, context.as_mut(), output, &mut place)).catch_unwind();
    let worked = tokio::select! {
        biased;
        end = called_off(order) => Err(end),
        worked = steps => Ok(worked),
    };
    let end = match worked {
        Err(end) => end,
        Ok(Ok(Ok(()))) => AttemptEnd::Succeeded,
        Ok(Ok(Err(fault))) => AttemptEnd::Failed(place.failure(fault)),
        Ok(Err(_)) => AttemptEnd::Failed(place.failure(panicked())),
    };
    (end, context)
}

/// Completes when the attempt must end early, and returns the reason.
async fn called_off(order: &AttemptOrder) -> AttemptEnd {
    tokio::select! {
        biased;
        () = order.cancel.cancelled() => AttemptEnd::Cancelled,
        () = order.withdrawn.cancelled() => AttemptEnd::Cancelled,
        () = order.evict.cancelled() => AttemptEnd::Evicted,
    }
}

/// Where an attempt is.
struct Place {
    stage: Stage,
    path: Option<String>,
}

impl Place {
    fn failure(self, fault: Fault) -> Failure {
        Failure { path: self.path, ..fault.at(self.stage) }
    }
}

async fn carry_out(
    order: &AttemptOrder,
    deadline: Moment,
    context: &mut dyn Context,
    output: &mut AttemptOutput,
    place: &mut Place,
) -> Result<(), Fault> {
    if let Some(goto) = order.job.start.clone() {
        let page = perform(order, deadline, context, &Step::Goto(goto)).await?;
        gather(order, deadline, page, output).await?;
    }
    let mut interpreter = Interpreter::new(&order.job.steps);
    loop {
        let next = interpreter.next_call();
        *place = Place { stage: Stage::Step(interpreter.number()), path: interpreter.path() };
        let answer = match next {
            Ok(None) => return Ok(()),
            Ok(Some(call)) => answer(order, deadline, context, output, call, &interpreter).await,
            Err(fault) => Err(fault),
        };
        match answer {
            Ok(answer) => interpreter.answer(answer),
            Err(fault) => {
                let message = Secrets::with_named(&order.job, &order.named).hide(&fault.message);
                let left = rounded(deadline.since(order.clock.now()));
                let time = if left.is_zero() { Time::Over } else { Time::Left };
                interpreter.failed(Fault { message, ..fault }.shortened(), time)?;
            }
        }
        // A loop over steps that take no time must not hold the thread, and can be cancelled.
        if place.path.is_some() {
            tokio::task::yield_now().await;
        }
    }
}

/// Performs a step of the job's control flow and returns what it means there.
async fn answer(
    order: &AttemptOrder,
    deadline: Moment,
    context: &mut dyn Context,
    output: &mut AttemptOutput,
    call: Call<'_>,
    interpreter: &Interpreter<'_>,
) -> Result<Answer, Fault> {
    let values = Values { data: &output.data, error: interpreter.caught() };
    let filled = call.plain.filled(values)?;
    let filled = if order.named.is_empty() { filled } else { Cow::Owned(revealed(&*filled, &order.named)?) };
    // Values that were put in may be typed into pages, as the texts of the job are.
    let secrets = matches!(filled, Cow::Owned(_)).then(|| Secrets::of_step(&filled));
    let step = match interpreter.element() {
        Some(element) => Cow::Owned(flow::within(filled.into_owned(), &element)),
        None => filled,
    };
    let performed = perform(order, deadline, context, &step).await.map_err(|fault| match &secrets {
        Some(secrets) => Fault { message: secrets.hide(&fault.message), ..fault },
        None => fault,
    });
    match (call.purpose, performed) {
        (Purpose::Perform, performed) => gather(order, deadline, performed?, output).await?,
        (Purpose::Append, Ok(StepOutput::Data(data))) => output.held.append(&mut output.data, data)?,
        (Purpose::Count, Ok(StepOutput::Data(data))) => return Ok(flow::counted(&step, &data)),
        (Purpose::Judge, Ok(_)) => return Ok(Answer::Judged(true)),
        (Purpose::Judge, Err(fault)) if fault.class == FailureClass::Assertion => {
            return Ok(Answer::Judged(false));
        }
        (_, performed) => drop(performed?),
    }
    Ok(Answer::Done)
}

/// Performs one step in what is left of the attempt's time.
async fn perform(
    order: &AttemptOrder,
    deadline: Moment,
    context: &mut dyn Context,
    step: &Step,
) -> Result<StepOutput, Fault> {
    // Rounded to milliseconds because drivers print the budget when it is used up.
    let budget = rounded(deadline.since(order.clock.now()));
    if budget.is_zero() {
        return Err(out_of_time(order.budget));
    }
    let performed = timeout(budget + GRACE, context.perform(step, budget)).await;
    let performed = performed.unwrap_or_else(|_| Err(out_of_time(order.budget)));
    answered(&order.driver, step, performed)
}

async fn gather(
    order: &AttemptOrder,
    deadline: Moment,
    step: StepOutput,
    output: &mut AttemptOutput,
) -> Result<(), Fault> {
    match step {
        StepOutput::Done => {}
        StepOutput::Page(page) => {
            output.status = page.status;
            accept(&order.job, &page)?;
        }
        StepOutput::Data(data) => output.held.add(&mut output.data, data)?,
        StepOutput::Artifact(artifact) => {
            let keeping = order.store.keep(order.ticket, &order.job.id, artifact);
            let kept = timeout(deadline.since(order.clock.now()), keeping).await;
            // This is not a timeout of the page: a slow disk must not open the breaker of the page's host.
            let late = |_| Fault::transient(FailureClass::Overload, "the artifact was not stored in time");
            let name = kept.map_err(late)?.map_err(|why| {
                let because = std::error::Error::source(&why).map(ToString::to_string).unwrap_or_default();
                let message = format!("{why}: {because}");
                // A retry can help if the disk was full, but not if the store keeps no artifacts.
                match why.source.kind() {
                    ErrorKind::Unsupported => Fault::persistent(FailureClass::Unsupported, message),
                    _ => Fault::transient(FailureClass::Overload, message),
                }
            })?;
            output.artifacts.push(name);
        }
    }
    Ok(())
}

fn out_of_time(budget: Duration) -> Fault {
    Fault::transient(FailureClass::Timeout, format!("the attempt's {budget:?} are used up"))
}

/// The message of the panic was already logged where the panic was raised.
fn panicked() -> Fault {
    Fault::persistent(FailureClass::Internal, "a call panicked: this is a bug of Plimsoll or of its driver")
}

/// The failure of an attempt whose whole task was lost.
pub(crate) fn lost_task(why: &dyn Display) -> Failure {
    Fault::persistent(FailureClass::Internal, format!("the attempt's task was lost: {why}")).at(Stage::Close)
}
