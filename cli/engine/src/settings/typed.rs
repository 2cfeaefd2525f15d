//! Checks [`Settings`] that a program filled in as the settings of a file are checked.
//!
//! A type allows values that a key's range does not: zero contexts, a share of 300 %. So the values are written out as
//! a layer and checked like a layer. Values that are not shown (secrets, addresses with a user) cannot be written out;
//! their types were checked when they were made.

use serde_json::Value;

use super::Settings;
use super::layer::Layer;
use super::mistake::Mistake;
use super::secret::REDACTED;
use super::source::Source;
use super::verify::verify;

/// Everything that is wrong with `settings`.
pub(super) fn mistakes(settings: &Settings) -> Vec<Mistake> {
    let mut values = serde_json::to_value(settings).unwrap_or_default();
    leave_out_hidden(&mut values);
    let mut layer = Layer::new(Source::Program, values);
    let verified = verify(&mut layer);
    let place = layer.source.to_string();
    let problems = settings.problems().into_iter().filter(|problem| !problem.concerns(&verified.cut));
    let problems = problems.chain(settings.unreadable_secret());
    let problems = problems.map(|problem| Mistake::at(place.clone(), &problem.to_string()));
    let problems: Vec<_> = problems.collect();
    verified.mistakes().chain(problems).collect()
}

/// Takes out of the tables in `values` each value without further tables that has a hidden text in it, and each value
/// that is not set.
fn leave_out_hidden(values: &mut Value) {
    if let Value::Object(entries) = values {
        entries.retain(|_, value| {
            leave_out_hidden(value);
            value.is_object() || !(value.is_null() || value.to_string().contains(REDACTED))
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::{Layers, Secret, SettingsSources};

    fn messages(settings: Settings) -> Vec<String> {
        settings
            .checked()
            .map_or_else(|error| error.0.into_iter().map(|wrong| wrong.message).collect(), |_| Vec::new())
    }

    #[test]
    fn a_program_is_refused_what_a_file_is_refused_in_the_same_words() {
        type Edit = fn(&mut Settings);
        let edits: [(&str, Edit); 5] = [
            ("limits.max_contexts=0", |settings| settings.limits.max_contexts = 0),
            ("limits.queue_timeout=0s", |settings| settings.limits.queue_timeout = Some(Duration::ZERO)),
            ("limits.creation_tolerance=1000.5", |settings| settings.limits.creation_tolerance = 1000.5),
            ("retry.cap=1ms", |settings| settings.retry.cap = Duration::from_millis(1)),
            ("driver.name=cpd", |settings| settings.driver.name = "cpd".to_owned()),
        ];
        for (set, edit) in edits {
            let sources = SettingsSources { config: None, set: vec![set.to_owned()] };
            let refused = Layers::given(&sources, std::iter::empty(), Vec::new()).expect_err(set);
            let expected: Vec<_> = refused.0.into_iter().map(|wrong| wrong.message).collect();
            let mut settings = Settings::default();
            edit(&mut settings);
            assert_eq!(messages(settings), expected, "{set}");
        }
    }

    #[test]
    fn settings_that_a_file_gave_pass_again_with_their_secrets() {
        assert_eq!(Settings::default().checked(), Ok(Settings::default()));
        let place = tempfile::tempdir().expect("a place for tests");
        let file = place.path().join("secret");
        std::fs::write(&file, "canary\n").expect("room");
        let set = |key: &str, value: &str| format!("driver.webdriver.{key}={value}");
        let [url, user] = [set("url", "http://u:canary@grid:4444"), set("username", "u")];
        let library = "driver.plugin.x.path=/x".to_owned();
        let token = "driver.plugin.x.config.token=canary".to_owned();
        let plain_url = set("url", "http://grid:4444");
        let in_file = set("password_file", &file.display().to_string());
        for set in [
            vec![url, library, token],
            vec![plain_url.clone(), user.clone(), in_file],
            vec![plain_url, user, set("password", "canary")],
        ] {
            let sources = SettingsSources { config: None, set };
            let layers = Layers::given(&sources, std::iter::empty(), Vec::new()).expect("good settings");
            assert_eq!(messages(layers.settings().clone()), [""; 0], "{sources:?}");
        }
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_a_mistake() {
        let mut settings = Settings::default();
        settings.driver.webdriver.password_file = Some("/nowhere/secret".into());
        settings.driver.webdriver.password = None;
        assert!(messages(settings).iter().any(|message| message.contains("/nowhere/secret")));
        let mut settings = Settings::default();
        settings.driver.webdriver.password = Some(Secret::from("canary".to_owned()));
        let refused = messages(settings);
        assert!(refused.iter().any(|message| message.contains("a password without a user")), "{refused:?}");
        assert!(!refused.concat().contains("canary"));
    }
}
