//! The table of processes in `/proc`, and kinship: which process descends from which.
//!
//! Process numbers are reused, so a number alone identifies no process. Here a process is identified by its number
//! *and* its start time, and a signal is sent through a pidfd that was checked to refer to that process.
//!
//! [`Kin`] determines which processes belong to a tree. A process belongs when its parent, its group or its session
//! belongs, or when it has the mark that all processes of the tree inherit. So a descendant that starts its own session
//! and loses its parent is still found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};

/// The maximum that is read of an environment or a command line, in bytes: Linux allows several megabytes.
const READ_LIMIT: u64 = 1 << 20;
/// The longest wait for one killed process before the table is read again.
const LOOK_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// Process number.
    pub(crate) pid: i32,
    parent: i32,
    group: i32,
    session: i32,
    /// Its start time, in clock ticks since boot.
    pub(crate) born: u64,
    /// Whether it still runs: a zombie does not.
    pub(crate) alive: bool,
}

impl Process {
    /// The process with this number; `None` when there is none.
    pub(crate) fn read(pid: i32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(pid, &String::from_utf8_lossy(&stat))
    }

    /// `pid (name) state ppid pgrp session ...`; the name may hold blanks and parentheses. Field numbers are
    /// those of proc(5).
    fn parse(pid: i32, stat: &str) -> Option<Self> {
        let (_, after_name) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
        let field = |number: usize| fields.get(number - 3).copied();
        let dead = matches!(field(3)?, "Z" | "X" | "x");
        // The first thread may have ended while others still run: then the process runs.
        let threads: u32 = field(20)?.parse().ok()?;
        Some(Self {
            pid,
            parent: field(4)?.parse().ok()?,
            group: field(5)?.parse().ok()?,
            session: field(6)?.parse().ok()?,
            born: field(22)?.parse().ok()?,
            alive: !dead || threads > 1,
        })
    }

    /// Whether its environment, as it was at its start, has the entry `NAME=value`.
    pub(crate) fn has_variable(&self, entry: &str) -> bool {
        self.strings("environ").split(|&byte| byte == 0).any(|variable| variable == entry.as_bytes())
    }

    /// Whether it has this argument. Chromium joins the arguments of its processes with blanks.
    pub(crate) fn has_argument(&self, argument: &str) -> bool {
        let line = self.strings("cmdline");
        line.split(|byte| [0, b' '].contains(byte)).any(|own| own == argument.as_bytes())
    }

    /// Whether both are the same process, perhaps at different times.
    pub(crate) const fn is(&self, other: &Self) -> bool {
        self.pid == other.pid && self.born == other.born
    }

    /// Whether it still runs.
    pub(crate) fn still_runs(&self) -> bool {
        Self::read(self.pid).is_some_and(|now| now.is(self) && now.alive)
    }

    /// Whether an argument is `dir`, lies in it, or has the form `--name=PATH` with such a path.
    pub(crate) fn has_argument_in(&self, dir: &Path) -> bool {
        let dir = dir.as_os_str().as_bytes();
        let lies_in =
            |path: &[u8]| path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
        self.strings("cmdline").split(|&byte| byte == 0).any(|argument| {
            let value = argument.iter().position(|&byte| byte == b'=').map(|at| &argument[at + 1..]);
            lies_in(argument) || value.is_some_and(lies_in)
        })
    }

    /// The number of its threads that compute, or wait for nothing but a processor.
    pub(crate) fn computing_threads(&self) -> usize {
        let threads = fs::read_dir(format!("/proc/{}/task", self.pid)).into_iter().flatten().flatten();
        let computes = |stat: &str| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('R'));
        threads
            .filter(|thread| fs::read_to_string(thread.path().join("stat")).is_ok_and(|s| computes(&s)))
            .count()
    }

    /// Sends SIGKILL to exactly this process and returns a descriptor that becomes readable at its end; `None` when it
    /// has ended already or may not be signalled.
    pub(crate) fn kill(&self) -> Option<OwnedFd> {
        let pidfd = self.pidfd()?;
        rustix::process::pidfd_send_signal(&pidfd, Signal::KILL).is_ok().then_some(pidfd)
    }

    /// A descriptor of exactly this process, which becomes readable at its end; `None` when it has ended already.
    pub(crate) fn pidfd(&self) -> Option<OwnedFd> {
        let pidfd = rustix::process::pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // The descriptor now refers to one process: the same process, if the start time is equal.
        Self::read(self.pid).is_some_and(|now| now.born == self.born).then_some(pidfd)
    }

    /// NUL-separated strings of a file in `/proc`; empty when the process has ended or its file is not readable.
    fn strings(&self, file: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Ok(file) = File::open(format!("/proc/{}/{file}", self.pid)) {
            // Data that was read before an error is still valid.
            let _ = file.take(READ_LIMIT).read_to_end(&mut bytes);
        }
        bytes
    }
}

