//! The number of contexts that a machine can hold besides its current load: the room left below each line, divided by
//! the cost of one context.
//!
//! The cost of a context and the lines are arguments: the cost differs between drivers, and the lines are settings.
//! Real pages take more memory than the measured pages, so the result is an upper limit; the adaptive limit finds the
//! number that works.

use std::fmt;

use plimsoll_core::policy::Reading;
use plimsoll_core::units::{Bytes, Ratio};

/// CPU that a job takes, in seconds: open, load, read three values, close.
const JOB_CPU_SECONDS: f64 = 0.11;

/// The cost of one context. A resource with cost zero does not limit contexts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Need {
    /// Memory, including its share of the browser.
    pub memory: Bytes,
    /// Threads, including its share of the browser's own threads.
    pub threads: u64,
    /// Descriptors in the browser's main process, which needs the most.
    pub descriptors: u64,
    /// Descriptors of that process without contexts.
    pub browser_descriptors: u64,
}

/// The shares of the machine's limits that may be filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CapacityLines {
    /// Of memory.
    pub memory: Ratio,
    /// Of descriptors, and of processes and threads.
    pub handles: Ratio,
}

/// The amounts that contexts use on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Memory, in bytes.
    Memory,
    /// Processes and threads.
    Threads,
    /// Descriptors of the browser's main process, which needs the most. All contexts are assumed to share one browser.
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

/// The number of contexts that one resource allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Constraint {
    /// The resource.
    pub resource: Resource,
    /// The amount that contexts may still take, without the reserve: in bytes for memory, else a count.
    pub room: u64,
    /// The amount that one context takes.
    pub need_per_context: u64,
    /// The source of the room.
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

/// The contexts that a machine can hold besides its current load.
#[derive(Debug, Clone, PartialEq)]
pub struct Capacity {
    /// Each constraint that could be read, the tightest first.
    pub constraints: Vec<Constraint>,
    /// Jobs a second that the cores allow; more contexts do not raise it.
    pub jobs_per_second: f64,
}

impl Capacity {
    /// The tightest constraint; `None` when no sensor has a value.
    #[must_use]
    pub fn binding(&self) -> Option<&Constraint> {
        self.constraints.first()
    }

    /// Contexts that fit; `None` when no sensor has a value.
    #[must_use]
    pub fn contexts(&self) -> Option<u64> {
        self.binding().map(Constraint::contexts)
    }
}

/// The capacity of a machine with this reading and this number of cores.
#[must_use]
pub fn capacity(reading: &Reading, cores: usize, need: Need, lines: CapacityLines) -> Capacity {
    let memory = reading.memory.map(|memory| Constraint {
        resource: Resource::Memory,
        room: below(memory.value.limit.0, lines.memory).saturating_sub(memory.value.used.0),
        need_per_context: need.memory.0,
        source: memory.source,
    });
    let threads = reading.pids.filter(|pids| pids.value.limit > 0).map(|pids| Constraint {
        resource: Resource::Threads,
        room: below(pids.value.limit, lines.handles).saturating_sub(pids.value.used),
        need_per_context: need.threads,
        source: pids.source,
    });
    let descriptors = reading.fds.filter(|fds| fds.value.limit > 0).map(|fds| Constraint {
        resource: Resource::Descriptors,
        room: below(fds.value.limit, lines.handles).saturating_sub(need.browser_descriptors),
        need_per_context: need.descriptors,
        source: fds.source,
    });
    let all = memory.into_iter().chain(threads).chain(descriptors);
    let mut constraints: Vec<Constraint> = all.filter(|limit| limit.need_per_context > 0).collect();
    constraints.sort_by_key(Constraint::contexts);
    Capacity { constraints, jobs_per_second: cores as f64 / JOB_CPU_SECONDS }
}

/// The amount at which `line` is reached.
fn below(limit: u64, line: Ratio) -> u64 {
    (limit as f64 * line.value()) as u64
}

#[cfg(test)]
mod tests {
    use plimsoll_core::policy::{MemoryUse, Sensed, Tally};
    use plimsoll_core::time::Moment;

    use super::*;

    /// A context of a headless shell that twenty share, at the default lines.
    const NEED: Need = Need { memory: Bytes::mib(32), threads: 12, descriptors: 4, browser_descriptors: 79 };
    const LINES: CapacityLines = CapacityLines { memory: Ratio::percent(85), handles: Ratio::percent(80) };

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
        capacity(reading, 2, NEED, LINES).binding().map(|binding| (binding.resource, binding.contexts()))
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
        assert_eq!(capacity(&Reading::default(), 2, NEED, LINES).contexts(), None);
    }

    #[test]
    fn dearer_contexts_and_lower_lines_leave_room_for_fewer() {
        let reading = reading(Bytes::gib(4), Bytes::gib(24), (296, 4096), 1 << 20);
        let contexts = |need, lines| capacity(&reading, 2, need, lines).contexts();
        // 80 % of 4,096 less 296, by 218 threads; 60 % of 24 GiB less 4 GiB, by 486 MiB.
        let firefox = Need { memory: Bytes::mib(486), threads: 218, ..Need::default() };
        assert_eq!(contexts(firefox, LINES), Some(13));
        let sparing = CapacityLines { memory: Ratio::percent(60), ..LINES };
        assert_eq!(contexts(Need { threads: 0, ..firefox }, sparing), Some(21));
        assert_eq!(contexts(Need::default(), LINES), None, "contexts that take nothing");
    }

    #[test]
    fn the_sentence_says_what_and_why() {
        let capacity = capacity(&reading(Bytes::gib(4), Bytes::gib(24), (296, 4096), 20000), 2, NEED, LINES);
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
