//! Merges the layers: the value of each key, and the layer that set it.
//!
//! ```text
//!   defaults ─┐
//!   file ─────┤  each layer by itself:            all together:
//!   PLIMSOLL_ ┼─► unknown keys, types, ranges ─► merged by figment ─► contradictions, secrets ─► Settings
//!   --set ────┤                │                                          │
//!   flags ────┘                └────────── mistakes, with their places ◄──┘
//! ```
//!
//! A layer's mistake is reported even where a later layer overrides it; otherwise it would appear when that layer is
//! removed. Wrong values are removed before the next check, so that all mistakes are reported at once.

use std::ffi::OsString;
use std::path::PathBuf;

use figment::Figment;
use serde_json::Value;

use super::file;
use super::layer::{Layer, Numbered};
use super::mistake::{Mistake, SettingsError};
use super::places::KeyOrValue;
use super::problem::Problem;
use super::reference::{self, Key, key_tree};
use super::source::Source;
use super::verify::{overlay, verify};
use super::{Settings, text};
use crate::decode::{self, Segment};

/// Where settings come from, beside the environment.
#[derive(Debug, Clone, Default)]
pub struct SettingsSources {
    /// A settings file; `./plimsoll.toml` is read if there is one and none is named.
    pub config: Option<PathBuf>,
    /// Single keys, as in `retry.attempts=5`.
    pub set: Vec<String>,
}

/// The file that is read when none is named.
const USUAL_FILE: &str = "plimsoll.toml";

/// All layers of settings, merged and found good.
#[derive(Debug)]
pub struct Layers {
    layers: Vec<Layer>,
    figment: Figment,
    settings: Settings,
    /// The settings as plain data, without what was read from files that they name.
    shown: Value,
}

/// What a key is set to, and by whom.
#[derive(Debug)]
pub struct Explanation {
    /// The key, dotted.
    pub key: String,
    /// Its value; null when it is not set. Secrets are not shown.
    pub value: Value,
    /// The layer that sets it.
    pub origin: String,
    /// The layers that it beat, and the values they give; the strongest first.
    pub beaten: Vec<(String, Value)>,
    /// What the key means, if it is not one of a free table.
    pub about: &'static Key,
}

impl Layers {
    /// Reads every layer. `flags` are keys that have flags of their own, with the flag's name and value.
    ///
    /// # Errors
    /// With every mistake in them.
    pub fn read(
        args: &SettingsSources,
        environment: impl Iterator<Item = (OsString, OsString)>,
        flags: Vec<(&'static str, &'static str, Value)>,
    ) -> Result<Self, SettingsError> {
        let config = args.config.clone().or_else(usual_file);
        Self::given(&SettingsSources { config, ..args.clone() }, environment, flags)
    }

    /// As [`Layers::read`], and no file is read that is not named.
    ///
    /// # Errors
    /// With every mistake in them.
    pub fn given(
        args: &SettingsSources,
        environment: impl Iterator<Item = (OsString, OsString)>,
        flags: Vec<(&'static str, &'static str, Value)>,
    ) -> Result<Self, SettingsError> {
        let mut mistakes = Vec::new();
        let mut layers = vec![Layer::new(Source::Default, reference::defaults())];
        if let Some(path) = args.config.clone() {
            match file::read(&path) {
                Ok((layer, wrong)) => {
                    layers.push(layer);
                    mistakes.extend(wrong);
                }
                Err(wrong) => mistakes.extend(wrong),
            }
        }
        let mut variables: Vec<_> =
            environment.filter_map(|(name, value)| text::environment(name, value)).collect();
        // The environment's order has no meaning; sorting makes messages reproducible.
        variables.sort_by_key(|layer| layer.as_ref().ok().map(|layer| layer.source.to_string()));
        for layer in variables.into_iter().chain(args.set.iter().map(|set| text::set(set))) {
            match layer {
                Ok(layer) => layers.push(layer),
                Err(wrong) => mistakes.push(wrong),
            }
        }
        layers.extend(
            flags.into_iter().map(|(flag, key, value)| Layer::single(Source::Flag(flag), key, value)),
        );
        Self::join(layers, mistakes)
    }

