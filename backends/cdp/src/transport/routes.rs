//! Maps each session to the mailbox of its events, from its announcement on.
//!
//! The browser announces a session with `Target.attachedToTarget` before any other message of that session, and before
//! the reply that contains its id. So the announcement opens the mailbox, which keeps all events until a holder claims
//! it: an event between announcement and claim cannot be lost. A detach in that interval is kept as well, for the later
//! holder.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::mailbox::{Bounds, Interests, Mailbox, SessionEnd};

/// Sessions that may be announced but not yet claimed: more than are ever created at once. Beyond this number the
/// oldest is forgotten, which matters only to a client that attaches to targets and ignores them.
const UNCLAIMED_SESSIONS: usize = 64;
/// The limit of an unclaimed session: it has received no command yet, so it sends few events.
const UNCLAIMED: Bounds = Bounds { events: 32, bytes: 1 << 20 };

/// The mailboxes of one connection.
#[derive(Debug)]
pub(super) struct Routes {
    /// Browser-level events.
    root: Option<Arc<Mailbox>>,
    sessions: HashMap<Arc<str>, Arc<Mailbox>>,
    /// Announced but not claimed; oldest first.
    unclaimed: VecDeque<Arc<str>>,
}

impl Routes {
    /// The browser's own mailbox, unclaimed, and no sessions.
    pub(super) fn new() -> Self {
        let root = Some(Arc::new(Mailbox::new(Interests::Unknown, UNCLAIMED)));
        Self { root, sessions: HashMap::new(), unclaimed: VecDeque::new() }
    }

    /// The mailbox for events of `session`; `None` when the session is unknown.
    pub(super) fn find(&self, session: Option<&str>) -> Option<&Arc<Mailbox>> {
        session.map_or(self.root.as_ref(), |id| self.sessions.get(id))
    }

    /// Opens an unclaimed mailbox for a session that was announced.
    pub(super) fn announce(&mut self, session: &str) {
        if self.sessions.contains_key(session) {
            return;
        }
        if self.unclaimed.len() == UNCLAIMED_SESSIONS
            && let Some(oldest) = self.unclaimed.pop_front()
        {
            self.sessions.remove(&oldest);
        }
        let id: Arc<str> = session.into();
        self.sessions.insert(Arc::clone(&id), Arc::new(Mailbox::new(Interests::Unknown, UNCLAIMED)));
        self.unclaimed.push_back(id);
    }

    /// Gives the session's events to a new holder; an earlier holder's mailbox ends.
    pub(super) fn claim(
        &mut self,
        session: Option<&Arc<str>>,
        methods: &'static [&'static str],
        bounds: Bounds,
    ) -> Arc<Mailbox> {
        let announced = match session {
            None => self.root.take(),
            Some(id) => {
                self.unclaimed.retain(|unclaimed| unclaimed != id);
                self.sessions.remove(id)
            }
        };
        let mailbox = match announced {
            Some(mailbox) if mailbox.claim(methods, bounds) => mailbox,
            earlier => {
                if let Some(mailbox) = earlier {
                    mailbox.end(SessionEnd::Detached);
                }
                Arc::new(Mailbox::new(Interests::Methods(methods), bounds))
            }
        };
        if mailbox.ended().is_none() {
            match session {
                None => self.root = Some(Arc::clone(&mailbox)),
                Some(id) => drop(self.sessions.insert(Arc::clone(id), Arc::clone(&mailbox))),
            }
        }
        mailbox
    }

    /// Ends a session's mailbox. An unclaimed mailbox is kept, so that its later holder receives the end.
    pub(super) fn detach(&mut self, session: &str) {
        let Some(mailbox) = self.sessions.get(session) else { return };
        mailbox.end(SessionEnd::Detached);
        if !self.unclaimed.iter().any(|unclaimed| &**unclaimed == session) {
            self.sessions.remove(session);
        }
    }

    /// Removes a session whose holder left, unless it has a new holder.
    pub(super) fn release(&mut self, session: Option<&str>, mailbox: &Arc<Mailbox>) {
        if self.find(session).is_some_and(|current| Arc::ptr_eq(current, mailbox)) {
            match session {
                None => self.root = None,
                Some(id) => drop(self.sessions.remove(id)),
            }
        }
    }

    /// Ends and forgets everything.
    pub(super) fn end_all(&mut self, why: SessionEnd) {
        for mailbox in self.root.take().into_iter().chain(self.sessions.drain().map(|(_, mailbox)| mailbox)) {
            mailbox.end(why);
        }
        self.unclaimed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unclaimed_sessions_are_bounded_and_the_oldest_goes_first() {
        let mut routes = Routes::new();
        for number in 0..1_000 {
            routes.announce(&number.to_string());
        }
        assert_eq!(routes.sessions.len(), UNCLAIMED_SESSIONS);
        assert!(routes.find(Some("935")).is_none() && routes.find(Some("936")).is_some());
    }

    #[test]
    fn a_claimed_session_is_not_counted_as_unclaimed_and_leaves_nothing_behind() {
        let mut routes = Routes::new();
        for number in 0..1_000 {
            let id: Arc<str> = number.to_string().into();
            routes.announce(&id);
            let mailbox = routes.claim(Some(&id), &[], UNCLAIMED);
            if number % 2 == 0 { routes.detach(&id) } else { routes.release(Some(&id), &mailbox) }
        }
        assert!(routes.sessions.is_empty() && routes.unclaimed.is_empty());
    }

    #[test]
    fn the_latest_holder_has_the_session() {
        let mut routes = Routes::new();
        let id: Arc<str> = "s".into();
        let first = routes.claim(Some(&id), &[], UNCLAIMED);
        let second = routes.claim(Some(&id), &[], UNCLAIMED);
        assert_eq!((first.ended(), second.ended()), (Some(SessionEnd::Detached), None));
        routes.release(Some(&id), &first);
        assert!(routes.find(Some("s")).is_some_and(|current| Arc::ptr_eq(current, &second)));
    }
}
