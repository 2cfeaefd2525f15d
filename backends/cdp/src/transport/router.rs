//! The state that both tasks and all handles of a connection share: pending calls and mailboxes.
//!
//! Two locks, never held across an await, always taken in this order: the tables, then one mailbox. The end of the
//! connection is recorded under the first lock, so no call can be added after all calls have failed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::{oneshot, watch};

use super::disconnect::Disconnect;
use super::envelope::{Incoming, Outline, ProtocolError, Text};
use super::frame::Skipped;
use super::mailbox::{Bounds, Mailbox, SessionEnd};
use super::pending::{Answer, Failure, Pending, Waiting};
use super::routes::Routes;

/// Chromium's code for "session with given id not found".
const SESSION_NOT_FOUND: i64 = -32001;

/// The traffic of one connection since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Commands written.
    pub sent: u64,
    /// Messages received, malformed ones included.
    pub received: u64,
    /// Bytes written.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Replies without a pending call, and events of sessions without a holder.
    pub unknown: u64,
    /// Events dropped because their consumer was slow.
    pub lagged: u64,
    /// Messages that were neither a reply nor an event.
    pub malformed: u64,
    /// Calls that wait for their reply now.
    pub pending: u64,
}

/// The shared state of one connection.
#[derive(Debug)]
pub(super) struct Router {
    tables: Mutex<Tables>,
    ended: watch::Sender<Option<Disconnect>>,
    clock: Clock,
    /// Nanoseconds on the fleet's time line.
    last_received: AtomicU64,
    counters: Counters,
}

#[derive(Debug)]
struct Tables {
    pending: Pending,
    routes: Routes,
}

#[derive(Debug, Default)]
struct Counters {
    sent: AtomicU64,
    received: AtomicU64,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
    unknown: AtomicU64,
    lagged: AtomicU64,
    malformed: AtomicU64,
}

/// Contains the session id in the parameters of an attach or detach event.
#[derive(Deserialize)]
struct SessionInParams<'a> {
    #[serde(borrow, rename = "sessionId")]
    session: Text<'a>,
}