    fn join(mut layers: Vec<Layer>, mut mistakes: Vec<Mistake>) -> Result<Self, SettingsError> {
        let mut cut = Vec::new();
        for layer in layers.iter_mut().skip(1) {
            let verified = verify(layer);
            cut.extend(verified.cut.iter().cloned());
            mistakes.extend(verified.mistakes());
        }
        let numbered = layers.iter().enumerate().map(|(number, layer)| Numbered(number, layer));
        let figment = numbered.fold(Figment::new(), Figment::merge);
        let values = figment.extract::<Value>().unwrap_or_default();
        let settings = match decode::from_value::<Settings>(&values) {
            Ok(settings) => settings,
            // The removed values were not the only mistakes; the mistakes found so far are reported first.
            Err(_) if !mistakes.is_empty() => return Err(SettingsError(mistakes)),
            Err(error) => {
                mistakes.push(Mistake::at(None, &error.without_the_value().to_string()));
                return Err(SettingsError(mistakes));
            }
        };
        let shown = serde_json::to_value(&settings).unwrap_or_default();
        let joined = Self { layers, figment, settings, shown };
        let problems = joined.settings.problems();
        // A removed value is replaced by its default, which may contradict the rest.
        let sound = problems.iter().filter(|problem| !problem.concerns(&cut));
        mistakes.extend(sound.map(|problem| joined.mistake(problem)));
        mistakes.extend(joined.settings.unreadable_secret().map(|problem| joined.mistake(&problem)));
        if mistakes.is_empty() { Ok(joined) } else { Err(SettingsError(mistakes)) }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What `key` is set to, and by whom; of a table, each key in it. `None` when there is no such key.
    #[must_use]
    pub fn explain(&self, key: &str) -> Option<Vec<Explanation>> {
        let path = segments(key);
        let value = find(&self.shown, &path)?;
        let Some(about) = key_tree().key(key.split(['.', '['])) else {
            let below = value.as_object().into_iter().flatten();
            let below = below.filter_map(|(name, _)| self.explain(&format!("{key}.{name}")));
            return Some(below.flatten().collect());
        };
        let winner = self.winner(key);
        let place = |layer: &Layer| layer.place(&path, KeyOrValue::Value);
        let beaten = self.layers[..winner].iter().rev().filter(|layer| layer.value(&path).is_some());
        Some(vec![Explanation {
            key: key.to_owned(),
            value: value.clone(),
            origin: place(&self.layers[winner]),
            beaten: beaten.map(|layer| (place(layer), shown(layer, &path))).collect(),
            about,
        }])
    }

    /// The number of the layer that sets `key`.
    fn winner(&self, key: &str) -> usize {
        let metadata = self.figment.find_metadata(key);
        let number = metadata.and_then(|metadata| metadata.source.as_ref()?.custom()?.parse().ok());
        let path = segments(key);
        let last = || self.layers.iter().rposition(|layer| layer.value(&path).is_some());
        number.or_else(last).unwrap_or(0)
    }

    /// A problem with the place of its likeliest cause: the first of its keys that somebody set.
    fn mistake(&self, problem: &Problem) -> Mistake {
        // Figment has the layer of a whole list, not of its entries.
        let list = |key: &str| key.split('[').next().unwrap_or_default().to_owned();
        let set = problem.keys.iter().map(|key| (key, self.winner(&list(key)))).find(|(_, layer)| *layer > 0);
        let (key, layer) = set.map_or((None, 0), |(key, layer)| (Some(key), layer));
        let place = key.map(|key| self.layers[layer].place(&segments(key), KeyOrValue::Value));
        Mistake::at(place, &problem.to_string())
    }
}

/// The usual file, if there is one: also one that cannot be read, for then somebody should know.
fn usual_file() -> Option<PathBuf> {
    let usual = PathBuf::from(USUAL_FILE);
    usual.symlink_metadata().is_ok().then_some(usual)
}

/// The path that a key names, as in `route.rules[0].match`.
fn segments(key: &str) -> Vec<Segment> {
    let part = |part: &str| match part.strip_suffix(']').map(str::parse) {
        Some(Ok(index)) => Segment::Index(index),
        _ => Segment::Key(part.to_owned()),
    };
    key.split(['.', '[']).map(part).collect()
}

fn find<'v>(value: &'v Value, path: &[Segment]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get(key),
        Segment::Index(index) => value.get(index),
    })
}

/// What a layer gives to the key at `path`, written as settings are, without secrets.
fn shown(layer: &Layer, path: &[Segment]) -> Value {
    let mut whole = reference::defaults();
    overlay(&mut whole, &layer.values);
    let settings = decode::from_value::<Settings>(&whole).ok();
    let written = settings.and_then(|settings| serde_json::to_value(settings).ok());
    written.as_ref().and_then(|written| find(written, path)).cloned().unwrap_or_default()
}
