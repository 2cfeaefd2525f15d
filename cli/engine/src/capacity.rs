//! The capacity of this machine for the contexts of a run: the settings' ceilings, lowered to what the machine's limits leave.
//!
//! ```text
//!   ContextCost of each driver ─┐
//!   lines of the settings ──────┼─► MachineCapacity ─► ceilings ─┬─► Fitted: lower ceilings, and the sentence that says why
//!   Reading ────────────────────┘                               └─► Refusal: not one context fits, and what to raise
//! ```
//!
//! Threads and descriptors run out all at once and break whole browsers, so their ceilings are lowered before the first
//! browser starts. Memory fills gradually and is measured during the run, so a run only reports how many contexts fit.
//! A machine that is full now may have room later, so that is no reason for a refusal; a limit that is too small for
//! one browser is a reason.

mod cost;
mod refusal;

use std::path::Path;

use plimsoll_core::policy::Reading;
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::{CapacityLines, Constraint, Machine, Need, Resource, capacity};

pub use self::cost::ContextCost;
pub(crate) use self::refusal::NPROC;
pub use self::refusal::{Refusal, remedy};
use crate::settings::Settings;

/// The share of our own limit on descriptors that browsers may fill. It lies below the 75 % at which pressure ends; the rest
/// is for results and artifacts.
const OUR_DESCRIPTORS_LINE: f64 = 0.7;

/// The contexts that each driver may have active, with the cost of one context.
pub type Shares = [(ContextCost, u32)];

/// What limits the contexts of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineCapacity {
    /// The constraints on all contexts together, the tightest first.
    pub together: Vec<Constraint>,
    /// The constraint on the contexts of one shared browser: its descriptors.
    pub in_a_browser: Option<Constraint>,
    /// Jobs per second that the cores allow.
    pub jobs_per_second: f64,
    /// Why no context fits; `None` when at least one context fits.
    pub refusal: Option<Refusal>,
}

/// Settings that fit the machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The settings, with ceilings lowered to the machine's capacity.
    pub settings: Settings,
    /// What was lowered or does not fit, and because of which limit; `None` when everything fits.
    pub notice: Option<String>,
}

impl MachineCapacity {
    /// The capacity of a machine with this reading and `cores`, when its contexts belong to the drivers of `shares`.
    /// When several drivers run browsers, each context counts with the average cost.
    #[must_use]
    pub fn of(settings: &Settings, shares: &Shares, reading: &Reading, cores: usize) -> Self {
        let per_browser = settings.driver.cdp.contexts_per_browser;
        let lines = lines(settings);
        let capacity = capacity(reading, cores, average(shares, per_browser), lines);
        let (in_browsers, mut together): (Vec<_>, Vec<_>) =
            capacity.constraints.into_iter().partition(|limit| limit.resource == Resource::Descriptors);
        let in_a_browser = in_browsers.first().copied();
        let shared =
            in_a_browser.map_or(u64::MAX, |limit| limit.contexts()).clamp(1, per_browser.max(1).into());
        together.extend(our_descriptors(shares, reading, shared));
        together.sort_by_key(Constraint::contexts);
        let refusal = refusal(shares, reading, &together, lines);
        Self { together, in_a_browser, jobs_per_second: capacity.jobs_per_second, refusal }
    }

    fn by(&self, resource: Resource) -> Option<&Constraint> {
        self.together.iter().find(|limit| limit.resource == resource)
    }
}

/// The shares of the machine's limits that the settings let contexts fill.
fn lines(settings: &Settings) -> CapacityLines {
    let [handles, ..] = settings.pressure.profile.config().handles.enter;
    CapacityLines { memory: settings.memory.shut_above, handles }
}

/// The average need of a context; the descriptors are those of browsers that contexts share.
fn average(shares: &Shares, per_browser: u32) -> Need {
    let contexts = shares.iter().map(|(_, share)| u64::from(*share)).sum::<u64>().max(1);
    let sum = |of: fn(Need) -> u64| -> u64 {
        let each = |(cost, share): &(ContextCost, u32)| of(cost.need(per_browser)) * u64::from(*share);
        shares.iter().map(each).sum::<u64>().div_ceil(contexts)
    };
    let shared = shares.iter().find(|(cost, _)| *cost == ContextCost::SharedBrowser);
    let shared = shared.map(|(cost, _)| cost.need(per_browser)).unwrap_or_default();
    Need { memory: Bytes(sum(|need| need.memory.0)), threads: sum(|need| need.threads), ..shared }
}

