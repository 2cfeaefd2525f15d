//! Remote ends: what each has to give, which is chosen next, and whether it is there at all.
//!
//! Each is asked for its status every two seconds. A Selenium Grid tells its slots; any other remote end tells only that
//! it is there. One that has not answered three times in a row is *down* until it answers again. One that answers but gives
//! no sessions has its breaker open ([`Trial`]): new shares go to others, while there are others.

mod reading;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;

use self::reading::Reading;
use self::trial::Record;
pub(crate) use self::trial::Trial;
use crate::direct::Direct;
use crate::journal::{Journal, forget_stale};
use crate::settings::{Family, WebDriverSettings};

/// Between two questions.
const PERIOD: Duration = Duration::from_secs(2);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// So many failures in a row make a remote end count as down.
const DOWN: u32 = 3;
/// How long the deletion of a dead run's session may take.
const DELETION: Duration = Duration::from_secs(10);

/// All remote ends of a driver.
#[derive(Debug)]
pub(crate) struct Endpoints {
    all: Vec<Arc<Endpoint>>,
    pub(crate) journal: Arc<Journal>,
}

/// One remote end.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) base: Url,
    /// Its address without a password.
    pub(crate) label: String,
    pub(crate) direct: Direct,
    weight: u32,
    /// Browsers, which are shares of it.
    shares: AtomicU32,
    /// Sessions of ours, those that are being opened included.
    ours: AtomicU32,
    record: Record,
    state: watch::Sender<State>,
}

/// What is known of a remote end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// The last answer, if there was one.
    pub(crate) reading: Option<Reading>,
    /// Questions in a row that it has not answered.
    failures: u32,
    /// What went wrong last.
    why: String,
}

/// Counts a share or a session for as long as it lives.
#[derive(Debug)]
pub(crate) struct Counted {
    endpoint: Arc<Endpoint>,
    what: fn(&Endpoint) -> &AtomicU32,
}

impl Endpoints {
    /// Begins to watch the settings' remote ends, and to delete what dead runs left there.
    pub(crate) fn watch(
        settings: &WebDriverSettings,
        journal: Arc<Journal>,
        supervisor: &Supervisor,
        clock: Clock,
    ) -> Self {
        let all: Vec<Arc<Endpoint>> = settings
            .remotes
            .iter()
            .map(|remote| Arc::new(Endpoint::new(remote.url().clone(), remote.weight(), clock)))
            .collect();
        for endpoint in &all {
            let (endpoint, family) = (Arc::clone(endpoint), settings.family);
            drop(supervisor.spawn("endpoint status", async move { endpoint.poll(family).await }));
        }
        let (ends, past) = (all.clone(), Arc::clone(&journal));
        let owner = supervisor.clone();
        drop(supervisor.spawn("dead runs' sessions", async move { bury(&ends, past, &owner).await }));
        Self { all, journal }
    }

    /// The next to take a share of: the one with the fewest for its weight among those that serve. `None` when all are
    /// down.
    pub(crate) fn choose(&self) -> Option<Arc<Endpoint>> {
        let load = |endpoint: &Arc<Endpoint>| endpoint.shares.load(Ordering::Relaxed);
        let serving = self.serving();
        let loads: Vec<_> = serving.iter().map(|endpoint| (load(endpoint), endpoint.weight)).collect();
        lightest(&loads).map(|at| Arc::clone(serving[at]))
    }

    /// Those that are up and give sessions; if none of those that are up does, all of them: something may have changed.
    fn serving(&self) -> Vec<&Arc<Endpoint>> {
        let up: Vec<_> = self.all.iter().filter(|endpoint| !endpoint.state.borrow().is_down()).collect();
        let giving: Vec<_> = up.iter().copied().filter(|endpoint| !endpoint.record.is_tripped()).collect();
        if giving.is_empty() { up } else { giving }
    }

    /// What all that serve can hold for us; `None` when one of them does not say. At least one: a session that is asked
    /// for in vain says what is the matter, and one that nobody asks for does not.
    pub(crate) fn slots(&self) -> Option<u32> {
        let serving = self.serving();
        if serving.is_empty() {
            return None;
        }
        serving.iter().map(|endpoint| endpoint.slots()).sum::<Option<u32>>().map(|slots| slots.max(1))
    }

    /// Their addresses.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.all.iter().map(|endpoint| endpoint.label.clone()).collect()
    }

    /// What went wrong last, of each that is down.
    pub(crate) fn complaints(&self) -> String {
        let down =
            self.all.iter().map(|endpoint| format!("{}: {}", endpoint.label, endpoint.state.borrow().why));
        down.collect::<Vec<_>>().join("; ")
    }
}

/// The place of the smallest load for its weight, were one more added to it.
fn lightest(loads: &[(u32, u32)]) -> Option<usize> {
    let after = |(load, weight): (u32, u32)| (f64::from(load) + 1.0) / f64::from(weight.max(1));
    let places = loads.iter().copied().map(after).enumerate();
    places.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(at, _)| at)
}

