//! Every step, in a real browser, on pages that make it hard. Steps are written as jobs write them.

#[path = "support/deck.rs"]
mod deck;

use std::time::Duration;

use deck::{Deck, Tab};
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
use plimsoll_core::port::{Artifact, ArtifactKind, StepOutput};
use serde_json::{Value, json};

/// Runs each case in a context of its own, a few at a time in one browser.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        #[tokio::test]
        async fn every_step_does_what_it_says() {
            let deck = Deck::launch().await;
            deck.run(vec![$((stringify!($name), Box::pin($name(&deck)))),*]).await;
            deck.close().await;
        }
    };
}

cases![
    a_click_waits_until_its_element_can_take_it,
    a_click_says_what_it_waited_for,
    a_click_reaches_what_is_far_down_nested_or_shadowed,
    clicks_are_counted_and_have_their_button,
    a_click_may_leave_the_page,
    a_click_may_open_a_dialog,
    a_selector_that_is_none_is_the_script_s_fault,
    fill_replaces_and_tells_the_page,
    fill_says_when_a_field_does_not_keep_the_text,
    fill_picks_dates_and_refuses_what_takes_no_text,
    typing_goes_key_by_key,
    keys_and_chords_reach_the_page,
    two_pages_have_the_keyboard_at_once,
    options_are_chosen_by_value_or_label,
    boxes_are_ticked_and_unticked,
    hovering_opens_menus,
    scrolling_reaches_its_end,
    files_are_uploaded,
    waits_hold_when_their_condition_does,
    a_wait_that_is_late_is_a_timeout,
    a_wait_goes_on_in_the_next_document,
    an_expectation_that_fails_is_an_assertion,
    functions_are_polled_until_true,
    values_come_back_as_json,
    what_a_script_throws_is_told,
    a_script_that_never_ends_ends_with_its_step,
    a_script_whose_document_goes_away_does_not_hang,
    fields_are_extracted_in_one_go,
    pictures_have_the_size_of_what_they_show,
    pages_are_printed,
    html_is_brought_back,
    cookies_stay_in_their_context,
    the_viewport_changes,
];

fn fails(result: Result<StepOutput, Fault>, class: FailureClass, recurrence: Recurrence, words: &[&str]) {
    let fault = result.expect_err("the step must fail");
    assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
    for part in words {
        assert!(fault.message.contains(part), "{:?} does not say {part:?}", fault.message);
    }
}

fn late(result: Result<StepOutput, Fault>, words: &[&str]) {
    fails(result, FailureClass::Timeout, Recurrence::Transient, words);
}

fn refused(result: Result<StepOutput, Fault>, words: &[&str]) {
    fails(result, FailureClass::Script, Recurrence::Persistent, words);
}

async fn picture(tab: &mut Tab, step: Value) -> Artifact {
    match tab.perform(step).await.expect("a picture") {
        StepOutput::Artifact(artifact) => artifact,
        other => panic!("{other:?}"),
    }
}

