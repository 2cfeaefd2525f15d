//! [`Bound`]: an amount in use and its limit; of several bounds, the one that would be reached first.

use plimsoll_core::units::Ratio;

/// An amount in use and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) used: u64,
    pub(super) limit: u64,
    pub(super) source: &'static str,
}

impl Bound {
    /// An amount above its limit counts as full, and so does a limit of zero: neither counts as no limit.
    pub(super) fn new(used: u64, limit: u64, source: &'static str) -> Self {
        let limit = limit.max(1);
        let used = if limit == 1 { limit } else { used.min(limit) };
        Self { used, limit, source }
    }

    /// How much more fits below `line`.
    fn room(&self, line: Ratio) -> f64 {
        (self.limit as f64 * line.value() - self.used as f64).max(0.0)
    }

    fn share(&self) -> f64 {
        self.used as f64 / self.limit as f64
    }
}

/// The bound with the least room below `line`, the share at which no more is admitted; of those beyond the line the
/// fullest. The share alone gives the wrong choice: a small cgroup that is half empty fills before a large machine that
/// is half full.
pub(super) fn tightest(bounds: impl IntoIterator<Item = Bound>, line: Ratio) -> Option<Bound> {
    bounds
        .into_iter()
        .min_by(|a, b| a.room(line).total_cmp(&b.room(line)).then_with(|| b.share().total_cmp(&a.share())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Ratio = Ratio::percent(85);

    fn first_hit(bounds: [(u64, u64); 2]) -> (u64, u64) {
        let bounds = bounds.map(|(used, limit)| Bound::new(used, limit, "test"));
        tightest(bounds, LINE).map(|bound| (bound.used, bound.limit)).expect("one of two")
    }

    #[test]
    fn the_least_room_counts_and_beyond_the_line_the_fullest() {
        assert_eq!(
            first_hit([(12_000, 24_000), (800, 2_000)]),
            (800, 2_000),
            "fills first, though less full"
        );
        assert_eq!(first_hit([(22_000, 24_000), (2_500, 4_000)]), (22_000, 24_000), "full already");
        assert_eq!(first_hit([(22_000, 24_000), (3_900, 4_000)]), (3_900, 4_000), "both full: the fuller");
        assert_eq!(tightest([], LINE), None);
    }

    #[test]
    fn a_limit_of_nothing_is_full_and_an_overdrawn_one_too() {
        for (used, limit) in [(0, 0), (5, 0), (u64::MAX, 0), (u64::MAX, 7), (0, 1)] {
            let bound = Bound::new(used, limit, "test");
            assert_eq!(bound.used, bound.limit, "{used} of {limit}");
        }
    }
}
