//! One remote end: its slots, and whether it answers.
//!
//! Its status is requested every two seconds. The status of a Selenium Grid contains its slots; that of any other remote
//! end shows only that it answers. A remote end that has left three requests in a row unanswered is *down* until it
//! answers again. A remote end that answers but gives no sessions has its breaker open ([`Trial`]).

mod reading;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plimsoll_core::policy::BreakerConfig;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

use self::reading::Reading;
use self::trial::Record;
pub(crate) use self::trial::Trial;
use crate::call::CallError;
use crate::direct::Direct;
use crate::settings::{Family, Remote};

/// The interval between two status requests.
const PERIOD: Duration = Duration::from_secs(2);
/// The longest time for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Failures in a row after which a remote end counts as down.
const DOWN: u32 = 3;

/// One remote end.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Its address without a name and password.
    pub(crate) label: String,
    pub(crate) direct: Direct,
    weight: u32,
    /// Our sessions there, open or requested.
    ours: AtomicU32,
    record: Record,
    state: watch::Sender<State>,
}

/// The known state of a remote end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct State {
    /// The last answer, if there was one.
    reading: Option<Reading>,
    /// Consecutive status requests without an answer.
    failures: u32,
    /// The last error.
    why: String,
}

/// Counts a session at its remote end until it is dropped.
#[derive(Debug)]
pub(crate) struct SessionCount(pub(crate) Arc<Endpoint>);

impl Endpoint {
    /// A remote end with unknown state.
    pub(crate) fn new(
        remote: &Remote,
        breaker: BreakerConfig,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Self {
        let direct = Direct::new(remote, supervisor);
        Self {
            label: direct.base().to_string(),
            direct,
            weight: remote.weight(),
            ours: AtomicU32::new(0),
            record: Record::new(breaker, clock),
            state: watch::Sender::default(),
        }
    }

    /// Counts a session of ours.
    pub(crate) fn session(self: &Arc<Self>) -> SessionCount {
        self.ours.fetch_add(1, Ordering::Relaxed);
        SessionCount(Arc::clone(self))
    }

    /// Creates the record of a session request that is about to be sent.
    pub(crate) fn trial(self: &Arc<Self>) -> Trial {
        Trial::begin(Arc::clone(self))
    }

    /// Whether other remote ends should be preferred now.
    pub(crate) fn is_tripped(&self) -> bool {
        self.record.is_tripped()
    }

    /// Whether it is down.
    pub(crate) fn is_down(&self) -> bool {
        self.state.borrow().is_down()
    }

    /// Completes when it is down; returns the reason.
    pub(crate) async fn down(&self) -> String {
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let down = state.wait_for(State::is_down).await.map(|state| state.why.clone());
        down.unwrap_or_default()
    }

    /// The last error.
    pub(crate) fn last_error(&self) -> String {
        self.state.borrow().why.clone()
    }

    /// Whether it has slots for the browser at all, as far as is known.
    pub(crate) fn offers(&self) -> bool {
        self.state.borrow().reading.as_ref().is_none_or(|reading| reading.offers)
    }

    /// The number of sessions that it can hold for us, if its status contains slots.
    pub(crate) fn slots(&self) -> Option<u32> {
        let reading = self.state.borrow().reading.clone()?;
        let strangers = reading.occupied.saturating_sub(self.ours.load(Ordering::Relaxed));
        reading.slots.map(|slots| slots.saturating_sub(strangers))
    }

    /// Whether a further session would have to wait there, as far as is known.
    pub(crate) fn is_full(&self) -> bool {
        self.slots().is_some_and(|slots| self.ours.load(Ordering::Relaxed) >= slots)
    }

    /// The number of our sessions divided by its weight, including one more session.
    pub(crate) fn load(&self) -> f64 {
        (f64::from(self.ours.load(Ordering::Relaxed)) + 1.0) / f64::from(self.weight.max(1))
    }

    /// Requests its status repeatedly, without end.
    pub(crate) async fn poll(&self, family: Family) {
        loop {
            let answer = self.direct.status(ANSWER).await;
            self.state.send_modify(|state| self.update(state, answer, family));
            sleep(PERIOD).await;
        }
    }

    /// Updates its state by an answer.
    fn update(&self, state: &mut State, answer: Result<Value, CallError>, family: Family) {
        let slots = state.reading.as_ref().and_then(|reading| reading.slots);
        match answer {
            Ok(status) => {
                let reading = Reading::of(&status, family);
                // An overloaded grid answers without its nodes: their last state is kept.
                if reading.slots.is_none() && slots.is_some() {
                    (state.failures, state.why) = (0, String::new());
                } else {
                    *state = State { reading: Some(reading), ..State::default() };
                }
            }
            // A driver that was started separately answers nothing while its session executes a command.
            Err(CallError::Timeout { .. })
                if state.reading.is_some() && slots.is_none() && self.ours.load(Ordering::Relaxed) > 0 => {}
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                state.why = error.to_string();
                if state.is_down() {
                    state.reading = None;
                }
            }
        }
    }
}

