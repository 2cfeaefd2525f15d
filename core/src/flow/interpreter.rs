//! [`Interpreter`]: carries out the control flow of a job as a state machine, one plain step at a time.
//!
//! ```text
//!   next_call ──► a plain step, and what for ──► the attempt performs it ──► answer ──► next_call ──► ...
//!                                                        └── fault ──► failed ──► the steps of a `catch`, or the end
//! ```
//!
//! It does no I/O and reads no clock. A stack of frames says where it is; [`Interpreter::path`] writes that down for
//! messages. The number of turns of a loop is bounded by the loop, and everything together by [`MOST_PERFORMED`].

use super::fill::Caught;
use super::plain::Plain;
use super::statement::{ForEach, If, Procedures, Repeat, Statement, Steps, Try, Turns};
use crate::outcome::{FailureClass, Fault};

/// The most that an attempt carries out: steps, judged conditions, and turns of loops.
pub const MOST_PERFORMED: usize = 100_000;

/// The state of an attempt's control flow.
#[derive(Debug)]
pub struct Interpreter<'j> {
    procedures: &'j Procedures,
    /// From the list of the job's own steps inwards. What runs is at the end.
    frames: Vec<Frame<'j>>,
    performed: usize,
}

/// A plain step that is to be performed next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call<'j> {
    /// The step.
    pub plain: &'j Plain,
    /// What its output is for.
    pub purpose: Purpose,
}

/// What the output of a step is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// For the job's result.
    Perform,
    /// For lists in the job's data, which grow by it.
    Append,
    /// The step is an `expect`: whether it succeeds.
    Judge,
    /// The step is an `extract`: how many elements there are.
    Count,
}

/// The answer to a call that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To [`Purpose::Perform`] and [`Purpose::Append`].
    Done,
    /// To [`Purpose::Judge`]: whether the condition holds.
    Judged(bool),
    /// To [`Purpose::Count`].
    Counted {
        /// The selector of the elements, as it was sent.
        selector: String,
        /// Their number.
        count: usize,
    },
}

