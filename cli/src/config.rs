//! `plimsoll config`: what the settings are, and who set them.

use std::io::Write;

use crate::args::{ConfigCommand, SettingsArgs};
use crate::failure::{Exit, Failure};
use crate::settings::{Layers, Settings};

/// Carries out the command.
///
/// # Errors
/// When settings are wrong, there is no such key, or standard output is closed.
pub fn config(command: &ConfigCommand) -> Result<Exit, Failure> {
    let text = match command {
        ConfigCommand::Show(args) => {
            let settings = layers(args)?.settings().map_err(Failure::usage)?;
            toml::to_string(&settings).map_err(Failure::bug)?
        }
        ConfigCommand::Explain { key, settings } => explain(key, settings)?,
        ConfigCommand::Check(args) => {
            layers(args)?.settings().map_err(Failure::usage)?;
            "every setting is good\n".to_owned()
        }
    };
    std::io::stdout().write_all(text.as_bytes()).map_err(Failure::environment)?;
    Ok(Exit::Success)
}

fn explain(key: &str, args: &SettingsArgs) -> Result<String, Failure> {
    let explained = layers(args)?.explain(key).map_err(Failure::usage)?;
    let explained = explained.ok_or_else(|| {
        let known =
            serde_json::to_value(Settings::default()).map(|value| keys(&value, "")).unwrap_or_default();
        let nearest = crate::decode::nearest(key, known.iter().map(String::as_str));
        let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        Failure::usage(format!("there is no setting `{key}`{hint}"))
    })?;
    Ok(format!("{key} = {}\nset by {}\n", explained.value, explained.origin))
}

/// The layers that an invocation without flags of its own has.
pub(crate) fn layers(args: &SettingsArgs) -> Result<Layers, Failure> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Layers::read(args, environment, Vec::new()).map_err(Failure::usage)
}

/// Every dotted key of a tree of values.
fn keys(value: &serde_json::Value, prefix: &str) -> Vec<String> {
    let Some(map) = value.as_object() else { return vec![prefix.to_owned()] };
    let dotted = |key: &String| if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
    map.iter().flat_map(|(key, value)| keys(value, &dotted(key))).collect()
}
