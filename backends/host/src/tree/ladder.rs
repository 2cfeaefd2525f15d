//! The kill ladder: from a wait for a requested end to SIGKILL. Pure: time is an argument.

use std::time::Duration;

use plimsoll_core::time::Moment;

/// How long each rung of the ladder lasts. Before the first rung the caller has requested the end through the process's
/// own protocol, for instance with `Browser.close`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ladder {
    /// Wait for the requested end; then SIGTERM.
    pub ask: Duration,
    /// Wait for SIGTERM to work; then SIGKILL.
    pub term: Duration,
    /// Wait for SIGKILL to work; then report the survivors.
    pub kill: Duration,
}

impl Ladder {
    /// No waiting: SIGKILL at once, and 5 seconds to verify it.
    pub const NOW: Self = Self { ask: Duration::ZERO, term: Duration::ZERO, kill: Duration::from_secs(5) };
}

impl Default for Ladder {
    /// 3 s for the requested end, 2 s for SIGTERM, 5 s for SIGKILL.
    fn default() -> Self {
        Self { ask: Duration::from_secs(3), term: Duration::from_secs(2), ..Self::NOW }
    }
}

/// One climb of the ladder.
#[derive(Debug)]
pub(super) struct Climb {
    rung: Rung,
    term_at: Moment,
    kill_at: Moment,
    give_up_at: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rung {
    Asked,
    Terminated,
    Killed,
}

/// The next action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait until this moment.
    Wait(Moment),
    /// Send SIGTERM.
    Terminate,
    /// Send SIGKILL: repeatedly, because a process may fork while it is being killed.
    Kill,
    /// The ladder has failed.
    GiveUp,
}

impl Climb {
    /// Starts at the first rung.
    pub(super) fn begin(ladder: Ladder, now: Moment) -> Self {
        let term_at = now + ladder.ask;
        let kill_at = term_at + ladder.term;
        Self { rung: Rung::Asked, term_at, kill_at, give_up_at: kill_at + ladder.kill }
    }

    /// Adds a second request: the earlier of the two deadlines counts for each rung.
    pub(super) fn hurry(&mut self, ladder: Ladder, now: Moment) {
        let other = Self::begin(ladder, now);
        self.term_at = self.term_at.min(other.term_at);
        self.kill_at = self.kill_at.min(other.kill_at);
        self.give_up_at = self.give_up_at.min(other.give_up_at);
    }

    /// The action at `now`; each signal below SIGKILL is returned once.
    pub(super) fn step(&mut self, now: Moment) -> Step {
        if now >= self.kill_at {
            let first = self.rung != Rung::Killed;
            self.rung = Rung::Killed;
            return if first || now < self.give_up_at { Step::Kill } else { Step::GiveUp };
        }
        match self.rung {
            Rung::Asked if now < self.term_at => Step::Wait(self.term_at),
            Rung::Asked => {
                self.rung = Rung::Terminated;
                Step::Terminate
            }
            Rung::Terminated | Rung::Killed => Step::Wait(self.kill_at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LADDER: Ladder =
        Ladder { ask: Duration::from_secs(3), term: Duration::from_secs(2), kill: Duration::from_secs(5) };

    fn at(seconds: u64) -> Moment {
        Moment::after(Duration::from_secs(seconds))
    }

    #[test]
    fn each_rung_comes_in_its_turn() {
        let mut climb = Climb::begin(LADDER, at(10));
        let steps: Vec<Step> = [10, 12, 13, 13, 14, 15, 19, 20].map(|second| climb.step(at(second))).into();
        let wait = |second| Step::Wait(at(second));
        assert_eq!(
            steps,
            [wait(13), wait(13), Step::Terminate, wait(15), wait(15), Step::Kill, Step::Kill, Step::GiveUp]
        );
    }

    #[test]
    fn sigkill_is_sent_at_least_once_however_late_it_is() {
        let mut climb = Climb::begin(LADDER, at(0));
        assert_eq!([climb.step(at(100)), climb.step(at(100))], [Step::Kill, Step::GiveUp]);
    }

    #[test]
    fn no_patience_goes_straight_to_sigkill() {
        assert_eq!(Climb::begin(Ladder::NOW, at(0)).step(at(0)), Step::Kill);
    }

    #[test]
    fn a_second_order_can_only_hurry_it() {
        let mut climb = Climb::begin(LADDER, at(0));
        climb.hurry(Ladder { ask: Duration::from_secs(60), ..LADDER }, at(0));
        assert_eq!(climb.step(at(0)), Step::Wait(at(3)));
        climb.hurry(Ladder::NOW, at(1));
        assert_eq!(climb.step(at(1)), Step::Kill);
        assert_eq!(climb.step(at(6)), Step::GiveUp);
    }
}
