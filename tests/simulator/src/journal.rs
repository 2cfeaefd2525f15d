//! [`Journal`]: the last lines of a run, for people. Runs that succeed keep none; a failed run is repeated with a
//! journal, since every run is reproducible.

use std::collections::VecDeque;
use std::fmt;

use plimsoll_core::policy::Action;
use plimsoll_core::time::Moment;

use crate::world_event::WorldEvent;

/// The last lines, at most this number.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    keep: usize,
    lines: VecDeque<(Moment, Line)>,
}

/// One line.
#[derive(Debug, Clone)]
pub enum Line {
    /// An event that the fleet handled.
    WorldEvent(WorldEvent),
    /// The fleet decided.
    Action(Action),
}

impl Journal {
    /// Keeps nothing.
    pub const NONE: Self = Self { keep: 0, lines: VecDeque::new() };

    /// Keeps the last lines.
    #[must_use]
    pub const fn last(keep: usize) -> Self {
        Self { keep, lines: VecDeque::new() }
    }

    /// Enters a line.
    pub fn note(&mut self, at: Moment, line: impl FnOnce() -> Line) {
        if self.keep == 0 {
            return;
        }
        if self.lines.len() == self.keep {
            self.lines.pop_front();
        }
        self.lines.push_back((at, line()));
    }
}

impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in &self.lines {
            match line {
                Line::WorldEvent(event) => writeln!(f, "{at:>12}  {event:?}"),
                Line::Action(Action::Announce(announcement)) => {
                    writeln!(f, "{at:>12}      -> {announcement}")
                }
                Line::Action(action) => writeln!(f, "{at:>12}      -> {action:?}"),
            }?;
        }
        Ok(())
    }
}
