//! Tests with the fleet's scheduler which settings a running fleet applies: the same load runs with and without the new
//! value of a key. The fleet's actions differ exactly for the keys that `LIVE` names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use plimsoll::settings::{LIVE, Layers, SettingsSources, is_live};
use plimsoll_core::id::JobSeq;
use plimsoll_core::outcome::{FailureClass, Fault, Recurrence, Stage};
use plimsoll_core::policy::{
    Action, AttemptEnd, Dispatch, DispatchConfig, Event, MemoryUse, Reading, Sensed,
};
use plimsoll_core::time::Moment;
use plimsoll_core::units::Bytes;

/// A key of the fleet, and a value other than its default.
const CHANGES: &[&str] = &[
    "limits.max_contexts=60",
    "limits.max_creating=20",
    "limits.policy=adaptive",
    "limits.max_launching=3",
    "limits.queue_capacity=900",
    "limits.host_patience=20s",
    "limits.creation_tolerance=9",
    "breakers.policy=leaky",
    "breakers.profile=strict",
    "breakers.trips_at=30",
    "pressure.profile=strict",
    // A running fleet does not change these.
    "limits.queue_timeout=1s",
    "memory.shut_above=99%",
    "memory.open_at=10%",
    "memory.context=1GiB",
    "retry.attempts=2",
    "retry.classes=timeout",
    "retry.base=9s",
    "retry.cap=1s",
    "warnings.nearing=10%",
    "warnings.interval=1s",
    "driver.cdp.contexts_per_browser=5",
    "driver.cdp.recycle_after_contexts=30",
    "driver.cdp.recycle_after=5s",
];

/// A load: what the jobs do, and on which machine.
struct Load {
    /// Settings besides the one that changes.
    settings: &'static [&'static str],
    /// Jobs that are submitted at once after the change.
    jobs: u64,
    /// Whether all jobs visit the same host.
    host: Option<&'static str>,
    /// How every attempt ends.
    end: fn() -> AttemptEnd,
    /// How long an attempt takes once its context is open.
    takes: Duration,
    /// The memory in use, in hundredths.
    memory: u64,
    /// How long the fleet is watched.
    until: Duration,
}

const MANY: Load = Load {
    settings: &["limits.policy=fixed"],
    jobs: 1_500,
    host: None,
    end: || AttemptEnd::Succeeded,
    takes: Duration::from_secs(5),
    memory: 10,
    until: Duration::from_secs(10),
};

/// Loads that together show the effect of every live key.
const LOADS: [Load; 5] = [
    MANY,
    Load { settings: &["limits.policy=adaptive"], until: Duration::from_secs(30), ..MANY },
    Load {
        jobs: 100,
        host: Some("down.example"),
        end: || failed(FailureClass::Navigation, Stage::Step(0)),
        takes: Duration::from_millis(100),
        until: Duration::from_secs(150),
        ..MANY
    },
    Load {
        jobs: 300,
        end: || failed(FailureClass::PageCrash, Stage::Step(1)),
        takes: Duration::from_millis(500),
        ..MANY
    },
    Load { settings: &["limits.policy=adaptive"], memory: 82, ..MANY },
];

fn failed(class: FailureClass, stage: Stage) -> AttemptEnd {
    let fault = Fault { class, recurrence: Recurrence::Transient, message: String::new() };
    AttemptEnd::Failed(fault.at(stage))
}

fn config(settings: &[&str]) -> DispatchConfig {
    let set = settings.iter().map(ToString::to_string).collect();
    let sources = SettingsSources { config: None, set };
    let layers = Layers::read(&sources, std::iter::empty(), Vec::new()).expect("good settings");
    layers.settings().fleet(0).dispatch
}

/// Every action of a fleet that was started with the load's settings and given `change` while it was idle.
fn actions(load: &Load, change: &[&str]) -> Vec<String> {
    const STEP: Duration = Duration::from_millis(100);
    let before = config(load.settings);
    let after = config(&[load.settings, change].concat());
    let mut fleet = Dispatch::new(before, 7);
    let mut due: BTreeMap<(Moment, u64), Event> = BTreeMap::new();
    let (mut number, mut creating) = (0, 0u32);
    let mut actions = Vec::new();
    fleet.handle(Moment::ZERO, Event::Configured(Box::new(after)));
    let mut elapsed = Duration::ZERO;
    while elapsed < load.until {
        let now = Moment::after(elapsed);
        if elapsed.subsec_millis() == 0 {
            fleet.handle(now, Event::Read(Box::new(reading(load.memory, now))));
        }
        if elapsed == STEP {
            for job in 0..load.jobs {
                let host = load.host.map(Arc::from);
                fleet.handle(now, Event::Submitted { job: JobSeq(job), host, proxy: None });
            }
        }
        while let Some(entry) = due.first_entry().filter(|entry| entry.key().0 <= now) {
            let event = entry.remove();
            let mut next = |after: Duration, event| {
                number += 1;
                due.insert((now + after, number), event);
            };
            match &event {
                Event::Opened(slot) => {
                    creating -= 1;
                    next(load.takes, Event::Ended(*slot, (load.end)()));
                }
                Event::Ended(slot, _) => next(STEP, Event::Freed(*slot)),
                _ => {}
            }
            fleet.handle(now, event);
        }
        fleet.handle(now, Event::Tick);
        while let Some(action) = fleet.next_action() {
            let answer = match &action {
                Action::Start { slot, .. } => {
                    creating += 1;
                    // Creations queue for the processor.
                    Some((STEP * creating, Event::Opened(*slot)))
                }
                Action::Launch(browser) => Some((STEP * 3, Event::Launched(*browser))),
                Action::Close(browser) => Some((STEP, Event::BrowserGone(*browser))),
                _ => None,
            };
            actions.push(format!("{now:?} {action:?}"));
            if let Some((after, event)) = answer {
                number += 1;
                due.insert((now + after, number), event);
            }
        }
        elapsed += STEP;
    }
    actions
}

fn reading(percent: u64, now: Moment) -> Reading {
    let limit = Bytes::gib(10_000);
    let memory = MemoryUse { used: Bytes(limit.0 / 100 * percent), limit };
    Reading { memory: Some(Sensed { value: memory, source: "made by hand", at: now }), ..Reading::default() }
}

#[test]
fn a_running_fleet_acts_otherwise_exactly_after_a_change_of_a_live_key() {
    let unchanged = LOADS.each_ref().map(|load| actions(load, &[]));
    assert!(unchanged.iter().all(|actions| actions.len() > 100), "a load that shows nothing");
    for change in CHANGES {
        let (key, _) = change.split_once('=').expect("a key and its value");
        // The new value alone would contradict the default of another key.
        let also: &[&str] = if key == "retry.base" { &["retry.cap=30s"] } else { &[] };
        let change = [&[*change], also].concat();
        let differs = LOADS.iter().zip(&unchanged).any(|(load, before)| actions(load, &change) != *before);
        assert_eq!(differs, is_live(key), "{key}");
    }
}

#[test]
fn every_live_key_of_the_fleet_is_tried() {
    let tried = |key: &&str| {
        CHANGES.iter().any(|change| change.split_once('=').is_some_and(|(name, _)| name == *key))
    };
    let untried: Vec<_> = LIVE.iter().filter(|key| !tried(key)).collect();
    assert_eq!(untried, [&"log.level"], "the level of the log is not the fleet's");
}
