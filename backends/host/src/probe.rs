//! The sensors of the host, read together as the fleet's monitor requests them.

use std::path::Path;

use crate::readings::{Machine, PsiTrigger, PssSweep, StallLine, tree_pids};
use crate::spawn::Spawner;
use async_trait::async_trait;
use plimsoll_core::policy::Reading;
use plimsoll_core::port::Probe;
use plimsoll_core::time::Moment;
use plimsoll_core::units::{Bytes, Ratio};

/// Processes whose memory is read at each sample: some milliseconds. A hundred renderers are then measured within 25 s,
/// the first ones at once.
const PROCESSES_PER_LOOK: usize = 4;
/// The share of the processes that must be measured before their sum is used.
const ENOUGH: Ratio = Ratio::percent(20);

/// The host's sensors.
#[derive(Debug)]
pub struct HostProbe {
    root: &'static Path,
    machine: Machine,
    sweep: PssSweep,
    spawner: Spawner,
    trigger: Option<PsiTrigger>,
}

impl HostProbe {
    /// Sensors for the machine, with browsers started by `spawner` and their profiles below `profiles`. If the kernel
    /// allows no trigger, stalls are polled, and that is logged.
    #[must_use]
    pub fn new(spawner: Spawner, profiles: &Path) -> Self {
        let root = Path::new("/");
        let machine = Machine::new(root, profiles);
        let trigger = PsiTrigger::arm(&machine.memory_pressure_files(), StallLine::default())
            .inspect_err(|error| tracing::info!(%error, "no memory alarm"))
            .ok();
        Self { root, machine, sweep: PssSweep::new(root), spawner, trigger }
    }
}

#[async_trait]
impl Probe for HostProbe {
    fn read(&mut self, now: Moment) -> Reading {
        self.machine.read(now)
    }

    fn browsers(&mut self, now: Moment) -> Option<Bytes> {
        for _ in 0..PROCESSES_PER_LOOK {
            let list = || tree_pids(self.root, &self.spawner.leaders());
            if let Ok(None) | Err(_) = self.sweep.step(now, list) {
                break;
            }
        }
        let total = self.sweep.total(now);
        // The unmeasured processes are assumed to be as large as the measured ones.
        let known = total.coverage().value();
        (total.processes > 0 && total.coverage() >= ENOUGH)
            .then(|| Bytes((total.pss.0 as f64 / known) as u64))
    }

    async fn alarm(&mut self) {
        match &self.trigger {
            Some(trigger) => {
                if let Err(error) = trigger.fired().await {
                    tracing::warn!(%error, "memory alarm lost");
                    self.trigger = None;
                }
            }
            None => std::future::pending().await,
        }
    }
}

/// The machine's sensors for a fleet whose contexts run elsewhere or without a browser: no process is measured.
pub struct LightProbe {
    machine: Machine,
    slots: Box<dyn Fn() -> Option<u32> + Send>,
}

impl LightProbe {
    /// Sensors for the machine.
    #[must_use]
    pub fn new(profiles: &Path) -> Self {
        Self { machine: Machine::new(Path::new("/"), profiles), slots: Box::new(|| None) }
    }

    /// The same, with the capacity of the driver's endpoints.
    #[must_use]
    pub fn with_slots(self, slots: impl Fn() -> Option<u32> + Send + 'static) -> Self {
        Self { slots: Box::new(slots), ..self }
    }
}

impl Probe for LightProbe {
    fn read(&mut self, now: Moment) -> Reading {
        Reading { slots: (self.slots)(), ..self.machine.read(now) }
    }

    fn browsers(&mut self, _: Moment) -> Option<Bytes> {
        None
    }
}
