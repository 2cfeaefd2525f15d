//! `wait_for` and `expect`.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Recurrence};
use serde_json::{Value, json};

use crate::case::cases;
use crate::faults::{fails, late, refused};
use crate::rig::Rig;

cases![
    waits_hold_when_their_condition_does,
    a_wait_that_is_late_is_a_timeout,
    a_wait_goes_on_in_the_next_document,
    an_expectation_that_fails_is_an_assertion,
    functions_are_polled_until_true,
];

async fn waits_hold_when_their_condition_does(rig: &Rig) {
    let mut tab = rig.open("/late?ms=400").await;
    tab.does(json!({"wait_for": {"selector": "#late", "state": "detached"}})).await;
    tab.does(json!({"wait_for": "#late"})).await;
    tab.does(json!({"wait_for": {"text": "Arrived  late"}})).await;
    tab.does(json!({"wait_for": {"url": "http:*/late?ms="}})).await;
    tab.does(json!({"wait_for": {"load": "idle"}})).await;
    let mut tab = rig.open("/spa").await;
    tab.does(json!({"click": "#next"})).await;
    tab.does(json!({"wait_for": {"url": "/spa/hold"}})).await;
    tab.does(json!({"expect": {"title": "The hold"}})).await;
    tab.does(json!({"expect": {"selector": "#view", "text": "In the hold"}})).await;
    let mut tab = rig.open("/hidden").await;
    for state in ["hidden", "attached"] {
        tab.does(json!({"wait_for": {"selector": "#display", "state": state}})).await;
    }
    let secret = tab.perform(json!({"wait_for": {"text": "nobody sees", "timeout": "1s"}})).await;
    late(secret, &["the page to contain \"nobody sees\""]);
    let shown = json!({"selector": "h1", "state": "hidden", "timeout": "1s"});
    fails(
        tab.perform(json!({ "expect": shown })).await,
        FailureClass::Assertion,
        Recurrence::Persistent,
        &["`h1` to be hidden, but it is visible"],
    );
}

async fn a_wait_that_is_late_is_a_timeout(rig: &Rig) {
    let mut tab = rig.open("/hidden").await;
    let hidden = tab.perform(json!({"wait_for": {"selector": "#display", "timeout": "1s"}})).await;
    late(hidden, &["waiting for `#display` to be visible: it is hidden", "1s"]);
    let url = tab.perform(json!({"wait_for": {"url": "*/nowhere*", "timeout": "1s"}})).await;
    late(url, &["the url to match \"*/nowhere*\"", "/hidden"]);
    // The attempt's budget bounds a step without a timeout.
    late(
        tab.perform_within(Duration::from_secs(1), json!({"wait_for": "#none"})).await,
        &["not in the page", "1s"],
    );
}

async fn a_wait_goes_on_in_the_next_document(rig: &Rig) {
    let mut tab = rig.open("/late?ms=60000").await;
    tab.js("setTimeout(() => { location.href = '/late?ms=200'; }, 200)").await;
    tab.does(json!({"wait_for": {"selector": "#late", "timeout": "5s"}})).await;
    // To another site, and so to another process.
    let elsewhere = rig.elsewhere("/late?ms=200");
    tab.js(&format!("setTimeout(() => {{ location.href = {elsewhere:?}; }}, 200)")).await;
    tab.does(json!({"wait_for": {"function": "location.hostname === 'localhost' && !!window.late", "timeout": "8s"}})).await;
}

async fn an_expectation_that_fails_is_an_assertion(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    tab.does(json!({"wait_for": {"load": "idle"}})).await;
    let mut failed = async |what: Value, words: &[&str]| {
        let mut what = what;
        what["timeout"] = json!("1s");
        let result = tab.perform(json!({"expect": what})).await;
        fails(result, FailureClass::Assertion, Recurrence::Persistent, words);
    };
    failed(json!({"selector": ".card", "count": 9}), &["expected 9 matches of `.card`, but there are 4"])
        .await;
    failed(
        json!({"selector": "h1", "text": "Convoy"}),
        &["`h1` to contain \"Convoy\", but it contains \"Fleet\""],
    )
    .await;
    failed(json!({"title": "Log"}), &["the title to contain \"Log\", but it is \"Records\""]).await;
    failed(json!({"text": "Sirius"}), &["the page to contain \"Sirius\", but it contains \"Fleet Capella"])
        .await;
    tab.does(json!({"expect": {"selector": ".card", "count": 4}})).await;
    tab.does(json!({"expect": {"text": "Gemma & sons"}})).await;
}

async fn functions_are_polled_until_true(rig: &Rig) {
    let mut tab = rig.open("/late?ms=300").await;
    tab.does(json!({"wait_for": {"function": "document.querySelector('#late').textContent.length"}})).await;
    tab.does(json!({"wait_for": {"function": "() => window"}})).await;
    tab.does(json!({"expect": {"function": "async () => { await null; return document.querySelector('#late'); }"}})).await;
    tab.does(json!({"expect": {"function": "new Promise(done => setTimeout(done, 50, 'x'))"}})).await;
    let throws = tab.perform(json!({"wait_for": {"function": "none.there", "timeout": "1s"}})).await;
    late(throws, &["it throws ReferenceError: none is not defined"]);
    refused(tab.perform(json!({"wait_for": {"function": "a b"}})).await, &["SyntaxError"]);
    let untrue = tab.perform(json!({"expect": {"function": "1 > 2", "timeout": "1s"}})).await;
    let words = &["`1 > 2` to be true, but it is false"];
    fails(untrue, FailureClass::Assertion, Recurrence::Persistent, words);
}
