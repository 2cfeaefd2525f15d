//! Turns a [`Value`] into a type. When the value does not fit the type, the error names the place and what was probably
//! meant: `unknown key `selectr` in steps[2].fill; did you mean `selector`?`.
//!
//! Serde has a constructor for each kind of mistake, and [`DecodeError`] keeps the kinds apart by type, so that no code
//! parses messages. The values that are accepted are those that [`serde_json::from_value`] accepts, except that keys of
//! maps are always texts.

mod error;
mod node;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::{DecodeError, Mistake, Segment, nearest};

/// Decodes `value`.
///
/// # Errors
/// The first mistake in `value`, with its place.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, DecodeError> {
    T::deserialize(node::Node(value))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use plimsoll_core::job::JobKeys;
    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    fn message(value: &Value) -> String {
        from_value::<JobKeys>(value).expect_err("a mistake").to_string()
    }

    #[test]
    fn each_mistake_is_told_with_its_place_and_what_was_meant() {
        let step = |step: Value| message(&json!({"url": "http://a/", "steps": [{"click": "a"}, step]}));
        let table = [
            (
                step(json!({"fill": {"selectr": "#a", "text": "x"}})),
                "unknown key `selectr` in steps[1].fill; did you mean `selector`? (known: selector, text, timeout)",
            ),
            (step(json!({"clik": "#a"})), "unknown step `clik` in steps[1]; did you mean `click`?"),
            (
                step(json!({"scroll": {"to": "left"}})),
                "unknown value `left` for steps[1].scroll.to (known: top, bottom, selector, by)",
            ),
            (step(json!({"fill": {"selector": "#a"}})), "missing key `text` in steps[1].fill"),
            (step(json!({"fill": "#a"})), "steps[1].fill must be a map, not the text \"#a\""),
            (
                step(json!({"click": 5})),
                "steps[1].click must be a CSS selector, or {\"selector\": ...}, not the number 5",
            ),
            (
                step(json!({"click": {"selector": "a", "count": 300}})),
                "steps[1].click.count must be a whole number from 0 to 255, not the number 300",
            ),
            (step(json!("pdf")), "steps[1]: `pdf` says too little; write {\"pdf\": ...}"),
            (step(json!(7)), "steps[1] must be a map with one key, the name of the step, not the number 7"),
            (
                step(json!({"click": "a", "hover": "b"})),
                "steps[1]: a map with one key is expected here, its name; split up `click` and `hover`",
            ),
            (step(json!({})), "steps[1]: an empty map; it needs one key, its name"),
            (
                step(json!({"wait_for": {"text": "a", "url": "b"}})),
                "steps[1].wait_for: wait_for needs exactly one of `selector`, `text`, `url`, `load`, `function`",
            ),
            (
                step(json!({"goto": "ftp://a/"})),
                "steps[1].goto: `ftp://a/` has the scheme `ftp`; only http and https pages can be opened",
            ),
            (
                step(json!({"scroll": {"to": {"by": [1, 2, 3]}}})),
                "steps[1].scroll.to.by has 3 entries instead of 2",
            ),
            (
                message(&json!({"url": "http://a/", "extract": {"a b": {"all": 1}}})),
                "extract[\"a b\"].all must be a text, not the number 1",
            ),
            (
                message(&json!({"url": "http://a/", "screenshots": "full"})),
                "unknown key `screenshots`; did you mean `screenshot`?",
            ),
            (
                message(&json!({"url": "http://a/", "wait_until": "loaded"})),
                "unknown value `loaded` for wait_until; did you mean `load`? \
                 (known: commit, dom, domcontentloaded, load, idle, networkidle)",
            ),
            (message(&json!(true)), "the whole must be a map, not true"),
            (message(&json!({"timeout": 20})), "timeout must be a text, not the number 20"),
        ];
        for (said, expected) in table {
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn the_mistake_and_its_path_can_be_matched() {
        let error =
            from_value::<JobKeys>(&json!({"steps": [{"fill": {"txt": ""}}]})).expect_err("an unknown key");
        let path: Vec<_> = error.path().cloned().collect();
        assert_eq!(path, [Segment::Key("steps".into()), Segment::Index(0), Segment::Key("fill".into())]);
        assert!(matches!(error.mistake, Mistake::UnknownKey { key, .. } if key == "txt"));
    }

    /// A type with the shapes that jobs and settings consist of.
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        a: Option<u8>,
        b: Option<Choice>,
        #[serde(default)]
        c: BTreeMap<String, f64>,
        #[serde(default)]
        d: Vec<Self>,
        e: Option<(bool, i64)>,
        f: Option<Even>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        None,
        One(String),
        Two(u16, i8),
        Named { a: f32, b: Option<char> },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "i32")]
    struct Even(i32);

    impl TryFrom<i32> for Even {
        type Error = &'static str;

        fn try_from(number: i32) -> Result<Self, Self::Error> {
            if number % 2 == 0 { Ok(Self(number)) } else { Err("odd") }
        }
    }

    /// Values that sometimes decode: their keys and names are those of [`Sample`], their types are arbitrary.
    fn values() -> impl Strategy<Value = Value> {
        let key = || {
            proptest::sample::select(vec!["a", "b", "c", "d", "e", "f", "none", "one", "two", "named", "x"])
        };
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2i64..300).prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            key().prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(key().prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_serde_json_accepts_is_accepted_and_is_the_same(value in values()) {
            prop_assert_eq!(from_value::<Sample>(&value).ok(), serde_json::from_value::<Sample>(value.clone()).ok());
            prop_assert_eq!(from_value::<Choice>(&value).ok(), serde_json::from_value::<Choice>(value.clone()).ok());
            prop_assert_eq!(from_value::<Value>(&value).ok(), Some(value.clone()));
            prop_assert_eq!(from_value::<JobKeys>(&value).ok(), serde_json::from_value::<JobKeys>(value).ok());
        }
    }
}
