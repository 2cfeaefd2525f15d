//! The process in which a Chromium does its networking.
//!
//! A Chromium survives the end of this process and starts another, but every navigation under way fails, with errors that
//! do not differ from those of a server that hung up or of a download. So its network service is remembered when a
//! browser is new: a navigation that fails, while the service is another and younger than the navigation, failed because
//! of the browser.

use std::fs;
use std::time::Duration;

use crate::processes::{Process, descendant, table};

/// The argument that only this process has.
const ARGUMENT: &str = "--utility-sub-type=network.mojom.NetworkService";
/// What is added to the age that is compared: a start time is a multiple of a clock tick.
const TOLERANCE: Duration = Duration::from_millis(50);

/// The network service that a browser had when it was new.
#[derive(Debug, Clone, Copy)]
pub struct NetworkService {
    browser: i32,
    process: Process,
}

impl NetworkService {
    /// The network service of the browser with this process number. It reads `/proc`, so it blocks for milliseconds.
    #[must_use]
    pub fn of(browser: i32) -> Option<Self> {
        let table = table().ok()?;
        let services = table.iter().filter(|process| {
            process.alive
                && descendant(&table, process.pid, browser).is_some()
                && process.has_argument(ARGUMENT)
        });
        services.max_by_key(|process| process.born).map(|process| Self { browser, process: *process })
    }

    /// Whether the network service ended within this time. It reads `/proc`.
    #[must_use]
    pub fn ended_within(&self, time: Duration) -> bool {
        let Some(now) = Self::of(self.browser) else { return !self.process.still_runs() };
        !now.process.is(&self.process) && age(&now.process).is_some_and(|age| age <= time + TOLERANCE)
    }
}

/// The time since a process was started.
fn age(process: &Process) -> Option<Duration> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let uptime: f64 = uptime.split_ascii_whitespace().next()?.parse().ok()?;
    let ticks = u32::try_from(rustix::param::clock_ticks_per_second()).ok()?;
    let born = Duration::from_millis(process.born.saturating_mul(1000) / u64::from(ticks.max(1)));
    Some(Duration::try_from_secs_f64(uptime).ok()?.saturating_sub(born))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A process with the argument of a network service.
    #[expect(clippy::disallowed_methods, reason = "a child of the test's own, which ends with it")]
    fn service() -> Child {
        let waiting = ["-c", "read -r _", ARGUMENT];
        Command::new("sh").args(waiting).stdin(Stdio::piped()).spawn().expect("a shell")
    }

    #[test]
    fn a_service_that_was_replaced_lately_has_ended_and_one_that_was_replaced_before_has_not() {
        let own = rustix::process::getpid().as_raw_pid();
        let mut first = service();
        let remembered = NetworkService::of(own).expect("it runs");
        assert!(!remembered.ended_within(Duration::from_secs(3600)));
        first.kill().and_then(|()| first.wait()).expect("ours");
        assert!(remembered.ended_within(Duration::ZERO), "there is none");
        let mut second = service();
        assert!(remembered.ended_within(Duration::from_secs(3600)));
        let other = NetworkService::of(own).expect("it runs");
        assert!(!other.ended_within(Duration::from_secs(3600)), "it is the one that was remembered");
        second.kill().and_then(|()| second.wait()).expect("ours");
        assert!(NetworkService::of(own).is_none());
    }
}
