//! External incidents, their effects while they last, and the readings of the machine.

use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

use super::memory::Neighbour;
use super::{Due, MEASURE_EVERY, READ_EVERY, SAMPLE_EVERY, World};
use crate::fault::{FaultKind, Faults};
use crate::outcome_plan::host_of;
use crate::plan::Decision;
use crate::world_event::{Glance, Host, WorldEvent};

impl World {
    pub(super) fn decide(&mut self, now: Moment, decision: Decision) {
        let count = |kind: FaultKind, world: &mut Self| world.injected.count(kind);
        match decision {
            Decision::Submit { jobs } => {
                for _ in 0..jobs {
                    let job = self.next_job();
                    let host = host_of(self.seed, job, &self.scenario.load);
                    self.emit(WorldEvent::Submitted(job, host));
                }
            }
            Decision::KillRenderer(pick) => self.kill_renderer(now, pick),
            Decision::KillBrowser(pick) => self.kill_picked_browser(now, pick),
            Decision::HangBrowser(pick) => self.hang_browser(now, pick),
            Decision::Neighbour { takes, over, lasts } => {
                count(FaultKind::Neighbour, self);
                self.state.neighbour = Some(Neighbour { since: now, takes, over });
                self.agenda.enter(now + lasts, Due::Over(decision));
            }
            Decision::Cores(share, span) => {
                count(FaultKind::CpuDip, self);
                self.state.cores = self.scenario.machine.cores * share;
                self.agenda.enter(now + span, Due::Over(decision));
            }
            Decision::HostDown(pick, span) => {
                count(FaultKind::HostDown, self);
                *self.state.hosts_down.entry(self.pick_host(pick)).or_default() += 1;
                self.agenda.enter(now + span, Due::Over(decision));
            }
            Decision::Blind(span) => {
                count(FaultKind::Blind, self);
                self.state.blind += 1;
                self.agenda.enter(now + span, Due::Over(decision));
            }
            Decision::LaunchOutage(span) => {
                count(FaultKind::LaunchOutage, self);
                self.state.outages += 1;
                self.agenda.enter(now + span, Due::Over(decision));
            }
            Decision::Freeze(span) => {
                count(FaultKind::Frozen, self);
                self.state.frozen_until = self.state.frozen_until.max(now + span);
                self.agenda.enter(now + span, Due::Over(decision));
            }
            Decision::Repeat(back, later) => {
                if let Some(event) = self.delivered.get(back as usize) {
                    self.agenda.enter(now + later, Due::Emit(*event));
                    let kind = if later.is_zero() { FaultKind::Repeated } else { FaultKind::Late };
                    count(kind, self);
                }
            }
            Decision::Wake => {
                count(FaultKind::Woken, self);
                self.emit(WorldEvent::Tick);
            }
            Decision::Heavier(weight) => self.state.weight = weight,
            Decision::Stop => self.emit(WorldEvent::Stop),
            Decision::Cancel => self.cancel_all(now),
        }
    }

    /// An incident is over.
    pub(super) fn over(&mut self, decision: Decision) {
        match decision {
            Decision::Neighbour { takes, .. } if self.state.neighbour.is_some_and(|n| n.takes == takes) => {
                self.state.neighbour = None;
            }
            Decision::Cores(..) => self.state.cores = self.scenario.machine.cores,
            Decision::HostDown(pick, _) => {
                let host = self.pick_host(pick);
                if let Some(times) = self.state.hosts_down.get_mut(&host) {
                    *times -= 1;
                    if *times == 0 {
                        self.state.hosts_down.remove(&host);
                    }
                }
            }
            Decision::Blind(_) => self.state.blind = self.state.blind.saturating_sub(1),
            Decision::LaunchOutage(_) => self.state.outages = self.state.outages.saturating_sub(1),
            _ => {}
        }
    }

    /// Ends all faults, also those that are under way.
    pub(super) fn calm(&mut self, now: Moment) {
        self.faults = Faults::NONE;
        self.state.neighbour = None;
        self.state.cores = self.scenario.machine.cores;
        self.state.hosts_down.clear();
        self.state.blind = 0;
        self.state.outages = 0;
        self.state.frozen_until = self.state.frozen_until.min(now);
    }

    /// Reads the memory: a shortage slows the machine down and makes the kernel kill, and the fleet gets the reading.
    pub(super) fn sample(&mut self, now: Moment) {
        self.agenda.enter(now + SAMPLE_EVERY, Due::Sample);
        let limit = self.scenario.machine.memory;
        let browsers = self.browsers_memory(now);
        let neighbour = self.state.neighbour.map_or(Bytes::ZERO, |neighbour| neighbour.at(now));
        let rest = self.scenario.machine.base + neighbour;
        let mut used = browsers + rest;
        self.memory.peak = self.memory.peak.max(used);
        if used > limit {
            self.kill_for_memory(now);
            used = self.browsers_memory(now) + rest;
        }
        self.memory.used = used;
        self.slowdown.feel(now, used.share_of(limit).value());
        self.processor.set(now, self.state.cores, self.slowdown.speed());
        if !self.is_frozen(now) {
            self.report(used, limit, browsers);
        }
        self.samples += 1;
    }

    fn report(&mut self, used: Bytes, limit: Bytes, browsers: Bytes) {
        if self.samples.is_multiple_of(READ_EVERY) {
            let used = (self.state.blind == 0).then_some(used);
            let (full, oom_kills) = (self.slowdown.full(), self.slowdown.oom_kills);
            self.emit(WorldEvent::Read(Glance { used, limit, full, oom_kills }));
        }
        if self.samples % MEASURE_EVERY == MEASURE_EVERY - 1 && !self.contexts.is_empty() {
            self.emit(WorldEvent::Measured(browsers));
        }
    }

    fn browsers_memory(&self, now: Moment) -> Bytes {
        let alive = self.browsers.values().filter(|browser| browser.state.is_alive()).count() as u64;
        let pages: Bytes = self.contexts.values().filter_map(|context| Some(context.growth?.at(now))).sum();
        pages + Bytes(self.scenario.load.browser_memory.0 * alive)
    }

    /// The kernel kills the largest renderer; where there is none, a browser.
    fn kill_for_memory(&mut self, now: Moment) {
        let sizes = self.contexts.iter().filter_map(|(slot, context)| Some((context.growth?.at(now), *slot)));
        if let Some((_, slot)) = sizes.max() {
            self.memory.oom_kills += 1;
            self.slowdown.oom_kills += 1;
            self.crash(now, slot);
        } else if let Some(id) =
            self.browsers.iter().find(|(_, b)| b.state.takes_commands()).map(|(id, _)| *id)
        {
            self.memory.oom_kills += 1;
            self.slowdown.oom_kills += 1;
            self.kill_browser(now, id);
        }
    }

    fn pick_host(&self, pick: u64) -> Host {
        Host((pick % u64::from(self.scenario.load.hosts.max(1))) as u32)
    }
}
