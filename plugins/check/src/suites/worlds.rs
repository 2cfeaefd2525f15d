//! Pages that replace what scripts rest on, that hide what an element has, or that may run no scripts.

use plimsoll_core::capability::Capability;
use serde_json::json;

use crate::case::cases;
use crate::rig::Rig;
use crate::uses;
use crate::verdict::lacks;

cases![
    what_a_page_replaces_does_not_concern_steps,
    names_in_a_page_hide_nothing,
    a_page_that_may_run_no_scripts_is_acted_upon,
];

/// Replaces what scripts use, as old libraries, test tools and careless pages do.
const REPLACED: &str =
    "window.Event = window.Promise = window.HTMLInputElement = window.HTMLSelectElement = function () {};
    Array.from = Object.entries = Object.keys = Object.fromEntries = () => null;
    Element.prototype.matches = Element.prototype.closest = () => null;
    window.performance = { now() { return 0; }, getEntriesByType() { return []; } };
    window.setTimeout = window.requestAnimationFrame = () => 0;
    Array.prototype.toJSON = function () { return 'replaced'; };
    var URL = 'x';";

async fn what_a_page_replaces_does_not_concern_steps(rig: &Rig) {
    let own = [Capability::OwnWorld].into_iter().collect();
    if !rig.declares(Capability::OwnWorld) {
        lacks(own);
    }
    let body = format!(
        "<script>{REPLACED}</script><input id=i><select id=s><option>10<option value=25>25</select>
        <input type=checkbox id=c><button id=b onclick=\"out.textContent += 'clicked'\">b</button><p id=out></p>
        <a href=/nested>fleet</a><ul><li>one<li>two</ul>"
    );
    let mut tab = rig.show(&body).await;
    tab.does(json!({"fill": {"selector": "#i", "text": "new"}})).await;
    tab.does(json!({"type": {"selector": "#i", "text": "er"}})).await;
    tab.does(json!({"select": {"selector": "#s", "value": "25"}})).await;
    tab.does(json!({"check": "#c"})).await;
    tab.does(json!({"click": "#b"})).await;
    tab.does(json!({"wait_for": {"selector": "#out", "state": "visible"}})).await;
    tab.does(json!({"expect": {"selector": "#out", "text": "clicked"}})).await;
    tab.does(json!({"scroll": "#out"})).await;
    let data = tab.data(json!({"extract": {"href": {"selector": "a", "attribute": "href"}, "items": {"all": "li"}, "held": "#out"}})).await;
    let fleet = format!("{}/nested", tab.origin());
    assert_eq!(json!(data), json!({"href": fleet, "items": ["one", "two"], "held": "clicked"}));
    assert_eq!(tab.js("[i.value, s.value, c.checked]").await, json!(["newer", "25", true]));
    tab.does(json!({"wait_for": {"load": "idle"}})).await;
    tab.artifact(json!({"screenshot": "#b"})).await;
    uses::done(&own);
}

async fn names_in_a_page_hide_nothing(rig: &Rig) {
    let mut tab = rig
        .show(
            "<form id=f onsubmit='return false'><input name=body id=i><input name=matches><input name=closest>
            <input name=getBoundingClientRect><input name=innerText><input name=querySelectorAll>
            <input name=getAttribute><input name=children><button id=b type=button>Send it</button></form>
            <img name=body><img name=title><form name=readyState></form><p>The text of the page</p>",
        )
        .await;
    tab.does(json!({"wait_for": {"text": "The text of the page"}})).await;
    tab.does(json!({"expect": {"title": "Shown"}})).await;
    tab.does(json!({"expect": {"selector": "#f", "state": "visible"}})).await;
    tab.does(json!({"expect": {"selector": "#f", "text": "Send it"}})).await;
    tab.does(json!({"fill": {"selector": "#i", "text": "kept"}})).await;
    tab.does(json!({"click": "#b"})).await;
    let data = tab.data(json!({"extract": {"forms": {"all": "form", "fields": {"button": "button"}}}})).await;
    assert_eq!(data["forms"][0], json!({"button": "Send it"}));
    assert_eq!(tab.js("i.value").await, "kept");
}

async fn a_page_that_may_run_no_scripts_is_acted_upon(rig: &Rig) {
    let mut tab = rig.fresh("/sandboxed").await;
    tab.does(json!({"hover": "h1"})).await;
    tab.does(json!({"scroll": "#low"})).await;
    tab.does(json!({"fill": {"selector": "#i", "text": "kept"}})).await;
    tab.does(json!({"click": "summary"})).await;
    tab.does(json!({"expect": {"selector": "#inside", "state": "visible"}})).await;
    tab.artifact(json!({"screenshot": "h1"})).await;
    tab.close().await;
}