impl Endpoint {
    fn new(base: Url, weight: u32, clock: Clock) -> Self {
        Self {
            label: without_password(&base).to_string(),
            direct: Direct::new(&base),
            base,
            weight,
            shares: AtomicU32::new(0),
            ours: AtomicU32::new(0),
            record: Record::new(clock),
            state: watch::Sender::default(),
        }
    }

    /// Counts a share of it.
    pub(crate) fn share(self: &Arc<Self>) -> Counted {
        Counted::new(self, |endpoint| &endpoint.shares)
    }

    /// Counts a session of ours.
    pub(crate) fn session(self: &Arc<Self>) -> Counted {
        Counted::new(self, |endpoint| &endpoint.ours)
    }

    /// A session is about to be asked for.
    pub(crate) fn trial(self: &Arc<Self>) -> Trial {
        Trial::begin(Arc::clone(self))
    }

    /// Completes when it is down, and says why.
    pub(crate) async fn down(&self) -> String {
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let down = state.wait_for(State::is_down).await.map(|state| state.why.clone());
        down.unwrap_or_default()
    }

    /// Whether it has slots for the browser at all, as far as is known.
    pub(crate) fn offers(&self) -> bool {
        let state = self.state.borrow();
        state.reading.as_ref().is_none_or(|reading| reading.slots != Some(0))
    }

    fn slots(&self) -> Option<u32> {
        let reading = self.state.borrow().reading.clone()?;
        let strangers = reading.occupied.saturating_sub(self.ours.load(Ordering::Relaxed));
        reading.slots.map(|slots| slots.saturating_sub(strangers))
    }

    async fn poll(&self, family: Family) {
        loop {
            let answer = self.direct.status(ANSWER).await;
            self.state.send_modify(|state| match answer {
                Ok(status) => {
                    *state = State { reading: Some(Reading::of(&status, family)), ..State::default() };
                }
                Err(error) => {
                    state.failures = state.failures.saturating_add(1);
                    state.why = error.to_string();
                    if state.is_down() {
                        state.reading = None;
                    }
                }
            });
            sleep(PERIOD).await;
        }
    }
}

impl State {
    const fn is_down(&self) -> bool {
        self.failures >= DOWN
    }
}

/// An address without its name and password.
pub(crate) fn without_password(base: &Url) -> Url {
    let mut shown = base.clone();
    // Neither can fail: the address has a host.
    let _ = shown.set_password(None).and_then(|()| shown.set_username(""));
    shown
}

impl Counted {
    fn new(endpoint: &Arc<Endpoint>, what: fn(&Endpoint) -> &AtomicU32) -> Self {
        what(endpoint).fetch_add(1, Ordering::Relaxed);
        Self { endpoint: Arc::clone(endpoint), what }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.what)(&self.endpoint).fetch_sub(1, Ordering::Relaxed);
    }
}

/// Deletes the sessions that dead runs left at these remote ends.
async fn bury(ends: &[Arc<Endpoint>], journal: Arc<Journal>, supervisor: &Supervisor) {
    let looking = supervisor.spawn_blocking("journal", move || {
        let left = journal.left();
        left.into_iter().map(|leavings| (leavings.records(), leavings)).collect::<Vec<_>>()
    });
    for (records, leavings) in looking.await.unwrap_or_default() {
        for (path, record) in records {
            let Some(end) = ends.iter().find(|end| end.label == record.endpoint) else {
                drop(supervisor.spawn_blocking("journal", move || forget_stale(&path)).await);
                continue;
            };
            match end.direct.end(&record.session, DELETION).await {
                Ok(()) => {
                    tracing::info!(endpoint = end.label, "deleted a session that a dead run had left");
                    drop(supervisor.spawn_blocking("journal", move || std::fs::remove_file(path)).await);
                }
                Err(error) => {
                    tracing::warn!(endpoint = end.label, %error, "cannot delete a session of a dead run");
                }
            }
        }
        drop(supervisor.spawn_blocking("journal", move || leavings.clear()).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_go_by_weight() {
        let (mut loads, weights) = ([0_u32, 0], [1_u32, 3]);
        for _ in 0..40 {
            let at = lightest(&[(loads[0], weights[0]), (loads[1], weights[1])]).expect("one is lightest");
            loads[at] += 1;
        }
        assert_eq!(loads, [10, 30]);
        assert_eq!(lightest(&[]), None);
    }

    #[test]
    fn slots_that_others_occupy_are_not_ours() {
        let base = Url::parse("http://ada:secret@grid:4444/").expect("a url");
        let endpoint = Arc::new(Endpoint::new(base, 1, Clock::start()));
        assert_eq!(endpoint.label, "http://grid:4444/");
        let reading = Some(Reading { slots: Some(8), occupied: 3 });
        endpoint.state.send_replace(State { reading, ..State::default() });
        assert_eq!(endpoint.slots(), Some(5));
        let ours = [endpoint.session(), endpoint.session()];
        assert_eq!(endpoint.slots(), Some(7));
        drop(ours);
        assert_eq!(endpoint.slots(), Some(5));
    }
}