async fn a_click_waits_until_its_element_can_take_it(deck: &Deck) {
    for path in ["/moving", "/disabled?ms=300", "/covered?ms=300"] {
        let mut tab = deck.open(path).await;
        tab.does(json!({"click": "#target"})).await;
        assert_eq!(tab.text("#out").await, "clicked", "{path}");
    }
    let mut tab = deck.open("/late?ms=300").await;
    tab.does(json!({"click": "#late"})).await;
    // A fieldset and an aria attribute disable as well.
    let mut tab = deck.show(r#"<fieldset disabled><button id=a onclick="out.textContent+='a'"><b>x</b></button></fieldset>
        <div id=d aria-disabled=true><button id=b onclick="out.textContent+='b'">x</button></div><p id=out></p>"#).await;
    late(tab.perform(json!({"click": {"selector": "#a b", "timeout": "150ms"}})).await, &["to be enabled"]);
    late(tab.perform(json!({"click": {"selector": "#b", "timeout": "150ms"}})).await, &["to be enabled"]);
    tab.js("document.querySelector('fieldset').disabled = false; d.ariaDisabled = 'false'").await;
    tab.does(json!({"click": "#a b"})).await;
    tab.does(json!({"click": "#b"})).await;
    assert_eq!(tab.text("#out").await, "ab");
}

async fn a_click_says_what_it_waited_for(deck: &Deck) {
    let mut tab = deck.open("/hidden").await;
    for id in ["display", "visibility", "zero"] {
        let click = json!({"click": {"selector": format!("#{id}"), "timeout": "200ms"}});
        late(tab.perform(click).await, &["waiting for `#", "to be visible", "200ms"]);
    }
    assert_eq!(tab.text("#out").await, "not clicked");
    late(
        tab.perform(json!({"click": {"selector": "#none", "timeout": "100ms"}})).await,
        &["`#none` to be in the page"],
    );
    let mut tab = deck.open("/covered?ms=60000").await;
    let covered = tab.perform(json!({"click": {"selector": "#target", "timeout": "300ms"}})).await;
    late(covered, &["`#target` to be uncovered", "<div id=\"cover\">"]);
    assert_eq!(tab.text("#out").await, "not clicked");
}

async fn a_click_reaches_what_is_far_down_nested_or_shadowed(deck: &Deck) {
    let mut tab = deck.show(r#"
        <style>header{position:fixed;top:0;left:0;right:0;height:120px;background:red}</style><header>sticky</header>
        <div style="height:4000px"></div>
        <div style="height:100px;overflow:auto"><div style="height:1000px"></div><button id=deep>deep</button></div>
        <div id=host></div><label id=lab for=hid>for</label><input id=hid type=checkbox style="opacity:0">
        <a id=icon href="javascript:void log('link')"><i style="pointer-events:none">icon</i></a>
        <div style="height:4000px"></div><button id=top style="position:absolute;top:130px">top</button><p id=out></p>
        <script>
          const log = what => { out.textContent += what + ' '; };
          deep.onclick = top.onclick = null;
          document.querySelector('#deep').onclick = () => log('deep');
          document.querySelector('#top').onclick = () => log('top');
          const root = host.attachShadow({mode:'open'});
          root.innerHTML = '<div id=inner></div>';
          const inner = root.querySelector('#inner').attachShadow({mode:'open'});
          inner.innerHTML = '<button class=shaded><slot>shaded</slot></button>';
          inner.querySelector('button').onclick = () => log('shaded');
        </script>"#).await;
    for selector in ["#deep", ".shaded", "#icon i", "#top"] {
        tab.does(json!({"click": selector})).await;
    }
    assert_eq!(tab.text("#out").await, "deep shaded link top");
}

async fn clicks_are_counted_and_have_their_button(deck: &Deck) {
    let mut tab = deck.show(r#"<button id=b>b</button><p id=out></p><script>
        for (const kind of ['click', 'dblclick', 'auxclick', 'contextmenu'])
          b.addEventListener(kind, e => { out.textContent += `${kind}${e.detail}${e.isTrusted ? '' : '!'} `; });
        </script>"#).await;
    tab.does(json!({"click": {"selector": "#b", "count": 2}})).await;
    assert_eq!(tab.text("#out").await, "click1 click2 dblclick2");
    tab.js("out.textContent = ''").await;
    tab.does(json!({"click": {"selector": "#b", "button": "right"}})).await;
    tab.does(json!({"click": {"selector": "#b", "button": "middle"}})).await;
    let out = tab.text("#out").await;
    assert!(out.contains("contextmenu") && out.matches("auxclick").count() == 2, "{out}");
}

async fn a_click_may_leave_the_page(deck: &Deck) {
    let mut tab = deck.open("/form-post").await;
    tab.does(json!({"fill": {"selector": "#name", "text": "Ada <b>"}})).await;
    tab.does(json!({"click": "#send"})).await;
    tab.does(json!({"wait_for": {"text": "Thank you, Ada <b>"}})).await;
    tab.does(json!({"expect": {"url": "*/form-posted", "timeout": "3s"}})).await;
}

async fn a_click_may_open_a_dialog(deck: &Deck) {
    let mut tab =
        deck.show("<button onclick=\"out.textContent = confirm('go?')\">b</button><p id=out></p>").await;
    tab.does(json!({"click": "button"})).await;
    assert_eq!(tab.text("#out").await, "false");
}

async fn a_selector_that_is_none_is_the_script_s_fault(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    for step in [
        json!({"click": "::("}),
        json!({"wait_for": "::("}),
        json!({"expect": {"selector": "::(", "count": 1}}),
        json!({"extract": {"a": "::("}}),
        json!({"screenshot": "::("}),
        json!({"upload": {"selector": "::(", "files": []}}),
    ] {
        refused(tab.perform(step).await, &["'::(' is not a valid selector"]);
    }
}

async fn fill_replaces_and_tells_the_page(deck: &Deck) {
    let mut tab = deck.show(r#"<label id=l>Name <input id=i value=old></label><textarea id=t>old</textarea>
        <div id=e contenteditable><p>old</p></div><input id=late readonly value=old><p id=out></p><script>
        addEventListener('input', e => { out.textContent += `${e.target.id}:input${e.isTrusted ? '' : '!'} `; });
        addEventListener('change', e => { out.textContent += `${e.target.id}:change `; });
        setTimeout(() => { late.readOnly = false; }, 300);
        </script>"#).await;
    tab.does(json!({"fill": {"selector": "#i", "text": "Grüße, 世界"}})).await;
    assert_eq!(tab.text("#out").await, "i:input i:change");
    tab.does(json!({"fill": {"selector": "#t", "text": "two\nlines"}})).await;
    tab.does(json!({"fill": {"selector": "#e", "text": "edited"}})).await;
    tab.does(json!({"fill": {"selector": "#late", "text": "new"}})).await;
    assert_eq!(
        tab.js("[i.value, t.value, e.innerText, late.value]").await,
        json!(["Grüße, 世界", "two\nlines", "edited", "new"])
    );
    tab.does(json!({"fill": {"selector": "#l", "text": ""}})).await;
    assert_eq!(tab.js("i.value").await, "");
}

async fn fill_says_when_a_field_does_not_keep_the_text(deck: &Deck) {
    let mut tab = deck
        .show(
            r#"<input id=short maxlength=3><input id=money><input id=once><script>
        money.oninput = () => { money.value = money.value.replace(/\B(?=(\d{3})+(?!\d))/g, ','); };
        once.addEventListener('input', () => { once.value = ''; }, { once: true });
        </script>"#,
        )
        .await;
    let cut = tab.perform(json!({"fill": {"selector": "#short", "text": "abcdef"}})).await;
    refused(cut, &["`#short`", "it holds \"abc\"", "`type`"]);
    tab.does(json!({"fill": {"selector": "#money", "text": "1234567"}})).await;
    tab.does(json!({"fill": {"selector": "#once", "text": "again"}})).await;
    assert_eq!(tab.js("[money.value, once.value]").await, json!(["1,234,567", "again"]));
}

async fn fill_picks_dates_and_refuses_what_takes_no_text(deck: &Deck) {
    let mut tab = deck
        .show(
            r#"<input id=d type=date><input id=c type=checkbox><select id=s></select><p id=out></p>
        <script>d.onchange = () => { out.textContent = d.value; }</script>"#,
        )
        .await;
    tab.does(json!({"fill": {"selector": "#d", "text": "2026-11-23"}})).await;
    assert_eq!(tab.text("#out").await, "2026-11-23");
    refused(
        tab.perform(json!({"fill": {"selector": "#d", "text": "23.11."}})).await,
        &["cannot hold \"23.11.\""],
    );
    refused(tab.perform(json!({"fill": {"selector": "#c", "text": "x"}})).await, &["type=\"checkbox\""]);
    refused(tab.perform(json!({"fill": {"selector": "#s", "text": "x"}})).await, &["<select id=\"s\">"]);
}

async fn typing_goes_key_by_key(deck: &Deck) {
    let mut tab = deck
        .show(
            r#"<input id=i value=old><textarea id=t></textarea><p id=out></p><script>
        i.onkeydown = e => { out.textContent += e.key + e.code; };
        </script>"#,
        )
        .await;
    tab.does(json!({"type": {"selector": "#i", "text": "aB?ß", "delay": "5ms"}})).await;
    assert_eq!(tab.js("i.value").await, "oldaB?ß");
    assert_eq!(tab.text("#out").await, "aKeyABKeyB?Slash");
    tab.does(json!({"type": {"selector": "#t", "text": "one\r\ntwo"}})).await;
    assert_eq!(tab.js("t.value").await, "one\ntwo");
    let slow = tab
        .perform(json!({"type": {"selector": "#i", "text": "abc", "delay": "10s", "timeout": "1s"}}))
        .await;
    late(slow, &["typing"]);
}

async fn keys_and_chords_reach_the_page(deck: &Deck) {
    let mut tab = deck.open("/keys").await;
    tab.does(json!({"fill": {"selector": "#field", "text": "one two"}})).await;
    for key in ["Control+A", "Backspace", "x", "Shift+y", "Enter", "ArrowLeft", "Shift+Tab"] {
        tab.does(json!({"press": {"key": key, "selector": "#field"}})).await;
    }
    assert_eq!(tab.js("field.value").await, "xY");
    let pressed = "ctrl+Control ctrl+a Backspace x shift+Shift shift+Y Enter ArrowLeft shift+Shift shift+Tab";
    assert_eq!(tab.text("#out").await, pressed);
    refused(tab.perform(json!({"press": "Ctrl+A"})).await, &["`Ctrl+A` is no key", "Control+A"]);
    // Enter in a form submits it.
    let mut tab = deck.open("/form-post").await;
    tab.does(json!({"fill": {"selector": "#name", "text": "Eve"}})).await;
    tab.does(json!({"press": "Enter"})).await;
    tab.does(json!({"wait_for": {"text": "Thank you, Eve"}})).await;
}

async fn two_pages_have_the_keyboard_at_once(deck: &Deck) {
    let (mut one, mut two) = (deck.open("/keys").await, deck.open("/keys").await);
    for _ in 0..3 {
        one.does(json!({"type": {"selector": "#field", "text": "a"}})).await;
        two.does(json!({"type": {"selector": "#field", "text": "b"}})).await;
    }
    assert_eq!((one.js("field.value").await, two.js("field.value").await), (json!("aaa"), json!("bbb")));
}

async fn options_are_chosen_by_value_or_label(deck: &Deck) {
    let mut tab = deck.open("/select").await;
    tab.does(json!({"select": {"selector": "#one", "value": "b"}})).await;
    assert_eq!(tab.text("#out").await, "b");
    tab.does(json!({"select": {"selector": "#one", "value": "Anchor"}})).await;
    tab.does(json!({"select": {"selector": "#many", "values": ["x", "Mizzen"]}})).await;
    assert_eq!(tab.text("#out").await, "a x z");
    let missing = json!({"select": {"selector": "#one", "value": "Cargo", "timeout": "200ms"}});
    late(tab.perform(missing).await, &["option \"Cargo\"", "\"a (Anchor)\""]);
    refused(
        tab.perform(json!({"select": {"selector": "#one", "values": ["a", "b"]}})).await,
        &["one option only"],
    );
    refused(tab.perform(json!({"select": {"selector": "#one"}})).await, &["names no option"]);
    refused(tab.perform(json!({"select": {"selector": "#out", "value": "a"}})).await, &["not a <select>"]);
    tab.js("setTimeout(() => one.add(new Option('Cargo')), 200)").await;
    tab.does(json!({"select": {"selector": "#one", "value": "Cargo"}})).await;
}

async fn boxes_are_ticked_and_unticked(deck: &Deck) {
    let mut tab = deck.open("/select").await;
    for step in [
        json!({"check": "#box"}),
        json!({"check": "#box"}),
        json!({"check": "#port"}),
        json!({"check": "#starboard"}),
    ] {
        tab.does(step).await;
    }
    assert_eq!(tab.text("#out").await, "box starboard");
    tab.does(json!({"uncheck": "#box"})).await;
    tab.does(json!({"uncheck": "#box"})).await;
    assert_eq!(tab.text("#out").await, "starboard");
    let radio = tab.perform(json!({"uncheck": {"selector": "#starboard", "timeout": "300ms"}})).await;
    late(radio, &["`#starboard` to be unticked after the click"]);
    refused(tab.perform(json!({"check": "#out"})).await, &["cannot be ticked"]);
    let mut tab = deck.show(r#"<label id=l><input type=checkbox id=c style="position:absolute;opacity:0"><i>box</i></label>
        <div id=s role=switch aria-checked=false onclick="setTimeout(() => { s.ariaChecked = 'true'; }, 200)">switch</div>"#).await;
    tab.does(json!({"check": "#l"})).await;
    tab.does(json!({"check": "#s"})).await;
    assert_eq!(tab.js("[c.checked, s.ariaChecked]").await, json!([true, "true"]));
}

async fn hovering_opens_menus(deck: &Deck) {
    let mut tab = deck.open("/hover").await;
    tab.does(json!({"hover": "#harbour"})).await;
    assert_eq!(tab.text("#out").await, "hovered");
    tab.does(json!({"click": "#item"})).await;
    tab.does(json!({"expect": {"url": "#chosen"}})).await;
}

async fn scrolling_reaches_its_end(deck: &Deck) {
    let mut tab = deck.open("/scroll").await;
    tab.does(json!({"scroll": "bottom"})).await;
    assert_eq!(tab.text("#out").await, "at the bottom");
    tab.does(json!({"scroll": "top"})).await;
    tab.does(json!({"scroll": {"to": {"by": [0, 120]}}})).await;
    assert_eq!(tab.js("scrollY").await, 120);
    tab.does(json!({"scroll": "#out"})).await;
    assert!(tab.js("out.getBoundingClientRect().bottom <= innerHeight").await == true);
    late(
        tab.perform(json!({"scroll": {"to": {"selector": "#no"}, "timeout": "100ms"}})).await,
        &["`#no` to be in the page"],
    );
}

async fn files_are_uploaded(deck: &Deck) {
    let mut tab = deck.open("/upload").await;
    let (one, two) = (deck.file("one.txt", "papers"), deck.file("two.txt", ""));
    tab.does(json!({"upload": {"selector": "#file", "files": [one, two]}})).await;
    assert_eq!(tab.text("#out").await, "one.txt 6, two.txt 0");
    let missing = tab.perform(json!({"upload": {"selector": "#file", "files": ["/no/such/file"]}})).await;
    refused(missing, &["/no/such/file", "cannot be found"]);
    refused(
        tab.perform(json!({"upload": {"selector": "#file", "files": ["/tmp"]}})).await,
        &["/tmp", "not a file"],
    );
    refused(
        tab.perform(json!({"upload": {"selector": "#out", "files": [one]}})).await,
        &["not an <input type=\"file\">"],
    );
    if let Some(secret) = deck.secret("secret.txt") {
        let unread = tab.perform(json!({"upload": {"selector": "#file", "files": [secret]}})).await;
        refused(unread, &["secret.txt", "cannot be read by the browser"]);
    }
    tab.does(json!({"upload": {"selector": "#file", "files": []}})).await;
    assert_eq!(tab.js("file.files.length").await, 0);
}

async fn waits_hold_when_their_condition_does(deck: &Deck) {
    let mut tab = deck.open("/late?ms=400").await;
    tab.does(json!({"wait_for": {"selector": "#late", "state": "detached"}})).await;
    tab.does(json!({"wait_for": "#late"})).await;
    tab.does(json!({"wait_for": {"text": "Arrived  late"}})).await;
    tab.does(json!({"wait_for": {"url": "http:*/late?ms="}})).await;
    tab.does(json!({"wait_for": {"load": "idle"}})).await;
    let mut tab = deck.open("/spa").await;
    tab.does(json!({"click": "#next"})).await;
    tab.does(json!({"wait_for": {"url": "/spa/hold"}})).await;
    tab.does(json!({"expect": {"title": "The hold"}})).await;
    tab.does(json!({"expect": {"selector": "#view", "text": "In the hold"}})).await;
    let mut tab = deck.open("/hidden").await;
    for state in ["hidden", "attached"] {
        tab.does(json!({"wait_for": {"selector": "#display", "state": state}})).await;
    }
    let secret = tab.perform(json!({"wait_for": {"text": "nobody sees", "timeout": "100ms"}})).await;
    late(secret, &["the page to contain \"nobody sees\""]);
}

async fn a_wait_that_is_late_is_a_timeout(deck: &Deck) {
    let mut tab = deck.open("/hidden").await;
    let hidden = tab.perform(json!({"wait_for": {"selector": "#display", "timeout": "150ms"}})).await;
    late(hidden, &["waiting for `#display` to be visible: it is hidden", "150ms"]);
    let url = tab.perform(json!({"wait_for": {"url": "*/nowhere*", "timeout": "100ms"}})).await;
    late(url, &["the url to match \"*/nowhere*\"", "/hidden"]);
    // The attempt's budget bounds a step without a timeout.
    late(
        tab.perform_within(Duration::from_millis(200), json!({"wait_for": "#none"})).await,
        &["not in the page", "200ms"],
    );
}

async fn a_wait_goes_on_in_the_next_document(deck: &Deck) {
    let mut tab = deck.open("/late?ms=60000").await;
    tab.js("setTimeout(() => { location.href = '/late?ms=200'; }, 200)").await;
    tab.does(json!({"wait_for": {"selector": "#late", "timeout": "5s"}})).await;
    // To another site, and so to another process.
    let elsewhere = deck.elsewhere("/late?ms=200");
    tab.js(&format!("setTimeout(() => {{ location.href = {elsewhere:?}; }}, 200)")).await;
    tab.does(json!({"wait_for": {"function": "location.hostname === 'localhost' && !!window.late", "timeout": "8s"}})).await;
}

async fn an_expectation_that_fails_is_an_assertion(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    let mut failed = async |what: Value, words: &[&str]| {
        let mut what = what;
        what["timeout"] = json!("100ms");
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
    failed(json!({"selector": "h1", "state": "hidden"}), &["`h1` to be hidden, but it is visible"]).await;
    failed(json!({"text": "Sirius"}), &["the page to contain \"Sirius\", but it contains \"Fleet Capella"])
        .await;
    failed(json!({"function": "1 > 2"}), &["`1 > 2` to be true, but it is false"]).await;
    tab.does(json!({"expect": {"selector": ".card", "count": 4}})).await;
    tab.does(json!({"expect": {"text": "Gemma & sons"}})).await;
}

async fn functions_are_polled_until_true(deck: &Deck) {
    let mut tab = deck.open("/late?ms=300").await;
    tab.does(json!({"wait_for": {"function": "document.querySelector('#late').textContent.length"}})).await;
    tab.does(json!({"wait_for": {"function": "() => window"}})).await;
    tab.does(json!({"expect": {"function": "async () => { await null; return document.querySelector('#late'); }"}})).await;
    tab.does(json!({"expect": {"function": "new Promise(done => setTimeout(done, 50, 'x'))"}})).await;
    let throws = tab.perform(json!({"wait_for": {"function": "none.there", "timeout": "100ms"}})).await;
    late(throws, &["it throws ReferenceError: none is not defined"]);
    refused(tab.perform(json!({"wait_for": {"function": "a b"}})).await, &["SyntaxError"]);
}

async fn values_come_back_as_json(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
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
    ] {
        assert_eq!(tab.js(script).await, value, "{script}");
    }
    for (script, words) in [
        ("document.body", "a BODY of the page"),
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

async fn what_a_script_throws_is_told(deck: &Deck) {
    let mut tab = deck.open("/throws").await;
    let throws = tab.perform(json!({"evaluate": "1;\n2;\nthrow new TypeError('too small')"})).await;
    refused(throws, &["TypeError: too small (line 3)"]);
    refused(tab.perform(json!({"evaluate": "Promise.reject(7)"})).await, &["7"]);
    refused(tab.perform(json!({"evaluate": "a b"})).await, &["SyntaxError"]);
    assert_eq!(tab.text("#out").await, "still here");
}

async fn a_script_that_never_ends_ends_with_its_step(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    let never =
        tab.perform_within(Duration::from_millis(300), json!({"evaluate": "new Promise(() => {})"})).await;
    late(never, &["Runtime.evaluate"]);
    let busy = tab.perform_within(Duration::from_millis(300), json!({"evaluate": "for (;;) {}"})).await;
    late(busy, &["Runtime.evaluate"]);
    let click = tab.perform_within(Duration::from_millis(300), json!({"click": "h1"})).await;
    late(click, &["waiting for `h1`", "busy"]);
}

async fn a_script_whose_document_goes_away_does_not_hang(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    let leave = format!("location.href = {:?}; new Promise(() => {{}})", deck.elsewhere("/nested"));
    let fault = tab
        .perform_within(Duration::from_secs(10), json!({"evaluate": leave}))
        .await
        .expect_err("it cannot end");
    assert_eq!((fault.class, fault.recurrence), (FailureClass::Script, Recurrence::Transient), "{fault}");
    assert!(fault.message.contains("navigated away"), "{fault}");
}

async fn fields_are_extracted_in_one_go(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    let data = tab
        .data(json!({"extract": {
            "title": "title",
            "first": ".card h2",
            "none": "#none",
            "nothing": {"all": "#none"},
            "names": {"all": ".card h2"},
            "html": {"html": ".card:nth-of-type(3) h2"},
            "link": {"selector": ".card a", "attribute": "href"},
            "links": {"all": "a", "attribute": "href"},
            "class": {"selector": "div", "attribute": "class"},
            "unset": {"selector": "div", "attribute": "data-x"},
            "cards": {"all": ".card", "fields": {"name": "h2", "draught": ".draught", "links": {"all": "a"}}},
        }}))
        .await;
    let absolute = |path: &str| format!("{}{path}", tab.origin());
    let log = absolute("/nested#capella");
    assert_eq!(
        Value::Object(data),
        json!({
            "title": "Records",
            "first": "Capella",
            "none": null,
            "nothing": [],
            "names": ["Capella", "Deneb", "Gemma & sons", "No link, no draught"],
            "html": "Gemma &amp; sons",
            "link": log,
            "links": [log, absolute("/nested#deneb"), "https://example.invalid/gemma"],
            "class": "card",
            "unset": null,
            "cards": [
                {"name": "Capella", "draught": "6.4", "links": ["log"]},
                {"name": "Deneb", "draught": "5.9", "links": ["log"]},
                {"name": "Gemma & sons", "draught": "7.1", "links": ["log"]},
                {"name": "No link, no draught", "draught": null, "links": []},
            ],
        })
    );
}

/// Width and height of a PNG.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (side(16), side(20))
}

async fn pictures_have_the_size_of_what_they_show(deck: &Deck) {
    let mut tab = deck.open("/scroll").await;
    tab.does(json!({"set_viewport": {"width": 400, "height": 300}})).await;
    let page = picture(&mut tab, json!({"screenshot": "page"})).await;
    assert_eq!((page.kind, png_size(&page.bytes)), (ArtifactKind::Png, (400, 300)));
    let height = tab.js("document.documentElement.scrollHeight").await;
    let full = picture(&mut tab, json!({"screenshot": "full"})).await;
    assert_eq!(json!(png_size(&full.bytes).1), height);
    let jpeg =
        picture(&mut tab, json!({"screenshot": {"of": "page", "format": "jpeg", "quality": 30}})).await;
    assert_eq!((jpeg.kind, &jpeg.bytes[..3]), (ArtifactKind::Jpeg, &b"\xff\xd8\xff"[..]));
    tab.js("out.style = 'width: 123px; height: 45px; margin: 0'").await;
    let element = picture(&mut tab, json!({"screenshot": "#out"})).await;
    assert_eq!(png_size(&element.bytes), (123, 45));
    tab.js("water.style.height = '30000px'").await;
    let cut = picture(&mut tab, json!({"screenshot": "full"})).await;
    assert_eq!(png_size(&cut.bytes).1, 16_384);
}

async fn pages_are_printed(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    let pdf = picture(&mut tab, json!({"pdf": {"landscape": true, "margin": 0.5}})).await;
    assert_eq!((pdf.kind, &pdf.bytes[..5]), (ArtifactKind::Pdf, &b"%PDF-"[..]));
}

async fn html_is_brought_back(deck: &Deck) {
    let mut tab = deck.open("/late?ms=0").await;
    tab.does(json!({"wait_for": "#late"})).await;
    let data = tab.data(json!({"content": "html"})).await;
    let html = data["html"].as_str().expect("text");
    assert!(html.starts_with("<!DOCTYPE html>\n<html>") && html.contains("Arrived late"), "{html}");
}

async fn cookies_stay_in_their_context(deck: &Deck) {
    let (mut one, mut two) = (deck.open("/nested").await, deck.open("/nested").await);
    let tomorrow = one.js("Math.round(Date.now() / 1000) + 86400").await;
    let cookies = json!([
        {"name": "berth", "value": "7"},
        {"name": "far", "value": "x", "domain": "example.invalid", "path": "/a", "expires": tomorrow,
         "http_only": true, "secure": true, "same_site": "lax"},
    ]);
    one.does(json!({"set_cookies": cookies})).await;
    let mut found = one.data(json!({"get_cookies": {}})).await["cookies"].as_array().expect("a list").clone();
    found.sort_by_key(|cookie| cookie["name"].to_string());
    assert_eq!(found[0]["value"], "7");
    assert_eq!(found[0].get("expires"), None);
    found[1]["expires"] = json!(found[1]["expires"].as_f64().map(|seconds| seconds.round() as i64));
    assert_eq!(
        found[1],
        json!({"name": "far", "value": "x", "domain": "example.invalid", "path": "/a",
        "expires": tomorrow, "http_only": true, "secure": true, "same_site": "lax"})
    );
    assert_eq!(two.data(json!({"get_cookies": "jar"})).await["jar"], json!([]));
    one.js("location.href = '/cookies'").await;
    one.does(json!({"wait_for": {"text": "berth=7"}})).await;
    refused(
        two.perform(json!({"set_cookies": [{"name": "a;b", "value": "x"}]})).await,
        &["Network.setCookies"],
    );
}

async fn the_viewport_changes(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    tab.does(json!({"set_viewport": {"width": 390, "height": 844, "scale": 2}})).await;
    assert_eq!(tab.js("[innerWidth, innerHeight, devicePixelRatio]").await, json!([390, 844, 2]));
    let page = picture(&mut tab, json!({"screenshot": "page"})).await;
    assert_eq!(png_size(&page.bytes), (780, 1688));
}
