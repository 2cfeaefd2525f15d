//! [`Processor`]: cores that all runnable tasks share fairly.
//!
//! Each task gets the same share, at most one core. Each runnable task beyond the number of cores costs all tasks 1 %
//! of their speed (caches, switches): an overloaded processor does less work in all.
//!
//! Service is counted, not time: a task that starts when each task has received `s` and needs `n` is done at `s + n`.
//! So a change of speed does not change the order in which tasks finish.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_core::time::Moment;

/// Speed lost by each runnable task beyond the number of cores.
const THRASH: f64 = 0.01;

/// The position of a task in the order; needed to remove the task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Turn {
    /// The service at which it is done, in nanoseconds.
    done: u64,
    order: u64,
}

/// The processor and what runs on it.
#[derive(Debug)]
pub struct Processor<T> {
    cores: f64,
    speed: f64,
    served: u64,
    at: Moment,
    order: u64,
    tasks: BTreeMap<Turn, T>,
}

impl<T> Processor<T> {
    /// An idle processor.
    #[must_use]
    pub const fn new(cores: f64) -> Self {
        Self { cores, speed: 1.0, served: 0, at: Moment::ZERO, order: 0, tasks: BTreeMap::new() }
    }

    /// Starts a task that needs this time of a core.
    pub fn start(&mut self, now: Moment, needs: Duration, task: T) -> Turn {
        self.advance(now);
        let needs = u64::try_from(needs.as_nanos()).unwrap_or(u64::MAX);
        let turn = Turn { done: self.served.saturating_add(needs.max(1)), order: self.order };
        self.order += 1;
        self.tasks.insert(turn, task);
        turn
    }

    /// Removes a task before it is done.
    pub fn stop(&mut self, now: Moment, turn: Turn) -> Option<T> {
        self.advance(now);
        self.tasks.remove(&turn)
    }

    /// Sets how many cores there are, and at what share of their speed they run.
    pub fn set(&mut self, now: Moment, cores: f64, speed: f64) {
        self.advance(now);
        (self.cores, self.speed) = (cores, speed);
    }

    /// When the next task is done, if nothing changes.
    #[must_use]
    pub fn next_done(&self) -> Option<Moment> {
        let (turn, _) = self.tasks.first_key_value()?;
        let left = turn.done.saturating_sub(self.served) as f64 / self.rate();
        Some(self.at + Duration::from_nanos((left.ceil() as u64).max(1)))
    }

    /// The next task that is done at `now`.
    pub fn take_done(&mut self, now: Moment) -> Option<T> {
        self.advance(now);
        let first = self.tasks.first_entry()?;
        (first.key().done <= self.served).then(|| first.remove())
    }

    /// The number of runnable tasks.
    #[must_use]
    pub fn runnable(&self) -> usize {
        self.tasks.len()
    }

    /// The share of a core that each task gets.
    fn rate(&self) -> f64 {
        let tasks = self.tasks.len().max(1) as f64;
        let crowd = (tasks - self.cores).max(0.0);
        (self.speed * (self.cores / tasks).min(1.0) / (1.0 + THRASH * crowd)).max(1e-6)
    }

    fn advance(&mut self, now: Moment) {
        if !self.tasks.is_empty() {
            self.served += (now.since(self.at).as_nanos() as f64 * self.rate()).round() as u64;
        }
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn finish(processor: &mut Processor<char>) -> Vec<(char, f64)> {
        std::iter::from_fn(|| {
            let now = processor.next_done()?;
            let task = processor.take_done(now)?;
            Some((task, (now.elapsed().as_secs_f64() * 100.0).round() / 100.0))
        })
        .collect()
    }

    #[test]
    fn two_cores_run_two_tasks_at_full_speed_and_four_at_less_than_half() {
        let mut processor = Processor::new(2.0);
        processor.start(Moment::ZERO, SECOND, 'a');
        processor.start(Moment::ZERO, 2 * SECOND, 'b');
        assert_eq!(finish(&mut processor), [('a', 1.0), ('b', 2.0)]);

        let mut crowded = Processor::new(2.0);
        for task in "abcd".chars() {
            crowded.start(Moment::ZERO, SECOND, task);
        }
        let ends = finish(&mut crowded);
        assert_eq!(ends.len(), 4);
        assert!(ends.iter().all(|(_, end)| (2.03..2.05).contains(end)), "{ends:?}");
    }

    #[test]
    fn a_task_taken_out_leaves_its_share_to_the_others() {
        let mut processor = Processor::new(1.0);
        let turn = processor.start(Moment::ZERO, 5 * SECOND, 'a');
        processor.start(Moment::ZERO, SECOND, 'b');
        assert_eq!(processor.stop(Moment::after(SECOND), turn), Some('a'));
        let ends = finish(&mut processor);
        assert!(matches!(ends[..], [('b', end)] if (1.5..1.51).contains(&end)), "{ends:?}");
    }
}
