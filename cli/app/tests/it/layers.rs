//! Which layer overrides which, how each layer is named, and that every key has an effect.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use plimsoll::settings::reference::{ANY_NAME, Key, key_tree};
use plimsoll::settings::{Layers, Settings, SettingsError, SettingsSources};
use serde_json::{Value, json};

use crate::desk::Desk;

fn read(file: Option<&str>, environment: &[(&str, &str)], set: &[&str]) -> Result<Layers, SettingsError> {
    let desk = Desk::new();
    let config = file.map(|text| {
        desk.write("test.toml", text);
        desk.path("test.toml")
    });
    let args = SettingsSources { config, set: set.iter().map(ToString::to_string).collect() };
    let environment = environment.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Layers::read(&args, environment, Vec::new())
}

#[test]
fn a_later_layer_wins_and_explain_names_it_and_those_it_beat() {
    let layers = read(
        Some("[limits]\nmax_contexts = 7\nmax_creating = 6\n[retry]\nbase = \"2s\""),
        &[("PLIMSOLL_LIMITS__MAX_CONTEXTS", "8"), ("PLIMSOLL_CHROMIUM", "/x"), ("HOME", "/")],
        &["limits.max_contexts=9", "driver.cdp.executable=12345", "retry.classes=navigation, proxy"],
    )
    .expect("good settings");
    let settings = layers.settings();
    assert_eq!((settings.limits.max_contexts, settings.limits.max_creating), (9, 6));
    assert_eq!(settings.retry.base.as_secs(), 2);
    assert_eq!(settings.retry.classes.len(), 2, "lists may be written with commas");
    assert_eq!(settings.driver.cdp.executable, Some("12345".into()), "a path may look like a number");

    let explained = layers.explain("limits.max_contexts").expect("a key");
    let [explained] = &explained[..] else { panic!("one key") };
    assert_eq!((explained.value.clone(), explained.origin.as_str()), (json!(9), "--set limits.max_contexts"));
    let values: Vec<_> = explained.beaten.iter().map(|(_, value)| value.clone()).collect();
    assert_eq!(values, [json!(8), json!(7), json!(100)]);
    assert_eq!(explained.beaten[0].0, "the environment variable PLIMSOLL_LIMITS__MAX_CONTEXTS");
    assert!(explained.beaten[1].0.ends_with("test.toml:2:16"), "{:?}", explained.beaten[1]);
    assert_eq!(explained.beaten[2].0, "the default");

    let origin = |key| layers.explain(key).map(|all| all[0].origin.clone());
    assert_eq!(origin("retry.cap"), Some("the default".to_owned()));
    assert_eq!(origin("limits.nothing"), None);
    let table = layers.explain("memory").expect("a table");
    assert_eq!(table.len(), 3, "each key of the table");
}

#[test]
fn an_empty_text_unsets_what_may_be_unset() {
    let layers = read(
        Some("[limits]\nqueue_timeout = \"5m\"\n[driver.cdp]\nargs = [\"--a\"]\n"),
        &[],
        &["limits.queue_timeout=", "driver.cdp.args="],
    );
    let layers = layers.expect("good settings");
    assert_eq!(layers.settings().limits.queue_timeout, None);
    assert!(layers.settings().driver.cdp.args.is_empty());
}

#[test]
fn tables_are_joined_over_layers_and_lists_are_replaced() {
    let layers = read(
        Some("[driver.plugin.x]\npath = \"/x.so\"\n[driver.plugin.x.config]\na = 1\nb = [1, 2]\n"),
        &[("PLIMSOLL_DRIVER__PLUGIN__X__CONFIG__B", "[3]")],
        &["driver.plugin.x.config={\"c\": {\"d\": true}}"],
    );
    let layers = layers.expect("good settings");
    let plugin = &layers.settings().driver.plugin["x"];
    assert_eq!(plugin.path, Some("/x.so".into()));
    assert_eq!(Value::Object(plugin.config.0.clone()), json!({"a": 1, "b": [3], "c": {"d": true}}));
}

