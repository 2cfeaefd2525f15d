//! One call: its payload read, carried out on the driver, answered.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::policy::pressure::Trim;
use plimsoll_core::port::call::{DriverMade, Launch, Open, Perform, Performed};
use plimsoll_core::port::{Browser, CloseError, StepOutput};
use plimsoll_plugin_abi::{Buf, op, status};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument;

use crate::answer::Answer;
use crate::instance::{Instance, OpenContext, Reserved};
use crate::objects::Turn;

/// A call that came to an early end: with this answer.
struct Early(Answer);

impl From<Fault> for Early {
    fn from(fault: Fault) -> Self {
        Self(Answer::new(status::FAULT, &fault))
    }
}

/// Carries a call out. May be dropped at any await.
pub(crate) async fn carry_out(
    instance: &Instance,
    op: u32,
    object: u64,
    reserved: Reserved,
    payload: Buf,
) -> Answer {
    let carried_out = match (op, reserved) {
        (op::START, _) => start(instance, &payload),
        (op::LAUNCH, Reserved::Browser(turn)) => launch(instance, turn, &payload).await,
        (op::ENDED, _) => ended(instance, object).await,
        (op::CLOSE_BROWSER, _) => close_browser(instance, object).await,
        (op::TRIM, _) => trim(instance, object, &payload).await,
        (op::OPEN, Reserved::Context(turn)) => open(instance, turn, &payload).await,
        (op::PERFORM, _) => perform(instance, object, &payload).await,
        (op::CLOSE_CONTEXT, _) => close_context(instance, object).await,
        (op::DRAIN, _) => drain(instance).await,
        (op::LAUNCH | op::OPEN, _) => {
            Err(Fault::persistent(FailureClass::Internal, format!("number {object} is taken")).into())
        }
        _ => Err(Early(Answer::bare(status::UNKNOWN))),
    };
    carried_out.unwrap_or_else(|Early(answer)| answer)
}

fn start(instance: &Instance, payload: &[u8]) -> Result<Answer, Early> {
    let driver = instance.start(read::<Value>(payload)?)?;
    Ok(Answer::ok(&DriverMade::new(driver.name(), &driver.capabilities())))
}

async fn launch(
    instance: &Instance,
    mut turn: Turn<Arc<dyn Browser>>,
    payload: &[u8],
) -> Result<Answer, Early> {
    let Launch { id, budget } = read(payload)?;
    let launching = instance.driver()?.launch(id, budget);
    *turn = Some(launching.instrument(tracing::info_span!("launch", browser = id.0)).await?);
    Ok(Answer::bare(status::OK))
}

async fn ended(instance: &Instance, object: u64) -> Result<Answer, Early> {
    let end = browser(instance, object).await?.ended().await;
    Ok(Answer::ok(&end))
}

async fn close_browser(instance: &Instance, object: u64) -> Result<Answer, Early> {
    let browser = browser(instance, object).await?;
    let closed = browser.close().instrument(tracing::info_span!("close browser")).await;
    if closed.is_ok() {
        instance.browsers.forget(object);
    }
    Ok(verdict(&closed))
}

async fn trim(instance: &Instance, object: u64, payload: &[u8]) -> Result<Answer, Early> {
    let trim: Trim = read(payload)?;
    browser(instance, object).await?.trim(trim).await;
    Ok(Answer::bare(status::OK))
}

async fn open(instance: &Instance, mut turn: Turn<OpenContext>, payload: &[u8]) -> Result<Answer, Early> {
    let Open { browser: number, request, budget } = read(payload)?;
    let browser = browser(instance, number).await?;
    let context = browser.open(request, budget).instrument(tracing::info_span!("open")).await?;
    *turn = Some(OpenContext { context, poisoned: false });
    Ok(Answer::bare(status::OK))
}

async fn perform(instance: &Instance, object: u64, payload: &[u8]) -> Result<Answer, Early> {
    let Perform { step, budget } = read::<Perform>(payload)?;
    let mut turn = instance.contexts.turn(object).await.ok_or_else(no_such_object)?;
    let open = turn.as_mut().ok_or_else(no_such_object)?;
    if open.poisoned {
        return Err(
            Fault::persistent(FailureClass::Internal, "an earlier step panicked in this context").into()
        );
    }
    let span = tracing::info_span!("perform", step = step.name());
    let performing = AssertUnwindSafe(open.context.perform(&step, budget)).catch_unwind();
    let output = performing.instrument(span).await.unwrap_or_else(|panic| {
        open.poisoned = true;
        resume_unwind(panic)
    });
    let (output, body) = match output.map(StepOutput::split) {
        Ok((head, body)) => (Ok(head), body),
        Err(fault) => (Err(fault), Vec::new()),
    };
    let head = Answer::ok(&Performed { output, incidents: open.context.incidents() });
    Ok(Answer { body, ..head })
}

async fn close_context(instance: &Instance, object: u64) -> Result<Answer, Early> {
    let turn = instance.contexts.turn(object).await;
    let open = turn.and_then(|mut turn| turn.take()).ok_or_else(no_such_object)?;
    instance.contexts.forget(object);
    Ok(verdict(&open.context.close().instrument(tracing::info_span!("close context")).await))
}

/// Closes everything: contexts first, for their browsers hold them.
async fn drain(instance: &Instance) -> Result<Answer, Early> {
    instance.drain();
    for number in instance.contexts.numbers() {
        // Each one's failure is its browser's, which is told below.
        let _ = close_context(instance, number).await;
    }
    let mut worst = Answer::bare(status::OK);
    for number in instance.browsers.numbers() {
        let closed = close_browser(instance, number).await;
        if let Ok(answer) = closed
            && answer.status != status::OK
        {
            worst = answer;
        }
    }
    Ok(worst)
}

async fn browser(instance: &Instance, number: u64) -> Result<Arc<dyn Browser>, Early> {
    let turn = instance.browsers.turn(number).await;
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
