//! Faults of one part of the fleet must stay with that part.

use proptest::prelude::*;

use super::*;
use crate::outcome::{FailureClass, Recurrence, Stage};

struct Bench {
    scopes: Scopes,
    rng: fastrand::Rng,
    now: Moment,
}

fn host(name: &str) -> Scope {
    Scope::Host(name.into())
}

fn failed(class: FailureClass, stage: Stage) -> News {
    News::Failed { stage, class, recurrence: Recurrence::Transient }
}

const FINE: News = News::Succeeded { creation: Duration::from_millis(300) };

impl Bench {
    fn new(config: ScopesConfig) -> Self {
        Self { scopes: Scopes::new(config), rng: fastrand::Rng::with_seed(5), now: Moment::ZERO }
    }

    fn acquire(&mut self, scopes: &[Scope]) -> Result<Passage, Blocked> {
        self.scopes.try_acquire(self.now, scopes, &mut self.rng).0
    }

    fn attempt(&mut self, scopes: &[Scope], news: News) -> Result<Changes, Blocked> {
        let passage = self.acquire(scopes)?;
        Ok(self.scopes.record(self.now, passage, news, &mut self.rng))
    }

    fn troubled(&self) -> Vec<Scope> {
        self.scopes.troubled(self.now).map(|(scope, _)| scope.clone()).collect()
    }
}

fn everything(proxy: &str, site: &str) -> [Scope; 6] {
    let endpoint = Scope::Endpoint("local".into());
    let proxy = Scope::Proxy(proxy.into());
    [Scope::Browser(BrowserId(1)), endpoint, proxy, host(site), Scope::Global, Scope::Fuse]
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
    assert!(bench.troubled().iter().all(|scope| scope.part() == Part::Proxy));
    assert_eq!(bench.scopes.trips(), 20);
}

#[test]
fn one_browsers_death_under_a_hundred_attempts_is_one_failure() {
    let mut bench = Bench::new(ScopesConfig::default());
    let scopes = everything("p", "a.example");
    let passages: Vec<_> = (0..100).map(|_| bench.acquire(&scopes).expect("closed")).collect();
    for passage in passages {
        let news = failed(FailureClass::BrowserCrash, Stage::Step(2));
        assert_eq!(bench.scopes.record(bench.now, passage, news, &mut bench.rng), []);
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
        bench.attempt(&[Scope::Global], failed(FailureClass::BrowserCrash, Stage::Launch)).expect("not yet");
    }
    assert_eq!(bench.troubled(), [Scope::Global]);
}

#[test]
fn a_refusal_by_one_scope_costs_the_others_no_probe() {
    let mut bench = Bench::new(ScopesConfig::default());
    let (a, b) = (host("a"), host("b"));
    assert_eq!(bench.scopes.hold(bench.now, &a, Duration::from_secs(10)).len(), 1);
    assert_eq!(bench.scopes.hold(bench.now, &b, Duration::from_secs(20)).len(), 1);
    bench.now += Duration::from_secs(15);
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
    assert_eq!(bench.scopes.hold(bench.now, &a, Duration::from_secs(10)).len(), 1);
    bench.now += Duration::from_secs(11);
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
    for passage in old {
        let news = failed(FailureClass::HttpStatus, Stage::Step(0));
        assert_eq!(bench.scopes.record(bench.now, passage, news, &mut bench.rng), []);
    }
    assert_eq!(bench.troubled(), []);
}

#[test]
fn the_last_endpoint_always_serves_and_the_least_bad_come_back_first() {
    let mut bench = Bench::new(ScopesConfig::default());
    let names: Vec<Arc<str>> = ["a", "b", "c", "d"].map(Into::into).into();
    for (name, seconds) in [("a", 40), ("b", 20), ("c", 30)] {
        let scope = Scope::Endpoint(name.into());
        assert_eq!(bench.scopes.hold(bench.now, &scope, Duration::from_secs(seconds)).len(), 1);
    }
    let usable = |names: &[Arc<str>]| -> Vec<(String, Standing)> {
        bench.scopes.usable(bench.now, names).into_iter().map(|(name, s)| (name.to_string(), s)).collect()
    };
    assert_eq!(usable(&names), [("b".into(), Standing::LeastBad), ("d".into(), Standing::Well)]);
    assert_eq!(usable(&names[..1]), [("a".into(), Standing::LeastBad)]);
    assert_eq!(usable(&[]), []);
}

proptest! {
    #[test]
    fn memory_is_bounded_and_some_endpoint_is_always_usable(
        calls in prop::collection::vec((0u16..400, 0u64..5_000, any::<bool>()), 1..400),
    ) {
        let mut bench = Bench::new(ScopesConfig { max_hosts: 16, max_keys: 16, ..ScopesConfig::default() });
        let names: Vec<Arc<str>> = (0..5).map(|n| n.to_string().into()).collect();
        for (key, wait, is_fine) in calls {
            bench.now += Duration::from_millis(wait);
            let news = if is_fine { FINE } else { failed(FailureClass::Timeout, Stage::Create) };
            let scopes = [host(&key.to_string()), Scope::Endpoint(Arc::clone(&names[usize::from(key) % 5]))];
            let foreseen = bench.scopes.blocked(bench.now, &scopes);
            let result = bench.attempt(&scopes, news);
            prop_assert_eq!(foreseen, result.err());
            prop_assert!(bench.scopes.usable(bench.now, &names).len() >= 3);
            let known = bench.scopes.shelves.iter().map(|shelf| shelf.iter().count());
            prop_assert!(known.into_iter().all(|count| count <= 16));
        }
    }
}
