//! Fleets that take and end jobs at random: in every run each job is recorded once, and no queue exceeds its bound.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use plimsoll_core::id::JobId;
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::port::Artifact;
use proptest::prelude::*;

use super::*;
use crate::trial;

/// A store of jobs, half of them for each of two hosts.
#[derive(Default)]
struct TestStore {
    total: u64,
    given: Mutex<u64>,
    records: Mutex<BTreeMap<Ticket, JobRecord>>,
    released: Mutex<Vec<Ticket>>,
}

impl TestStore {
    fn of(total: u64) -> Arc<Self> {
        Arc::new(Self { total, ..Self::default() })
    }

    /// The records, by ticket.
    fn records(&self) -> BTreeMap<Ticket, JobRecord> {
        self.records.lock().expect("no panics here").clone()
    }

    fn released(&self) -> u64 {
        let released = self.released.lock().expect("no panics here").clone();
        let mut once = released.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), released.len(), "no job is released twice");
        released.len() as u64
    }
}

#[async_trait]
impl Store for TestStore {
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
        tokio::task::yield_now().await;
        let mut given = self.given.lock().expect("no panics here");
        if *given == self.total {
            return Ok(None);
        }
        let n = *given;
        *given += 1;
        // Tickets do not count from 0, so that the tests detect a router that numbers jobs itself.
        Ok(Some((
            Ticket(9_000_000 - 3 * n),
            trial::job(&format!("http://{}/{n}", ["a", "b"][n as usize % 2])),
        )))
    }

    async fn keep(&self, _: Ticket, _: &JobId, _: Artifact) -> Result<String, StoreError> {
        Ok(String::new())
    }

    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError> {
        let before = self.records.lock().expect("no panics here").insert(ticket, record);
        assert_eq!(before, None, "no job is recorded twice");
        Ok(())
    }

    async fn release(&self, ticket: Ticket) -> Result<(), StoreError> {
        self.released.lock().expect("no panics here").push(ticket);
        Ok(())
    }
}

fn routes() -> Routes {
    let mut routes = Routes::to("cdp");
    routes.add_rule("http://a/*", "http");
    routes.add_fallback("http", vec![FailureClass::Script], "cdp");
    routes.add_fallback("cdp", vec![FailureClass::Script], "sim");
    routes
}

/// The same routes, and the last driver falls back to the first.
fn circle() -> Routes {
    let mut routes = routes();
    routes.add_fallback("sim", vec![FailureClass::Script], "http");
    routes
}

/// How a fleet works.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// The most jobs that it runs at once.
    width: usize,
    /// Turns that it takes for each job.
    turns: usize,
    /// How many of four jobs fail with a class that falls back.
    failing: u8,
}

fn pace() -> impl Strategy<Value = Pace> {
    (1..200usize, 1..20usize, 0..=4u8).prop_map(|(width, turns, failing)| Pace { width, turns, failing })
}

const STEADY: Pace = Pace { width: 3, turns: 1, failing: 1 };

/// A driver's queue and those that fall back to it hold no more than the bound that [`QUEUE`] names.
fn assert_bounded(router: &JobRouter, paces: &[Pace]) {
    let queues = &router.state().queues;
    for driver in 0..queues.len() {
        let mut together = router.routes.upstream(driver);
        together.push(driver);
        let held: usize =
            together.iter().map(|driver| queues[*driver].waiting.len() + queues[*driver].given.len()).sum();
        let bound: usize = together.iter().map(|driver| QUEUE + paces[*driver].width).sum();
        assert!(held <= bound, "{held} of {bound} in the queues {together:?}");
    }
}

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed(Fault::persistent(class, "it did").at(Stage::Step(0)))
}

/// The fleet of one driver: takes as many jobs as it may have, and at random ends the oldest, until its queue ends.
async fn fleet(queue: QueueStore, paces: &[Pace], mut chance: fastrand::Rng) {
    let Pace { width, turns, failing } = paces[queue.driver()];
    let mut running = VecDeque::new();
    let mut turn = 0;
    loop {
        let next = tokio::select! {
            biased;
            next = queue.next(), if running.len() < width => next.expect("the store can be read"),
            () = tokio::task::yield_now(), if !running.is_empty() => None,
        };
        if let Some(given) = next {
            running.push_back(given);
        } else if running.is_empty() {
            return;
        } else {
            turn += 1;
            if turn % turns == 0
                && let Some((ticket, job)) = running.pop_front()
            {
                let outcome = match chance.u8(0..4) {
                    luck if luck < failing => failed(FailureClass::Script),
                    0 | 1 => failed(FailureClass::Timeout),
                    _ => Outcome::Succeeded,
                };
                let record = JobRecord { outcome, ..trial::record(&job) };
                queue.record(ticket, record).await.expect("the store records");
            }
        }
        assert_bounded(queue.router(), paces);
        tokio::task::yield_now().await;
    }
}

