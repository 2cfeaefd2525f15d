//! What a run may carry: the settings' ceilings, lowered to what the machine's limits leave.
//!
//! ```text
//!   Reading ─► LoadLine ─► ceilings(settings) ─┬─► Fitted: lower ceilings, and the sentence that says why
//!                                              └─► Refusal: not one context fits, and what to raise
//! ```
//!
//! Threads and descriptors run out all at once and take whole browsers along, so their ceilings are lowered before the
//! first browser starts. Memory fills by degrees and is watched while the run goes on, so about memory it is only said
//! how much fits. A machine that is full at this moment may empty again: it is no reason to refuse, a limit too small
//! for one browser is.

use std::path::Path;
use std::sync::Mutex;
use std::thread;

use plimsoll_core::policy::pressure::Reading;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::{Constraint, Machine, Resource, capacity};
use rustix::process::{Resource as Rlimited, Rlimit};

use crate::error::EngineError;
use crate::settings::Settings;

/// Where the host's readings find the user's limit on threads.
const NPROC: &str = "/proc/loadavg against RLIMIT_NPROC";
/// Descriptors of this process that a browser takes: both pipes, its standard error, its pidfd and their copies. Measured:
/// 17 without browsers, 77 with ten.
const OUR_DESCRIPTORS: u64 = 6;
/// The share of our own limit on descriptors that browsers may fill, below the 75 % at which pressure ends. The rest is for
/// results and artifacts.
const DESCRIPTORS_LINE: f64 = 0.7;
/// The least limit on descriptors under which a browser carries one context: 79 and 4 are 80 % of it.
const LEAST_DESCRIPTORS: u64 = 104;
/// Threads of a browser with one context: 29 once it stands, some more while it starts.
const LEAST_THREADS: u64 = 40;
/// What a browser with one context takes, as `Footprint` in core books it, and the 15 % that stay free.
const LEAST_MEMORY: Bytes = Bytes::mib(373);

/// Threads of this program besides one a core: the one that starts processes, and a few for files.
const OUR_THREADS: usize = 4;

/// This program itself cannot start.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot start the {wanted} threads this program needs: {source}; to mend it: {}",
    remedy(Resource::Threads, NPROC)
)]
pub struct NoThreads {
    wanted: usize,
    source: std::io::Error,
}

/// What limits the contexts of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadLine {
    /// What bounds all contexts together, the one that binds first in front.
    pub together: Vec<Constraint>,
    /// What bounds the contexts of one browser: its descriptors.
    pub in_a_browser: Option<Constraint>,
    /// Jobs a second that the cores allow.
    pub jobs_per_second: f64,
}

/// Settings that fit the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The settings, with ceilings lowered where need be.
    pub settings: Settings,
    /// What was lowered or will not fit, and by which limit; `None` when all fits.
    pub notice: Option<String>,
}

/// Why not one context fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A browser may not open enough files.
    #[error("a browser needs {LEAST_DESCRIPTORS} open files for its first page and may have {limit}")]
    Descriptors {
        /// `RLIMIT_NOFILE`.
        limit: u64,
    },
    /// There is no room for a browser's processes and threads.
    #[error(
        "a browser needs {LEAST_THREADS} processes and threads for its first page, and {used} of {limit} are in use ({seen_in})"
    )]
    Threads {
        /// In use.
        used: u64,
        /// The limit, of which 80 % may be used.
        limit: u64,
        /// Where both were read.
        seen_in: &'static str,
    },
    /// The limit on memory is too small for a browser even when nothing else runs.
    #[error(
        "a browser needs {LEAST_MEMORY} of memory for its first page, and the limit is {limit} ({seen_in})"
    )]
    Memory {
        /// The limit.
        limit: Bytes,
        /// Where it was read.
        seen_in: &'static str,
    },
}

impl Refusal {
    /// What to raise, and how.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Descriptors { .. } => remedy(Resource::Descriptors, ""),
            Self::Threads { seen_in, .. } => remedy(Resource::Threads, seen_in),
            Self::Memory { seen_in, .. } => remedy(Resource::Memory, seen_in),
        }
    }
}

