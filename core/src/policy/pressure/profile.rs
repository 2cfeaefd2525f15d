//! [`PressureProfile`]: named sets of lines, so that nobody has to tune three levels of six signals by hand.

use serde::{Deserialize, Serialize};

use crate::policy::pressure::gauge::{PressureConfig, lines};
use crate::units::Ratio;

/// Where the levels of pressure begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "settings", derive(schemars::JsonSchema), schemars(inline))]
pub enum PressureProfile {
    /// For a machine that this program has to itself.
    #[default]
    Default,
    /// For a machine that must keep a large reserve: every level begins earlier.
    Strict,
    /// For a machine that other programs use: memory levels begin earlier, and stalls of the others count sooner.
    SharedHost,
}

impl PressureProfile {
    /// Every profile.
    pub const ALL: [Self; 3] = [Self::Default, Self::Strict, Self::SharedHost];

    /// The lines of this profile.
    #[must_use]
    pub fn config(self) -> PressureConfig {
        let default = PressureConfig::default();
        match self {
            Self::Default => default,
            Self::Strict => PressureConfig {
                memory_use: lines([75, 80, 90], [70, 75, 85]),
                memory_full: lines([1, 5, 10], [1, 2, 5]),
                memory_some: lines([5, 0, 0], [3, 0, 0]),
                spare_below: Ratio::ZERO,
                handles: lines([70, 80, 90], [65, 75, 85]),
                disk: lines([80, 90, 0], [75, 85, 0]),
                ..default
            },
            Self::SharedHost => PressureConfig {
                memory_use: lines([80, 85, 92], [75, 80, 88]),
                memory_full: lines([1, 5, 10], [1, 2, 5]),
                memory_some: lines([5, 20, 0], [3, 10, 0]),
                spare_below: Ratio::ZERO,
                ..default
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::pressure::Lines;

    #[test]
    fn the_levels_of_every_profile_rise_and_are_left_no_higher_than_they_are_entered() {
        for profile in PressureProfile::ALL {
            let PressureConfig { memory_use, memory_full, memory_some, handles, disk, loop_lag, .. } =
                profile.config();
            for Lines { enter, leave } in [memory_use, memory_full, memory_some, handles, disk, loop_lag] {
                assert!(enter.is_sorted() && leave.is_sorted(), "{profile:?}: {enter:?} {leave:?}");
                assert!(
                    leave.iter().zip(&enter).all(|(leave, enter)| leave <= enter),
                    "{profile:?}: {leave:?}"
                );
            }
        }
    }
}
