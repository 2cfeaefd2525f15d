//! Pressure stall information: the share of time in which tasks waited for memory or CPU.
//!
//! The kernel reports it for the machine and, with cgroup version 2, for our own cgroup. The higher value counts: a
//! full cgroup on an idle machine stalls us just as a full machine does.

use std::path::Path;

use plimsoll_core::policy::Stall;
use plimsoll_core::units::Ratio;

use super::cgroup::Group;
use super::file::{self, Blindness};
use super::{Notes, Seen};

/// The machine's file for memory stalls.
pub(super) const MACHINE_FILE: &str = "proc/pressure/memory";
/// The same file of a cgroup.
pub(super) const GROUP_FILE: &str = "memory.pressure";

/// Memory stalls.
pub(super) fn memory(root: &Path, group: Option<&Group>, notes: &mut Notes) -> Option<Seen<Stall>> {
    let machine = notes.see("memory stalls", stall(&root.join(MACHINE_FILE)));
    let own = match group.map(|group| stall(&group.nearest().join(GROUP_FILE))) {
        // For a cgroup without such a file the machine's file is used.
        Some(Err(blindness)) if blindness.is_missing() => None,
        own => own.and_then(|own| notes.see("memory stalls of the cgroup", own)),
    };
    let machine = machine.map(|value| Seen { value, source: "/proc/pressure/memory" });
    let own = own.map(|value| Seen { value, source: "cgroup v2 memory.pressure" });
    let severity = |seen: &Seen<Stall>| (seen.value.full10.value(), seen.value.some10.value());
    own.into_iter().chain(machine).max_by(|a, b| {
        let ((full_a, some_a), (full_b, some_b)) = (severity(a), severity(b));
        full_a.total_cmp(&full_b).then_with(|| some_a.total_cmp(&some_b))
    })
}

/// CPU stalls. Kernels before 5.13 do not report when *all* tasks waited.
pub(super) fn cpu(root: &Path, notes: &mut Notes) -> Option<Seen<Stall>> {
    let path = root.join("proc/pressure/cpu");
    let read = || {
        let text = file::text(&path)?;
        let some10 = share(&text, "some").ok_or_else(|| Blindness::garbage(&path, "avg10 of some"))?;
        Ok(Stall { some10, full10: share(&text, "full").unwrap_or(Ratio::ZERO) })
    };
    notes.see("CPU stalls", read()).map(|value| Seen { value, source: "/proc/pressure/cpu" })
}

fn stall(path: &Path) -> Result<Stall, Blindness> {
    let text = file::text(path)?;
    match (share(&text, "some"), share(&text, "full")) {
        (Some(some10), Some(full10)) => Ok(Stall { some10, full10 }),
        _ => Err(Blindness::garbage(path, "avg10 of some and full")),
    }
}

/// `avg10` of the line `some avg10=1.23 ...`, where the file counts in percent.
fn share(text: &str, kind: &str) -> Option<Ratio> {
    let line = text.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '))?;
    let avg10 = line.split_ascii_whitespace().find_map(|word| word.strip_prefix("avg10="))?;
    let percent: f64 = avg10.parse().ok()?;
    (0.0..=100.0).contains(&percent).then(|| Ratio::new(percent / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_percentage_and_nothing_else() {
        let line = |avg10: &str| format!("some avg10={avg10} avg60=0.00 avg300=0.00 total=1\n");
        assert_eq!(share(&line("12.50"), "some"), Some(Ratio::new(0.125)));
        assert_eq!(share(&line("100.00"), "some"), Some(Ratio::ONE));
        for garbage in ["NaN", "inf", "-1.00", "100.01", "", "1,5", "99999999999999999999"] {
            assert_eq!(share(&line(garbage), "some"), None, "{garbage:?}");
        }
        assert_eq!(share(&line("1.00"), "full"), None);
        assert_eq!(share("something avg10=1.00", "some"), None);
    }
}
