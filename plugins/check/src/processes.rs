//! Reads `/proc`: the processes of a run, and the memory of a process (Linux).

use std::fs;
use std::path::Path;

use rustix::process::{Pid, Signal};

/// A process. Two processes with the same number and different start times are not equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The process number (PID).
    pub pid: i32,
    parent: i32,
    started: u64,
    /// The command line, with blanks between the arguments.
    pub args: String,
}

impl Process {
    /// Sends a signal to the process, unless it is gone already.
    ///
    /// # Panics
    /// Never: a process has a valid number.
    pub fn signal(&self, signal: Signal) {
        if self.lives() {
            let pid = Pid::from_raw(self.pid).expect("a pid");
            // The process may end before the signal.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Whether the process still exists.
    #[must_use]
    pub fn lives(&self) -> bool {
        read(self.pid).is_some_and(|now| now.started == self.started)
    }

    /// Whether it is a browser's main process, driven over a pipe.
    #[must_use]
    pub fn is_browser(&self) -> bool {
        self.args.contains("--remote-debugging-pipe") && !self.args.contains("--type=")
    }

    /// Whether it renders pages: a renderer of Chromium, a content process of Firefox.
    #[must_use]
    pub fn is_renderer(&self) -> bool {
        self.args.contains("--type=renderer") || self.args.contains("-contentproc -isForBrowser")
    }
}

/// Every process that names `dir` in its arguments or environment, with its descendants: a renderer's arguments do
/// not name its profile.
///
/// # Panics
/// When `dir` is not valid UTF-8 or there is no `/proc`.
#[must_use]
pub fn of(dir: &Path) -> Vec<Process> {
    let dir = dir.to_str().expect("plain text");
    with_descendants(&all(), |process| {
        process.args.contains(dir) || text(process.pid, "environ").contains(dir)
    })
}

/// The process `pid` and its descendants.
#[must_use]
pub fn tree(pid: i32) -> Vec<Process> {
    with_descendants(&all(), |process| process.pid == pid)
}

/// The resident memory of `pid`, in KiB.
///
/// # Panics
/// When the process does not exist.
#[must_use]
pub fn resident_kib(pid: i32) -> u64 {
    kib(&pid.to_string(), "VmRSS:")
}

/// The peak resident memory of `pid` so far, in KiB; `None` when the process has ended.
#[must_use]
pub fn peak_kib(pid: i32) -> Option<u64> {
    entry(&pid.to_string(), "VmHWM:")
}

fn kib(process: &str, name: &str) -> u64 {
    entry(process, name).expect("a living process")
}

/// An entry of a process that has memory.
fn entry(process: &str, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The peak resident memory of this process since the last [`forget_peak`], in KiB.
///
/// # Panics
/// When there is no `/proc`.
#[must_use]
pub fn own_peak_kib() -> u64 {
    kib("self", "VmHWM:")
}

/// Resets the peak to the memory that is resident now.
///
/// # Panics
/// When the kernel does not allow it.
pub fn forget_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("our own peak may be reset");
}

fn with_descendants(living: &[Process], is_root: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut found: Vec<Process> = living.iter().filter(|process| is_root(process)).cloned().collect();
    loop {
        let kin = |process: &&Process| {
            !found.contains(process) && found.iter().any(|found| found.pid == process.parent)
        };
        let more: Vec<Process> = living.iter().filter(kin).cloned().collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    entries.filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The process `pid`, if it exists and is not a zombie.
fn read(pid: i32) -> Option<Process> {
    let stat = text(pid, "stat");
    // The name, in parentheses, may contain any characters.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let [state, parent, ..] = fields[..] else { return None };
    let dead = matches!(state, "Z" | "X");
    let started = fields.get(19)?.parse().ok()?;
    (!dead).then(|| Process { pid, parent: parent.parse().unwrap_or(0), started, args: text(pid, "cmdline") })
}

fn text(pid: i32, file: &str) -> String {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}
