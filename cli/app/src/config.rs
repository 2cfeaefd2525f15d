//! `plimsoll config`: prints the settings, the list of all keys, and the layer that set a key.

use std::fmt::Write as _;

use serde_json::Value;

use crate::args::{ConfigCommand, SettingsArgs, ShowArgs};
use crate::failure::{Exit, Failure};
use crate::progress::print;
use plimsoll::settings::{DEFAULTS, Explanation, Layers, Settings, is_live, reference};

/// Carries out the command.
///
/// # Errors
/// When settings are wrong, there is no such key, or standard output is closed.
pub fn config(command: &ConfigCommand) -> Result<Exit, Failure> {
    let text = match command {
        ConfigCommand::Show(args) => show(args)?,
        ConfigCommand::Explain { key, settings } => explain(key, settings)?,
        ConfigCommand::Schema => json(&reference::schema())?,
        ConfigCommand::Check(args) => {
            settings(args, Vec::new())?;
            "every setting is good\n".to_owned()
        }
    };
    print(&text).map_err(Failure::environment)?;
    Ok(Exit::Success)
}

/// The settings of an invocation. `flags` are keys that have flags of their own, with the flag's name and value.
///
/// # Errors
/// When they are wrong, with every mistake.
pub fn settings(
    args: &SettingsArgs,
    flags: Vec<(&'static str, &'static str, Value)>,
) -> Result<Settings, Failure> {
    Ok(layers(args, flags)?.settings().clone())
}

fn layers(args: &SettingsArgs, flags: Vec<(&'static str, &'static str, Value)>) -> Result<Layers, Failure> {
    Layers::read(&args.sources(), std::env::vars_os(), flags).map_err(Failure::usage)
}

fn show(args: &ShowArgs) -> Result<String, Failure> {
    if args.defaults {
        return Ok(DEFAULTS.to_owned());
    }
    let settings = settings(&args.settings, Vec::new())?;
    if args.json { json(&settings) } else { toml::to_string(&settings).map_err(Failure::bug) }
}

fn json(value: &impl serde::Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Failure::bug)
}

fn explain(key: &str, args: &SettingsArgs) -> Result<String, Failure> {
    let explained = layers(args, Vec::new())?.explain(key).ok_or_else(|| {
        let hint = reference::meant(key).map(|name| format!("; did you mean `{name}`?"));
        Failure::usage(format!("there is no setting `{key}`{}", hint.unwrap_or_default()))
    })?;
    let texts: Vec<_> = explained.iter().map(|one| explanation(key, one)).collect();
    Ok(texts.join("\n"))
}

/// A key and the layer that set it; when the key was asked for by its own name, also its meaning.
fn explanation(asked: &str, explained: &Explanation) -> String {
    let Explanation { key, value, origin, beaten, about } = explained;
    let shown = |value: &Value| if value.is_null() { "none".to_owned() } else { value.to_string() };
    let mut text = format!("{key} = {}\nset by {origin}\n", shown(value));
    for (layer, value) in beaten {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "over   {layer}: {}", shown(value));
    }
    if key == asked {
        let change = if is_live(key) { "can change while a run goes on" } else { "needs a restart" };
        let _ = write!(
            text,
            "\n{}\nallowed: {}\nenvironment: {}\nchange: {change}\n",
            about.doc,
            about.allowed(),
            about.variable()
        );
    }
    text
}
