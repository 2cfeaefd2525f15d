//! Carries out one call: reads its payload, calls the driver, returns the answer.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::policy::Trim;
use plimsoll_core::port::call::{Launch, Open, Perform, Performed};
use plimsoll_core::port::{Browser, CloseError, StepOutput};
use plimsoll_core::step::Step;
use plimsoll_plugin_abi::{Buf, op, status};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;
use tracing::Instrument;

use crate::answer::Answer;
use crate::driver::DriverState;
use crate::objects::{HeldContext, OpenContext, Reserved, Turn};

/// The time after its budget at which a step is dropped. It lets the driver report what it was waiting for.
const LATE: Duration = Duration::from_millis(100);

/// A call that ended early, with this answer.
struct Early(Answer);

impl From<Fault> for Early {
    fn from(fault: Fault) -> Self {
        Self(Answer::new(status::FAULT, &fault))
    }
}

/// Carries a call out. May be dropped at any await.
pub(crate) async fn carry_out(
    state: &DriverState,
    op: u32,
    object: u64,
    reserved: Reserved,
    payload: Buf,
) -> Answer {
    let carried_out = match (op, reserved) {
        (op::START, _) => start(state, &payload),
        (op::LAUNCH, Reserved::Browser(turn)) => launch(state, turn, &payload).await,
        (op::ENDED, _) => ended(state, object).await,
        (op::CLOSE_BROWSER, _) => close_browser(state, object).await,
        (op::TRIM, _) => trim(state, object, &payload).await,
        (op::OPEN, Reserved::Context(turn)) => open(state, turn, &payload).await,
        (op::PERFORM, _) => perform(state, object, &payload).await,
        (op::CLOSE_CONTEXT, _) => close_context(state, object).await,
        (op::DRAIN, _) => drain(state).await,
        (op::LAUNCH | op::OPEN, _) => {
            Err(Fault::persistent(FailureClass::Internal, format!("number {object} is taken")).into())
        }
        _ => Err(Early(Answer::bare(status::UNKNOWN))),
    };
    carried_out.unwrap_or_else(|Early(answer)| answer)
}

fn start(state: &DriverState, payload: &[u8]) -> Result<Answer, Early> {
    Ok(Answer::ok(&state.start(read::<Value>(payload)?)?))
}

async fn launch(
    state: &DriverState,
    mut turn: Turn<Arc<dyn Browser>>,
    payload: &[u8],
) -> Result<Answer, Early> {
    let Launch { id, budget } = read(payload)?;
    let launching = state.driver()?.launch(id, budget);
    *turn = Some(launching.instrument(tracing::info_span!("launch", browser = id.0)).await?);
    Ok(Answer::bare(status::OK))
}

async fn ended(state: &DriverState, object: u64) -> Result<Answer, Early> {
    let end = browser(state, object).await?.ended().await;
    Ok(Answer::ok(&end))
}

async fn close_browser(state: &DriverState, object: u64) -> Result<Answer, Early> {
    let browser = browser(state, object).await?;
    let closed = browser.close().instrument(tracing::info_span!("close browser")).await;
    if closed.is_ok() {
        state.browsers.forget(object);
    }
    Ok(verdict(&closed))
}

async fn trim(state: &DriverState, object: u64, payload: &[u8]) -> Result<Answer, Early> {
    let trim: Trim = read(payload)?;
    browser(state, object).await?.trim(trim).await;
    Ok(Answer::bare(status::OK))
}

/// Opens a context. When this fails, panics or is dropped, the partly made context stays in the slot until it is
/// closed.
async fn open(state: &DriverState, mut turn: Turn<HeldContext>, payload: &[u8]) -> Result<Answer, Early> {
    let Open { browser: number, request, budget } = read(payload)?;
    state.require(&request.setup.needs())?;
    if let Some(first) = &request.first {
        state.require(&Step::Goto(first.clone()).needs())?;
    }
    let browser = browser(state, number).await?;
    let opening = turn.insert(HeldContext::Opening(browser.open(request, budget)));
    let HeldContext::Opening(opening) = opening else { return Err(no_such_object()) };
    let context = opening.ready().instrument(tracing::info_span!("open")).await?;
    *turn = Some(HeldContext::Open(OpenContext { context, poisoned: false }));
    Ok(Answer::bare(status::OK))
}

async fn perform(state: &DriverState, object: u64, payload: &[u8]) -> Result<Answer, Early> {
    let Perform { step, budget } = read::<Perform>(payload)?;
    state.require(&step.needs())?;
    let mut turn = state.contexts.turn(object).await.ok_or_else(no_such_object)?;
    let Some(HeldContext::Open(open)) = turn.as_mut() else { return Err(no_such_object()) };
    if open.poisoned {
        return Err(
            Fault::persistent(FailureClass::Internal, "an earlier step panicked in this context").into()
        );
    }
    let span = tracing::info_span!("perform", step = step.name());
    let performing = timeout(budget + LATE, open.context.perform(&step, budget));
    let performed = AssertUnwindSafe(performing).catch_unwind().instrument(span).await;
    let performed = performed.unwrap_or_else(|panic| {
        open.poisoned = true;
        resume_unwind(panic)
    });
    let output = performed.unwrap_or_else(|_| {
        let message = format!("the step `{}` was not done within {budget:?}", step.name());
        Err(Fault::transient(FailureClass::Timeout, message))
    });
    let (output, body) = match output.map(StepOutput::split) {
        Ok((head, body)) => (Ok(head), body),
        Err(fault) => (Err(fault), Vec::new()),
    };
    let head = Answer::ok(&Performed { output, incidents: open.context.incidents() });
    Ok(Answer { body, ..head })
}

async fn close_context(state: &DriverState, object: u64) -> Result<Answer, Early> {
    let held = state.contexts.turn(object).await.ok_or_else(no_such_object)?.take();
    state.contexts.forget(object);
    let closing = match held.ok_or_else(no_such_object)? {
        HeldContext::Open(open) => open.context.close(),
        HeldContext::Opening(opening) => opening.abandon(),
    };
    Ok(verdict(&closing.instrument(tracing::info_span!("close context")).await))
}

/// Closes everything: contexts first, then the browsers that hold them.
async fn drain(state: &DriverState) -> Result<Answer, Early> {
    state.drain();
    for number in state.contexts.numbers() {
        // A context that does not close fails its browser's close, which is reported below.
        let _ = close_context(state, number).await;
    }
    let mut worst = Answer::bare(status::OK);
    for number in state.browsers.numbers() {
        let closed = close_browser(state, number).await;
        if let Ok(answer) = closed
            && answer.status != status::OK
        {
            worst = answer;
        }
    }
    Ok(worst)
}

async fn browser(state: &DriverState, number: u64) -> Result<Arc<dyn Browser>, Early> {
    let turn = state.browsers.turn(number).await;
    turn.and_then(|turn| turn.as_ref().map(Arc::clone)).ok_or_else(no_such_object)
}

fn verdict(closed: &Result<(), CloseError>) -> Answer {
    match closed {
        Ok(()) => Answer::bare(status::OK),
        Err(why) => Answer::new(status::FAULT, why),
    }
}

fn no_such_object() -> Early {
    Early(Answer::bare(status::NO_SUCH_OBJECT))
}

fn read<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Early> {
    serde_json::from_slice(payload).map_err(|why| Early(Answer::new(status::MALFORMED, &why.to_string())))
}