impl State {
    const fn is_down(&self) -> bool {
        self.failures >= DOWN
    }
}

impl Drop for SessionCount {
    fn drop(&mut self) {
        self.0.ours.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn endpoint() -> Arc<Endpoint> {
        let remote = Remote::parse("http://ada:secret@grid:4444/", 1).expect("a url");
        Arc::new(Endpoint::new(&remote, BreakerConfig::default(), &Supervisor::root(), Clock::start()))
    }

    fn grid(occupied: usize) -> Value {
        let slot =
            |at| json!({"session": (at < occupied).then_some("x"), "stereotype": {"browserName": "chrome"}});
        let slots: Vec<_> = (0..8).map(slot).collect();
        json!({"ready": true, "nodes": [{"availability": "UP", "maxSessions": 8, "slots": slots}]})
    }

    fn silence() -> CallError {
        CallError::Timeout { call: "status".to_owned(), after: ANSWER }
    }

    #[test]
    fn slots_that_others_occupy_are_not_ours() {
        let endpoint = endpoint();
        assert_eq!(endpoint.label, "http://grid:4444/");
        endpoint.state.send_modify(|state| endpoint.update(state, Ok(grid(3)), Family::Chromium));
        assert_eq!(endpoint.slots(), Some(5));
        let ours = [endpoint.session(), endpoint.session()];
        assert_eq!((endpoint.slots(), endpoint.is_full()), (Some(7), false));
        drop(ours);
        assert_eq!(endpoint.slots(), Some(5));
    }

    #[test]
    fn a_grid_that_does_not_tell_its_nodes_for_once_has_the_slots_it_had() {
        let (endpoint, mut state) = (endpoint(), State::default());
        for answer in [grid(0), json!({"ready": false, "message": "Unable to read distributor status."})] {
            endpoint.update(&mut state, Ok(answer), Family::Chromium);
            assert_eq!(state.reading.as_ref().and_then(|reading| reading.slots), Some(8));
        }
        (0..DOWN).for_each(|_| endpoint.update(&mut state, Err(silence()), Family::Chromium));
        assert_eq!((state.reading.clone(), state.is_down()), (None, true));
    }

    #[test]
    fn a_lone_driver_that_is_at_work_may_be_silent_and_an_idle_one_may_not() {
        let (endpoint, mut state) = (endpoint(), State::default());
        endpoint.update(&mut state, Ok(json!({"ready": true})), Family::Firefox);
        let ours = endpoint.session();
        (0..DOWN).for_each(|_| endpoint.update(&mut state, Err(silence()), Family::Firefox));
        assert!(!state.is_down());
        drop(ours);
        (0..DOWN).for_each(|_| endpoint.update(&mut state, Err(silence()), Family::Firefox));
        assert!(state.is_down());
    }
}
