//! The events of a fleet, as proptest draws them.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, SlotId};
use plimsoll_core::outcome::{FailureClass, Fault, Stage};
use plimsoll_core::policy::{AttemptEnd, Event, MemoryUse, Reading, Sensed};
use plimsoll_core::units::Bytes;
use proptest::prelude::*;
use proptest::sample::Index;

use super::model::{BrowserPhase, Model, SlotPhase};

/// An event for some slot or browser in a suitable state; it has no effect if there is none.
#[derive(Debug, Clone)]
pub(crate) enum Occurrence {
    /// A job for this host is submitted.
    Submit(u8),
    /// This number of milliseconds passes.
    Wait(u64),
    /// Time passes until the next moment that the fleet requested.
    NextChange,
    /// A context is opened.
    Opened(Index),
    /// An attempt ends.
    Ended(Index, AttemptEnd),
    /// A context is verified gone, possibly before the report of its attempt.
    Freed(Index),
    /// A browser is launched.
    Launched(Index),
    /// A browser fails to launch.
    LaunchFailed(Index, Fault),
    /// A browser exits, and all its attempts fail.
    Died(Index),
    /// A browser that was to be closed is gone.
    Gone(Index),
    /// The machine is read: this percentage of its memory is used, or the value is unknown.
    Read(Option<u8>),
    /// The memory of the browsers is measured.
    Measured(u64),
    /// A repeated event, or an event of something that is long gone.
    Late(u8, u64),
}

/// Any event; `failing` of ten attempts and launches fail.
pub(crate) fn occurrence(failing: u32) -> impl Strategy<Value = Occurrence> {
    let slot = any::<Index>;
    prop_oneof![
        12 => (0..3u8).prop_map(Occurrence::Submit),
        6 => (1..5_000u64).prop_map(Occurrence::Wait),
        1 => (5_000..200_000u64).prop_map(Occurrence::Wait),
        4 => Just(Occurrence::NextChange),
        12 => slot().prop_map(Occurrence::Opened),
        12 => (slot(), end(failing)).prop_map(|(slot, end)| Occurrence::Ended(slot, end)),
        12 => slot().prop_map(Occurrence::Freed),
        8 => slot().prop_map(Occurrence::Launched),
        1 + failing / 2 => (slot(), launch_fault()).prop_map(|(browser, fault)| Occurrence::LaunchFailed(browser, fault)),
        1 => slot().prop_map(Occurrence::Died),
        4 => slot().prop_map(Occurrence::Gone),
        4 => prop::option::weighted(0.9, prop_oneof![20..90u8, 90..100u8]).prop_map(Occurrence::Read),
        1 => (0..4_000u64).prop_map(Occurrence::Measured),
        3 => (0..7u8, 0..60u64).prop_map(|(kind, id)| Occurrence::Late(kind, id)),
    ]
}

/// An event that is a failure.
pub(crate) fn misfortune() -> impl Strategy<Value = Occurrence> {
    prop_oneof![
        (any::<Index>(), launch_fault())
            .prop_map(|(browser, fault)| Occurrence::LaunchFailed(browser, fault)),
        (any::<Index>(), end(10)).prop_map(|(slot, end)| Occurrence::Ended(slot, end)),
        any::<Index>().prop_map(Occurrence::Died),
        (88..100u8).prop_map(|percent| Occurrence::Read(Some(percent))),
        Just(Occurrence::Read(None)),
    ]
}

fn end(failing: u32) -> impl Strategy<Value = AttemptEnd> {
    let class = prop::sample::select(FailureClass::ALL.to_vec());
    let stage = prop_oneof![Just(Stage::Create), (0..3usize).prop_map(Stage::Step)];
    let failed = (class, stage, any::<bool>()).prop_map(|(class, stage, transient)| {
        let fault = if transient { Fault::transient } else { Fault::persistent };
        AttemptEnd::Failed(fault(class, String::new()).at(stage))
    });
    prop_oneof![
        22 - 2 * failing => Just(AttemptEnd::Succeeded),
        2 * failing + 1 => failed,
        1 => Just(AttemptEnd::Cancelled),
    ]
}