/// The constraint from this process's own limit on descriptors, when `shared` contexts share each shared browser.
fn our_descriptors(shares: &Shares, reading: &Reading, shared: u64) -> Option<Constraint> {
    let fds = reading.fds.filter(|fds| fds.value.limit > 0)?;
    let each = |cost: ContextCost| match cost {
        ContextCost::SharedBrowser => cost.our_descriptors().div_ceil(shared),
        _ => cost.our_descriptors(),
    };
    let need_per_context = shares.iter().map(|(cost, _)| each(*cost)).max().filter(|need| *need > 0)?;
    Some(Constraint {
        resource: Resource::Descriptors,
        room: ((fds.value.limit as f64 * OUR_DESCRIPTORS_LINE) as u64).saturating_sub(fds.value.used),
        need_per_context,
        source: "/proc/self/fd against RLIMIT_NOFILE",
    })
}

/// Why the first context of the cheapest driver with local browsers does not fit; `None` when it fits.
fn refusal(
    shares: &Shares,
    reading: &Reading,
    together: &[Constraint],
    lines: CapacityLines,
) -> Option<Refusal> {
    let firsts = shares.iter().filter_map(|(cost, _)| Some((cost.first()?, *cost)));
    let (first, cost) = firsts.min_by_key(|(first, _)| first.memory)?;
    let by = |resource| together.iter().find(|limit| limit.resource == resource);
    let whole = |part: u64, line: f64| (part as f64 / line).ceil() as u64;
    let needed = whole(first.descriptors, lines.handles.value());
    let ours = by(Resource::Descriptors).is_some_and(|limit| limit.room < cost.our_descriptors());
    let descriptors = reading.fds.filter(|fds| fds.value.limit > 0 && (fds.value.limit < needed || ours));
    let descriptors = descriptors.map(|fds| Refusal::Descriptors { needed, limit: fds.value.limit });
    let too_few = by(Resource::Threads).is_some_and(|limit| limit.room < first.threads);
    let threads = reading.pids.filter(|_| too_few).map(|pids| Refusal::Threads {
        needed: first.threads,
        used: pids.value.used,
        limit: pids.value.limit,
        seen_in: pids.source,
    });
    let needed = Bytes(whole(first.memory.0, lines.memory.value()));
    let memory = reading.memory.filter(|memory| memory.value.limit < needed);
    let memory =
        memory.map(|memory| Refusal::Memory { needed, limit: memory.value.limit, seen_in: memory.source });
    descriptors.or(threads).or(memory)
}

/// The settings with ceilings that a run of `jobs` jobs can use under this reading. `shares` are the contexts that
/// `settings` allow each driver.
///
/// # Errors
/// When no context fits.
pub fn ceilings(
    settings: &Settings,
    shares: &Shares,
    jobs: u64,
    reading: &Reading,
    cores: usize,
) -> Result<Fitted, Refusal> {
    let capacity = MachineCapacity::of(settings, shares, reading, cores);
    if let Some(refusal) = capacity.refusal {
        return Err(refusal);
    }
    let mut fitted = settings.clone();
    let mut notices = Vec::new();
    // There are never more open contexts than jobs.
    let wanted = u64::from(settings.limits.max_contexts).min(jobs.max(1));
    let per_browser = settings.driver.cdp.contexts_per_browser;
    if let Some(limit) = capacity.in_a_browser.filter(|limit| limit.contexts() < per_browser.into()) {
        fitted.driver.cdp.contexts_per_browser = at_least_one(&limit);
        if limit.contexts() < wanted {
            notices.push(lowered("driver.cdp.contexts_per_browser", per_browser, &limit));
        }
    }
    let sudden = capacity.together.iter().find(|limit| limit.resource != Resource::Memory);
    if let Some(limit) = sudden.filter(|limit| limit.contexts() < settings.limits.max_contexts.into()) {
        fitted.limits.max_contexts = at_least_one(limit);
        fitted.route.lower_shares(settings.limits.max_contexts, fitted.limits.max_contexts);
        if limit.contexts() < wanted {
            notices.push(lowered("limits.max_contexts", settings.limits.max_contexts, limit));
        }
    }
    let wanted = wanted.min(fitted.limits.max_contexts.into());
    if let Some(limit) = capacity.by(Resource::Memory).filter(|limit| limit.contexts() < wanted) {
        notices.push(format!("not all of {wanted} contexts fit now, more as memory becomes free: {limit}"));
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

/// The state of this machine now. The profiles of the browsers are kept below `profiles`.
#[must_use]
pub fn reading(profiles: &Path, now: Moment) -> Reading {
    Machine::new(Path::new("/"), profiles).read(now)
}

/// Fits the settings of a run of `jobs` jobs to this machine, and logs a warning when that lowers them. `reading` is from
/// before the run, so that the run's own browsers are not counted against it.
///
/// # Errors
/// When no context fits.
pub fn fit(
    settings: &Settings,
    shares: &Shares,
    jobs: u64,
    reading: &Reading,
    cores: usize,
) -> Result<Settings, Refusal> {
    let fitted = ceilings(settings, shares, jobs, reading, cores)?;
    if let Some(notice) = &fitted.notice {
        tracing::warn!("{notice}");
    }
    Ok(fitted.settings)
}

#[cfg(test)]
mod tests;