/// How more room is made, as a command where there is one. `source` is where the limit was read.
#[must_use]
pub fn remedy(resource: Resource, source: &str) -> &'static str {
    let in_group = source.starts_with("cgroup") || source.ends_with("the cgroup's limit");
    match resource {
        // The soft limit is at the hard one already, and that one only root can raise: here for the shell at hand.
        Resource::Descriptors => {
            "as root: `prlimit --pid $$ --nofile=65536` (docker: `--ulimit nofile=65536`)"
        }
        Resource::Threads if in_group => "docker: `--pids-limit 16384`; systemd: `TasksMax=16384`",
        Resource::Threads if source == NPROC => {
            "as root: `prlimit --pid $$ --nproc=32768` (docker: `--ulimit nproc=32768`)"
        }
        Resource::Threads => "as root: `sysctl kernel.threads-max=131072 kernel.pid_max=131072`",
        Resource::Memory if in_group => "docker: `--memory 4g`; systemd: `MemoryMax=4G`",
        Resource::Memory => "close what else runs here, or take a larger machine",
    }
}

impl LoadLine {
    /// What this reading, this many cores and this many contexts a browser come to.
    #[must_use]
    pub fn of(reading: &Reading, cores: usize, contexts_per_browser: u32) -> Self {
        let capacity = capacity(reading, cores);
        let (of_browser, mut together): (Vec<_>, Vec<_>) =
            capacity.constraints.into_iter().partition(|limit| limit.resource == Resource::Descriptors);
        let in_a_browser = of_browser.first().copied();
        let shared = in_a_browser
            .map_or(u64::MAX, |limit| limit.contexts())
            .clamp(1, u64::from(contexts_per_browser.max(1)));
        together.extend(reading.fds.filter(|fds| fds.value.limit > 0).map(|fds| Constraint {
            resource: Resource::Descriptors,
            room: ((fds.value.limit as f64 * DESCRIPTORS_LINE) as u64).saturating_sub(fds.value.used),
            need_per_context: OUR_DESCRIPTORS.div_ceil(shared),
            source: "/proc/self/fd against RLIMIT_NOFILE",
        }));
        together.sort_by_key(Constraint::contexts);
        Self { together, in_a_browser, jobs_per_second: capacity.jobs_per_second }
    }

    /// What binds first.
    #[must_use]
    pub fn binding(&self) -> Option<&Constraint> {
        self.together.first()
    }

    fn by(&self, resource: Resource) -> Option<&Constraint> {
        self.together.iter().find(|limit| limit.resource == resource)
    }
}

/// Why not even one context fits under this reading, if so.
#[must_use]
pub fn refusal(reading: &Reading, line: &LoadLine) -> Option<Refusal> {
    let too_few = |limit: Option<&Constraint>, least: u64| limit.is_some_and(|limit| limit.room < least);
    let descriptors = reading.fds.filter(|_| {
        too_few(line.in_a_browser.as_ref(), 4) || too_few(line.by(Resource::Descriptors), OUR_DESCRIPTORS)
    });
    let threads = reading.pids.filter(|_| too_few(line.by(Resource::Threads), LEAST_THREADS));
    let memory = reading.memory.filter(|memory| memory.value.limit < LEAST_MEMORY);
    let descriptors = descriptors.map(|fds| Refusal::Descriptors { limit: fds.value.limit });
    let threads = threads.map(|pids| Refusal::Threads {
        used: pids.value.used,
        limit: pids.value.limit,
        seen_in: pids.source,
    });
    let memory = memory.map(|memory| Refusal::Memory { limit: memory.value.limit, seen_in: memory.source });
    descriptors.or(threads).or(memory)
}

