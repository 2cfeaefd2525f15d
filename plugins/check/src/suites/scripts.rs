//! `evaluate`: results and failures.

use std::time::Duration;

use plimsoll_core::outcome::{FailureClass, Recurrence};
use serde_json::json;

use crate::case::cases;
use crate::faults::{late, refused};
use crate::rig::Rig;

cases![
    values_come_back_as_json,
    what_a_script_throws_is_told,
    a_script_that_never_ends_ends_with_its_step,
    a_script_whose_document_goes_away_does_not_hang,
];

async fn values_come_back_as_json(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for (script, value) in [
        ("1 + 1", json!(2)),
        ("'a' + 'b'", json!("ab")),
        ("undefined", json!(null)),
        ("null", json!(null)),
        ("({a: [1, {b: true}], c: undefined})", json!({"a": [1, {"b": true}]})),
        ("Promise.resolve([1])", json!([1])),
        ("() => document.title", json!("Records")),
        ("async () => {}", json!(null)),
        ("new Date(0)", json!("1970-01-01T00:00:00.000Z")),
        ("const ship = 'Argo'; ship;", json!("Argo")),
        ("const ship = 'Beagle'; ship;", json!("Beagle")),
        ("{title: document.title}", json!({"title": "Records"})),
        ("{ const a = 1; a + 1 }", json!(2)),
        ("new URL('http://a.example/b')", json!("http://a.example/b")),
        ("[1, , () => 1, new String('s'), 0 / 0, -0, 1e21]", json!([1, null, null, "s", null, 0, 1e21])),
        ("({a: {toJSON() { return [1]; }}, ['__proto__']: 2})", json!({"a": [1], "__proto__": 2})),
    ] {
        assert_eq!(tab.js(script).await, value, "{script}");
    }
    for (script, words) in [
        ("document.body", "a BODY of the page"),
        ("document.querySelectorAll('.card')", "of the page"),
        ("[...document.images, document.links, {at: document.body}]", "of the page"),
        ("10n", "bigint 10n"),
        ("0 / 0", "number NaN"),
        ("Symbol()", "a symbol"),
        ("window", "circular"),
        ("(() => { const a = {}; a.a = a; return a; })()", "circular"),
        ("'x'.repeat(17 << 20)", "16777216"),
        ("['x'.repeat(17 << 20)]", "16777216"),
    ] {
        refused(tab.perform(json!({"evaluate": script})).await, &["cannot be brought back as JSON", words]);
    }
}

async fn what_a_script_throws_is_told(rig: &Rig) {
    let mut tab = rig.open("/throws").await;
    let throws = tab.perform(json!({"evaluate": "1;\n2;\nthrow new TypeError('too small')"})).await;
    refused(throws, &["TypeError: too small (line 3)"]);
    refused(tab.perform(json!({"evaluate": "Promise.reject(7)"})).await, &["7"]);
    refused(tab.perform(json!({"evaluate": "a b"})).await, &["SyntaxError"]);
    assert_eq!(tab.text("#out").await, "still here");
}

async fn a_script_that_never_ends_ends_with_its_step(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    let never =
        tab.perform_within(Duration::from_secs(1), json!({"evaluate": "new Promise(() => {})"})).await;
    late(never, &[]);
    let busy = tab.perform_within(Duration::from_secs(1), json!({"evaluate": "for (;;) {}"})).await;
    late(busy, &[]);
    let click = tab.perform_within(Duration::from_secs(1), json!({"click": "h1"})).await;
    late(click, &["waiting for `h1`", "busy"]);
}

async fn a_script_whose_document_goes_away_does_not_hang(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let leave = format!("location.href = {:?}; new Promise(() => {{}})", rig.elsewhere("/nested"));
    let fault = tab
        .perform_within(Duration::from_secs(10), json!({"evaluate": leave}))
        .await
        .expect_err("it cannot end");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Script, Recurrence::Transient), "{fault}");
}
