//! The values of the machine's sensors, read from the files of `/proc` and `/sys`.
//!
//! ```text
//!   /proc/self/{cgroup,limits} ── every 10 s ──► Limits ─┐
//!   meminfo, cgroup use, PSI, loadavg, statvfs ──────────┴─► Machine::read ──► Reading + what is blind
//!   /proc/PID/smaps_rollup ── one process a step ──► PssSweep
//!   PSI trigger ── the kernel wakes us ──► PsiTrigger
//! ```
//!
//! [`Machine::read`] reads about a dozen small files, so it may be called once or twice a second. When several limits
//! apply (nested cgroups, the user, the machine), the reading shows the limit that would be reached first.
//!
//! Failure paths: every file may be missing, disappear during the read, or contain invalid data. The reading is then
//! absent, never zero, unless another source has the value; either way [`Machine::blind`] names the file and the error.
//! Without `/proc` every sensor except the disk is blind.

mod bound;
mod capacity;
mod cgroup;
mod descriptors;
mod disk;
mod file;
mod memory;
mod oom;
mod pids;
mod pss;
mod stall;
mod stat;
mod trees;
mod trigger;

use std::path::{Path, PathBuf};
use std::time::Duration;

use plimsoll_core::policy::{Reading, Sensed};
use plimsoll_core::time::Moment;

pub use self::capacity::{Capacity, CapacityLines, Constraint, Need, Resource, capacity};
pub use self::file::Blindness;
pub use self::pss::{PssSource, PssSweep, PssTotal};
pub use self::trees::{Member, tree_pids};
pub use self::trigger::{PsiTrigger, StallKind, StallLine, TriggerError};

use self::cgroup::{Group, GroupLimit};
use self::descriptors::UserLimits;
use self::stat::Stat;

/// How long limits are used before they are read again: an operator may change them, but rarely does.
const LIMITS_LAST: Duration = Duration::from_secs(10);

/// A sensor that reads nothing, or less than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// Its name: "memory", "cgroup memory limit", "disk".
    pub sensor: &'static str,
    /// The reason.
    pub cause: Blindness,
}

/// The sensors of one machine.
#[derive(Debug)]
pub struct Machine {
    root: PathBuf,
    profile_root: PathBuf,
    limits: Option<Limits>,
    blind: Vec<Blind>,
}

/// Data that rarely changes.
#[derive(Debug, Default)]
struct Limits {
    read: Moment,
    memory: Vec<GroupLimit>,
    pids: Vec<GroupLimit>,
    user: Option<UserLimits>,
    /// The cgroup that accounts for our memory.
    memory_group: Option<Group>,
    pids_group: Option<Group>,
    /// The cgroup that accounts for our stalls: only version 2 does.
    stall_group: Option<Group>,
    blind: Vec<Blind>,
}

/// Collects the blind sensors while the others are read.
#[derive(Debug, Default)]
struct Notes(Vec<Blind>);

impl Notes {
    fn see<T>(&mut self, sensor: &'static str, seen: Result<T, Blindness>) -> Option<T> {
        seen.map_err(|cause| self.add(sensor, cause)).ok()
    }

    fn add(&mut self, sensor: &'static str, cause: Blindness) {
        self.0.push(Blind { sensor, cause });
    }
}

impl Machine {
    /// The machine whose file system begins at `root` (`/`, or a copy of the relevant files), with profiles below
    /// `profile_root`, which need not exist yet. Reads nothing.
    #[must_use]
    pub fn new(root: &Path, profile_root: &Path) -> Self {
        Self { root: root.to_owned(), profile_root: profile_root.to_owned(), limits: None, blind: Vec::new() }
    }

    /// Reads every sensor. Blocks for well under a millisecond, unless the profile root is on a file system that hangs.
    /// The lateness of timers is not measured here: the owner of the timers adds it.
    pub fn read(&mut self, now: Moment) -> Reading {
        let limits = match self.limits.take() {
            Some(limits) if now.since(limits.read) < LIMITS_LAST => limits,
            previous => Limits::read(&self.root, now, previous.unwrap_or_default()),
        };
        let mut notes = Notes(limits.blind.clone());
        let reading = self.look(&limits, now, &mut notes);
        self.limits = Some(limits);
        self.blind = notes.0;
        reading
    }

