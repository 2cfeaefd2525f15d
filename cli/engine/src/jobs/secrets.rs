//! Tests that no mistake in a job repeats a secret: each value of a job that may hold a secret is replaced by a secret of
//! each shape, right or wrong.

use serde_json::{Value, json};

use super::trial::Files;

const CANARY: &str = "7261839405";

/// Keys that hold secrets, in a job with each of them.
const SECRET: [&str; 8] = ["headers", "cookies", "set_cookies", "proxy", "url", "goto", "fill", "type"];

/// Keys beside them whose values are no secrets.
const PLAIN: [&str; 4] = ["timeout", "delay", "selector", "wait_until"];

fn job() -> Value {
    let cookie = json!({"name": "a", "value": "b", "url": "http://h/", "domain": "h", "path": "/", "expires": 1.5,
        "http_only": true, "secure": true, "same_site": "lax"});
    json!({
        "url": "http://h/",
        "headers": {"authorization": "Bearer x"},
        "cookies": [cookie],
        "proxy": {"server": "http://h:1", "bypass": ["h"]},
        "steps": [
            {"goto": "http://h/"},
            {"goto": {"url": "http://h/", "wait_until": "load"}},
            {"wait_for": {"url": "http://h/*", "timeout": "1s"}},
            {"expect": {"url": "http://h/*"}},
            {"fill": {"selector": "#p", "text": "x", "timeout": "1s"}},
            {"type": {"selector": "#p", "text": "x", "delay": "1ms"}},
            {"set_cookies": [cookie]},
            {"if": {"url": "http://h/*"}, "then": [{"fill": {"selector": "#p", "text": "x"}}], "else": [{"goto": "http://h/"}]},
            {"try": [{"type": {"selector": "#p", "text": "x"}}], "catch": [{"use": "p"}]},
        ],
        "procedures": {"p": [{"goto": "http://h/"}]},
    })
}

/// A secret in each shape in which somebody may write one.
fn shapes() -> Vec<Value> {
    let number: u64 = CANARY.parse().expect("digits");
    let mut shapes = vec![
        json!(number),
        json!(-(number as f64) / 7.0 * 7.0),
        json!([CANARY]),
        json!([[CANARY]]),
        json!({"a": CANARY}),
        json!({"a": {"b": [CANARY]}}),
        json!({format!("a: {CANARY}"): "b"}),
        json!({"a": CANARY, "b": number}),
    ];
    let texts = [
        "{}",
        "a: {}",
        "a={}",
        "a={}; b",
        "{}\r\nb: c",
        "Bearer {{{}",
        "http://u:{}@h/",
        "http:u:{}@h",
        "//u:{}@h",
        "u:{}@h",
        "ftp://u:{}@h/",
        "http://u:{}",
        "http://u:{}@",
        "http://u:x/{}@h",
        "http://u:x {}@h",
        "socks5://{}@h:1",
        "http://u:{}@h:x/",
        "\\u:{}@h",
    ];
    shapes.extend(texts.iter().map(|text| json!(text.replace("{}", CANARY))));
    shapes
}

/// Whether nothing in a text that is no URL tells that it is a secret. A mistake repeats such a text.
fn is_bare(text: &Value) -> bool {
    text.as_str().is_some_and(|text| !text.contains('@') && !text.contains("://"))
}

/// The JSON pointers of every value in `value`.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| pointers(item, &format!("{at}/{n}"), found));
        }
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| pointers(value, &format!("{at}/{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_mistake_repeats_a_secret() {
    let (job, mut places) = (job(), Vec::new());
    pointers(&job, "", &mut places);
    places.retain(|place| place.split('/').any(|key| SECRET.contains(&key)));
    places.retain(|place| !PLAIN.iter().any(|plain| place.ends_with(plain)));
    assert!(Files::new(&[("a.jsonl", job.to_string().as_bytes())]).open("a.jsonl", None).is_ok());
    let mut mistakes = 0;
    for place in &places {
        let is_url = place.ends_with("url") || place.ends_with("goto");
        for shape in shapes().into_iter().filter(|shape| !(is_url && is_bare(shape))) {
            let mut wrong = job.clone();
            *wrong.pointer_mut(place).expect("it is there") = shape.clone();
            let line = wrong.to_string();
            // The same job as a line, as a document, and as a template that is filled with the secret.
            let template = line.replace(CANARY, "{{secret}}");
            let rows = format!("secret\n{CANARY}\n");
            let files = Files::new(&[
                ("a.jsonl", line.as_bytes()),
                ("a.json", line.as_bytes()),
                ("t.jsonl", template.as_bytes()),
                ("r.csv", rows.as_bytes()),
            ]);
            for (name, rows) in [("a.jsonl", None), ("a.json", None), ("t.jsonl", Some("r.csv"))] {
                if let Err(said) = files.open(name, rows) {
                    mistakes += 1;
                    assert!(!said.contains("72618394"), "{place} = {shape}: {said}");
                }
            }
        }
    }
    assert!(mistakes > places.len() * 20, "{mistakes} of {} places", places.len());
}

#[test]
fn no_mistake_in_a_list_repeats_a_secret() {
    for line in shapes().into_iter().filter(|shape| !is_bare(shape)) {
        let Value::String(line) = line else { continue };
        let toml = format!("[[job]]\nurl = '''{line}'''");
        let files = Files::new(&[("a.txt", line.as_bytes()), ("a.toml", toml.as_bytes())]);
        for name in ["a.txt", "a.toml"] {
            if let Err(said) = files.open(name, None) {
                assert!(!said.contains(CANARY), "{line}: {said}");
            }
        }
    }
}
