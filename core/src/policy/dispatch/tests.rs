//! What follows from events, as far as it cannot be seen from outside.

use super::*;
use crate::outcome::{FailureClass, Fault};
use crate::policy::admission::LimitPolicy;
use crate::policy::breaker::State;
use crate::policy::scopes::Scope;
use crate::policy::window::Counts as Calls;
use crate::units::Ratio;

/// A fleet with fixed limits to which one job was submitted.
fn fleet(mut config: DispatchConfig) -> Dispatch {
    config.admission.policy = LimitPolicy::Fixed;
    let mut dispatch = Dispatch::new(config, 1);
    dispatch.handle(Moment::ZERO, Event::Submitted { job: JobSeq(0), host: None, proxy: None });
    dispatch
}

/// The browser that is to be launched next.
fn launched(dispatch: &mut Dispatch) -> BrowserId {
    let mut actions = std::iter::from_fn(|| dispatch.next_action());
    let launch = actions.find_map(|action| if let Action::Launch(id) = action { Some(id) } else { None });
    launch.expect("a browser is launched")
}

/// Lets browsers come up at once until an attempt starts.
fn started(dispatch: &mut Dispatch, now: Moment) -> SlotId {
    while let Some(action) = dispatch.next_action() {
        match action {
            Action::Launch(id) => dispatch.handle(now, Event::Launched(id)),
            Action::Start { slot, .. } => return slot,
            _ => {}
        }
    }
    panic!("nothing starts")
}

fn wait(dispatch: &mut Dispatch) -> Moment {
    let now = dispatch.next_change().expect("it waits for a moment");
    dispatch.handle(now, Event::Tick);
    now
}

#[test]
fn the_global_breaker_counts_starts_of_browsers() {
    let mut dispatch = fleet(DispatchConfig::default());
    let id = launched(&mut dispatch);
    let fault = Fault::transient(FailureClass::BrowserCrash, "no such program");
    dispatch.handle(Moment::ZERO, Event::LaunchFailed(id, fault));
    let now = wait(&mut dispatch);
    let id = launched(&mut dispatch);
    dispatch.handle(now, Event::Launched(id));
    let state = dispatch.admission().scopes().state(now, &Scope::Global);
    assert_eq!(state, Some(State::Closed { counts: Calls { calls: 2, failures: 1, slow: 0 } }));
}

#[test]
fn an_evicted_job_pays_into_the_retry_budget_once() {
    let retry_budget = RetryBudgetConfig {
        share: Ratio::ONE,
        per_second: Ratio::percent(1),
        floor: 0,
        ..RetryBudgetConfig::default()
    };
    let mut dispatch = fleet(DispatchConfig { retry_budget, ..DispatchConfig::default() });
    let mut now = Moment::ZERO;
    for _ in 0..2 {
        let slot = started(&mut dispatch, now);
        dispatch.handle(now, Event::Ended(slot, AttemptEnd::Evicted));
        dispatch.handle(now, Event::Freed(slot));
        now = wait(&mut dispatch);
    }
    started(&mut dispatch, now);
    let longest = Duration::from_secs(100);
    assert_eq!(dispatch.retry_budget.withdraw(now, longest), now, "one token was paid in");
    assert!(dispatch.retry_budget.withdraw(now, longest) > now, "and no other");
}
