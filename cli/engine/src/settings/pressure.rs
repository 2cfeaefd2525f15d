//! `pressure`: the lines at which the machine counts as short of something.

use std::borrow::Cow;
use std::time::Duration;

use plimsoll_core::policy::pressure::{Lines, PressureConfig};
use plimsoll_core::units::Ratio;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};

use super::problem::Problem;
use super::unit::{share, span};

const NEVER: &str = "never";

/// The lines at which the machine counts as short of something: each has one for the levels elevated (grow no further),
/// critical (admit nothing) and emergency (give memory back).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PressureSettings {
    /// The share of memory in use.
    pub memory_use: LineSettings,
    /// The share of time in which everything stood still for want of memory.
    pub memory_full: LineSettings,
    /// The share of time in which something stood still for want of memory.
    pub memory_some: LineSettings,
    /// The share of file descriptors, and of processes and threads, in use.
    pub handles: LineSettings,
    /// The share in use of disk space, its last 20 GiB at most, and of inodes.
    pub disk: LineSettings,
    /// The lateness of this program's timers, as a share of a second.
    pub loop_lag: LineSettings,
    /// How long a value must stay below a line before its level is left.
    #[serde(with = "span")]
    #[schemars(with = "span::Span")]
    pub hold: Duration,
    /// How old a value may be before its sensor counts as blind.
    #[serde(with = "span")]
    #[schemars(with = "span::Span", extend("x-least" = "2s"))]
    pub stale_after: Duration,
    /// Crashes a minute that chance explains, as a share of the active contexts.
    #[serde(with = "share")]
    #[schemars(with = "share::Share")]
    pub crash_share: Ratio,
}

/// The lines of one signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineSettings {
    /// Where the levels elevated, critical and emergency are entered; `never` for a level that it does not reach.
    pub enter: [Line; 3],
    /// Where they are left again: at or below the line by which each is entered.
    pub leave: [Line; 3],
}

/// A line; [`Lines::NEVER`] is one that no value reaches.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Line(pub Ratio);

impl Default for PressureSettings {
    fn default() -> Self {
        let config = PressureConfig::default();
        Self {
            memory_use: config.memory_use.into(),
            memory_full: config.memory_full.into(),
            memory_some: config.memory_some.into(),
            handles: config.handles.into(),
            disk: config.disk.into(),
            loop_lag: config.loop_lag.into(),
            hold: config.hold,
            stale_after: config.stale_after,
            crash_share: config.crash_share,
        }
    }
}

impl Default for LineSettings {
    fn default() -> Self {
        PressureConfig::default().memory_use.into()
    }
}

impl From<Lines> for LineSettings {
    fn from(Lines { enter, leave }: Lines) -> Self {
        Self { enter: enter.map(Line), leave: leave.map(Line) }
    }
}

impl From<&LineSettings> for Lines {
    fn from(settings: &LineSettings) -> Self {
        Self { enter: settings.enter.map(|line| line.0), leave: settings.leave.map(|line| line.0) }
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == Lines::NEVER {
            serializer.serialize_str(NEVER)
        } else {
            share::serialize(&self.0, serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Written(#[serde(deserialize_with = "share::or_never::deserialize")] Option<Ratio>);
        let line = Written::deserialize(deserializer)?.0;
        match line {
            None => Ok(Self(Lines::NEVER)),
            Some(Ratio::ZERO) => {
                Err(D::Error::custom("a line at 0% is always crossed; write \"never\" to have none"))
            }
            Some(line) => Ok(Self(line)),
        }
    }
}

impl JsonSchema for Line {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Line".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$|^never$",
            "exclusiveMinimum": 0,
            "x-unit": "line"
        })
    }
}

impl PressureSettings {
    pub(super) fn config(&self) -> PressureConfig {
        PressureConfig {
            memory_use: (&self.memory_use).into(),
            memory_full: (&self.memory_full).into(),
            memory_some: (&self.memory_some).into(),
            handles: (&self.handles).into(),
            disk: (&self.disk).into(),
            loop_lag: (&self.loop_lag).into(),
            hold: self.hold,
            stale_after: self.stale_after,
            crash_share: self.crash_share,
        }
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let signals = [
            ("memory_use", &self.memory_use),
            ("memory_full", &self.memory_full),
            ("memory_some", &self.memory_some),
            ("handles", &self.handles),
            ("disk", &self.disk),
            ("loop_lag", &self.loop_lag),
        ];
        signals.into_iter().flat_map(|(signal, lines)| lines.problems(signal)).collect()
    }
}

impl LineSettings {
    fn problems(&self, signal: &str) -> Vec<Problem> {
        let [enter, leave] = ["enter", "leave"].map(|name| format!("pressure.{signal}.{name}"));
        let mut problems = Vec::new();
        for (key, lines) in [(&enter, &self.enter), (&leave, &self.leave)] {
            if !lines.is_sorted() {
                problems.push(Problem::of(
                    [key.as_str()],
                    "the lines must rise: elevated, critical, emergency".to_owned(),
                ));
            }
        }
        if self.leave.iter().zip(&self.enter).any(|(leave, enter)| leave > enter) {
            problems.push(Problem::of(
                [leave.as_str(), enter.as_str()],
                "no level can be left above the line by which it is entered".to_owned(),
            ));
        }
        problems
    }
}