/// The settings that a run of `jobs` jobs can keep to under this reading.
///
/// # Errors
/// When not one context fits.
pub fn ceilings(settings: &Settings, jobs: u64, reading: &Reading, cores: usize) -> Result<Fitted, Refusal> {
    let cdp = &settings.driver.cdp;
    let line = LoadLine::of(reading, cores, cdp.contexts_per_browser);
    if let Some(refusal) = refusal(reading, &line) {
        return Err(refusal);
    }
    let mut fitted = settings.clone();
    let mut notices = Vec::new();
    // More contexts than jobs are never open.
    let wanted = u64::from(settings.limits.max_contexts).min(jobs.max(1));
    if let Some(limit) = line.in_a_browser.filter(|limit| limit.contexts() < cdp.contexts_per_browser.into())
    {
        fitted.driver.cdp.contexts_per_browser = at_least_one(&limit);
        if limit.contexts() < wanted {
            notices.push(lowered("driver.cdp.contexts_per_browser", cdp.contexts_per_browser, &limit));
        }
    }
    let sudden = line.together.iter().find(|limit| limit.resource != Resource::Memory);
    if let Some(limit) = sudden.filter(|limit| limit.contexts() < settings.limits.max_contexts.into()) {
        fitted.limits.max_contexts = at_least_one(limit);
        fitted.route.lower_shares(settings.limits.max_contexts, fitted.limits.max_contexts);
        if limit.contexts() < wanted {
            notices.push(lowered("limits.max_contexts", settings.limits.max_contexts, limit));
        }
    }
    let wanted = wanted.min(fitted.limits.max_contexts.into());
    if let Some(limit) = line.by(Resource::Memory).filter(|limit| limit.contexts() < wanted) {
        notices.push(format!("of {wanted} contexts not all fit now, more as memory frees: {limit}"));
    }
    let notice = (!notices.is_empty()).then(|| notices.join("; "));
    Ok(Fitted { settings: fitted, notice })
}

fn at_least_one(limit: &Constraint) -> u32 {
    u32::try_from(limit.contexts()).unwrap_or(u32::MAX).max(1)
}

fn lowered(key: &str, from: u32, limit: &Constraint) -> String {
    format!("{key} lowered from {from} to {}: {limit}", at_least_one(limit))
}

/// What this machine is like now. The profiles of the browsers are kept below `profiles`.
#[must_use]
pub fn reading(profiles: &Path, now: Moment) -> Reading {
    Machine::new(Path::new("/"), profiles).read(now)
}

/// Fits the settings of a run of `jobs` jobs to this machine, and warns when that lowers them. `reading` is from before the
/// run: what its browsers use is not to be counted against them.
///
/// # Errors
/// When not one context fits.
pub fn fit(settings: &Settings, jobs: u64, reading: &Reading) -> Result<Settings, EngineError> {
    let fitted = ceilings(settings, jobs, reading, cores()).map_err(|refusal| {
        EngineError::environment(format!("{refusal}; to mend it: {}", refusal.remedy()))
    })?;
    if let Some(notice) = &fitted.notice {
        tracing::warn!("{notice}");
    }
    Ok(fitted.settings)
}

/// The processors this program may use.
#[must_use]
pub fn cores() -> usize {
    thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Lets this process have as many descriptors as its hard limit allows, as its browsers have. Soft limits are low for
/// the sake of programs that use `select`; this one does not.
pub fn raise_descriptors() {
    let limit = rustix::process::getrlimit(Rlimited::Nofile);
    let raised = rustix::process::setrlimit(Rlimited::Nofile, Rlimit { current: limit.maximum, ..limit });
    if let Err(error) = raised {
        tracing::debug!(%error, "the soft limit on descriptors stays");
    }
}

/// Whether this program can start the threads it cannot do without: they are started, side by side, and ended again.
///
/// # Errors
/// When there are not so many to be had.
pub fn room_for_threads() -> Result<(), NoThreads> {
    let gate = Mutex::new(());
    let closed = gate.lock();
    let wanted = cores() + OUR_THREADS;
    thread::scope(|scope| {
        let _opens_at_the_end = closed;
        for _ in 0..wanted {
            thread::Builder::new()
                .spawn_scoped(scope, || drop(gate.lock()))
                .map_err(|source| NoThreads { wanted, source })?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
