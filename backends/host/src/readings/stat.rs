//! The line `/proc/PID/stat`.

use std::path::Path;

use super::file::{self, Blindness};

/// The values of that line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// Whether it runs: not a zombie.
    pub(super) alive: bool,
    pub(super) group: i32,
    pub(super) session: i32,
    /// CPU time in user and system mode, in clock ticks.
    pub(super) ticks: u64,
    /// Its start time, in clock ticks since boot.
    pub(super) born: u64,
}

impl Stat {
    pub(super) fn read(path: &Path) -> Result<Self, Blindness> {
        Self::parse(&file::text(path)?).ok_or_else(|| Blindness::garbage(path, "a process"))
    }

    /// `pid (name) state ppid pgrp session ...`; the name may hold blanks and parentheses. Field numbers are those of
    /// proc(5).
    fn parse(line: &str) -> Option<Self> {
        let (_, after_name) = line.rsplit_once(')')?;
        let field = |number: usize| after_name.split_ascii_whitespace().nth(number - 3);
        let number = |index: usize| field(index)?.parse::<u64>().ok();
        Some(Self {
            alive: !matches!(field(3)?, "Z" | "X" | "x"),
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            ticks: number(14)?.saturating_add(number(15)?),
            born: number(22)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let line = "77 (a) Z 1 (b) S 5 6 7 0 -1 4194560 1 2 3 4 30 12 7 8 20 0 3 0 4242 9 9";
        assert_eq!(
            Stat::parse(line),
            Some(Stat { alive: true, group: 6, session: 7, ticks: 42, born: 4242 })
        );
        assert_eq!(Stat::parse("77 (a) S 5 6"), None);
        assert_eq!(Stat::parse(&line.replace("4242", "-1")), None);
    }
}
