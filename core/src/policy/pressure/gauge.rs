//! [`Gauge`]: the needles, the lines they cross, and the level they add up to.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::policy::pressure::{Level, Pace, Reading, Sensed};
use crate::policy::window::{Verdict, Window};
use crate::time::Moment;
use crate::units::Ratio;

/// What can raise the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Share of memory in use.
    MemoryUse,
    /// Share of time in which everything stood still for want of memory.
    MemoryFull,
    /// Share of time in which something stood still for want of memory.
    MemorySome,
    /// Kills by the kernel for want of memory since the last reading.
    OomKills,
    /// Share of file descriptors in use.
    Fds,
    /// Share of processes and threads in use.
    Pids,
    /// Share of disk space in use.
    Disk,
    /// Share of inodes in use.
    Inodes,
    /// Lateness of this program's timers; the value is the share of a second.
    LoopLag,
    /// Crashes in the last minute while memory is short; the value 1 is one more than chance explains.
    Crashes,
    /// No sensor sees the memory.
    MemoryBlind,
}

impl Signal {
    const ALL: [Self; 11] = [
        Self::MemoryUse,
        Self::MemoryFull,
        Self::MemorySome,
        Self::OomKills,
        Self::Fds,
        Self::Pids,
        Self::Disk,
        Self::Inodes,
        Self::LoopLag,
        Self::Crashes,
        Self::MemoryBlind,
    ];
}

/// The values at which a needle enters and leaves each level above nominal, in the order elevated, critical, emergency.
/// Each `leave` lies at or below its `enter`; [`Lines::NEVER`] is a level that the signal does not reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lines {
    /// At or above this value the level is entered at once.
    pub enter: [Ratio; 3],
    /// Below this value, held for [`PressureConfig::hold`], it is left.
    pub leave: [Ratio; 3],
}

impl Lines {
    /// A line that no value reaches.
    pub const NEVER: Ratio = Ratio::new(f64::MAX);

    fn highest(lines: [Ratio; 3], value: Ratio) -> Level {
        let reached = lines.iter().rposition(|line| value >= *line);
        reached.map_or(Level::Nominal, |index| Level::ALL[index + 1])
    }
}

/// The lines and delays of the gauge.
#[derive(Debug, Clone, PartialEq)]
pub struct PressureConfig {
    /// For `Signal::MemoryUse`.
    pub memory_use: Lines,
    /// For `Signal::MemoryFull`.
    pub memory_full: Lines,
    /// For `Signal::MemorySome`.
    pub memory_some: Lines,
    /// Below this share of memory in use, a stall raises the level one step less: with that much room most of it comes
    /// from the start of processes (programs are read from disk, pages are compacted) and not from a shortage.
    pub spare_below: Ratio,
    /// For `Signal::Fds` and `Signal::Pids`.
    pub handles: Lines,
    /// For `Signal::Disk` and `Signal::Inodes`.
    pub disk: Lines,
    /// For `Signal::LoopLag`.
    pub loop_lag: Lines,
    /// How long a value must stay below a line before the level is left.
    pub hold: Duration,
    /// How old a value may be before its sensor counts as blind.
    pub stale_after: Duration,
    /// Crashes a minute that chance explains, as a share of the active contexts (and at least one).
    pub crash_share: Ratio,
}

/// Memory lines lie 5 points apart and are left 3 to 5 points lower. An emergency is left at 93 %, not at the 85 % of
/// the level below, and no attempt is evicted under that line: otherwise reaching 95 % once would cost a tenth of all
/// contexts. Disks leave no emergency: evicting contexts would not mend them.
impl Default for PressureConfig {
    fn default() -> Self {
        Self {
            memory_use: lines([85, 90, 95], [80, 85, 93]),
            memory_full: lines([2, 10, 20], [1, 2, 10]),
            memory_some: lines([10, 0, 0], [5, 0, 0]),
            spare_below: Ratio::percent(80),
            handles: lines([80, 90, 97], [75, 85, 93]),
            disk: lines([90, 95, 0], [85, 92, 0]),
            loop_lag: lines([5, 50, 0], [3, 25, 0]),
            hold: Duration::from_secs(10),
            stale_after: Duration::from_secs(10),
            crash_share: Ratio::percent(2),
        }
    }
}

/// Lines in hundredths; 0 stands for [`Lines::NEVER`].
pub(super) const fn lines(enter: [u32; 3], leave: [u32; 3]) -> Lines {
    const fn line(percent: u32) -> Ratio {
        if percent == 0 { Lines::NEVER } else { Ratio::percent(percent) }
    }
    Lines {
        enter: [line(enter[0]), line(enter[1]), line(enter[2])],
        leave: [line(leave[0]), line(leave[1]), line(leave[2])],
    }
}

