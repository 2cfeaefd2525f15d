//! Pressure: how close the machine is to going under, in four levels, and what each level demands.
//!
//! ```text
//!  Reading ──► Gauge: one needle per signal, two lines per level ──► Level ──► Measures
//! ```
//!
//! A sensor's [`Reading`] moves a needle. A needle enters a level the moment its value reaches the level's line, and
//! leaves it after the value has stayed below a *lower* line for 10 s; the level is that of the highest needle. So a
//! danger counts at once and a relief only when it lasts. Reading the level moves nothing.
//!
//! A sensor without a value for 10 s is *blind*: it is listed, its needle falls, and if the memory can be seen by no
//! sensor at all the level is at least [`Level::Elevated`]: what cannot be measured must not grow.
//!
//! Two signals are deliberately absent as causes. CPU pressure is high on any box that is used well; it tells busy from
//! idle, not safe from unsafe, and creation latency already answers it. And a crash of a page or a browser is no sign of
//! pressure by itself: three bad pages a minute would otherwise stop a healthy fleet. Crashes count when memory is short
//! too; alone they are the breakers' business.

mod eviction;
mod gauge;
mod profile;
mod reading;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use self::eviction::Eviction;
pub use self::eviction::Pace;
pub(crate) use self::gauge::Gauge;
pub(crate) use self::gauge::{Cause, LevelChange, Signal};
pub use self::gauge::{Lines, PressureConfig};
pub use self::profile::PressureProfile;
pub use self::reading::{Disk, MemoryUse, Reading, Sensed, Stall, Tally};

/// How close the machine is to its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// There is room.
    #[default]
    Nominal,
    /// Grow no further.
    Elevated,
    /// Admit nothing.
    Critical,
    /// Give memory back now.
    Emergency,
}

impl Level {
    /// Every level, from calm to danger.
    pub(crate) const ALL: [Self; 4] = [Self::Nominal, Self::Elevated, Self::Critical, Self::Emergency];

    /// What the level demands. Eviction has its own pace: see [`Gauge::eviction_pace`].
    #[must_use]
    pub(crate) const fn measures(self) -> Measures {
        let (admission, launches, trim, idle) = match self {
            Self::Nominal => (Admission::Open, Launches::Any, Trim::Nothing, Idle::Keep),
            Self::Elevated => (Admission::Open, Launches::Replacements, Trim::Moderate, Idle::CloseSpare),
            Self::Critical => (Admission::Shut, Launches::Replacements, Trim::Critical, Idle::Recycle),
            Self::Emergency => (Admission::Shut, Launches::None, Trim::Critical, Idle::Recycle),
        };
        Measures { admission, launches, trim, idle }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nominal => "nominal",
            Self::Elevated => "elevated",
            Self::Critical => "critical",
            Self::Emergency => "emergency",
        })
    }
}

/// What a level demands of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Measures {
    /// Whether contexts are admitted.
    pub(crate) admission: Admission,
    /// Which browsers may be started.
    pub(crate) launches: Launches,
    /// How much memory browsers are asked to give back.
    pub(crate) trim: Trim,
    /// What becomes of idle contexts.
    pub(crate) idle: Idle,
}

/// Whether contexts are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes, as far as the other gates allow.
    Open,
    /// None.
    Shut,
}

/// Which browsers may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Launches {
    /// As many as are wanted.
    Any,
    /// Only in place of one that died: the number must not grow, but a fleet must be able to recover from crashes.
    Replacements,
    /// None.
    None,
}

/// How much memory browsers are asked to give back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trim {
    /// Nothing.
    Nothing,
    /// Caches (a moderate pressure notification).
    Moderate,
    /// Everything they can (a critical one).
    Critical,
}

/// What becomes of contexts and pages that no job uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Idle {
    /// They stay warm.
    Keep,
    /// Spare pages are closed, contexts stay.
    CloseSpare,
    /// They are closed.
    Recycle,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_level_is_milder_than_the_one_below_it() {
        let admits = Level::ALL.map(|level| level.measures().admission == Admission::Open);
        assert_eq!(admits, [true, true, false, false]);
        assert_eq!(Level::Nominal.measures().launches, Launches::Any);
        assert_eq!(Level::Critical.measures().launches, Launches::Replacements, "a crash must be mendable");
        assert_eq!(Level::Emergency.measures().launches, Launches::None);
    }
}
