//! Every step ends with its budget, whatever the page does, and its context can still be closed.

use std::time::Duration;

use plimsoll_core::capability::Capability;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::OpenRequest;
use serde_json::{Value, json};

use super::cancelling::next;
use crate::case::cases;
use crate::rig::Rig;
use crate::tab::Tab;

cases![
    waits_end_with_their_budget,
    actions_end_with_their_budget,
    scripts_end_with_their_budget,
    a_busy_page_holds_no_step_up,
    pages_that_never_come_end_with_their_budget,
    a_step_s_own_timeout_is_kept,
    contexts_open_within_their_budget_or_not_at_all,
];

const BUDGET: Duration = Duration::from_secs(1);

/// Carries out a step that cannot end by itself, and asserts that it ends in time.
async fn ends(rig: &Rig, tab: &mut Tab<'_>, step: Value) {
    let text = step.to_string();
    let start = rig.machine.clock.now();
    let fault = tab.perform_within(BUDGET, step).await.expect_err(&text);
    let took = rig.machine.clock.now().since(start);
    assert_eq!(
        (fault.class, fault.recurrence),
        (FailureClass::Timeout, Recurrence::Transient),
        "{text}: {fault}"
    );
    assert!(took < BUDGET + rig.measures.grace, "{text} took {took:?}");
}

async fn waits_end_with_their_budget(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for wait in [
        json!({"text": "never"}),
        json!({"url": "never"}),
        json!({"selector": "#never", "state": "attached"}),
        json!({"selector": "h1", "state": "hidden"}),
        json!({"function": "false"}),
        json!({"function": "new Promise(() => {})"}),
    ] {
        ends(rig, &mut tab, json!({"wait_for": wait})).await;
    }
}

async fn actions_end_with_their_budget(rig: &Rig) {
    let mut tab = rig.show("<button style='display: none'>b</button><input disabled>").await;
    for step in [
        json!({"click": "button"}),
        json!({"fill": {"selector": "input", "text": "x"}}),
        json!({"scroll": "#never"}),
        json!({"type": {"selector": "input", "text": "x"}}),
        json!({"hover": "#never"}),
    ] {
        ends(rig, &mut tab, step).await;
    }
}

async fn scripts_end_with_their_budget(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    ends(rig, &mut tab, json!({"evaluate": "new Promise(() => {})"})).await;
}

async fn a_busy_page_holds_no_step_up(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    ends(rig, &mut tab, json!({"evaluate": "for (;;) {}"})).await;
    ends(rig, &mut tab, json!({"extract": {"a": "h1"}})).await;
    ends(rig, &mut tab, json!({"click": "h1"})).await;
    let start = rig.machine.clock.now();
    tab.close().await;
    let took = rig.machine.clock.now().since(start);
    assert!(took < Duration::from_secs(10), "it took {took:?} to close");
}

async fn pages_that_never_come_end_with_their_budget(rig: &Rig) {
    // A page whose scripts are busy has come for a driver that does not run them.
    let busy = rig.declares(Capability::Evaluate).then_some("/busy");
    for path in ["/hang", "/drip"].into_iter().chain(busy) {
        let mut tab = rig.fresh("/nested").await;
        ends(rig, &mut tab, json!({"goto": rig.site.url(path)})).await;
        tab.close().await;
    }
}

async fn a_step_s_own_timeout_is_kept(rig: &Rig) {
    // Without scripts a driver may say at once that nothing more will come.
    rig.needs_scripts();
    let mut tab = rig.open("/nested").await;
    let start = rig.machine.clock.now();
    let wait = json!({"wait_for": {"text": "never", "timeout": "700ms"}});
    let fault = tab.perform_within(rig.measures.patience, wait).await.expect_err("it never comes");
    let took = rig.machine.clock.now().since(start);
    assert_eq!(fault.class, FailureClass::Timeout, "{fault}");
    assert!(
        took >= Duration::from_millis(700) && took < Duration::from_millis(700) + rig.measures.grace,
        "{took:?}"
    );
}

async fn contexts_open_within_their_budget_or_not_at_all(rig: &Rig) {
    let mut browser = rig.launch().await;
    let plain = || OpenRequest { setup: Default::default(), first: None };
    for budget in [1, 40].map(Duration::from_millis) {
        let start = rig.machine.clock.now();
        let opened = browser.open(plain(), budget).ready().await;
        let took = rig.machine.clock.now().since(start);
        assert!(took < budget + rig.measures.grace, "it took {took:?}");
        match opened {
            Ok(context) => context.close().await.expect("gone"),
            // If a remote end makes no session in time, there is no session to close.
            Err(fault) => {
                assert!(matches!(fault.class, FailureClass::Timeout | FailureClass::Overload), "{fault}");
            }
        }
    }
    let context = next(rig, &mut browser).await;
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
}
