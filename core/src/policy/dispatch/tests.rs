//! What follows from events, as far as it cannot be seen from outside.

use super::*;
use crate::policy::admission::LimitPolicy;
use crate::units::Ratio;

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

#[test]
fn an_evicted_job_pays_into_the_retry_budget_once() {
    let retry_budget = RetryBudgetConfig {
        share: Ratio::ONE,
        per_second: Ratio::percent(1),
        floor: 0,
        ..RetryBudgetConfig::default()
    };
    let mut config = DispatchConfig { retry_budget, ..DispatchConfig::default() };
    config.admission.policy = LimitPolicy::Fixed;
    let (mut dispatch, mut now) = (Dispatch::new(config, 1), Moment::ZERO);
    dispatch.handle(now, Event::Submitted { job: JobSeq(0), host: None, proxy: None });
    for _ in 0..2 {
        let slot = started(&mut dispatch, now);
        dispatch.handle(now, Event::Ended(slot, AttemptEnd::Evicted));
        dispatch.handle(now, Event::Freed(slot));
        now = dispatch.next_change().expect("it is tried again");
        dispatch.handle(now, Event::Tick);
    }
    started(&mut dispatch, now);
    let longest = Duration::from_secs(100);
    assert_eq!(dispatch.retry_budget.withdraw(now, longest), now, "one token was paid in");
    assert!(dispatch.retry_budget.withdraw(now, longest) > now, "and no other");
}
