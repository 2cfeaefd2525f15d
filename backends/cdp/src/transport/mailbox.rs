//! The bounded queue of a session's events; the newest events are kept.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::sync::Notify;

use super::disconnect::Disconnect;

/// An event that the browser reported, for a requested method.
#[derive(Debug)]
pub struct Event {
    /// Such as `Page.loadEventFired`.
    pub method: Box<str>,
    /// How many events were dropped just before this event because the consumer was slow. Above zero, any event may
    /// have been missed: ask the page for its state.
    pub lagged: u64,
    params: Option<Box<RawValue>>,
}

impl Event {
    /// The parameters as `T`, the generated type of this event.
    ///
    /// # Errors
    /// When the parameters do not have the shape of `T`: a newer browser, or another event.
    pub fn parse<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.params())
    }

    /// The parameters as JSON text.
    #[must_use]
    pub fn params(&self) -> &str {
        self.params.as_deref().map_or("{}", RawValue::get)
    }

    fn size(&self) -> usize {
        self.method.len() + self.params().len()
    }
}

/// Why a session gives no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SessionEnd {
    /// The target was closed or detached, or another handle took the session over.
    #[error("session is gone")]
    Detached,
    /// The whole connection ended.
    #[error(transparent)]
    Disconnected(Disconnect),
}

/// The maximum that may wait; the oldest events are dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// Which events are kept.
#[derive(Debug, Clone, Copy)]
pub(super) enum Interests {
    /// The session has no holder yet, so the wanted methods are unknown: all events are kept.
    Unknown,
    /// These methods.
    Methods(&'static [&'static str]),
}

impl Interests {
    fn include(self, method: &str) -> bool {
        match self {
            Self::Unknown => true,
            Self::Methods(methods) => methods.contains(&method),
        }
    }
}

/// One session's events, filled by the reader and emptied by the session's handle.
#[derive(Debug)]
pub(super) struct Mailbox {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    interests: Interests,
    bounds: Bounds,
    events: VecDeque<Event>,
    bytes: usize,
    /// Dropped since the last delivery.
    lagged: u64,
    end: Option<SessionEnd>,
}

impl Mailbox {
    pub(super) fn new(interests: Interests, bounds: Bounds) -> Self {
        let state = State { interests, bounds, events: VecDeque::new(), bytes: 0, lagged: 0, end: None };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// Reduces a mailbox that kept all events to the events that its holder requests; `false` when it has a holder
    /// already, and then nothing changes.
    pub(super) fn claim(&self, methods: &'static [&'static str], bounds: Bounds) -> bool {
        let mut state = self.lock();
        if matches!(state.interests, Interests::Methods(_)) {
            return false;
        }
        state.interests = Interests::Methods(methods);
        state.bounds = bounds;
        state.events.retain(|event| methods.contains(&&*event.method));
        state.bytes = state.events.iter().map(Event::size).sum();
        true
    }

    /// Keeps the event if it is wanted; returns the number of older events that were dropped.
    pub(super) fn push(&self, method: &str, params: Option<&RawValue>) -> u64 {
        let mut state = self.lock();
        if state.end.is_some() || !state.interests.include(method) {
            return 0;
        }
        let event = Event { method: method.into(), lagged: 0, params: params.map(ToOwned::to_owned) };
        state.bytes += event.size();
        state.events.push_back(event);
        let mut dropped = 0;
        while state.over_bounds()
            && let Some(oldest) = state.events.pop_front()
        {
            state.bytes -= oldest.size();
            dropped += 1;
        }
        state.lagged += dropped;
        drop(state);
        self.changed.notify_one();
        dropped
    }

    /// Keeps an event whose parameters were too long. It counts as one dropped event, so that its consumer asks the page.
    pub(super) fn push_without_params(&self, method: &str) -> u64 {
        if !self.lock().interests.include(method) {
            return 0;
        }
        self.lock().lagged += 1;
        self.push(method, None) + 1
    }

    /// Ends the mailbox; events that wait in it can still be taken. The first reason is kept.
    pub(super) fn end(&self, why: SessionEnd) {
        self.lock().end.get_or_insert(why);
        self.changed.notify_waiters();
    }

    pub(super) fn ended(&self) -> Option<SessionEnd> {
        self.lock().end
    }

    /// The next event, or why none will come. Cancel-safe.
    pub(super) async fn next(&self) -> Result<Event, SessionEnd> {
        loop {
            // Registered before the check, so that a change after the check is not missed.
            let changed = self.changed.notified();
            if let Some(next) = self.take() {
                return next;
            }
            changed.await;
        }
    }

    fn take(&self) -> Option<Result<Event, SessionEnd>> {
        let mut state = self.lock();
        let Some(mut event) = state.events.pop_front() else { return state.end.map(Err) };
        state.bytes -= event.size();
        event.lagged = std::mem::take(&mut state.lagged);
        Some(Ok(event))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A single event is kept whatever its size: the frame limit bounds it.
    fn over_bounds(&self) -> bool {
        self.events.len() > 1 && (self.events.len() > self.bounds.events || self.bytes > self.bounds.bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Compares with the model "the newest events that fit": no event is lost uncounted, none is reordered.
        #[test]
        fn delivered_and_lagged_account_for_every_event(
            steps in prop::collection::vec(prop::option::of(0_usize..300), 0..200),
            events in 1_usize..8,
            bytes in 50_usize..600,
        ) {
            let mailbox = Mailbox::new(Interests::Methods(&["A.b"]), Bounds { events, bytes });
            let (mut sent, mut next) = (0_u64, 0_u64);
            let mut deliver = |event: Event| {
                next += event.lagged;
                let (number, _): (u64, String) = event.parse().expect("what was pushed");
                assert_eq!(number, next, "in order, and the gap is announced");
                next += 1;
            };
            for step in steps {
                let Some(size) = step else {
                    if let Some(Ok(event)) = mailbox.take() { deliver(event); }
                    continue;
                };
                let params = serde_json::value::to_raw_value(&(sent, "x".repeat(size)))?;
                mailbox.push("A.b", Some(&params));
                mailbox.push("A.unwanted", Some(&params));
                sent += 1;
                let state = mailbox.lock();
                assert!(state.events.len() <= events && (state.bytes <= bytes || state.events.len() == 1));
                assert_eq!(state.bytes, state.events.iter().map(Event::size).sum::<usize>());
            }
            mailbox.end(SessionEnd::Detached);
            while let Some(Ok(event)) = mailbox.take() { deliver(event); }
            prop_assert_eq!(next, sent);
        }
    }
}
