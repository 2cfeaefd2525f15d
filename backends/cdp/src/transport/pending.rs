//! Calls that wait for their reply, by id.

use std::collections::HashMap;
use std::sync::Arc;

use plimsoll_core::units::Bytes;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::disconnect::Disconnect;
use super::envelope::ProtocolError;

/// Chromium answers a higher id as a floating-point number.
const LAST_ID: u32 = i32::MAX.unsigned_abs();

/// The result of a call at the transport level.
pub(super) type Answer = Result<Box<RawValue>, Failure>;

/// Why a call has no result.
#[derive(Debug)]
pub(super) enum Failure {
    /// The browser refused the call.
    Protocol(ProtocolError),
    /// The session ended before the answer.
    SessionGone,
    /// The answer was too long to be kept.
    TooLarge {
        /// Its length.
        size: Bytes,
        /// The longest that is kept.
        limit: Bytes,
    },
    /// The connection ended before the answer.
    Disconnected(Disconnect),
}

/// A call in flight.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The session it was made in; absent for the browser itself.
    pub(super) session: Option<Arc<str>>,
    /// The receiver of the answer.
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The calls in flight of one connection. Each entry belongs to a caller, who removes it.
#[derive(Debug, Default)]
pub(super) struct Pending {
    last: u32,
    calls: HashMap<u32, Waiting>,
}

impl Pending {
    /// Adds a call and returns its id: from 1 to `i32::MAX`, then from 1 again, never an id in use.
    pub(super) fn insert(&mut self, waiting: Waiting) -> u32 {
        loop {
            self.last = self.last % LAST_ID + 1;
            if !self.calls.contains_key(&self.last) {
                self.calls.insert(self.last, waiting);
                return self.last;
            }
        }
    }

    /// Removes and returns the call with this id, if it is still pending.
    pub(super) fn remove(&mut self, id: u32) -> Option<Waiting> {
        self.calls.remove(&id)
    }

    /// Removes and returns every call made in `session`.
    pub(super) fn remove_session(&mut self, session: &str) -> Vec<Waiting> {
        let of_session = |_: &u32, call: &mut Waiting| call.session.as_deref() == Some(session);
        self.calls.extract_if(of_session).map(|(_, call)| call).collect()
    }

    /// Removes and returns every call.
    pub(super) fn remove_all(&mut self) -> Vec<Waiting> {
        self.calls.drain().map(|(_, call)| call).collect()
    }

    /// The number of pending calls.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(session: Option<&str>) -> Waiting {
        Waiting { session: session.map(Arc::from), answer: oneshot::channel().0 }
    }

    #[test]
    fn ids_wrap_within_i32_and_skip_those_in_use() {
        let mut pending = Pending::default();
        assert_eq!(pending.insert(waiting(None)), 1);
        pending.last = LAST_ID - 1;
        assert_eq!(pending.insert(waiting(None)), 2_147_483_647);
        assert_eq!(pending.insert(waiting(None)), 2, "1 still waits");
    }

    #[test]
    fn only_the_calls_of_the_session_leave() {
        let mut pending = Pending::default();
        for session in [None, Some("a"), Some("b"), Some("a")] {
            pending.insert(waiting(session));
        }
        assert_eq!(pending.remove_session("a").len(), 2);
        assert!(pending.remove(1).is_some() && pending.remove(3).is_some());
    }
}
