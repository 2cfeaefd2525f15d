//! The calls that a library has not answered yet.
//!
//! ```text
//!   begin ──► awaited ──answer──► answered, until its caller forgets it       a second answer ──► the first is void
//!                │ caller left, or its time is up
//!                ▼
//!            abandoned ──answer──► nobody          due and still unanswered ──► the library is lost
//! ```
//!
//! Of two answers to one call neither can be trusted. A caller that still holds the call sees that it was answered again;
//! later answers, and answers to calls that do not exist, are only counted. An abandoned call that is not answered holds
//! a thread of the library, and each further call could take another one; so the library is shut down when an abandoned
//! call is overdue. The same holds for a call whose caller should have left but could not, because the library holds the
//! caller's thread.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::port::BrowserEnd;
use plimsoll_core::time::Moment;
use tokio::sync::oneshot;
use tracing::Span;

use crate::sink::Reply;

/// A call to be made.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) op: u32,
    /// The number of the browser or context in this session.
    pub(crate) object: u64,
    pub(crate) payload: Vec<u8>,
    pub(crate) doing: Doing,
    /// The time limit for the answer; `None` is no limit.
    pub(crate) within: Option<Duration>,
}

/// What a call does, for messages: "performing the step `click`".
pub(crate) type Doing = Cow<'static, str>;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The driver is over.
    Over(BrowserEnd),
    /// There was no answer within this time.
    Late(Duration),
    /// There were two answers.
    Twice,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    pending: HashMap<u64, Pending>,
    /// Answers to calls that do not exist, and second answers.
    stray: u64,
    over: Option<BrowserEnd>,
}

#[derive(Debug)]
struct Pending {
    doing: Doing,
    /// The log context of the caller, which names the job.
    span: Span,
    /// When the call must be answered, or given up by its caller.
    due: Moment,
    state: State,
}

#[derive(Debug)]
enum State {
    Awaited(oneshot::Sender<Reply>),
    Abandoned,
    /// Answered, once or more often. Its caller still holds the call.
    Answered {
        again: bool,
    },
}

/// A call that has just begun: its number and the receiver of its answer.
pub(crate) type Begun = (u64, oneshot::Receiver<Reply>);

/// A call that is overdue.
#[derive(Debug)]
pub(crate) struct Overdue {
    pub(crate) doing: Doing,
    pub(crate) span: Span,
}

impl Calls {
    /// Enters a call that its caller gives up before `due`, unless the library is over.
    pub(crate) fn begin(&self, doing: Doing, due: Moment) -> Result<Begun, BrowserEnd> {
        let (caller, receiver) = oneshot::channel();
        Ok((self.table().enter(doing, due, State::Awaited(caller))?, receiver))
    }

    /// Enters a call without a waiting caller, which must be answered before `due`.
    pub(crate) fn begin_abandoned(&self, doing: Doing, due: Moment) -> Result<u64, BrowserEnd> {
        self.table().enter(doing, due, State::Abandoned)
    }

    /// Records an answer. Returns whether it is the first one of its call; once the library is over, every answer is
    /// accepted.
    pub(crate) fn complete(&self, call: u64, reply: Reply) -> bool {
        let caller = {
            let mut table = self.table();
            let Some(pending) = table.pending.get_mut(&call) else {
                let over = table.over.is_some();
                table.stray += u64::from(!over);
                return over;
            };
            match std::mem::replace(&mut pending.state, State::Answered { again: false }) {
                State::Awaited(caller) => Some(caller),
                State::Abandoned => {
                    table.pending.remove(&call);
                    None
                }
                State::Answered { .. } => {
                    pending.state = State::Answered { again: true };
                    table.stray += 1;
                    return false;
                }
            }
        };
        if let Some(caller) = caller {
            // A caller that has just left needs no answer.
            drop(caller.send(reply));
        }
        true
    }

    /// Whether a call that its caller still holds was answered more than once.
    pub(crate) fn was_answered_again(&self, call: u64) -> bool {
        let table = self.table();
        table
            .pending
            .get(&call)
            .is_some_and(|pending| matches!(pending.state, State::Answered { again: true }))
    }

