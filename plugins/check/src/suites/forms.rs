//! Filling in forms: text, keys, options, boxes, files.

use serde_json::json;

use crate::case::cases;
use crate::faults::{late, refused};
use crate::rig::Rig;

cases![
    fill_replaces_and_tells_the_page,
    fill_says_when_a_field_does_not_keep_the_text,
    fill_picks_dates_and_refuses_what_takes_no_text,
    fill_takes_a_value_in_any_form_that_its_field_can_hold,
    fill_notices_what_a_field_drops,
    typing_goes_key_by_key,
    typing_goes_after_the_text_of_every_kind_of_field,
    keys_and_chords_reach_the_page,
    two_pages_have_the_keyboard_at_once,
    options_are_chosen_by_value_or_label,
    boxes_are_ticked_and_unticked,
    files_are_uploaded,
];

async fn fill_replaces_and_tells_the_page(rig: &Rig) {
    let mut tab = rig.show(r#"<label id=l>Name <input id=i value=old></label><textarea id=t>old</textarea>
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

async fn fill_says_when_a_field_does_not_keep_the_text(rig: &Rig) {
    let mut tab = rig
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

async fn fill_picks_dates_and_refuses_what_takes_no_text(rig: &Rig) {
    let mut tab = rig
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

async fn fill_takes_a_value_in_any_form_that_its_field_can_hold(rig: &Rig) {
    let mut tab = rig
        .show("<input id=i><script>i.oninput = () => { i.value = '$' + (+i.value.replace(/\\D/g, '') || 0).toLocaleString('en') + '.00'; }</script>")
        .await;
    tab.does(json!({"fill": {"selector": "#i", "text": "4300"}})).await;
    assert_eq!(tab.js("i.value").await, "$4,300.00");
    for (kind, text, held) in [
        ("color", "#FF8800", "#ff8800"),
        ("datetime-local", "2026-05-01 10:30", "2026-05-01T10:30"),
        ("datetime-local", "2026-05-01T10:30:00", "2026-05-01T10:30"),
        ("range", "35.0", "35"),
        ("time", "10:30:00", "10:30"),
        ("month", "2026-05", "2026-05"),
        ("date", "", ""),
    ] {
        let mut tab = rig.show(&format!("<input id=i type={kind}>")).await;
        tab.does(json!({"fill": {"selector": "#i", "text": text}})).await;
        let value = tab.js("i.value").await;
        // A browser may keep the seconds of a time, and the fraction of a number.
        let value = value.as_str().expect("a text");
        let trimmed =
            value.strip_suffix(":00").filter(|_| text.ends_with(":00")).or_else(|| value.strip_suffix(".0"));
        assert_eq!(trimmed.unwrap_or(value), held, "{kind} {text}");
    }
    for (kind, text) in
        [("color", "orange-ish"), ("range", "4000"), ("datetime-local", "soon"), ("date", "2026-02-31")]
    {
        let mut tab = rig.show(&format!("<input id=i type={kind}>")).await;
        refused(tab.perform(json!({"fill": {"selector": "#i", "text": text}})).await, &["cannot hold", text]);
    }
}

async fn fill_notices_what_a_field_drops(rig: &Rig) {
    let mut tab = rig
        .show(
            "<input id=p type=password><input id=t><script>
            p.oninput = t.oninput = e => { e.target.value = e.target.value.replace(/[^a-z0-9]/gi, ''); };</script>",
        )
        .await;
    let dropped = tab.perform(json!({"fill": {"selector": "#p", "text": "s3cret!"}})).await;
    refused(dropped, &["`#p`", "it holds another"]);
    tab.does(json!({"fill": {"selector": "#t", "text": "+49 (30) 12"}})).await;
    assert_eq!(tab.js("t.value").await, "493012");
}

async fn typing_goes_after_the_text_of_every_kind_of_field(rig: &Rig) {
    for (kind, before, text, after) in [
        ("email", "user@", "x.example", "user@x.example"),
        ("number", "12", "34", "1234"),
        ("tel", "12", "34", "1234"),
        ("search", "12", "34", "1234"),
    ] {
        let mut tab = rig.show(&format!("<input id=i type={kind} value='{before}'>")).await;
        tab.does(json!({"type": {"selector": "#i", "text": text}})).await;
        assert_eq!(tab.js("i.value").await, after, "{kind}");
    }
}

async fn typing_goes_key_by_key(rig: &Rig) {
    let mut tab = rig
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

async fn keys_and_chords_reach_the_page(rig: &Rig) {
    let mut tab = rig.open("/keys").await;
    tab.does(json!({"fill": {"selector": "#field", "text": "one two"}})).await;
    for key in ["Control+A", "Backspace", "x", "Shift+y", "Enter", "ArrowLeft", "Shift+Tab"] {
        tab.does(json!({"press": {"key": key, "selector": "#field"}})).await;
    }
    assert_eq!(tab.js("field.value").await, "xY");
    let pressed = "ctrl+Control ctrl+a Backspace x shift+Shift shift+Y Enter ArrowLeft shift+Shift shift+Tab";
    assert_eq!(tab.text("#out").await, pressed);
    refused(tab.perform(json!({"press": "Ctrl+A"})).await, &["`Ctrl+A` is no key", "Control+A"]);
    // Enter in a form submits it.
    let mut tab = rig.open("/form-post").await;
    tab.does(json!({"fill": {"selector": "#name", "text": "Eve"}})).await;
    tab.does(json!({"press": "Enter"})).await;
    tab.does(json!({"wait_for": {"text": "Thank you, Eve"}})).await;
}

async fn two_pages_have_the_keyboard_at_once(rig: &Rig) {
    let (mut one, mut two) = (rig.open("/keys").await, rig.open("/keys").await);
    for _ in 0..3 {
        one.does(json!({"type": {"selector": "#field", "text": "a"}})).await;
        two.does(json!({"type": {"selector": "#field", "text": "b"}})).await;
    }
    assert_eq!((one.js("field.value").await, two.js("field.value").await), (json!("aaa"), json!("bbb")));
}

async fn options_are_chosen_by_value_or_label(rig: &Rig) {
    let mut tab = rig.open("/select").await;
    tab.does(json!({"select": {"selector": "#one", "value": "b"}})).await;
    assert_eq!(tab.text("#out").await, "b");
    tab.does(json!({"select": {"selector": "#one", "value": "Anchor"}})).await;
    tab.does(json!({"select": {"selector": "#many", "values": ["x", "Mizzen"]}})).await;
    assert_eq!(tab.text("#out").await, "a x z");
    let missing = json!({"select": {"selector": "#one", "value": "Cargo", "timeout": "1s"}});
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

async fn boxes_are_ticked_and_unticked(rig: &Rig) {
    let mut tab = rig.open("/select").await;
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
    let radio = tab.perform(json!({"uncheck": {"selector": "#starboard", "timeout": "1s"}})).await;
    late(radio, &["`#starboard` to be unticked after the click"]);
    refused(tab.perform(json!({"check": "#out"})).await, &["cannot be ticked"]);
    let mut tab = rig.show(r#"<label id=l><input type=checkbox id=c style="position:absolute;opacity:0"><i>box</i></label>
        <div id=s role=switch aria-checked=false onclick="setTimeout(() => { s.ariaChecked = 'true'; }, 200)">switch</div>"#).await;
    tab.does(json!({"check": "#l"})).await;
    tab.does(json!({"check": "#s"})).await;
    assert_eq!(tab.js("[c.checked, s.ariaChecked]").await, json!([true, "true"]));
}

async fn files_are_uploaded(rig: &Rig) {
    let mut tab = rig.open("/upload").await;
    let (one, two) = (rig.file("one.txt", "papers"), rig.file("two.txt", ""));
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
    if let Some(secret) = rig.secret("secret.txt") {
        let unread = tab.perform(json!({"upload": {"selector": "#file", "files": [secret]}})).await;
        refused(unread, &["secret.txt", "cannot be read by the browser"]);
    }
    tab.does(json!({"upload": {"selector": "#file", "files": []}})).await;
    assert_eq!(tab.js("file.files.length").await, 0);
}