/// Every process of the machine. A process that ends meanwhile may be missing.
///
/// # Errors
/// When `/proc` cannot be read or does not show this process: an empty table does not mean an empty machine.
pub(crate) fn table() -> io::Result<Vec<Process>> {
    let mut table = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        table.extend(pid.and_then(Process::read));
    }
    let own = rustix::process::getpid().as_raw_pid();
    if table.iter().any(|process| process.pid == own) {
        Ok(table)
    } else {
        Err(io::Error::new(io::ErrorKind::NotFound, "/proc does not show this process: is it mounted here?"))
    }
}

/// The process with this number, if `ancestor` is its parent or a further ancestor.
pub(crate) fn descendant(table: &[Process], pid: i32, ancestor: i32) -> Option<Process> {
    let row = |pid| table.iter().find(|process| process.pid == pid);
    let found = row(pid)?;
    // No chain of parents is longer than the table, even if the table changed during the read.
    let mut parents = std::iter::successors(Some(found.parent), |pid| row(*pid).map(|row| row.parent));
    parents.by_ref().take(table.len()).any(|parent| parent == ancestor).then_some(*found)
}

/// Kills a whole family and waits, blocking, until none of it runs; returns the killed processes. It reads the table
/// several times, because a process may fork while the others are being killed.
///
/// # Errors
/// When the table cannot be read, or a process still runs after `patience`.
pub(crate) fn extinguish(
    kin: &mut Kin,
    bears_mark: impl Fn(&Process) -> bool,
    patience: Duration,
) -> io::Result<BTreeSet<i32>> {
    let clock = Clock::start();
    let deadline = clock.now() + patience;
    let mut killed = BTreeSet::new();
    loop {
        let living = kin.living(&table()?, &bears_mark);
        if living.is_empty() {
            return Ok(killed);
        }
        if clock.now() >= deadline {
            let pids: Vec<i32> = living.iter().map(|process| process.pid).collect();
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("processes {pids:?} still run after SIGKILL"),
            ));
        }
        for process in living {
            let Some(end) = process.kill() else { continue };
            killed.insert(process.pid);
            // A wait that fails or ends early only makes the next read of the table earlier.
            let _ = rustix::event::poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&LOOK_AGAIN));
        }
    }
}

/// The known members of a family, kept between two reads of the table, so that an orphan is still known when its parent
/// has ended.
#[derive(Debug, Clone)]
pub(crate) struct Kin {
    /// A process with an earlier start time does not belong.
    oldest: u64,
    /// Number and start time of each member; ended members stay while a group or session still has their number.
    known: BTreeMap<i32, u64>,
}

impl Kin {
    /// The family of `founder`.
    pub(crate) fn of(founder: Process) -> Self {
        Self { oldest: founder.born, known: BTreeMap::from([(founder.pid, founder.born)]) }
    }

    /// A family without a founder: a process belongs by its mark only.
    pub(crate) const fn marked() -> Self {
        Self { oldest: 0, known: BTreeMap::new() }
    }

    /// The members that run now. `bears_mark` is called once for each unknown process.
    pub(crate) fn living(
        &mut self,
        table: &[Process],
        bears_mark: impl Fn(&Process) -> bool,
    ) -> Vec<Process> {
        let now: BTreeMap<i32, u64> = table.iter().map(|process| (process.pid, process.born)).collect();
        let named = |pid: i32| table.iter().any(|process| process.group == pid || process.session == pid);
        self.known.retain(|pid, born| now.get(pid).map_or_else(|| named(*pid), |born_now| born_now == born));

        let mut strangers: Vec<&Process> = table
            .iter()
            .filter(|process| process.born >= self.oldest && !self.known.contains_key(&process.pid))
            .collect();
        let mut joined: Vec<&Process> = strangers
            .extract_if(.., |process| self.is_related(process) || process.alive && bears_mark(process))
            .collect();
        while !joined.is_empty() {
            self.known.extend(joined.iter().map(|process| (process.pid, process.born)));
            joined = strangers.extract_if(.., |process| self.is_related(process)).collect();
        }
        table
            .iter()
            .filter(|process| process.alive && self.known.contains_key(&process.pid))
            .copied()
            .collect()
    }