    /// Records that the caller left. Returns whether the call is unanswered and should be cancelled.
    pub(crate) fn abandon(&self, call: u64, due: Moment) -> bool {
        let mut table = self.table();
        let Some(pending) = table.pending.get_mut(&call) else { return false };
        if let State::Answered { .. } = pending.state {
            table.pending.remove(&call);
            return false;
        }
        (pending.state, pending.due) = (State::Abandoned, due);
        true
    }

    /// A call that is overdue at `now`.
    pub(crate) fn overdue(&self, now: Moment) -> Option<Overdue> {
        let table = self.table();
        let mut unanswered =
            table.pending.values().filter(|pending| !matches!(pending.state, State::Answered { .. }));
        let overdue = unanswered.find(|pending| pending.due <= now)?;
        Some(Overdue { doing: overdue.doing.clone(), span: overdue.span.clone() })
    }

    /// Ends every waiting call; no call begins afterwards.
    pub(crate) fn end(&self, end: BrowserEnd) {
        let mut table = self.table();
        table.over.get_or_insert(end);
        table.pending.clear();
    }

    /// How the library ended, if it has.
    pub(crate) fn over(&self) -> Option<BrowserEnd> {
        self.table().over.clone()
    }

    /// Answers to calls that do not exist, and second answers.
    pub(crate) fn stray(&self) -> u64 {
        self.table().stray
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change is one insertion or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn enter(&mut self, doing: Doing, due: Moment, state: State) -> Result<u64, BrowserEnd> {
        if let Some(end) = &self.over {
            return Err(end.clone());
        }
        self.last += 1;
        self.pending.insert(self.last, Pending { doing, span: Span::current(), due, state });
        Ok(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::Bytes;

    fn reply(status: u32) -> Reply {
        Reply { status, head: Bytes::Ours(Vec::new()), body: Bytes::Ours(Vec::new()) }
    }

    #[test]
    fn a_second_answer_is_seen_by_a_caller_that_holds_the_call_and_strays_are_counted() {
        let calls = Calls::default();
        let (call, mut answer) = calls.begin("perform".into(), Moment::NEVER).expect("not over");
        assert!(calls.complete(call, reply(1)) && !calls.was_answered_again(call));
        assert!(!calls.complete(call, reply(2)) && calls.was_answered_again(call));
        assert!(!calls.complete(99, reply(3)));
        assert_eq!(answer.try_recv().map(|reply| reply.status), Ok(1));
        assert_eq!((calls.stray(), calls.overdue(Moment::NEVER).is_none()), (2, true));
        assert!(!calls.abandon(call, Moment::NEVER), "it needs no cancellation");
        assert!(!calls.complete(call, reply(2)) && !calls.was_answered_again(call), "it is forgotten");
    }

    #[test]
    fn an_abandoned_call_must_be_answered_in_time() {
        let calls = Calls::default();
        let at = |seconds| Moment::after(Duration::from_secs(seconds));
        let overdue = |seconds| calls.overdue(at(seconds)).map(|overdue| overdue.doing);
        let (call, _) = calls.begin("perform".into(), at(90)).expect("not over");
        assert_eq!((overdue(89), overdue(90)), (None, Some("perform".into())));
        assert!(calls.abandon(call, at(5)));
        assert_eq!((overdue(4), overdue(5)), (None, Some("perform".into())));
        assert!(calls.complete(call, reply(0)) && calls.overdue(at(9)).is_none());
        assert!(!calls.abandon(call, at(9)), "it was answered already");
    }

    #[test]
    fn the_end_reaches_everybody_and_nothing_begins_after_it() {
        let calls = Calls::default();
        let (_, mut answer) = calls.begin("perform".into(), Moment::NEVER).expect("not over");
        calls.end(BrowserEnd::Died("first".into()));
        calls.end(BrowserEnd::Died("second".into()));
        assert!(calls.complete(1, reply(0)), "what was under way may still be answered");
        assert_eq!(calls.stray(), 0);
        assert_eq!(answer.try_recv().map(|reply| reply.status), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(
            calls.begin("perform".into(), Moment::NEVER).map(|(call, _)| call),
            Err(BrowserEnd::Died("first".into()))
        );
    }
}
