//! Finding elements: selectors of every kind, what is visible, and what text an element has.

use plimsoll_core::capability::Capability;
use plimsoll_core::outcome::FailureClass;
use serde_json::json;

use crate::case::cases;
use crate::faults::{late, refused};
use crate::rig::Rig;
use crate::verdict::lacks_one;

cases![
    elements_are_found_by_what_people_see,
    parts_of_a_selector_look_in_what_was_found_before,
    what_has_no_box_of_its_own_is_visible_if_its_content_is,
    text_in_shadow_roots_and_drawings_is_text_of_the_page,
    a_hidden_box_is_ticked_through_its_label,
    an_address_is_matched_as_people_write_it,
];

const FORM: &str = "<form onsubmit='return false'><label>E-mail <input id=mail></label>
    <label for=pass>Password</label><input id=pass type=password placeholder='At least 8 signs'>
    <button id=send data-testid=send onclick=\"out.textContent = mail.value\">Sign <b>in</b></button>
    <button aria-label=Help id=help>?</button></form><h2>Sign in here</h2><p id=out></p>
    <ul><li>one <a href=/1>more</a><li>two <a href=/2>more</a><li>three <a href=/3>more</a></ul>";

async fn elements_are_found_by_what_people_see(rig: &Rig) {
    let mut tab = rig.show(FORM).await;
    tab.does(json!({"fill": {"selector": "label=E-mail", "text": "eve@example.org"}})).await;
    tab.does(json!({"fill": {"selector": "placeholder=at least", "text": "secret99"}})).await;
    tab.does(json!({"click": "role=button[name=\"Sign in\"]"})).await;
    tab.does(json!({"expect": {"selector": "#out", "text": "eve@example.org"}})).await;
    for (selector, id) in [
        ("text=\"Sign in\"", "send"),
        ("text=sign in", "send"),
        ("testid=send", "send"),
        ("role=button[name=help]", "help"),
        ("role=button >> nth=-1", "help"),
        ("label=\"Password\"", "pass"),
        ("xpath=//button[2]", "help"),
        ("//button[@id='send']", "send"),
        ("css=#pass", "pass"),
    ] {
        let data = tab.data(json!({"extract": {"id": {"selector": selector, "attribute": "id"}}})).await;
        assert_eq!(data["id"], id, "{selector}");
    }
    let role = tab.perform(json!({"click": "role=button[nme=x]"})).await;
    refused(role, &["role=button[nme=x]", "is not understood"]);
    let none = tab.perform(json!({"click": {"selector": "text=nowhere", "timeout": "1s"}})).await;
    late(none, &["waiting for `text=nowhere` to be in the page"]);
}

async fn parts_of_a_selector_look_in_what_was_found_before(rig: &Rig) {
    let mut tab = rig.show(FORM).await;
    for (selector, text) in [
        ("ul >> li >> nth=1", "two more"),
        ("ul >> nth=0 >> li >> nth=-1 >> a", "more"),
        ("li >> text=three", "three more"),
        ("text=one >> a", "more"),
    ] {
        assert_eq!(tab.text(selector).await, text, "{selector}");
    }
    tab.does(json!({"expect": {"selector": "li >> a", "count": 3}})).await;
    let data = tab.data(json!({"extract": {"rows": {"all": "ul >> li", "fields": {"to": {"selector": "a", "attribute": "href"}}}}})).await;
    assert_eq!(data["rows"][2]["to"], format!("{}/3", tab.origin()));
}

async fn what_has_no_box_of_its_own_is_visible_if_its_content_is(rig: &Rig) {
    let mut tab = rig
        .show(
            "<div id=bare style='display: contents'>bare text</div>
            <button id=b style='display: contents' onclick=\"out.textContent = 'clicked'\"><i>icon</i></button>
            <div id=empty style='display: contents'></div><p id=out></p>
            <div style='display: none'><div id=deep style='display: contents'>no</div></div>",
        )
        .await;
    for selector in ["#bare", "#b"] {
        tab.does(json!({"wait_for": selector})).await;
    }
    for selector in ["#empty", "#deep"] {
        tab.does(json!({"wait_for": {"selector": selector, "state": "hidden"}})).await;
    }
    tab.does(json!({"click": "#b"})).await;
    assert_eq!(tab.text("#out").await, "clicked");
}

async fn text_in_shadow_roots_and_drawings_is_text_of_the_page(rig: &Rig) {
    // A script of the page makes the shadow roots.
    if !rig.declares(Capability::Evaluate) {
        lacks_one(Capability::Evaluate);
    }
    let mut tab = rig
        .show(
            "<div id=host>light</div><x-own id=own></x-own><svg><text id=drawn y=20>drawn text</text></svg><script>
            host.attachShadow({mode: 'open'}).innerHTML = '<p>before <slot></slot></p><style>p {}</style>';
            own.attachShadow({mode: 'open'}).innerHTML = 'its own <b>words</b><p hidden>unseen</p>';
            </script>",
        )
        .await;
    for text in ["before light", "its own words", "drawn text"] {
        tab.does(json!({ "wait_for": { "text": text } })).await;
        tab.does(json!({ "expect": { "text": text } })).await;
    }
    let data = tab.data(json!({"extract": {"host": "#host", "own": "#own", "drawn": "#drawn"}})).await;
    assert_eq!(json!(data), json!({"host": "before light", "own": "its own words", "drawn": "drawn text"}));
    tab.does(json!({"expect": {"selector": "#own", "text": "own words"}})).await;
    let unseen = tab.perform(json!({"expect": {"text": "unseen", "timeout": "1s"}})).await;
    assert_eq!(unseen.expect_err("it is hidden").class, FailureClass::Assertion);
}

async fn a_hidden_box_is_ticked_through_its_label(rig: &Rig) {
    let mut tab = rig
        .show(
            "<label><input type=checkbox id=small style='width:0;height:0;margin:0;appearance:none'> Agree</label>
            <input type=radio id=none style='display:none'><label for=none>Choose</label>",
        )
        .await;
    for selector in ["#small", "#none"] {
        tab.does(json!({ "check": selector })).await;
    }
    assert_eq!(tab.js("[small.checked, none.checked]").await, json!([true, true]));
}

async fn an_address_is_matched_as_people_write_it(rig: &Rig) {
    let mut tab = rig.open("/shown?html=<p>x&ort=Köln").await;
    tab.does(json!({"wait_for": {"url": "*ort=Köln"}})).await;
    tab.does(json!({"expect": {"url": "ort=K%C3%B6ln"}})).await;
}