    fn is_related(&self, process: &Process) -> bool {
        [process.parent, process.group, process.session].iter().any(|pid| self.known.contains_key(pid))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    fn process(pid: i32, parent: i32, group: i32, session: i32, born: u64) -> Process {
        Process { pid, parent, group, session, born, alive: true }
    }

    fn pids(family: &[Process]) -> Vec<i32> {
        family.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_name_may_hold_blanks_and_parentheses() {
        let stat = "77 (a) Z 1 (b) S 5 6 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 4242 9 9";
        let parsed = Process::parse(77, stat).expect("a valid line");
        assert_eq!(parsed, process(77, 5, 6, 7, 4242));
        assert_eq!(Process::parse(77, "77 (a) S 5 6"), None);
    }

    #[test]
    fn a_zombie_is_dead_unless_other_threads_run() {
        let stat = |threads: u32| format!("7 (a) Z 5 6 7 0 -1 0 1 2 3 4 5 6 7 8 20 0 {threads} 0 42 9");
        assert!(!Process::parse(7, &stat(1)).expect("valid").alive);
        assert!(Process::parse(7, &stat(2)).expect("valid").alive);
    }

    #[test]
    fn threads_that_compute_are_counted_and_those_that_wait_are_not() {
        const EACH: usize = 32;
        let own = Process::read(rustix::process::getpid().as_raw_pid()).expect("this process");
        let (spinning, done, waiting) = (AtomicUsize::new(0), AtomicBool::new(false), Barrier::new(EACH + 1));
        let computing = std::thread::scope(|scope| {
            for _ in 0..EACH {
                scope.spawn(|| waiting.wait());
                scope.spawn(|| {
                    spinning.fetch_add(1, Ordering::Relaxed);
                    while !done.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
            while spinning.load(Ordering::Relaxed) < EACH {
                std::hint::spin_loop();
            }
            let computing = own.computing_threads();
            done.store(true, Ordering::Relaxed);
            waiting.wait();
            computing
        });
        // The waiting threads may still be on their way to the barrier; this thread computes too.
        assert!(computing > EACH, "{computing}");
        assert!(own.computing_threads() < EACH);
    }

    #[test]
    fn this_very_process_is_in_the_table() {
        let own = rustix::process::getpid().as_raw_pid();
        let table = table().expect("/proc is mounted");
        let row = table.iter().find(|process| process.pid == own).expect("this process");
        assert!(row.alive && row.born > 0);
    }

    #[test]
    fn kin_are_found_by_parent_group_session_and_mark_but_bystanders_are_not() {
        let founder = process(10, 1, 10, 2, 100);
        let table = [
            process(2, 1, 2, 2, 50),
            founder,
            process(11, 10, 10, 2, 101),  // child
            process(12, 11, 12, 2, 102),  // grandchild in a group of its own
            process(13, 1, 12, 2, 103),   // orphan in that group
            process(14, 12, 14, 14, 104), // a session of its own
            process(15, 1, 99, 14, 105),  // orphan in that session
            process(16, 1, 16, 16, 106),  // orphan that kept nothing but the mark
            process(20, 2, 20, 2, 107),   // shares only the founder's session, which is not the founder's own
            process(21, 1, 21, 21, 108),
        ];
        let mut kin = Kin::of(founder);
        assert_eq!(pids(&kin.living(&table, |process| process.pid == 16)), [10, 11, 12, 13, 14, 15, 16]);
    }

    #[test]
    fn a_descendant_is_one_by_its_parents() {
        let table = [
            process(10, 1, 10, 2, 100),
            process(11, 10, 10, 2, 101),
            process(12, 11, 12, 2, 102),
            process(20, 2, 10, 2, 103),
        ];
        assert_eq!(descendant(&table, 12, 10), Some(table[2]));
        for stranger in [10, 20, 99] {
            assert_eq!(descendant(&table, stranger, 10), None, "{stranger}");
        }
    }

    #[test]
    fn an_orphan_is_remembered_after_its_parent_has_gone() {
        let founder = process(10, 1, 10, 2, 100);
        let mut kin = Kin::of(founder);
        kin.living(&[founder, process(11, 10, 11, 11, 101)], |_| false);
        assert_eq!(pids(&kin.living(&[process(11, 1, 11, 11, 101)], |_| false)), [11]);
        // Its own parent has ended too; a later child is found through the group with that number.
        assert_eq!(pids(&kin.living(&[process(30, 1, 11, 11, 130)], |_| false)), [30]);
    }

    #[test]
    fn a_reused_number_is_another_process() {
        let founder = process(10, 1, 10, 2, 100);
        let mut kin = Kin::of(founder);
        kin.living(&[founder, process(11, 10, 11, 11, 101)], |_| false);
        let stranger = process(11, 1, 11, 11, 900);
        let its_child = process(40, 11, 11, 11, 901);
        assert_eq!(kin.living(&[stranger, its_child], |_| false), []);
    }

    #[test]
    fn the_past_has_no_kin() {
        let founder = process(10, 1, 10, 2, 100);
        let older = process(9, 10, 10, 10, 99);
        assert_eq!(pids(&Kin::of(founder).living(&[founder, older], |_| true)), [10]);
    }
}