impl Router {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            tables: Mutex::new(Tables { pending: Pending::default(), routes: Routes::new() }),
            ended: watch::Sender::new(None),
            clock,
            last_received: AtomicU64::new(nanos(clock.now())),
            counters: Counters::default(),
        }
    }

    /// Gives a session's events to a new holder.
    pub(super) fn claim(
        &self,
        session: Option<&Arc<str>>,
        methods: &'static [&'static str],
        bounds: Bounds,
    ) -> Arc<Mailbox> {
        let mut tables = self.lock();
        let mailbox = tables.routes.claim(session, methods, bounds);
        if let Some(why) = self.disconnect() {
            tables.routes.end_all(SessionEnd::Disconnected(why));
            mailbox.end(SessionEnd::Disconnected(why));
        }
        mailbox
    }

    /// The holder of `mailbox` left.
    pub(super) fn release(&self, session: Option<&str>, mailbox: &Arc<Mailbox>) {
        self.lock().routes.release(session, mailbox);
    }

    /// Adds a call to the pending table; the answer is sent to the receiver.
    pub(super) fn begin(
        &self,
        session: Option<Arc<str>>,
        mailbox: &Mailbox,
    ) -> Result<(u32, oneshot::Receiver<Answer>), Failure> {
        let mut tables = self.lock();
        if let Some(why) = self.disconnect() {
            return Err(Failure::Disconnected(why));
        }
        if mailbox.ended().is_some() {
            return Err(Failure::SessionGone);
        }
        let (answer, receiver) = oneshot::channel();
        Ok((tables.pending.insert(Waiting { session, answer }), receiver))
    }

    /// Called when the caller with this id leaves, with or without its answer.
    pub(super) fn forget(&self, id: u32) {
        self.lock().pending.remove(id);
    }

    /// Routes one frame to its receiver. Never waits.
    pub(super) fn route(&self, frame: &[u8]) {
        add(&self.counters.received, 1);
        match Incoming::parse(frame) {
            Some(Incoming::Reply { id, outcome }) => self.reply(id, outcome),
            Some(Incoming::Event { session, method, params }) => {
                self.event(session.as_deref(), &method, params);
            }
            None => {
                add(&self.counters.malformed, 1);
                tracing::debug!(bytes = frame.len(), "a DevTools message made no sense");
            }
        }
    }

    /// Routes what is known of a message that was too long: it costs its call or its event only.
    pub(super) fn route_skipped(&self, skipped: &Skipped, limit: Bytes) {
        add(&self.counters.received, 1);
        let size = Bytes(skipped.length);
        tracing::debug!(%size, "a DevTools message was too long");
        match Outline::parse(&skipped.head, &skipped.tail) {
            Some(Outline::Reply(id)) => {
                let call = u32::try_from(id).ok().and_then(|id| self.lock().pending.remove(id));
                match call {
                    // A caller that left needs no answer.
                    Some(call) => drop(call.answer.send(Err(Failure::TooLarge { size, limit }))),
                    None => add(&self.counters.unknown, 1),
                }
            }
            Some(Outline::Event { session, method }) => {
                let mailbox = self.lock().routes.find(session).cloned();
                match mailbox {
                    Some(mailbox) => add(&self.counters.lagged, mailbox.push_without_params(method)),
                    None => add(&self.counters.unknown, 1),
                }
            }
            None => add(&self.counters.malformed, 1),
        }
    }

    /// Ends the connection: every call fails and every mailbox ends. The first reason is kept.
    pub(super) fn close(&self, why: Disconnect) {
        let mut tables = self.lock();
        let first = self.ended.send_if_modified(|ended| ended.is_none() && ended.replace(why).is_none());
        if !first {
            return;
        }
        let calls = tables.pending.remove_all();
        tables.routes.end_all(SessionEnd::Disconnected(why));
        drop(tables);
        for call in calls {
            // A caller that left needs no answer.
            let _ = call.answer.send(Err(Failure::Disconnected(why)));
        }
    }

    /// Why the connection ended, if it has.
    pub(super) fn disconnect(&self) -> Option<Disconnect> {
        *self.ended.borrow()
    }

    /// Completes when the connection ends.
    pub(super) async fn closed(&self) -> Disconnect {
        let mut ended = self.ended.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        ended.wait_for(Option::is_some).await.ok().and_then(|why| *why).unwrap_or(Disconnect::Closed)
    }

    /// The timer deadline that lies `after` from now.
    pub(super) fn expiry(&self, after: Duration) -> tokio::time::Instant {
        self.clock.deadline(self.clock.now() + after)
    }

    pub(super) fn count_read(&self, bytes: usize) {
        add(&self.counters.bytes_received, bytes as u64);
        self.last_received.store(nanos(self.clock.now()), Ordering::Relaxed);
    }

    pub(super) fn count_written(&self, commands: u64, bytes: usize) {
        add(&self.counters.sent, commands);
        add(&self.counters.bytes_sent, bytes as u64);
    }

    pub(super) fn last_received(&self) -> Moment {
        Moment::after(Duration::from_nanos(self.last_received.load(Ordering::Relaxed)))
    }

    pub(super) fn stats(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            sent: read(&self.counters.sent),
            received: read(&self.counters.received),
            bytes_sent: read(&self.counters.bytes_sent),
            bytes_received: read(&self.counters.bytes_received),
            unknown: read(&self.counters.unknown),
            lagged: read(&self.counters.lagged),
            malformed: read(&self.counters.malformed),
            pending: self.lock().pending.len() as u64,
        }
    }

    fn reply(&self, id: u64, outcome: Result<&RawValue, ProtocolError>) {
        let call = u32::try_from(id).ok().and_then(|id| self.lock().pending.remove(id));
        let Some(call) = call else {
            add(&self.counters.unknown, 1);
            return;
        };
        let answer = match (outcome, &call.session) {
            (Ok(result), _) => Ok(result.to_owned()),
            (Err(error), Some(session)) if error.code == SESSION_NOT_FOUND => {
                self.detach(session);
                Err(Failure::SessionGone)
            }
            (Err(error), _) => Err(Failure::Protocol(error)),
        };
        // A caller that left needs no answer.
        let _ = call.answer.send(answer);
    }

    fn event(&self, session: Option<&str>, method: &str, params: Option<&RawValue>) {
        let subject = || serde_json::from_str::<SessionInParams<'_>>(params?.get()).ok();
        match method {
            "Target.attachedToTarget" => {
                if let Some(SessionInParams { session }) = subject() {
                    self.lock().routes.announce(&session.0);
                }
            }
            "Target.detachedFromTarget" => {
                if let Some(SessionInParams { session }) = subject() {
                    self.detach(&session.0);
                }
            }
            _ => {}
        }
        let mailbox = self.lock().routes.find(session).cloned();
        match mailbox {
            Some(mailbox) => add(&self.counters.lagged, mailbox.push(method, params)),
            None => add(&self.counters.unknown, 1),
        }
    }

    /// A session has ended: its calls fail now, not at their deadlines.
    fn detach(&self, session: &str) {
        let mut tables = self.lock();
        tables.routes.detach(session);
        let calls = tables.pending.remove_session(session);
        drop(tables);
        for call in calls {
            // A caller that left needs no answer.
            let _ = call.answer.send(Err(Failure::SessionGone));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Held by each task of a connection: when the task ends, also by panic or cancellation, the connection ends with it,
/// and no caller waits for an ended task.
#[derive(Debug)]
pub(super) struct CloseOnDrop(pub(super) Arc<Router>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close(Disconnect::Closed);
    }
}

fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}

fn nanos(moment: Moment) -> u64 {
    u64::try_from(moment.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
