//! Control flow: conditions, loops over pages and elements, faults that are caught.

use plimsoll_core::outcome::FailureClass;
use serde_json::{Value, json};

use crate::case::cases;
use crate::rig::Rig;

cases![
    conditions_are_judged_at_once,
    what_becomes_true_later_is_not_true_now,
    links_are_followed_while_there_are_any,
    pages_are_turned_until_the_last,
    each_element_is_handled_by_itself,
    a_fault_is_caught_and_the_page_is_usable,
];

/// Steps that keep `name` if the condition holds, and else `not-name`.
fn noted(condition: impl Into<Value>, name: &str) -> Value {
    let condition = condition.into();
    let keep = |name: String| json!([{"content": name}]);
    json!({"if": condition, "then": keep(name.to_owned()), "else": keep(format!("not-{name}"))})
}

async fn conditions_are_judged_at_once(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let data = tab
        .carry_out(json!([
            noted(json!({"selector": ".card", "count": 4}), "count"),
            noted(json!({"selector": ".card", "state": "attached"}), "attached"),
            noted(json!({"not": {"selector": "#none", "state": "attached"}}), "none"),
            noted(json!({"selector": ".card h2", "text": "Capella"}), "text-of"),
            noted(json!({"all": [{"title": "Records"}, {"url": "/nested"}, {"text": "Fleet"}]}), "all"),
            noted(json!({"any": [{"title": "Other"}, {"text": "no such text"}]}), "any"),
        ]))
        .await;
    let mut names: Vec<_> = data.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["all", "attached", "count", "none", "not-any", "text-of"]);
}

async fn what_becomes_true_later_is_not_true_now(rig: &Rig) {
    let mut tab = rig
        .show("<p id=seen>here</p><p id=unseen hidden>there</p><script>setTimeout(() => { unseen.hidden = false; }, 1e6)</script>")
        .await;
    let data = tab
        .carry_out(json!([
            noted(json!("#seen"), "seen"),
            noted(json!("#unseen"), "unseen"),
            noted(json!({"selector": "#unseen", "state": "hidden"}), "hidden"),
            noted(json!({"function": "missing.name"}), "throws"),
            noted(json!({"function": "Promise.resolve(1)"}), "promise"),
        ]))
        .await;
    let mut names: Vec<_> = data.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["hidden", "not-throws", "not-unseen", "promise", "seen"]);
    let wrong = tab.try_out(json!([{"repeat": [{"content": {}}], "while": "p[["}])).await;
    let (fault, path) = wrong.expect_err("no selector");
    assert_eq!((fault.class, path.as_deref()), (FailureClass::Script, Some("steps[0].while")), "{fault}");
}

/// The address of the first of three pages with two rows each, and a link to the next one.
fn first_page(rig: &Rig) -> String {
    (1..=3).rev().fold(String::new(), |next, number| {
        let row = |name: &str| format!("<tr><td>{number}{name}</td></tr>");
        let link = if next.is_empty() { next } else { format!("<a class=next href='{next}'>next</a>") };
        let html = format!("<table>{}{}</table>{link}", row("a"), row("b"));
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("html", &html).finish();
        rig.site.url(&format!("/shown?{query}"))
    })
}

async fn links_are_followed_while_there_are_any(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let next = json!({"extract": {"next": {"selector": "a.next", "attribute": "href"}}});
    let data = tab
        .carry_out(json!([
            {"goto": first_page(rig)},
            {"append": {"rows": {"all": "td"}}},
            {"repeat": [next, {"goto": "{{data.next}}"}, {"append": {"rows": {"all": "td"}}}],
             "while": {"selector": "a.next", "state": "attached"}, "at_most": 5},
        ]))
        .await;
    assert_eq!(data["rows"], json!(["1a", "1b", "2a", "2b", "3a", "3b"]));
}

async fn pages_are_turned_until_the_last(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let data = tab
        .carry_out(json!([
            {"goto": first_page(rig)},
            {"append": {"rows": {"all": "tr", "fields": {"name": "td"}}}},
            {"repeat": [{"click": "a.next"}, {"wait_for": "table"}, {"append": {"rows": {"all": "tr", "fields": {"name": "td"}}}}],
             "while": "a.next"},
        ]))
        .await;
    let names: Vec<_> =
        data["rows"].as_array().into_iter().flatten().map(|row| row["name"].clone()).collect();
    assert_eq!(names, ["1a", "1b", "2a", "2b", "3a", "3b"]);
    let endless = tab.try_out(json!([{"repeat": [{"content": {}}], "until": "a.next", "at_most": 2}])).await;
    assert_eq!(endless.expect_err("the last page").1.as_deref(), Some("steps[0].until"));
}

async fn each_element_is_handled_by_itself(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let data = tab
        .carry_out(json!([
            {"for_each": ".card", "do": [
                {"append": {"names": "h2", "texts": {"selector": ":scope", "attribute": "class"}}},
                {"if": {"selector": ".draught", "state": "attached"}, "then": [
                    {"for_each": ".draught", "do": [{"append": {"draughts": ":scope"}}]},
                ]},
            ]},
            {"for_each": "#none", "do": [{"content": "never"}]},
        ]))
        .await;
    assert_eq!(data["names"], json!(["Capella", "Deneb", "Gemma & sons", "No link, no draught"]));
    assert_eq!(data["draughts"], json!(["6.4", "5.9", "7.1"]));
    assert_eq!(data["texts"], json!(["card", "card", "card", "card"]));
    assert!(!data.contains_key("never"));
    let many = tab.try_out(json!([{"for_each": ".card", "do": [{"content": {}}], "at_most": 3}])).await;
    let (fault, _) = many.expect_err("four cards");
    assert!(fault.message.contains("matches 4 elements"), "{fault}");
}

async fn a_fault_is_caught_and_the_page_is_usable(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let data = tab
        .carry_out(json!([
            {"try": [{"expect": {"text": "no such text", "timeout": "300ms"}}, {"content": "never"}], "catch": [
                {"if": {"text": "{{error.class}}"}, "then": [{"content": "never"}]},
                {"extract": {"title": "title"}},
            ]},
        ]))
        .await;
    assert_eq!(Value::Object(data), json!({"title": "Records"}));
}