/// What is being carried out at one level.
#[derive(Debug)]
enum Frame<'j> {
    /// A list of steps, of which the first `next` were begun.
    List { steps: &'j [Statement], next: usize, label: Label<'j> },
    /// The condition is being judged.
    If { of: &'j If, known: Vec<bool> },
    /// The turn `turn`, from 0, is under way, or the condition before it is being judged.
    Repeat { of: &'j Repeat, turn: u32, known: Option<Vec<bool>> },
    /// The elements are being counted.
    Counting { of: &'j ForEach },
    /// The elements were counted; the turn `turn` is under way, if one has begun.
    ForEach { of: &'j ForEach, selector: String, count: usize, turn: Option<usize> },
    /// The steps that may fail run.
    Try { of: &'j Try },
    /// The fault is being handled.
    Catch { error: Caught },
}

/// The name of a list of steps in a path.
#[derive(Debug, Clone, Copy)]
enum Label<'j> {
    Key(&'static str),
    Procedure(&'j str),
}

impl<'j> Interpreter<'j> {
    /// At the beginning of a job's steps.
    #[must_use]
    pub fn new(Steps { list: steps, procedures }: &'j Steps) -> Self {
        let all = Frame::List { steps, next: 0, label: Label::Key("steps") };
        Self { procedures, frames: vec![all], performed: 0 }
    }

    /// The next call; none when everything was carried out. Each call is answered before the next one is asked for.
    ///
    /// # Errors
    /// A fault of the job: a loop that does not end, or too many elements. It is given to [`Interpreter::failed`].
    pub fn next_call(&mut self) -> Result<Option<Call<'j>>, Fault> {
        loop {
            self.performed += 1;
            if self.performed > MOST_PERFORMED {
                let message = format!(
                    "the job has carried out {MOST_PERFORMED} steps, conditions and turns, and is not done"
                );
                return Err(Fault::persistent(FailureClass::Script, message));
            }
            let Some(frame) = self.frames.last_mut() else { return Ok(None) };
            match frame.advance()? {
                Move::Call(call) => return Ok(Some(call)),
                Move::Begin(steps, label) => self.frames.push(Frame::list(steps, label)),
                Move::Become(steps, label) => *frame = Frame::list(steps, label),
                Move::Enter(statement) => self.enter(statement)?,
                Move::End => {
                    self.frames.pop();
                }
            }
        }
    }

    /// Takes the answer to the last call.
    pub fn answer(&mut self, answer: Answer) {
        let Some(frame) = self.frames.last_mut() else { return };
        match (frame, answer) {
            (Frame::If { known, .. } | Frame::Repeat { known: Some(known), .. }, Answer::Judged(held)) => {
                known.push(held);
            }
            (frame @ Frame::Counting { .. }, Answer::Counted { selector, count }) => {
                if let Frame::Counting { of } = frame {
                    *frame = Frame::ForEach { of, selector, count, turn: None };
                }
            }
            _ => {}
        }
    }

    /// Takes the fault of the last call, whose message has no secrets, and goes on with the `catch` around it.
    ///
    /// # Errors
    /// The same fault, when no `catch` is there or the fault is none that a job can handle. The path stays where it is.
    pub fn failed(&mut self, fault: Fault, time: Time) -> Result<(), Fault> {
        let is_tried = |frame: &Frame<'_>| matches!(frame, Frame::Try { .. });
        let is_own = is_own(fault.class) && time == Time::Left && self.performed <= MOST_PERFORMED;
        let Some(place) = self.frames.iter().rposition(is_tried).filter(|_| is_own) else {
            return Err(fault);
        };
        self.frames.truncate(place + 1);
        if let Some(Frame::Try { of }) = self.frames.pop() {
            self.frames.push(Frame::Catch { error: Caught { class: fault.class, message: fault.message } });
            self.frames.push(Frame::list(&of.catch, Label::Key("catch")));
        }
        Ok(())
    }

    /// The fault that is being handled.
    #[must_use]
    pub fn caught(&self) -> Option<&Caught> {
        self.frames
            .iter()
            .rev()
            .find_map(|frame| if let Frame::Catch { error } = frame { Some(error) } else { None })
    }

    /// The element in which selectors are looked up; none outside of a `for_each`.
    #[must_use]
    pub fn element(&self) -> Option<String> {
        self.frames.iter().rev().find_map(|frame| match frame {
            Frame::ForEach { selector, turn: Some(turn), .. } => Some(format!("{selector} >> nth={turn}")),
            _ => None,
        })
    }

    /// The number of the step in the job's own list, from 1.
    #[must_use]
    pub fn number(&self) -> usize {
        if let Some(Frame::List { next, .. }) = self.frames.first() { *next } else { 0 }
    }

    /// The path to what is being carried out, such as `steps[2].repeat[7].steps[0]`; none for a step in the job's own
    /// list, whose number says enough.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        let parts: Vec<_> = self.frames.iter().filter_map(Frame::path).collect();
        (self.frames.len() > 1).then(|| parts.join("."))
    }

    fn enter(&mut self, statement: &'j Statement) -> Result<(), Fault> {
        match statement {
            Statement::Step(_) | Statement::Append(_) => {}
            Statement::If(of) => self.frames.push(Frame::If { of, known: Vec::new() }),
            Statement::Repeat(of) => {
                let judges_first = matches!(of.turns, Turns::While(..));
                self.frames.push(Frame::Repeat { of, turn: 0, known: judges_first.then(Vec::new) });
                if !judges_first {
                    self.frames.push(Frame::list(&of.steps, Label::Key("steps")));
                }
            }
            Statement::ForEach(of) => self.frames.push(Frame::Counting { of }),
            Statement::Try(of) => {
                self.frames.push(Frame::Try { of });
                self.frames.push(Frame::list(&of.steps, Label::Key("try")));
            }
            Statement::Use(name) => {
                // The check before the run has seen that there is one.
                let (name, steps) = self.procedures.get_key_value(name).ok_or_else(|| {
                    Fault::persistent(FailureClass::Internal, format!("there is no procedure `{name}`"))
                })?;
                self.frames.push(Frame::list(steps, Label::Procedure(name)));
            }
        }
        Ok(())
    }
}

/// Whether an attempt has time left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Some.
    Left,
    /// Its deadline has passed.
    Over,
}

/// Whether a fault is the job's own. The others concern the attempt: its browser, its proxy, its machine.
const fn is_own(class: FailureClass) -> bool {
    match class {
        FailureClass::Navigation
        | FailureClass::HttpStatus
        | FailureClass::Timeout
        | FailureClass::Script
        | FailureClass::Assertion => true,
        FailureClass::PageCrash
        | FailureClass::BrowserCrash
        | FailureClass::Proxy
        | FailureClass::Unsupported
        | FailureClass::Overload
        | FailureClass::Internal => false,
    }
}

/// What a frame does next.
enum Move<'j> {
    Call(Call<'j>),
    /// A list begins above the frame.
    Begin(&'j [Statement], Label<'j>),
    /// A list takes the place of the frame.
    Become(&'j [Statement], Label<'j>),
    /// Control flow begins above the frame.
    Enter(&'j Statement),
    End,
}

impl<'j> Frame<'j> {
    const fn list(steps: &'j [Statement], label: Label<'j>) -> Self {
        Self::List { steps, next: 0, label }
    }

    /// Goes on, after everything above the frame has ended.
    fn advance(&mut self) -> Result<Move<'j>, Fault> {
        let call = |plain, purpose| Ok(Move::Call(Call { plain, purpose }));
        match self {
            Self::List { steps, next, .. } => {
                let statement = steps.get(*next);
                *next += usize::from(statement.is_some());
                match statement {
                    None => Ok(Move::End),
                    Some(Statement::Step(plain)) => call(plain, Purpose::Perform),
                    Some(Statement::Append(plain)) => call(plain, Purpose::Append),
                    Some(statement) => Ok(Move::Enter(statement)),
                }
            }
            Self::If { of, known } => match of.condition.judge(&mut known.iter().copied()) {
                Err(question) => call(question, Purpose::Judge),
                Ok(true) => Ok(Move::Become(&of.then, Label::Key("then"))),
                Ok(false) => Ok(Move::Become(&of.otherwise, Label::Key("else"))),
            },
            Self::Repeat { of, turn, known } => {
                let (guard, ends_when, at_most) = match &of.turns {
                    Turns::Times(times) => {
                        *turn += 1;
                        return Ok(if turn == times {
                            Move::End
                        } else {
                            Move::Begin(&of.steps, Label::Key("steps"))
                        });
                    }
                    Turns::Until(guard, at_most) => (guard, true, *at_most),
                    Turns::While(guard, at_most) => (guard, false, *at_most),
                };
                let judged = match known {
                    Some(known) => guard.judge(&mut known.iter().copied()),
                    None => {
                        // A turn has ended.
                        *turn += 1;
                        *known = Some(Vec::new());
                        guard.judge(&mut std::iter::empty())
                    }
                };
                match judged {
                    Err(question) => call(question, Purpose::Judge),
                    Ok(held) if held == ends_when => Ok(Move::End),
                    Ok(_) if *turn == at_most => Err(endless(of, at_most)),
                    Ok(_) => {
                        *known = None;
                        Ok(Move::Begin(&of.steps, Label::Key("steps")))
                    }
                }
            }
            Self::Counting { of } => call(&of.elements, Purpose::Count),
            Self::ForEach { of, selector, count, turn } => {
                if *count > of.at_most as usize {
                    let message =
                        format!("`{selector}` matches {count} elements, and `at_most` is {}", of.at_most);
                    return Err(Fault::persistent(FailureClass::Script, message));
                }
                let next = turn.map_or(0, |turn| turn + 1);
                if next >= *count {
                    return Ok(Move::End);
                }
                *turn = Some(next);
                Ok(Move::Begin(&of.steps, Label::Key("do")))
            }
            Self::Try { .. } | Self::Catch { .. } => Ok(Move::End),
        }
    }

    fn path(&self) -> Option<String> {
        match self {
            Self::List { next, label, .. } => {
                let number = next.saturating_sub(1);
                Some(match label {
                    Label::Key(key) => format!("{key}[{number}]"),
                    Label::Procedure(name) => format!("use.{name}[{number}]"),
                })
            }
            Self::If { .. } => Some("if".to_owned()),
            Self::Repeat { turn, known: None, .. } => Some(format!("repeat[{turn}]")),
            Self::Repeat { of, .. } => Some(ending(of).to_owned()),
            Self::Counting { .. } | Self::ForEach { turn: None, .. } => Some("for_each".to_owned()),
            Self::ForEach { turn: Some(turn), .. } => Some(format!("for_each[{turn}]")),
            Self::Try { .. } | Self::Catch { .. } => None,
        }
    }
}

/// The key that says when a loop ends.
const fn ending(repeat: &Repeat) -> &'static str {
    match repeat.turns {
        Turns::Until(..) => "until",
        Turns::While(..) => "while",
        Turns::Times(_) => "times",
    }
}

fn endless(repeat: &Repeat, turns: u32) -> Fault {
    let still = match repeat.turns {
        Turns::While(..) => "still holds",
        Turns::Until(..) | Turns::Times(_) => "does not hold yet",
    };
    let message = format!(
        "`repeat` took {turns} turns, all that `at_most` allows, and its `{}` {still}",
        ending(repeat)
    );
    Fault::persistent(FailureClass::Script, message)
}

#[cfg(test)]
mod tests;
