//! The results of jobs: fields, pictures, PDFs, HTML, cookies.

use plimsoll_core::port::ArtifactKind;
use plimsoll_core::runtime::clock::time_of_day;
use serde_json::{Value, json};

use crate::case::cases;
use crate::faults::refused;
use crate::rig::Rig;

cases![
    fields_are_extracted_in_one_go,
    pictures_have_the_size_of_what_they_show,
    whole_pages_are_pictured_up_to_a_bound,
    pictures_may_be_jpegs,
    pages_are_printed,
    html_is_brought_back,
    cookies_come_back_as_they_were_set,
    cookies_of_other_sites_are_set,
    a_cookie_that_is_none_is_refused,
    the_viewport_changes,
    a_viewport_has_its_own_pixels,
];

async fn fields_are_extracted_in_one_go(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
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

async fn pictures_have_the_size_of_what_they_show(rig: &Rig) {
    let mut tab = rig.fresh("/scroll").await;
    tab.does(json!({"set_viewport": {"width": 500, "height": 400}})).await;
    let page = tab.artifact(json!({"screenshot": "page"})).await;
    assert_eq!((page.kind, png_size(&page.bytes)), (ArtifactKind::Png, (500, 400)));
    tab.js("out.style = 'width: 123px; height: 45px; margin: 0'").await;
    let element = tab.artifact(json!({"screenshot": "#out"})).await;
    assert_eq!(png_size(&element.bytes), (123, 45));
    let again = tab.artifact(json!({"screenshot": {"of": {"element": "#out"}, "format": "png"}})).await;
    assert_eq!(png_size(&again.bytes), (123, 45));
}

async fn whole_pages_are_pictured_up_to_a_bound(rig: &Rig) {
    let mut tab = rig.open("/scroll").await;
    let height = tab.js("document.documentElement.scrollHeight").await;
    let full = tab.artifact(json!({"screenshot": "full"})).await;
    assert_eq!(json!(png_size(&full.bytes).1), height);
    tab.js("water.style.height = '30000px'").await;
    let cut = tab.artifact(json!({"screenshot": "full"})).await;
    assert_eq!(png_size(&cut.bytes).1, 16_384);
}

async fn pictures_may_be_jpegs(rig: &Rig) {
    let mut tab = rig.open("/scroll").await;
    let mut size = async |quality: u8| {
        let step = json!({"screenshot": {"of": "page", "format": "jpeg", "quality": quality}});
        let jpeg = tab.artifact(step).await;
        assert_eq!((jpeg.kind, &jpeg.bytes[..3]), (ArtifactKind::Jpeg, &b"\xff\xd8\xff"[..]));
        jpeg.bytes.len()
    };
    let (coarse, fine) = (size(10).await, size(95).await);
    assert!(coarse < fine, "{coarse} bytes, {fine} bytes");
}

async fn pages_are_printed(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    for form in
        [json!({}), json!({"landscape": true, "background": true, "width": 8.5, "height": 11, "margin": 0.5})]
    {
        let pdf = tab.artifact(json!({"pdf": form})).await;
        assert_eq!((pdf.kind, &pdf.bytes[..5]), (ArtifactKind::Pdf, &b"%PDF-"[..]));
    }
}

async fn html_is_brought_back(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    let data = tab.data(json!({"content": {}})).await;
    let html = data["content"].as_str().expect("text");
    assert!(html.contains("<h1>Fleet</h1>"), "{html}");
    let mut tab = rig.open("/late?ms=0").await;
    tab.does(json!({"wait_for": "#late"})).await;
    let data = tab.data(json!({"content": "html"})).await;
    let html = data["html"].as_str().expect("text");
    assert!(html.starts_with("<!DOCTYPE html>\n<html>") && html.contains("Arrived late"), "{html}");
}

async fn cookies_come_back_as_they_were_set(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    let cookies = json!([
        {"name": "berth", "value": "7"},
        {"name": "held", "value": "x", "domain": "127.0.0.1", "path": "/", "expires": tomorrow(), "http_only": true,
         "same_site": "lax"},
    ]);
    tab.does(json!({"set_cookies": cookies})).await;
    let mut found = tab.data(json!({"get_cookies": {}})).await["cookies"].as_array().expect("a list").clone();
    found.sort_by_key(|cookie| cookie["name"].to_string());
    assert_eq!((&found[0]["value"], found[0].get("expires")), (&json!("7"), None));
    assert_eq!(
        rounded(&found[1]),
        json!({"name": "held", "value": "x", "domain": "127.0.0.1", "path": "/",
        "expires": tomorrow(), "http_only": true, "secure": false, "same_site": "lax"})
    );
    // The returned cookies can be set in another context.
    let mut other = rig.fresh("/nested").await;
    assert_eq!(other.data(json!({"get_cookies": "jar"})).await["jar"], json!([]));
    other.does(json!({"set_cookies": found})).await;
    other.go("/cookies").await.expect("a page");
    let sent = other.text("#out").await;
    assert!(sent.contains("berth=7") && sent.contains("held=x"), "{sent}");
}

async fn cookies_of_other_sites_are_set(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    let far = json!({"name": "far", "value": "x", "domain": "localhost", "path": "/", "http_only": true, "secure": false});
    tab.does(json!({"set_cookies": [far]})).await;
    tab.go(&rig.elsewhere("/cookies")).await.expect("a page");
    assert_eq!(tab.text("#out").await, "far=x");
}

async fn a_cookie_that_is_none_is_refused(rig: &Rig) {
    let mut tab = rig.open("/nested").await;
    refused(tab.perform(json!({"set_cookies": [{"name": "a;b", "value": "x"}]})).await, &[]);
}

async fn the_viewport_changes(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    tab.does(json!({"set_viewport": {"width": 640, "height": 480}})).await;
    assert_eq!(tab.js("[innerWidth, innerHeight, devicePixelRatio]").await, json!([640, 480, 1]));
}

async fn a_viewport_has_its_own_pixels(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    tab.does(json!({"set_viewport": {"width": 390, "height": 844, "scale": 2}})).await;
    assert_eq!(tab.js("[innerWidth, innerHeight, devicePixelRatio]").await, json!([390, 844, 2]));
    let page = tab.artifact(json!({"screenshot": "page"})).await;
    assert_eq!(png_size(&page.bytes), (780, 1688));
}

/// A second a day from now, in the Unix epoch; the same all day.
fn tomorrow() -> u64 {
    let now = time_of_day().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    (now.as_secs() / 86_400 + 2) * 86_400
}

/// A cookie with its end as a whole number.
fn rounded(cookie: &Value) -> Value {
    let mut cookie = cookie.clone();
    cookie["expires"] = json!(cookie["expires"].as_f64().map(|seconds| seconds.round() as u64));
    cookie
}

/// Width and height of a PNG.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (side(16), side(20))
}