    fn look(&self, limits: &Limits, now: Moment, notes: &mut Notes) -> Reading {
        let root = &self.root;
        let disk = notes.see("disk", disk::read(&self.profile_root));
        let tasks = limits.user.and_then(|user| user.tasks);
        Reading {
            memory: memory::read(root, &limits.memory, notes).map(|seen| seen.at(now)),
            memory_stall: stall::memory(root, limits.stall_group.as_ref(), notes).map(|seen| seen.at(now)),
            cpu_stall: stall::cpu(root, notes).map(|seen| seen.at(now)),
            oom_kills: oom::kills(root, limits.memory_group.as_ref(), notes).map(|seen| seen.at(now)),
            fds: limits
                .user
                .and_then(|user| notes.see("file descriptors", descriptors::read(root, user)))
                .map(|seen| seen.at(now)),
            pids: pids::read(root, &limits.pids, tasks, notes).map(|seen| seen.at(now)),
            disk: disk.map(|(space, _)| space.at(now)),
            inodes: disk.and_then(|(_, inodes)| inodes).map(|seen| seen.at(now)),
            loop_lag: None,
            slots: None,
        }
    }

    /// The sensors that the last [`Machine::read`] could not read, each with the reason. Empty before the first read.
    #[must_use]
    pub fn blind(&self) -> &[Blind] {
        &self.blind
    }

    /// The files on which a [`PsiTrigger`] for memory can be armed, the most specific to this process first. Some may
    /// not exist.
    #[must_use]
    pub fn memory_pressure_files(&self) -> Vec<PathBuf> {
        let group = Group::unified(&self.root).ok();
        let own = group.map(|group| group.nearest().join(stall::GROUP_FILE));
        own.into_iter().chain([self.root.join(stall::MACHINE_FILE)]).collect()
    }

    /// CPU time, user and system together, that this process has used; `None` when it cannot be read.
    #[must_use]
    pub fn supervisor_cpu(&self) -> Option<Duration> {
        let stat = Stat::read(&self.root.join("proc/self/stat")).ok()?;
        let ticks_per_second = rustix::param::clock_ticks_per_second();
        let millis = u128::from(stat.ticks) * 1000 / u128::from(ticks_per_second.max(1));
        u64::try_from(millis).ok().map(Duration::from_millis)
    }
}

impl Limits {
    /// Reads all limits. When that fails, the previous values stay valid: a process without free descriptors can read
    /// nothing, and must not conclude that it has no limits.
    fn read(root: &Path, now: Moment, previous: Self) -> Self {
        let mut notes = Notes::default();
        let memory_group =
            notes.see("cgroup memory limit", Group::find(root, "memory")).or(previous.memory_group);
        let pids_group = notes.see("cgroup pids limit", Group::find(root, "pids")).or(previous.pids_group);
        let memory = memory_group.as_ref().map(|group| memory::limits(group, &previous.memory, &mut notes));
        let pids = pids_group.as_ref().map(|group| pids::limits(group, &previous.pids, &mut notes));
        Self {
            read: now,
            memory: memory.unwrap_or_default(),
            pids: pids.unwrap_or_default(),
            user: notes.see("user limits", descriptors::user_limits(root)).or(previous.user),
            memory_group,
            pids_group,
            stall_group: Group::unified(root).ok().or(previous.stall_group),
            blind: notes.0,
        }
    }
}

/// A value with its source, before the time is added.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen<T> {
    value: T,
    source: &'static str,
}

impl<T> Seen<T> {
    const fn at(self, at: Moment) -> Sensed<T>
    where
        T: Copy,
    {
        Sensed { value: self.value, source: self.source, at }
    }
}
