//! Faults of one part of the fleet must stay with that part.

use proptest::prelude::*;

use std::time::Duration;

use super::*;
use crate::id::BrowserId;
use crate::outcome::{FailureClass, Recurrence, Stage};

struct Bench {
    scopes: Scopes,
    rng: fastrand::Rng,
    now: Moment,
}

fn host(name: &str) -> Scope {
    Scope::Host(name.into())
}

fn failed(class: FailureClass, stage: Stage) -> AttemptOutcome {
    AttemptOutcome::Failed { stage, class, recurrence: Recurrence::Transient }
}

const FINE: AttemptOutcome = AttemptOutcome::Succeeded;

impl Bench {
    fn new(config: ScopesConfig) -> Self {
        Self { scopes: Scopes::new(config), rng: fastrand::Rng::with_seed(5), now: Moment::ZERO }
    }

    fn acquire(&mut self, scopes: &[Scope]) -> Result<BreakerPermits, Blocked> {
        self.scopes.try_acquire(self.now, scopes, &mut self.rng).0
    }

    fn attempt(&mut self, scopes: &[Scope], outcome: AttemptOutcome) -> Result<Changes, Blocked> {
        let permits = self.acquire(scopes)?;
        Ok(self.scopes.record(self.now, permits, outcome, &mut self.rng))
    }

    fn troubled(&self) -> Vec<Scope> {
        let all = self.scopes.kinds.iter().flat_map(LruBreakers::iter);
        all.filter(|(_, breaker)| !matches!(breaker.state(self.now), State::Closed { .. }))
            .map(|(scope, _)| scope.clone())
            .collect()
    }

    /// Opens the breaker of a host.
    fn open(&mut self, name: &str) {
        while self.attempt(&[host(name)], failed(FailureClass::HttpStatus, Stage::Step(0))).is_ok() {}
    }

    /// The end of its rest.
    fn rests_until(&self, name: &str) -> Moment {
        self.scopes.blocked(self.now, &[host(name)]).expect("it is open").refused.until()
    }
}

fn everything(proxy: &str, site: &str) -> [Scope; 5] {
    let proxy = Scope::Proxy(proxy.into());
    [Scope::Browser(BrowserId(1)), proxy, host(site), Scope::Global, Scope::Fuse]
}

#[test]
fn a_host_that_answers_only_errors_stops_only_its_own_jobs() {
    let mut bench = Bench::new(ScopesConfig::default());
    let bad = everything("p", "bad.example");
    for _ in 0..10 {
        bench.attempt(&bad, failed(FailureClass::HttpStatus, Stage::Step(0))).expect("not open yet");
    }
    assert_eq!(bench.troubled(), [host("bad.example")]);
    let blocked = bench.acquire(&bad).expect_err("its breaker is open");
    assert_eq!(blocked.scope, host("bad.example"));
    bench.attempt(&everything("p", "good.example"), FINE).expect("other sites go on");
}

#[test]
fn dead_proxies_open_no_breaker_but_their_own() {
    let mut bench = Bench::new(ScopesConfig::default());
    for proxy in 0..20 {
        for _ in 0..5 {
            let scopes = everything(&format!("p{proxy}"), "a.example");
            bench.attempt(&scopes, failed(FailureClass::Proxy, Stage::Step(0))).expect("not open yet");
        }
    }
    assert_eq!(bench.troubled().len(), 20);
    assert!(bench.troubled().iter().all(|scope| matches!(scope, Scope::Proxy(_))));
    assert_eq!(bench.scopes.trips(), 20);
}

#[test]
fn one_browsers_death_under_a_hundred_attempts_is_one_failure() {
    let mut bench = Bench::new(ScopesConfig::default());
    let scopes = everything("p", "a.example");
    let passages: Vec<_> = (0..100).map(|_| bench.acquire(&scopes).expect("closed")).collect();
    for permits in passages {
        let outcome = failed(FailureClass::BrowserCrash, Stage::Step(2));
        assert_eq!(bench.scopes.record(bench.now, permits, outcome, &mut bench.rng), []);
    }
    assert_eq!(bench.scopes.note(bench.now, &Scope::Fuse, Verdict::Failure, &mut bench.rng), []);
    let Some(State::Closed { counts }) = bench.scopes.state(bench.now, &Scope::Fuse) else {
        panic!("closed")
    };
    assert_eq!(counts.failures, 1);
}

#[test]
fn machines_that_cannot_start_browsers_stop_all_creation() {
    let mut bench = Bench::new(ScopesConfig::default());
    for _ in 0..20 {
        assert_eq!(bench.troubled(), []);
        let Bench { scopes, rng, now } = &mut bench;
        drop(scopes.note(*now, &Scope::Global, Verdict::Failure, rng));
    }
    assert_eq!(bench.troubled(), [Scope::Global]);
}

#[test]
fn a_refusal_by_one_scope_costs_the_others_no_probe() {
    let mut bench = Bench::new(ScopesConfig::default());
    let (a, b) = (host("a"), host("b"));
    bench.open("a");
    bench.now = bench.rests_until("a") - Duration::from_secs(1);
    bench.open("b");
    bench.now += Duration::from_secs(2);
    for _ in 0..3 {
        let blocked = bench.acquire(&[a.clone(), b.clone()]).expect_err("b still rests");
        assert_eq!(blocked.scope, b);
    }
    bench.attempt(&[a], FINE).expect("the probe of a was not used up");
}

#[test]
fn a_scope_named_twice_gives_back_what_it_took() {
    let mut bench = Bench::new(ScopesConfig::default());
    let a = host("a");
    bench.open("a");
    bench.now = bench.rests_until("a");
    assert!(bench.acquire(&[a.clone(), a.clone()]).is_err());
    bench.now += Duration::from_secs(2);
    bench.attempt(&[a], FINE).expect("the first of the two went back");
}

#[test]
fn a_forgotten_breaker_leaves_no_permits_to_its_successor() {
    let mut bench = Bench::new(ScopesConfig { max_hosts: 1, ..ScopesConfig::default() });
    let old: Vec<_> = (0..50).map(|_| bench.acquire(&[host("a")]).expect("closed")).collect();
    bench.attempt(&[host("b")], FINE).expect("b pushes a out");
    bench.attempt(&[host("a")], FINE).expect("and a returns as a new breaker");
    for permits in old {
        let outcome = failed(FailureClass::HttpStatus, Stage::Step(0));
        assert_eq!(bench.scopes.record(bench.now, permits, outcome, &mut bench.rng), []);
    }
    assert_eq!(bench.troubled(), []);
}

proptest! {
    #[test]
    fn memory_is_bounded_and_a_refusal_is_foreseen(
        calls in prop::collection::vec((0u16..400, 0u64..5_000, any::<bool>()), 1..400),
    ) {
        let mut bench = Bench::new(ScopesConfig { max_hosts: 16, max_keys: 16, ..ScopesConfig::default() });
        for (key, wait, is_fine) in calls {
            bench.now += Duration::from_millis(wait);
            let outcome = if is_fine { FINE } else { failed(FailureClass::Timeout, Stage::Create) };
            let scopes = [host(&key.to_string()), Scope::Browser(BrowserId(u64::from(key) % 5))];
            let foreseen = bench.scopes.blocked(bench.now, &scopes);
            let result = bench.attempt(&scopes, outcome);
            prop_assert_eq!(foreseen, result.err());
            let known = bench.scopes.kinds.iter().map(|kind| kind.iter().count());
            prop_assert!(known.into_iter().all(|count| count <= 16));
        }
    }
}
