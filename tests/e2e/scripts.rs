//! Jobs with many steps: the form of the demonstration, and every kind of result.

use plimsoll_kit::demo_site;
use plimsoll_kit::site::LOOPBACK;
use serde_json::json;

use crate::rig::Rig;

/// Width and height of a PNG, which follow its signature and the header of its first chunk.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n") && bytes.len() > 24, "no PNG");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

#[test]
fn a_letter_is_written_sent_and_documented() {
    let (rig, site) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"));
    rig.jobs([json!({"id": "letter", "url": site.url("/form"), "steps": [
        {"set_viewport": {"width": 700, "height": 400}},
        {"set_cookies": [{"name": "berth", "value": "seven", "url": site.url("/")}]},
        {"fill": {"selector": "#name", "text": "Ada"}},
        {"type": {"selector": "#email", "text": "ada@example.org"}},
        {"select": {"selector": "#topic", "value": "draught"}},
        {"check": "#agree"},
        {"evaluate": {"script": "[topic.value, agree.checked, email.value]", "name": "form"}},
        {"click": "#send"},
        {"wait_for": {"text": "Thank you"}},
        {"expect": {"selector": "#out", "text": "Thank you, Ada"}},
        {"extract": {"answer": "#out", "fields": {"all": "label input", "attribute": "name"}}},
        {"screenshot": "page"},
        {"goto": site.url("/table")},
        {"screenshot": "full"},
        {"screenshot": {"of": {"element": "h1"}, "format": "jpeg"}},
        {"pdf": {}},
        {"content": {}},
        {"get_cookies": {}},
    ]})]);
    let letter = rig.run(&[]).expect(0).result("letter");
    let data = &letter["data"];
    assert_eq!(data["form"], json!(["draught", true, "ada@example.org"]));
    assert_eq!(data["answer"], "Thank you, Ada");
    assert_eq!(data["fields"], json!(["name", "email", "agree"]));
    assert!(
        data["content"].as_str().is_some_and(|html| html.contains("<table") && html.contains("Aldebaran")),
        "{data}"
    );
    let cookie = &data["cookies"][0];
    assert_eq!((&cookie["name"], &cookie["value"]), (&json!("berth"), &json!("seven")), "{data}");

    let artifacts = letter["artifacts"].as_array().expect("a list");
    let [page, full, heading, pdf] = &artifacts[..] else { panic!("four artifacts: {artifacts:?}") };
    assert_eq!(png_size(&rig.artifact(page)), (700, 400), "the viewport that was set");
    let (width, height) = png_size(&rig.artifact(full));
    assert!(width == 700 && height > 2000, "a hundred rows are not {width} x {height}");
    assert!(rig.artifact(heading).starts_with(b"\xff\xd8\xff"), "no JPEG");
    assert!(rig.artifact(pdf).starts_with(b"%PDF-"), "no PDF");
    rig.assert_clean();
}

#[test]
fn steps_that_fail_say_which_and_why() {
    let (rig, site) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"));
    let failing = [
        ("title", json!({"expect": {"title": "No such title", "timeout": "3s"}}), "assertion"),
        ("count", json!({"expect": {"selector": "input", "count": 7, "timeout": "3s"}}), "assertion"),
        ("wait", json!({"wait_for": {"text": "never said", "timeout": "3s"}}), "timeout"),
        ("click", json!({"click": {"selector": "#nowhere", "timeout": "3s"}}), "timeout"),
        ("throws", json!({"evaluate": "nothing.at.all"}), "script"),
        ("selector", json!({"extract": {"x": "p[["}}), "script"),
    ];
    rig.jobs(failing.iter().map(|(id, step, _)| {
        json!({"id": id, "url": site.url("/form"), "steps": [{"wait_for": "#name"}, step, {"extract": {"late": "h1"}}]})
    }));
    let ended = rig.run(&["--concurrency", "6"]).expect(1);
    for (id, _, class) in failing {
        let line = ended.result(id);
        assert_eq!(
            (&line["class"], &line["stage"]),
            (&json!(class), &json!({"at": "step", "step": 2})),
            "{line}"
        );
        assert!(line["data"].get("late").is_none(), "what comes after is not done: {line}");
    }
    rig.assert_clean();
}
