//! How many contexts a machine can carry, and which limit says so: pure arithmetic on a [`Reading`].
//!
//! The costs were measured on Chromium 156 headless-shell, one small page a context: 100 open contexts took 1.7 GB of
//! PSS and 1,186 threads in 106 processes. Real pages take more memory, so the answer is a ceiling; the adaptive
//! limit finds what holds.

use std::fmt;

use plimsoll_core::policy::pressure::Reading;
use plimsoll_core::units::Bytes;

use super::{memory, pids};

/// Contexts that share one browser process.
const CONTEXTS_PER_BROWSER: u64 = 20;
/// PSS of a context: 1.7 GB by 100.
const CONTEXT_MEMORY: Bytes = Bytes::mib(17);
/// What a browser takes besides its contexts, as `Footprint` in core books it.
const BROWSER_MEMORY: Bytes = Bytes::mib(300);
/// Threads of a context, its share of the browser's own and 1.06 processes among them: 1,186 by 100.
const CONTEXT_THREADS: u64 = 12;
/// Descriptors that a context takes in the browser's main process, and those that process starts with: 79 without contexts,
/// 159 with 20, 479 with 100. The whole tree has 44 a context, but the limit is each process's own.
const CONTEXT_DESCRIPTORS: u64 = 4;
const BROWSER_DESCRIPTORS: u64 = 79;
/// Of the limit on descriptors, the share that is used: `handles` in core's `PressureConfig`.
const DESCRIPTORS_LINE: f64 = 0.8;
/// CPU that a job takes, in seconds: open, load, read three values, close.
const JOB_CPU_SECONDS: f64 = 0.11;

/// What contexts are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Memory, in bytes.
    Memory,
    /// Processes and threads.
    Threads,
    /// Descriptors of the browser's main process, which needs the most. All contexts are taken to share one browser.
    Descriptors,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Threads => "processes and threads",
            Self::Descriptors => "file descriptors",
        })
    }
}

/// How many contexts one resource allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint {
    /// The resource.
    pub resource: Resource,
    /// How much of it contexts may still take, the reserve left out: in bytes for memory, else a count.
    pub room: u64,
    /// How much of it a context takes.
    pub need_per_context: u64,
    /// Where the room was read.
    pub source: &'static str,
}

impl Constraint {
    /// Contexts that fit.
    #[must_use]
    pub const fn contexts(&self) -> u64 {
        self.room / self.need_per_context
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resource, room, need_per_context, source } = self;
        let contexts = self.contexts();
        match resource {
            Resource::Memory => {
                let (room, need) = (Bytes(*room), Bytes(*need_per_context));
                write!(f, "{contexts} contexts by memory: {room} of room, {need} a context ({source})")
            }
            _ => write!(
                f,
                "{contexts} contexts by {resource}: {room} of room, {need_per_context} a context ({source})"
            ),
        }
    }
}

/// What a machine can carry besides what runs on it already.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Each constraint that could be read, the one that binds first in front.
    pub constraints: Vec<Constraint>,
    /// Jobs a second that the cores allow; no number of contexts raises it.
    pub jobs_per_second: f64,
}

impl Capacity {
    /// The constraint that binds first; `None` when no sensor tells any.
    #[must_use]
    pub fn binding(&self) -> Option<&Constraint> {
        self.constraints.first()
    }

    /// Contexts that fit; `None` when no sensor tells.
    #[must_use]
    pub fn contexts(&self) -> Option<u64> {
        self.binding().map(Constraint::contexts)
    }
}

