//! The machine's limits as findings: descriptors, threads, memory, disk.

use plimsoll_core::policy::{Disk, Sensed, Tally};
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::{Constraint, Resource};

use super::facts::Facts;
use super::finding::Finding;
use plimsoll::capacity::{Refusal, remedy};

/// One finding for each limit.
pub(super) fn findings(facts: &Facts) -> Vec<Finding> {
    vec![descriptors(facts), threads(facts), memory(facts), disk(facts), cores(facts)]
}

fn descriptors(facts: &Facts) -> Finding {
    let what = "open files";
    let raise = || remedy(Resource::Descriptors, "");
    let Some(fds) = facts.reading.fds else {
        return Finding::warning(what, "the limit cannot be seen", "mount /proc");
    };
    if fds.value.limit == 0 {
        return Finding::good(what, "no limit");
    }
    let limit = format!("{} for each process", fds.value.limit);
    if let Some(refusal @ Refusal::Descriptors { .. }) = facts.capacity.refusal {
        return refused(what, &refusal);
    }
    let in_browser =
        facts.capacity.in_a_browser.filter(|line| line.contexts() < facts.contexts_per_browser.into());
    match in_browser {
        Some(line) => Finding::warning(
            what,
            format!(
                "{limit}: {} contexts a browser, {} are asked for",
                line.contexts(),
                facts.contexts_per_browser
            ),
            raise(),
        ),
        None => fits(what, limit, facts, Resource::Descriptors),
    }
}

fn threads(facts: &Facts) -> Finding {
    let what = "threads";
    match (facts.capacity.refusal, facts.reading.pids) {
        (Some(refusal @ Refusal::Threads { .. }), _) => refused(what, &refusal),
        (_, Some(pids)) if pids.value.limit == 0 => Finding::good(what, "no limit"),
        (_, Some(pids)) => fits(what, tally(&pids), facts, Resource::Threads),
        (_, None) => Finding::warning(what, "the limit cannot be seen", "mount /proc"),
    }
}

fn memory(facts: &Facts) -> Finding {
    let what = "memory";
    match (facts.capacity.refusal, facts.reading.memory) {
        (Some(refusal @ Refusal::Memory { .. }), _) => refused(what, &refusal),
        (_, Some(memory)) => {
            let detail =
                format!("{} of {} in use ({})", memory.value.used, memory.value.limit, memory.source);
            fits(what, detail, facts, Resource::Memory)
        }
        (_, None) => {
            Finding::warning(what, "cannot be seen: contexts are admitted a few at a time", "mount /proc")
        }
    }
}

/// Good when the resource suffices for the contexts that the settings allow.
fn fits(what: &'static str, detail: String, facts: &Facts, resource: Resource) -> Finding {
    let short = |limit: &&Constraint| limit.resource == resource && limit.contexts() < facts.asked.into();
    match facts.capacity.together.iter().find(short) {
        Some(limit) => Finding::warning(
            what,
            format!("{detail}: room for {} contexts, {} are asked for", limit.contexts(), facts.asked),
            remedy(resource, limit.source),
        ),
        None => Finding::good(what, detail),
    }
}

fn disk(facts: &Facts) -> Finding {
    let what = "disk";
    let (Some(disk), inodes) = (facts.reading.disk, facts.reading.inodes) else {
        return Finding::warning(what, "cannot be seen", "choose another place: `--set profiles.root=DIR`");
    };
    let Disk { free, total } = disk.value;
    let detail = format!("{free} of {total} free where profiles are kept");
    let room = "make room, or choose another place: `--set profiles.root=DIR`";
    if free < Bytes::mib(100) {
        return Finding::missing(what, detail, room);
    }
    match inodes.filter(|inodes| inodes.value.share() > facts.disk_line) {
        Some(inodes) => Finding::warning(what, format!("{detail}, but inodes: {}", tally(&inodes)), room),
        None if disk.value.share() > facts.disk_line => Finding::warning(what, detail, room),
        None => Finding::good(what, detail),
    }
}

fn cores(facts: &Facts) -> Finding {
    Finding::good(
        "processors",
        format!("{}: about {:.0} small pages a second", facts.cores, facts.capacity.jobs_per_second),
    )
}

fn tally(seen: &Sensed<Tally>) -> String {
    format!("{} of {} in use ({})", seen.value.used, seen.value.limit, seen.source)
}

fn refused(what: &'static str, refusal: &Refusal) -> Finding {
    Finding::missing(what, refusal.to_string(), refusal.remedy())
}