/// Why the level is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cause {
    /// The signal.
    pub signal: Signal,
    /// Its last value.
    pub value: Ratio,
    /// The line it must fall below, and stay below, for the level to be left.
    pub line: Ratio,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signal, value, line } = self;
        let ms = |ratio: &Ratio| ratio.value() * 1000.0;
        match signal {
            Signal::MemoryUse => write!(f, "memory {value} in use, must fall below {line}"),
            Signal::MemoryFull => {
                write!(f, "all stalled for memory {value} of the time, must fall below {line}")
            }
            Signal::MemorySome => write!(f, "stalled for memory {value} of the time, must fall below {line}"),
            Signal::OomKills => f.write_str("the kernel killed a process for want of memory"),
            Signal::Fds => write!(f, "file descriptors {value} in use, must fall below {line}"),
            Signal::Pids => write!(f, "processes and threads {value} in use, must fall below {line}"),
            Signal::Disk => {
                write!(f, "disk {value} full in its last {}, must fall below {line}", super::Disk::COUNTED)
            }
            Signal::Inodes => write!(f, "inodes {value} in use, must fall below {line}"),
            Signal::LoopLag => {
                write!(f, "timers {:.0} ms late, must fall below {:.0} ms", ms(value), ms(line))
            }
            Signal::Crashes => {
                write!(f, "crashes at {:.1} times what chance explains, with memory short", value.value())
            }
            Signal::MemoryBlind => f.write_str("no sensor sees the memory"),
        }
    }
}

/// The level changed; announced once.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "each change is announced only once"]
pub struct LevelChange {
    /// The level before.
    pub from: Level,
    /// The level now.
    pub to: Level,
    /// Why; nothing is the cause of calm.
    pub cause: Option<Cause>,
}