/// What a machine with this reading and this number of cores can carry.
#[must_use]
pub fn capacity(reading: &Reading, cores: usize) -> Capacity {
    let memory = reading.memory.map(|memory| Constraint {
        resource: Resource::Memory,
        room: below(memory.value.limit.0, memory::LINE.value()).saturating_sub(memory.value.used.0),
        need_per_context: CONTEXT_MEMORY.0 + BROWSER_MEMORY.0 / CONTEXTS_PER_BROWSER,
        source: memory.source,
    });
    let threads = reading.pids.filter(|pids| pids.value.limit > 0).map(|pids| Constraint {
        resource: Resource::Threads,
        room: below(pids.value.limit, pids::LINE.value()).saturating_sub(pids.value.used),
        need_per_context: CONTEXT_THREADS,
        source: pids.source,
    });
    let descriptors = reading.fds.filter(|fds| fds.value.limit > 0).map(|fds| Constraint {
        resource: Resource::Descriptors,
        room: below(fds.value.limit, DESCRIPTORS_LINE).saturating_sub(BROWSER_DESCRIPTORS),
        need_per_context: CONTEXT_DESCRIPTORS,
        source: fds.source,
    });
    let mut constraints: Vec<Constraint> = memory.into_iter().chain(threads).chain(descriptors).collect();
    constraints.sort_by_key(Constraint::contexts);
    Capacity { constraints, jobs_per_second: cores as f64 / JOB_CPU_SECONDS }
}

fn below(limit: u64, line: f64) -> u64 {
    (limit as f64 * line) as u64
}

#[cfg(test)]
mod tests {
    use plimsoll_core::policy::pressure::{MemoryUse, Sensed, Tally};
    use plimsoll_core::time::Moment;

    use super::*;

    fn sensed<T>(value: T) -> Option<Sensed<T>> {
        Some(Sensed { value, source: "test", at: Moment::ZERO })
    }

    fn reading(used: Bytes, limit: Bytes, pids: (u64, u64), fds: u64) -> Reading {
        Reading {
            memory: sensed(MemoryUse { used, limit }),
            pids: sensed(Tally { used: pids.0, limit: pids.1 }),
            fds: sensed(Tally { used: 10, limit: fds }),
            ..Reading::default()
        }
    }

    fn binding(reading: &Reading) -> Option<(Resource, u64)> {
        capacity(reading, 2).binding().map(|binding| (binding.resource, binding.contexts()))
    }

    #[test]
    fn the_scarcest_resource_binds() {
        let gib = Bytes::gib;
        // 85 % of 24 GiB less 4 GiB is 16.4 GiB, by 32 MiB; 80 % of 4,096 less 296, by 12; 80 % of 1,024 less 79, by 4.
        assert_eq!(binding(&reading(gib(4), gib(24), (296, 32768), 1 << 20)), Some((Resource::Memory, 524)));
        assert_eq!(binding(&reading(gib(4), gib(24), (296, 4096), 1 << 20)), Some((Resource::Threads, 248)));
        assert_eq!(
            binding(&reading(gib(4), gib(24), (296, 32768), 1024)),
            Some((Resource::Descriptors, 185))
        );
    }

    #[test]
    fn a_full_machine_carries_nothing_more() {
        let full = reading(Bytes::gib(23), Bytes::gib(24), (1, 32768), 1024);
        assert_eq!(binding(&full), Some((Resource::Memory, 0)));
    }

    #[test]
    fn what_is_unlimited_or_unseen_does_not_bind() {
        assert_eq!(binding(&reading(Bytes::ZERO, Bytes::gib(24), (1, 0), 0)), Some((Resource::Memory, 652)));
        assert_eq!(capacity(&Reading::default(), 2).contexts(), None);
    }

    #[test]
    fn the_sentence_says_what_and_why() {
        let capacity = capacity(&reading(Bytes::gib(4), Bytes::gib(24), (296, 4096), 20000), 2);
        assert_eq!(
            capacity.constraints.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "248 contexts by processes and threads: 2980 of room, 12 a context (test)",
                "524 contexts by memory: 16.40 GiB of room, 32.0 MiB a context (test)",
                "3980 contexts by file descriptors: 15921 of room, 4 a context (test)",
            ]
        );
    }
}
