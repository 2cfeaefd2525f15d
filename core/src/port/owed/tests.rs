//! Every form of output against every kind of step.

use serde_json::json;

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and so on";

fn step(written: &Value) -> Step {
    serde_json::from_value(written.clone()).unwrap_or_else(|why| panic!("{written}: {why}"))
}

fn page(url: &str, status: Option<u16>) -> StepOutput {
    StepOutput::Page(Page { url: url.to_owned(), status })
}

fn data(value: Value) -> StepOutput {
    StepOutput::Data(serde_json::from_value(value).expect("a map"))
}

fn file(kind: ArtifactKind, bytes: &[u8]) -> StepOutput {
    StepOutput::Artifact(Artifact { kind, bytes: bytes.to_vec() })
}

/// A step of every form of output, and outputs that it owes.
fn right() -> Vec<(Value, StepOutput)> {
    let extract = |field: Value| json!({"extract": {"f": field}});
    vec![
        (json!({"goto": "http://a/"}), page("http://a/", Some(200))),
        (json!({"goto": "http://a/"}), page("http://a/", Some(503))),
        (json!({"goto": "about:blank"}), page("about:blank", None)),
        (json!({"goto": "http://a/"}), page("chrome-error://chromewebdata/", None)),
        (json!({"evaluate": "1"}), data(json!({"evaluate": null}))),
        (json!({"evaluate": {"script": "1", "name": "n"}}), data(json!({"n": {"any": [1.5]}}))),
        (json!({"content": {}}), data(json!({"content": "<p>"}))),
        (json!({"get_cookies": "c"}), data(json!({"c": []}))),
        (json!({"get_cookies": "c"}), data(json!({"c": [{"name": "a", "value": "", "later": 1}]}))),
        (extract(json!("h1")), data(json!({"f": "text"}))),
        (extract(json!("h1")), data(json!({"f": null}))),
        (extract(json!({"all": "li"})), data(json!({"f": []}))),
        (extract(json!({"all": "a", "attribute": "href"})), data(json!({"f": ["x", null]}))),
        (extract(json!({"all": "li", "fields": {"g": "b"}})), data(json!({"f": [{"g": "x"}, {"g": null}]}))),
        (json!({"extract": {}}), data(json!({}))),
        (json!({"screenshot": "page"}), file(ArtifactKind::Png, PNG)),
        (json!({"screenshot": {"format": "jpeg"}}), file(ArtifactKind::Jpeg, b"\xff\xd8\xff\xe0")),
        (json!({"pdf": {}}), file(ArtifactKind::Pdf, b"%PDF-1.4")),
        (json!({"expect": {"text": "t"}}), StepOutput::Done),
    ]
}

#[test]
fn an_output_that_is_owed_passes() {
    for (written, output) in right() {
        assert_eq!(output.check(&step(&written)), Ok(()), "{written}: {output:?}");
    }
}

#[test]
fn an_output_of_another_kind_never_passes() {
    for (written, owed) in right() {
        for (_, other) in right().into_iter().filter(|(_, other)| other.kind() != owed.kind()) {
            let checked = other.check(&step(&written));
            assert!(matches!(checked, Err(WrongOutput::Kind { .. })), "{written}: {other:?}: {checked:?}");
        }
    }
}

#[test]
fn what_is_wrong_is_named() {
    let records = json!({"extract": {"cards": {"all": ".card", "fields": {"price": "b"}}}});
    for (written, output, says) in [
        (json!({"goto": "http://a/"}), page("", None), "the URL of a page, and the answer has ``"),
        (json!({"goto": "http://a/"}), page("nowhere", None), "`nowhere`"),
        (json!({"goto": "http://a/"}), page("http://a/", Some(0)), "the answer has 0"),
        (json!({"goto": "http://a/"}), page("http://a/", Some(1000)), "the answer has 1000"),
        (json!({"goto": "http://a/"}), StepOutput::Done, "owes a page, and the answer is no output"),
        (
            json!({"expect": {"text": "t"}}),
            page("http://a/", Some(500)),
            "owes no output, and the answer is a page",
        ),
        (json!({"evaluate": "1"}), data(json!({})), "owes the field `evaluate`"),
        (json!({"evaluate": "1"}), data(json!({"evaluate": 1, "more": 2})), "has the field `more`"),
        (
            json!({"content": {}}),
            data(json!({"content": null})),
            "a text in the field `content`, and the answer has null",
        ),
        (json!({"get_cookies": {}}), data(json!({"cookies": {}})), "a list of cookies"),
        (json!({"get_cookies": {}}), data(json!({"cookies": [{"name": "a"}]})), "a list of cookies"),
        (
            json!({"extract": {"a": "h1"}}),
            data(json!({"a": 1})),
            "a text or null in the field `a`, and the answer has a number",
        ),
        (json!({"extract": {"a": {"all": "li"}}}), data(json!({"a": "x"})), "a list in the field `a`"),
        (json!({"extract": {"a": {"all": "li"}}}), data(json!({"a": ["x", 1]})), "in the field `a[1]`"),
        (records.clone(), data(json!({"cards": {}})), "a list of records in the field `cards`"),
        (records.clone(), data(json!({"cards": [{"price": "1"}, "x"]})), "a record in the field `cards[1]`"),
        (records.clone(), data(json!({"cards": [{}]})), "owes the field `cards[0].price`"),
        (
            records.clone(),
            data(json!({"cards": [{"price": true}]})),
            "in the field `cards[0].price`, and the answer has true or false",
        ),
        (records, data(json!({"cards": [{"price": "1", "x": 1}]})), "has the field `cards[0].x`"),
        (
            json!({"screenshot": "page"}),
            file(ArtifactKind::Pdf, b"%PDF-1"),
            "a PNG picture, and the answer is a PDF document",
        ),
        (json!({"screenshot": "page"}), file(ArtifactKind::Png, b""), "the file of 0 bytes"),
        (json!({"screenshot": "page"}), file(ArtifactKind::Png, b"<html>"), "the file of 6 bytes"),
        (json!({"pdf": {}}), file(ArtifactKind::Pdf, PNG), "a PDF document"),
    ] {
        let wrong = output.check(&step(&written)).expect_err("it is wrong").to_string();
        assert!(wrong.contains(says), "{written}: {wrong}");
    }
}

#[test]
fn sizes_are_limited_and_quotations_are_short() {
    let large = data(json!({"evaluate": "x".repeat(LONGEST_DATA)}));
    let wrong = large.check(&step(&json!({"evaluate": "1"})));
    assert_eq!(wrong, Err(WrongOutput::Large { bytes: LONGEST_DATA + 8, most: LONGEST_DATA }));
    let url = page(&"ü".repeat(10_000), None).check(&step(&json!({"goto": "http://a/"})));
    assert!(url.expect_err("no URL").to_string().len() < 200);
}
