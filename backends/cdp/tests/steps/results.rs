//! What jobs bring back: fields, pictures, PDFs, HTML, cookies.

use plimsoll_core::port::{Artifact, ArtifactKind, StepOutput};
use serde_json::{Value, json};

use crate::deck::{Deck, Tab};
use crate::refused;

pub(crate) async fn fields_are_extracted_in_one_go(deck: &Deck) {
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

pub(crate) async fn pictures_have_the_size_of_what_they_show(deck: &Deck) {
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

pub(crate) async fn pages_are_printed(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    let pdf = picture(&mut tab, json!({"pdf": {"landscape": true, "margin": 0.5}})).await;
    assert_eq!((pdf.kind, &pdf.bytes[..5]), (ArtifactKind::Pdf, &b"%PDF-"[..]));
}

pub(crate) async fn html_is_brought_back(deck: &Deck) {
    let mut tab = deck.open("/late?ms=0").await;
    tab.does(json!({"wait_for": "#late"})).await;
    let data = tab.data(json!({"content": "html"})).await;
    let html = data["html"].as_str().expect("text");
    assert!(html.starts_with("<!DOCTYPE html>\n<html>") && html.contains("Arrived late"), "{html}");
}

pub(crate) async fn cookies_stay_in_their_context(deck: &Deck) {
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

pub(crate) async fn the_viewport_changes(deck: &Deck) {
    let mut tab = deck.open("/nested").await;
    tab.does(json!({"set_viewport": {"width": 390, "height": 844, "scale": 2}})).await;
    assert_eq!(tab.js("[innerWidth, innerHeight, devicePixelRatio]").await, json!([390, 844, 2]));
    let page = picture(&mut tab, json!({"screenshot": "page"})).await;
    assert_eq!(png_size(&page.bytes), (780, 1688));
}

async fn picture(tab: &mut Tab, step: Value) -> Artifact {
    match tab.perform(step).await.expect("a picture") {
        StepOutput::Artifact(artifact) => artifact,
        other => panic!("{other:?}"),
    }
}

/// Width and height of a PNG.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (side(16), side(20))
}