/// Runs all fleets on one thread until their queues end, with `then` beside them; paused time detects a deadlock.
fn run<F: AsyncFnOnce(&JobRouter)>(
    store: &Arc<TestStore>,
    routes: Routes,
    paces: &[Pace],
    seed: u64,
    then: F,
) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let router = JobRouter::start(Arc::clone(store) as _, routes, &Supervisor::root());
        let queues = router.queues().into_iter().zip(seed..);
        let fleets = queues.map(|(queue, seed)| fleet(queue, paces, fastrand::Rng::with_seed(seed)));
        let all = async { tokio::join!(join_all(fleets), then(&router)) };
        tokio::time::timeout(Duration::from_secs(3600), all).await.expect("every queue comes to its end");
        router.fell_back()
    })
}

async fn undisturbed(_: &JobRouter) {}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn each_job_is_recorded_once_whatever_fails(
        jobs in 1u64..1_000,
        paces in [pace(), pace(), pace()],
        circular: bool,
        seed in 0..u64::MAX - 3,
    ) {
        let store = TestStore::of(jobs);
        let routes = if circular { circle() } else { routes() };
        let fell_back = run(&store, routes, &paces, seed, undisturbed);
        let records = store.records();
        prop_assert_eq!(records.len() as u64, jobs);
        let on_the_way: u64 = records.values().map(|record| u64::from(record.attempts) - 1).sum();
        prop_assert_eq!(fell_back, on_the_way, "what an earlier driver tried is added up");
        for (n, (ticket, record)) in records.iter().rev().enumerate() {
            prop_assert_eq!(ticket.0, 9_000_000 - 3 * n as u64);
            prop_assert!(record.id.as_str().ends_with(&format!("/{n}")), "a ticket stays with its job");
            prop_assert_eq!(record.fell_back_from.len() as u32, record.attempts - 1);
            if record.outcome.failure().is_some_and(|failure| failure.fault.class == FailureClass::Script) {
                let was_last = if circular { record.attempts == 3 } else { &*record.driver == "sim" };
                prop_assert!(was_last, "only the last driver fails a job that falls back: {:?}", record);
            }
        }
    }

    #[test]
    fn a_drain_gives_back_each_job_that_was_not_recorded(jobs in 1u64..1_000, turns in 0usize..500, seed in 0..u64::MAX - 3) {
        let store = TestStore::of(jobs);
        let drain = async |router: &JobRouter| {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            router.drain().await;
        };
        run(&store, circle(), &[STEADY; 3], seed, drain);
        let (recorded, released) = (store.records().len() as u64, store.released());
        prop_assert_eq!(recorded + released, *store.given.lock().expect("no panics here"));
    }
}

/// A fast driver once read nearly the whole list into the queue of the slow driver to which its jobs fall back.
#[test]
fn a_quick_driver_does_not_run_ahead_of_the_one_its_jobs_fall_back_to() {
    let store = TestStore::of(1_000);
    let mut routes = Routes::to("cdp");
    routes.add_rule("*", "http");
    routes.add_fallback("http", vec![FailureClass::Script], "cdp");
    let slow = Pace { width: 1, turns: 20, failing: 0 };
    let fell_back = run(&store, routes, &[slow, Pace { width: 10, turns: 1, failing: 4 }], 7, undisturbed);
    assert_eq!((store.records().len(), fell_back), (1_000, 1_000));
}

#[test]
fn a_stop_lets_nothing_fall_back_and_hands_out_the_rest() {
    let store = TestStore::of(300);
    let fell_back = run(&store, routes(), &[STEADY; 3], 7, async |router| router.stop());
    assert_eq!((store.records().len(), fell_back), (300, 0));
}

#[test]
fn queues_are_over_when_results_cannot_be_written() {
    let store = TestStore::of(300);
    let broken = async |router: &JobRouter| router.state().source = Source::Broken;
    run(&store, routes(), &[STEADY; 3], 7, broken);
    assert!(store.records().len() < 300);
}