/// Turns readings into a level.
#[derive(Debug, Clone)]
pub(crate) struct Gauge {
    config: PressureConfig,
    needles: [Needle; Signal::ALL.len()],
    crashes: Window,
    oom_kills: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Needle {
    level: Level,
    value: Ratio,
    /// Since when the value has been below the lower line of each level above nominal.
    below_since: [Option<Moment>; 3],
    sight: Sight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sight {
    #[default]
    Blind,
    Seen {
        at: Moment,
    },
}

impl Gauge {
    /// A gauge that has seen nothing: every sensor is blind until its first reading.
    #[must_use]
    pub(crate) fn new(config: PressureConfig) -> Self {
        let crashes = Window::new(Duration::from_secs(60));
        Self { config, needles: Default::default(), crashes, oom_kills: None }
    }

    /// Takes over new lines. Needles stay where they are until the next reading.
    pub(crate) fn reconfigure(&mut self, config: PressureConfig) {
        self.config = config;
    }

    /// A page or a browser crashed.
    pub(crate) fn on_crash(&mut self, now: Moment) {
        self.crashes.record(now, Verdict::Failure);
    }

    /// Takes in one look at the machine while `active` contexts are open. Call it even when every sensor failed: it is
    /// how time passes for the needles.
    pub(crate) fn on_reading(&mut self, now: Moment, reading: &Reading, active: u32) -> Option<LevelChange> {
        let from = self.level();
        for signal in Signal::ALL {
            let seen = match signal {
                Signal::MemoryUse => reading.memory.map(|sensed| sensed.map(super::MemoryUse::share)),
                Signal::MemoryFull => reading.memory_stall.map(|sensed| sensed.map(|stall| stall.full10)),
                Signal::MemorySome => reading.memory_stall.map(|sensed| sensed.map(|stall| stall.some10)),
                Signal::OomKills => reading.oom_kills.map(|sensed| sensed.map(|kills| self.new_kills(kills))),
                Signal::Fds => reading.fds.map(|sensed| sensed.map(super::Tally::share)),
                Signal::Pids => reading.pids.map(|sensed| sensed.map(super::Tally::share)),
                Signal::Disk => reading.disk.map(|sensed| sensed.map(super::Disk::share)),
                Signal::Inodes => reading.inodes.map(|sensed| sensed.map(super::Tally::share)),
                Signal::LoopLag => {
                    reading.loop_lag.map(|sensed| sensed.map(|lag| Ratio::new(lag.as_secs_f64())))
                }
                Signal::Crashes => Some(Sensed { value: self.crash_value(now, active), source: "", at: now }),
                Signal::MemoryBlind => Some(Sensed { value: self.blindness(), source: "", at: now }),
            };
            let lines = self.lines(signal);
            self.needles[signal as usize].on_sensed(now, seen, lines, &self.config);
        }
        let to = self.level();
        (from != to).then(|| LevelChange { from, to, cause: self.cause() })
    }

    /// The level: that of the highest needle.
    #[must_use]
    pub(crate) fn level(&self) -> Level {
        self.needles.iter().map(|needle| needle.level).max().unwrap_or_default()
    }

    /// The needle that keeps the level where it is; of several, the one furthest beyond its line.
    #[must_use]
    pub(crate) fn cause(&self) -> Option<Cause> {
        let level = self.level();
        let causes = Signal::ALL.into_iter().filter(|_| level > Level::Nominal).filter_map(|signal| {
            let needle = &self.needles[signal as usize];
            let line = self.lines(signal).leave[(level as usize).checked_sub(1)?];
            (needle.level == level).then_some(Cause { signal, value: needle.value, line })
        });
        let excess = |cause: &Cause| cause.value.value() / cause.line.value();
        causes.max_by(|a, b| excess(a).total_cmp(&excess(b)))
    }

    /// How fast to evict, if somebody must go now: the level is [`Level::Emergency`] *and* a needle still stands above
    /// the line at which it would begin to leave. A past danger, or one that can no longer be seen, evicts no attempt.
    #[must_use]
    pub(crate) fn eviction_pace(&self) -> Option<Pace> {
        let is_urgent = |needle: &Needle| {
            needle.level == Level::Emergency
                && needle.below_since[2].is_none()
                && needle.sight != Sight::Blind
        };
        let memory = self.needles[Signal::MemoryUse as usize].value;
        self.needles.iter().any(is_urgent).then(|| Pace::at(memory))
    }

    /// The signals whose sensors give no value.
    pub(crate) fn blind(&self) -> impl Iterator<Item = Signal> {
        Signal::ALL.into_iter().filter(|signal| self.needles[*signal as usize].sight == Sight::Blind)
    }

    /// Kills since the reading before; the first reading, and a counter that went back, only set the mark.
    fn new_kills(&mut self, kills: u64) -> Ratio {
        let before = self.oom_kills.replace(kills).unwrap_or(kills);
        Ratio::new(kills.saturating_sub(before) as f64)
    }

    fn crash_value(&self, now: Moment, active: u32) -> Ratio {
        let is_past = |signal: Signal| {
            let needle = &self.needles[signal as usize];
            needle.sight != Sight::Blind && needle.value >= self.lines(signal).leave[0]
        };
        if !is_past(Signal::MemoryUse) && !is_past(Signal::MemoryFull) {
            return Ratio::ZERO;
        }
        let by_chance = (f64::from(active) * self.config.crash_share.value()).max(1.0).floor();
        Ratio::new(f64::from(self.crashes.counts(now).failures) / (by_chance + 1.0))
    }

    fn blindness(&self) -> Ratio {
        let is_blind = |signal: Signal| self.needles[signal as usize].sight == Sight::Blind;
        if is_blind(Signal::MemoryUse) && is_blind(Signal::MemoryFull) { Ratio::ONE } else { Ratio::ZERO }
    }

    /// The lines of a signal now: with memory to spare, each level of a stall begins where the next begins otherwise.
    fn lines(&self, signal: Signal) -> Lines {
        let mut lines = self.configured(signal);
        let memory = &self.needles[Signal::MemoryUse as usize];
        let is_spare = memory.sight != Sight::Blind && memory.value < self.config.spare_below;
        if is_spare && matches!(signal, Signal::MemoryFull | Signal::MemorySome) {
            lines.enter = [lines.enter[1], lines.enter[2], Lines::NEVER];
            lines.leave = [lines.leave[1], lines.leave[2], Lines::NEVER];
        }
        lines
    }

    const fn configured(&self, signal: Signal) -> Lines {
        const fn only(index: usize) -> Lines {
            let mut enter = [Lines::NEVER; 3];
            enter[index] = Ratio::ONE;
            Lines { enter, leave: enter }
        }
        match signal {
            Signal::MemoryUse => self.config.memory_use,
            Signal::MemoryFull => self.config.memory_full,
            Signal::MemorySome => self.config.memory_some,
            Signal::Fds | Signal::Pids => self.config.handles,
            Signal::Disk | Signal::Inodes => self.config.disk,
            Signal::LoopLag => self.config.loop_lag,
            Signal::MemoryBlind => only(0),
            Signal::Crashes => only(1),
            Signal::OomKills => only(2),
        }
    }
}

impl<T> Sensed<T> {
    fn map<U>(self, view: impl FnOnce(T) -> U) -> Sensed<U> {
        Sensed { value: view(self.value), source: self.source, at: self.at }
    }
}

impl Needle {
    fn on_sensed(&mut self, now: Moment, seen: Option<Sensed<Ratio>>, lines: Lines, config: &PressureConfig) {
        match (seen, self.sight) {
            (Some(sensed), _) if now.since(sensed.at) <= config.stale_after => {
                self.sight = Sight::Seen { at: sensed.at };
                self.move_to(now, sensed.value, lines, config.hold);
            }
            // A reading may be missed; the needle stands still until the last one is stale.
            (_, Sight::Seen { at }) if now.since(at) <= config.stale_after => {}
            _ => *self = Self::default(),
        }
    }

    fn move_to(&mut self, now: Moment, value: Ratio, lines: Lines, hold: Duration) {
        self.value = value;
        for (since, line) in self.below_since.iter_mut().zip(lines.leave) {
            *since = (value < line).then(|| since.unwrap_or(now));
        }
        let is_held = |since: &Option<Moment>| since.is_none_or(|since| now.since(since) < hold);
        let held = self.below_since[..self.level as usize].iter().rposition(is_held);
        let kept = held.map_or(Level::Nominal, |index| Level::ALL[index + 1]);
        self.level = kept.max(Lines::highest(lines.enter, value));
    }
}

#[cfg(test)]
mod tests;
