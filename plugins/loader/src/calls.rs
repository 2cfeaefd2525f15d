//! The calls that a library has not answered yet.
//!
//! ```text
//!   begin ──► awaited ──answer──► its caller
//!                │ caller left, or its time is up
//!                ▼
//!            abandoned ──answer──► nobody          due and still unanswered ──► the library is lost
//! ```
//!
//! A call leaves the table with its first answer. A second answer, and an answer to a call that does not exist, are only
//! counted. An abandoned call that is not answered holds a thread of the library, and each further call could take another
//! one; so the library is shut down when an abandoned call is overdue. The same holds for a call whose caller should have
//! left but could not, because the library holds the caller's thread.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::port::BrowserEnd;
use plimsoll_core::time::Moment;
use tokio::sync::oneshot;

use crate::sink::Reply;

/// A call to be made.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) op: u32,
    /// The number of the browser or context in this session.
    pub(crate) object: u64,
    pub(crate) payload: Vec<u8>,
    /// For messages: "performing a step".
    pub(crate) doing: &'static str,
    /// The time limit for the answer; `None` is no limit.
    pub(crate) within: Option<Duration>,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// The driver is over.
    Over(BrowserEnd),
    /// There was no answer within this time.
    Late(Duration),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    pending: HashMap<u64, Pending>,
    /// Answers to calls that do not exist.
    stray: u64,
    over: Option<BrowserEnd>,
}

#[derive(Debug)]
enum Pending {
    /// To be answered, or given up by its caller, before `due`.
    Awaited {
        caller: oneshot::Sender<Reply>,
        doing: &'static str,
        due: Moment,
    },
    Abandoned {
        doing: &'static str,
        due: Moment,
    },
}

/// A call that has just begun: its number and the receiver of its answer.
pub(crate) type Begun = (u64, oneshot::Receiver<Reply>);

impl Calls {
    /// Enters a call that its caller gives up before `due`, unless the library is over.
    pub(crate) fn begin(&self, doing: &'static str, due: Moment) -> Result<Begun, BrowserEnd> {
        let (caller, receiver) = oneshot::channel();
        Ok((self.table().enter(Pending::Awaited { caller, doing, due })?, receiver))
    }

    /// Enters a call without a waiting caller, which must be answered before `due`.
    pub(crate) fn begin_abandoned(&self, doing: &'static str, due: Moment) -> Result<u64, BrowserEnd> {
        self.table().enter(Pending::Abandoned { doing, due })
    }

    /// Records an answer. Returns whether its call exists; once the library is over, every answer is accepted.
    pub(crate) fn complete(&self, call: u64, reply: Reply) -> bool {
        let pending = {
            let mut table = self.table();
            let pending = table.pending.remove(&call);
            if pending.is_none() && table.over.is_some() {
                return true;
            }
            table.stray += u64::from(pending.is_none());
            pending
        };
        match pending {
            // A caller that has just left needs no answer.
            Some(Pending::Awaited { caller, .. }) => drop(caller.send(reply)),
            Some(Pending::Abandoned { .. }) => {}
            None => return false,
        }
        true
    }

    /// Records that the caller left. Returns whether the call is unanswered and should be cancelled.
    pub(crate) fn abandon(&self, call: u64, doing: &'static str, due: Moment) -> bool {
        let mut table = self.table();
        let pending = table.pending.get_mut(&call);
        pending.map(|pending| *pending = Pending::Abandoned { doing, due }).is_some()
    }

    /// What an overdue call was doing, if a call is overdue at `now`.
    pub(crate) fn overdue(&self, now: Moment) -> Option<&'static str> {
        self.table().pending.values().find_map(|pending| match pending {
            Pending::Awaited { doing, due, .. } | Pending::Abandoned { doing, due } => {
                (*due <= now).then_some(*doing)
            }
        })
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

    /// Answers to calls that do not exist.
    pub(crate) fn stray(&self) -> u64 {
        self.table().stray
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Each change is one insertion or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn enter(&mut self, pending: Pending) -> Result<u64, BrowserEnd> {
        if let Some(end) = &self.over {
            return Err(end.clone());
        }
        self.last += 1;
        self.pending.insert(self.last, pending);
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
    fn the_first_answer_counts_and_strays_are_told() {
        let calls = Calls::default();
        let (call, mut answer) = calls.begin("perform", Moment::NEVER).expect("not over");
        assert!(calls.complete(call, reply(1)));
        assert!(!calls.complete(call, reply(2)));
        assert!(!calls.complete(99, reply(3)));
        assert_eq!(answer.try_recv().map(|reply| reply.status), Ok(1));
        assert_eq!(calls.stray(), 2);
    }

    #[test]
    fn an_abandoned_call_must_be_answered_in_time() {
        let calls = Calls::default();
        let at = |seconds| Moment::after(Duration::from_secs(seconds));
        let (call, _) = calls.begin("perform", at(90)).expect("not over");
        assert_eq!((calls.overdue(at(89)), calls.overdue(at(90))), (None, Some("perform")));
        assert!(calls.abandon(call, "perform", at(5)));
        assert_eq!((calls.overdue(at(4)), calls.overdue(at(5))), (None, Some("perform")));
        assert!(calls.complete(call, reply(0)) && calls.overdue(at(9)).is_none());
        assert!(!calls.abandon(call, "perform", at(9)), "it was answered already");
    }

    #[test]
    fn the_end_reaches_everybody_and_nothing_begins_after_it() {
        let calls = Calls::default();
        let (_, mut answer) = calls.begin("perform", Moment::NEVER).expect("not over");
        calls.end(BrowserEnd::Died("first".into()));
        calls.end(BrowserEnd::Died("second".into()));
        assert!(calls.complete(1, reply(0)), "what was under way may still be answered");
        assert_eq!(calls.stray(), 0);
        assert_eq!(answer.try_recv().map(|reply| reply.status), Err(oneshot::error::TryRecvError::Closed));
        assert_eq!(
            calls.begin("perform", Moment::NEVER).map(|(call, _)| call),
            Err(BrowserEnd::Died("first".into()))
        );
    }
}