#[test]
fn the_environment_may_be_no_text_as_long_as_it_is_not_ours() {
    let read = |name: &[u8], value: &[u8]| {
        let entry = (OsString::from_vec(name.to_vec()), OsString::from_vec(value.to_vec()));
        Layers::read(&SettingsSources::default(), std::iter::once(entry), Vec::new())
    };
    assert!(read(b"caf\xe9", b"\xff").is_ok());
    assert!(read(b"PLIMSOLL_LOG", b"\xff").is_ok());
    for (name, value) in [(&b"PLIMSOLL_caf\xe9"[..], &b"1"[..]), (b"PLIMSOLL_LIMITS__POLICY", b"\xff")] {
        let error = read(name, value).expect_err("no text").to_string();
        assert!(error.contains("the environment variable PLIMSOLL_") && error.contains("UTF-8"), "{error}");
    }
}

#[test]
fn what_was_cut_out_causes_no_further_mistakes() {
    let error = read(Some("[retry]\nbase = \"1h\"\ncap = \"two hours\"\n"), &[], &[]).expect_err("a mistake");
    assert_eq!(error.0.len(), 1, "{error}");
    let error = read(Some("[retry]\nbase = \"1h\"\n[limits]\nx = 1\n"), &[], &[]).expect_err("two mistakes");
    assert_eq!(error.0.len(), 2, "{error}");
}

#[test]
fn a_mistake_is_one_even_where_a_later_layer_overrides_it() {
    let error = read(Some("[limits]\nmax_contexts = \"many\"\n"), &[], &["limits.max_contexts=5"]);
    assert!(error.is_err());
}

/// Another value that the key could have.
fn another(key: &Key) -> Value {
    match &key.default {
        Value::Number(number) if number.is_u64() => json!(number.as_u64().expect("checked") + 1),
        Value::Number(_) => json!(3.25),
        Value::Array(_) => json!(["timeout"]),
        Value::String(text) if key.allowed().contains('`') => {
            json!(key.allowed().split('`').skip(1).step_by(2).find(|name| name != text).expect("another"))
        }
        Value::String(text) if text.ends_with('%') => json!("33%"),
        Value::String(text) if text.ends_with('B') => json!("123MiB"),
        Value::String(_) | Value::Null => json!("77s"),
        other => panic!("{}: {other}", key.name),
    }
}

#[test]
fn every_key_of_the_fleet_arrives_in_it() {
    /// Tables and keys that the fleet does not read.
    const READ_ELSEWHERE: [&str; 5] = ["driver.", "route.", "profiles.", "secrets.", "log."];
    const ALSO: [&str; 1] = ["timeouts.grace"];
    let fleet = |settings: &Settings| format!("{:?}", settings.fleet(0));
    let before = fleet(&Settings::default());
    let mut seen = BTreeSet::from([before]);
    let keys = key_tree().keys().into_iter().filter(|key| {
        !READ_ELSEWHERE.iter().any(|table| key.name.starts_with(table)) && !ALSO.contains(&key.name.as_str())
    });
    for key in keys {
        assert!(!key.name.contains(ANY_NAME), "{}", key.name);
        let settings = read(None, &[], &[&format!("{}={}", key.name, written(&another(key)))]);
        let settings = match settings {
            Ok(layers) => layers.settings().clone(),
            // Alone the value contradicts the defaults; this test checks only that the value is passed on.
            Err(_) => alone(key),
        };
        assert!(seen.insert(fleet(&settings)), "{} changes nothing, or what another key changes", key.name);
    }
}

fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The defaults with another value for this key, whatever contradicts it.
fn alone(key: &Key) -> Settings {
    let mut values = serde_json::to_value(Settings::default()).expect("plain data");
    let pointer = format!("/{}", key.name.replace('.', "/"));
    *values.pointer_mut(&pointer).expect("a key") = another(key);
    serde_json::from_value(values).unwrap_or_else(|why| panic!("{}: {why}", key.name))
}
