//! Tests the fleet's decisions against a model that only counts. For every order of events, the invariants hold after
//! each event, and when every request is answered, the fleet comes to rest.
//!
//! The model ([`model`]) has the jobs, slots and browsers and their states. It has no admission gate, no breaker and no
//! adaptive limit. Events are drawn at random ([`events`]), including late and repeated events.

mod events;
mod model;

use std::time::Duration;

use plimsoll_core::policy::{DispatchConfig, Event, LeakyConfig, LimitPolicy, Rule};
use plimsoll_core::units::Ratio;
use proptest::prelude::*;

use events::{Occurrence, occurrence};
use model::Model;

fn config() -> impl Strategy<Value = DispatchConfig> {
    let limits = (1..12u32, 1..6u32, prop::option::of(1..5u32));
    let browsers = (1..5u32, 1..3u32, 1..9u64, 1..200u64);
    let jobs = (1..4u32, 1..60usize, prop::option::of(1..120u64), 1..90u64);
    let budget = (0..4u32, prop_oneof![Just(Ratio::ZERO), Just(Ratio::ONE)]);
    (limits, browsers, jobs, budget).prop_map(|(limits, browsers, jobs, budget)| {
        let mut config = DispatchConfig::default();
        (config.admission.max_contexts, config.admission.max_creating) = (limits.0, limits.1);
        config.admission.policy =
            limits.2.map_or(LimitPolicy::Fixed, |cores| LimitPolicy::Adaptive { cores });
        config.placement.contexts_per_browser = browsers.0;
        config.placement.max_launching = browsers.1;
        config.placement.recycle_after_contexts = browsers.2;
        config.placement.recycle_after = Duration::from_secs(browsers.3);
        for breaker in [&mut config.admission.scopes.host, &mut config.admission.scopes.global] {
            // A few calls instead of dozens, so that a short history also opens these breakers.
            if let Rule::Rates(rates) = &mut breaker.rule {
                rates.min_calls = 3;
            }
        }
        config.admission.scopes.fuse.rule =
            Rule::Leaky(LeakyConfig { trips_at: 6, eased_to: 3, ..LeakyConfig::default() });
        config.retry.attempts = jobs.0;
        (config.retry_budget.floor, config.retry_budget.per_second) = budget;
        config.queue_capacity = jobs.1;
        config.queue_timeout = jobs.2.map(Duration::from_secs);
        config.host_patience = Duration::from_secs(jobs.3);
        config
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// The model checks itself after every event. This test asserts how the run ends.
    #[test]
    fn whatever_happens_nothing_is_lost_and_the_fleet_comes_to_rest(
        config in config(),
        seed in any::<u64>(),
        occurrences in (0..11u32).prop_flat_map(|failing| prop::collection::vec(occurrence(failing), 0..400)),
        memory in prop::option::of(Just(20)),
        stop_after in prop::option::weighted(0.3, 0..300usize),
    ) {
        let mut model = Model::new(config, seed);
        for (number, what) in occurrences.into_iter().enumerate() {
            if Some(number) == stop_after {
                model.tell(Event::Stop);
            }
            what.befall(&mut model);
        }
        model.come_to_rest(memory);
        model.finish();
    }

    /// Only failures, on a fleet that has work: every launch fails, every attempt fails, or every browser exits.
    #[test]
    fn a_fleet_that_had_only_bad_times_still_ends_every_job(
        config in config(),
        seed in any::<u64>(),
        misfortune in events::misfortune(),
        memory in prop::option::of(Just(20)),
        rounds in 1..60usize,
    ) {
        let mut model = Model::new(config, seed);
        for round in 0..rounds {
            Occurrence::Submit(round as u8 % 2).befall(&mut model);
            misfortune.clone().befall(&mut model);
            Occurrence::Wait(700).befall(&mut model);
        }
        model.come_to_rest(memory);
        model.finish();
    }
}

#[test]
fn nothing_starts_after_a_stop_and_what_waits_is_cancelled() {
    let mut model = Model::new(DispatchConfig::default(), 1);
    (0..10).for_each(|_| Occurrence::Submit(0).befall(&mut model));
    model.tell(Event::Stop);
    assert_eq!(model.counts().cancelled, 10);
    Occurrence::Submit(0).befall(&mut model);
    assert_eq!(model.counts().cancelled, 11, "the model fails on any start");
}
