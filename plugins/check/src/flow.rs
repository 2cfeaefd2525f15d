//! Control flow in a context: the steps that an attempt would perform, one after the other.

use plimsoll_core::flow::{Answer, Interpreter, Purpose, Time, Values, counted, within};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::StepOutput;
use serde_json::{Map, Value, json};

use crate::tab::{Tab, job};

impl Tab<'_> {
    /// The data of a job with these steps, which must succeed.
    pub(crate) async fn carry_out(&mut self, steps: Value) -> Map<String, Value> {
        let text = steps.to_string();
        match self.try_out(steps).await {
            Ok(data) => data,
            Err((fault, path)) => panic!("{text}: {path:?}: {fault}"),
        }
    }

    /// The data of a job with these steps, or its fault and the path to its step.
    pub(crate) async fn try_out(
        &mut self,
        steps: Value,
    ) -> Result<Map<String, Value>, (Fault, Option<String>)> {
        let job = job(json!({"url": "about:blank", "steps": steps}));
        let mut interpreter = Interpreter::new(&job.steps);
        let mut data = Map::new();
        loop {
            let answer = match interpreter.next_call() {
                Ok(None) => return Ok(data),
                Ok(Some(call)) => {
                    let values = Values { data: &data, error: interpreter.caught() };
                    let step = call.plain.filled(values).expect("values that are there").into_owned();
                    let step = match interpreter.element() {
                        Some(element) => within(step, &element),
                        None => step,
                    };
                    let output = self.perform(serde_json::to_value(&step).expect("plain data")).await;
                    match (call.purpose, output) {
                        (Purpose::Judge, Ok(_)) => Ok(Answer::Judged(true)),
                        (Purpose::Judge, Err(fault)) if fault.class == FailureClass::Assertion => {
                            Ok(Answer::Judged(false))
                        }
                        (Purpose::Count, Ok(StepOutput::Data(found))) => Ok(counted(&step, &found)),
                        (Purpose::Append, Ok(StepOutput::Data(found))) => {
                            append(&mut data, found);
                            Ok(Answer::Done)
                        }
                        (_, Ok(StepOutput::Data(found))) => {
                            data.extend(found);
                            Ok(Answer::Done)
                        }
                        (_, output) => output.map(|_| Answer::Done),
                    }
                }
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(answer) => interpreter.answer(answer),
                Err(fault) => {
                    interpreter.failed(fault, Time::Left).map_err(|fault| (fault, interpreter.path()))?;
                }
            }
        }
    }
}

/// Appends each value to the list of its name.
fn append(data: &mut Map<String, Value>, found: Map<String, Value>) {
    for (name, value) in found {
        let list = data.entry(name).or_insert_with(|| json!([]));
        let list = list.as_array_mut().expect("a list");
        if let Value::Array(entries) = value { list.extend(entries) } else { list.push(value) }
    }
}
