//! What a hostile page does costs its own job something, and no other.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::StepOutput;
use serde_json::{Value, json};

use crate::case::cases;
use crate::faults::refused;
use crate::rig::Rig;

cases![
    an_answer_of_any_size_costs_its_own_step_only,
    an_exception_of_any_size_is_cut,
    a_page_that_replaces_what_measures_it_harms_only_itself,
    a_value_that_fights_its_description_is_described,
    a_field_may_have_any_name,
];

async fn an_answer_of_any_size_costs_its_own_step_only(rig: &Rig) {
    let mut sibling = rig.fresh("/enormous").await;
    let mut tab = rig.fresh("/enormous").await;
    for (prepare, step) in [
        (
            "held.setAttribute('x', much())",
            json!({"extract": {"a": {"selector": "#held", "attribute": "x"}}}),
        ),
        ("held.textContent = much()", json!({"extract": {"a": "#held"}})),
        ("1", json!({"extract": {"a": {"html": "#held"}}})),
        ("1", json!({"content": {}})),
        ("1", json!({"evaluate": "much()"})),
        ("1", json!({"evaluate": "[{a: much()}]"})),
        ("1", json!({"evaluate": "async () => much()"})),
        ("1", json!({"evaluate": "const text = much(); text;"})),
    ] {
        tab.does(json!({"evaluate": format!("({prepare}, 1)")})).await;
        refused(tab.perform(step).await, &["too large"]);
    }
    tab.does(json!({"evaluate": "(held.remove(), 1)"})).await;
    assert_eq!(tab.text("#out").await, "still here");
    assert_eq!(sibling.text("#out").await, "still here");
}

async fn an_exception_of_any_size_is_cut(rig: &Rig) {
    let mut sibling = rig.fresh("/enormous").await;
    let mut tab = rig.fresh("/enormous").await;
    for script in [
        "throw new Error(much())",
        "fail()",
        "Promise.reject(much())",
        "Promise.reject(new Error(much()))",
        "({get a() { return fail(); }})",
        "({toJSON: fail})",
        "throw {toString: much, toJSON: much}",
        "throw Object.assign(new Error(), {name: much()})",
    ] {
        let fault = script_fault(tab.perform(json!({"evaluate": script})).await, script);
        assert!(fault.message.contains("cut; 150000"), "{script}: {:.300}", fault.message);
        assert!(fault.message.len() < 4096, "{script}");
    }
    tab.does(json!({"evaluate": "(Object.defineProperty(held, 'innerText', {get: fail}), 1)"})).await;
    // In a world of its own, a step does not see what the page has done to its element.
    if let Err(fault) = tab.perform(json!({"extract": {"a": "#held"}})).await {
        assert_eq!(fault.class, FailureClass::Script, "{fault:.300}");
        assert!(fault.message.len() < 4096, "{fault:.300}");
    }
    assert_eq!(tab.text("#out").await, "still here");
    assert_eq!(sibling.text("#out").await, "still here");
}

async fn a_page_that_replaces_what_measures_it_harms_only_itself(rig: &Rig) {
    let mut sibling = rig.fresh("/enormous").await;
    for (replace, step) in [
        ("held.textContent = much(); Object.keys = () => [];", json!({"extract": {"a": "#held"}})),
        (
            "JSON.stringify = much; Object.defineProperty(performance, 'timeOrigin', {get: much});",
            json!({"evaluate": "({})"}),
        ),
        (
            "Object.defineProperty(Document.prototype, 'title', {get: fail}); alert(much());",
            json!({"expect": {"title": "x", "timeout": "1s"}}),
        ),
        (
            "history.pushState(0, '', '?' + much()); held.id = much();",
            json!({"expect": {"url": "no such", "timeout": "1s"}}),
        ),
    ] {
        let mut tab = rig.fresh("/enormous").await;
        // A page may not get as far as that, and its steps may fail; they may not cost the browser.
        for step in
            [json!({"evaluate": format!("{replace}\n1;")}), step.clone(), json!({"extract": {"a": "#out"}})]
        {
            if let Err(fault) = tab.perform(step.clone()).await {
                assert_ne!(fault.class.name(), "browser_crash", "{replace} {step}: {fault:.300}");
                assert!(fault.message.len() < 4096, "{replace} {step}");
            }
        }
        assert_eq!(sibling.text("#out").await, "still here", "{replace}");
    }
}

async fn a_value_that_fights_its_description_is_described(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for (script, words) in [
        ("({toJSON() { throw 9; }})", "it threw 9"),
        ("({toJSON() { throw null; }})", "it threw null"),
        ("({get nodeType() { throw 'no'; }})", "it threw \"no\""),
        ("throw {toString() { throw 1; }, toJSON() { throw 2; }}", "cannot be described"),
        ("throw new Proxy({}, {get() { throw 1; }})", "cannot be described"),
        ("throw Symbol('s')", "Symbol(s)"),
        ("throw undefined", "undefined"),
    ] {
        refused(tab.perform(json!({"evaluate": script})).await, &[words]);
    }
}

async fn a_field_may_have_any_name(rig: &Rig) {
    let mut tab = rig.show("<h1 class=\"a\">Argo</h1>").await;
    // `json!` would not tell two keys apart that a map of JavaScript does.
    let fields: Value = serde_json::from_str(
        r#"{"__proto__": "h1", "constructor": {"selector": "h1", "attribute": "class"},
            "each": {"all": "h1", "fields": {"__proto__": {"html": "h1"}, "toString": "p"}}}"#,
    )
    .expect("JSON");
    let data = Value::Object(tab.data(json!({ "extract": fields })).await);
    assert_eq!(data["__proto__"], "Argo", "{data}");
    assert_eq!((&data["constructor"], &data["each"][0]["toString"]), (&json!("a"), &Value::Null), "{data}");
    let kept = tab.js("JSON.parse('{\"__proto__\": 1}')").await;
    assert_eq!(kept["__proto__"], 1);
}

fn script_fault(result: Result<StepOutput, Fault>, script: &str) -> Fault {
    let fault = result.expect_err(script);
    assert_eq!(fault.class.name(), "script", "{script}: {:.300}", fault.message);
    fault
}
