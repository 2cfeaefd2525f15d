//! Text beyond ASCII in selectors, input and results. Nothing is normalised.

use serde_json::json;

use crate::case::cases;
use crate::rig::Rig;

cases![
    text_is_read_as_it_stands,
    selectors_may_be_written_in_any_script,
    text_is_filled_as_it_was_written,
    text_is_typed_as_it_was_written,
    half_an_emoji_becomes_a_replacement_character,
    expressions_may_hold_anything,
];

/// Composed and decomposed, right to left, joined emojis, and what must be escaped in JSON or HTML.
const WORDS: [&str; 6] =
    ["Grüße, 世界", "e\u{301}te\u{301}", "שלום عليكم", "👩‍👩‍👧‍👦 🚢🏳️‍🌈", "\"\\/&<b>'", "\u{2028}\u{2029}|"];

async fn text_is_read_as_it_stands(rig: &Rig) {
    let items: String = WORDS[..5].iter().map(|word| format!("<li>{}", word.replace('<', "&lt;"))).collect();
    let mut tab = rig.show(&format!("<ul>{items}</ul>")).await;
    let data = tab.data(json!({"extract": {"words": {"all": "li"}}})).await;
    assert_eq!(data["words"], json!(WORDS[..5]));
}

async fn selectors_may_be_written_in_any_script(rig: &Rig) {
    let mut tab = rig.show("<p id=größe>a</p><p class=船>b</p><p data-x='🚢 \"'>c</p>").await;
    let fields = json!({"a": "#größe", "b": ".船", "c": "[data-x='🚢 \"']", "d": {"selector": "p:last-of-type", "attribute": "data-x"}});
    let data = tab.data(json!({"extract": fields})).await;
    assert_eq!(json!(data), json!({"a": "a", "b": "b", "c": "c", "d": "🚢 \""}));
}

async fn text_is_filled_as_it_was_written(rig: &Rig) {
    let mut tab = rig.show("<textarea id=t></textarea>").await;
    for word in WORDS {
        tab.does(json!({"fill": {"selector": "#t", "text": word}})).await;
        assert_eq!(tab.js("t.value").await, word);
    }
}

async fn text_is_typed_as_it_was_written(rig: &Rig) {
    let mut tab = rig.show("<input id=i>").await;
    let typed: String = WORDS[..5].concat();
    tab.does(json!({"type": {"selector": "#i", "text": typed}})).await;
    assert_eq!(tab.js("i.value").await, typed);
}

async fn half_an_emoji_becomes_a_replacement_character(rig: &Rig) {
    rig.needs_scripts();
    let page = "<p id=out></p><script>out.textContent = 'a' + '\\ud83d' + 'b'; out.title = '\\udea2'; document.title = '\\ud83d'</script>";
    let mut tab = rig.show(page).await;
    let data = tab
        .data(json!({"extract": {"text": "#out", "title": {"selector": "#out", "attribute": "title"}}}))
        .await;
    assert_eq!(json!(data), json!({"text": "a\u{fffd}b", "title": "\u{fffd}"}));
    assert_eq!(tab.js("'x\\ud83d'").await, "x\u{fffd}");
    assert_eq!(
        tab.js("({['\\udea2']: ['\\ud83d\\udea2', '\\udea2\\ud83d']})").await,
        json!({"\u{fffd}": ["🚢", "\u{fffd}\u{fffd}"]})
    );
    let html = tab.data(json!({"content": {}})).await;
    assert!(html["content"].as_str().expect("text").contains("a\u{fffd}b"), "{html:?}");
}

async fn expressions_may_hold_anything(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for word in WORDS {
        assert_eq!(tab.js(&json!(word).to_string()).await, word);
    }
    assert_eq!(tab.js("'\\u0000\\u0001\\u007f'").await, "\u{0}\u{1}\u{7f}");
}