fn launch_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::transient(FailureClass::BrowserCrash, "it ended at once")),
        1 => Just(Fault::persistent(FailureClass::Unsupported, "there is no browser")),
    ]
}

impl Occurrence {
    pub(crate) fn befall(self, model: &mut Model) {
        match self {
            Self::Submit(host) => model.submit(host),
            Self::Wait(ms) => model.pass(Duration::from_millis(ms)),
            Self::NextChange => {
                model.pass_to_next_change();
            }
            Self::Opened(which) => {
                if let Some(slot) = pick(which, &model.slots_in(SlotPhase::Creating)) {
                    model.tell(Event::Opened(slot));
                }
            }
            Self::Ended(which, end) => {
                let busy =
                    [SlotPhase::Creating, SlotPhase::Running].map(|phase| model.slots_in(phase)).concat();
                if let Some(slot) = pick(which, &busy) {
                    let end = if model.is_evicted(slot) { AttemptEnd::Evicted } else { end };
                    model.tell(Event::Ended(slot, end));
                }
            }
            Self::Freed(which) => {
                // The context of a running attempt is freed only if its task is lost, which is rare.
                let closing = model.slots_in(SlotPhase::Closing);
                let any = if closing.is_empty() { model.slots_in(SlotPhase::Running) } else { closing };
                if let Some(slot) = pick(which, &any) {
                    model.tell(Event::Freed(slot));
                }
            }
            Self::Launched(which) => {
                if let Some(id) = pick(which, &model.browsers_in(BrowserPhase::Launching)) {
                    model.tell(Event::Launched(id));
                }
            }
            Self::LaunchFailed(which, fault) => {
                if let Some(id) = pick(which, &model.browsers_in(BrowserPhase::Launching)) {
                    model.tell(Event::LaunchFailed(id, fault));
                }
            }
            Self::Died(which) => {
                if let Some(id) = pick(which, &model.browsers_in(BrowserPhase::Ready)) {
                    model.die(id);
                }
            }
            Self::Gone(which) => {
                if let Some(id) = pick(which, &model.browsers_in(BrowserPhase::Closing)) {
                    model.tell(Event::BrowserGone(id));
                }
            }
            Self::Read(percent) => model.tell(Event::Read(Box::new(reading(model, percent)))),
            Self::Measured(mib) => model.tell(Event::Measured(Bytes::mib(mib))),
            Self::Late(kind, id) => late(model, kind, id),
        }
    }
}

/// A reading of a machine of 8 GiB.
pub(crate) fn reading(model: &Model, percent: Option<u8>) -> Reading {
    let limit = Bytes::gib(8);
    let memory = percent.map(|percent| Sensed {
        value: MemoryUse { used: Bytes(limit.0 / 100 * u64::from(percent)), limit },
        source: "the model",
        at: model.now(),
    });
    Reading { memory, ..Reading::default() }
}

/// An event that is no longer true or never was.
fn late(model: &mut Model, kind: u8, id: u64) {
    let (slot, browser) = (SlotId(id), BrowserId(id));
    let fault = || Fault::transient(FailureClass::BrowserCrash, "late");
    match kind {
        0 if model.has_opened(slot) => model.tell(Event::Opened(slot)),
        1 if model.has_ended(slot) => model.tell(Event::Ended(slot, AttemptEnd::Succeeded)),
        2 if model.was_freed(slot) => model.tell(Event::Freed(slot)),
        3 if model.was_closed(browser) => model.tell(Event::BrowserEnded(browser)),
        4 if model.was_closed(browser) => model.tell(Event::Launched(browser)),
        5 if model.was_gone(browser) => model.tell(Event::LaunchFailed(browser, fault())),
        6 if model.was_gone(browser) => model.tell(Event::BrowserGone(browser)),
        _ => {}
    }
}

fn pick<T: Copy>(which: Index, among: &[T]) -> Option<T> {
    (!among.is_empty()).then(|| *which.get(among))
}
