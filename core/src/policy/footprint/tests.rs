//! The running sums against a full recount, and the gate at its lines.

use proptest::prelude::*;

use super::*;

fn secs(seconds: u64) -> Moment {
    Moment::after(Duration::from_secs(seconds))
}

fn page() -> Class {
    Class("page".into())
}

fn memory(used: Bytes) -> Option<MemoryUse> {
    Some(MemoryUse { used, limit: Bytes::mib(10_000) })
}

/// A ledger that expects exactly 100 MiB of each context.
fn footprint() -> Footprint {
    let prior = Estimate { mean: Bytes::mib(100), deviation: Bytes::ZERO };
    Footprint::new(FootprintConfig { prior, ..FootprintConfig::default() })
}

#[test]
fn what_cannot_be_seen_is_not_room() {
    let mut ledger = footprint();
    assert_eq!(ledger.room(&page()), Room::Unknown);
    ledger.on_memory(secs(0), Some(MemoryUse { used: Bytes::ZERO, limit: Bytes::ZERO }));
    assert_eq!(ledger.room(&page()), Room::Unknown);
    ledger.on_memory(secs(0), memory(Bytes::ZERO));
    assert_eq!(ledger.room(&page()), Room::Fits);
}

#[test]
fn a_burst_is_stopped_by_promises_before_any_memory_is_used() {
    let mut ledger = footprint();
    ledger.on_memory(secs(0), memory(Bytes::ZERO));
    let mut admitted = 0;
    while ledger.room(&page()) == Room::Fits {
        ledger.on_reserved(SlotId(admitted), page());
        admitted += 1;
    }
    assert_eq!(admitted, 85);
}

#[test]
fn the_room_that_a_context_leaves_is_there_at_once() {
    let mut ledger = footprint();
    ledger.on_memory(secs(0), memory(Bytes::mib(8_150)));
    for _ in 0..100 {
        for slot in (0..4).map(SlotId) {
            ledger.on_reserved(slot, page());
        }
        assert!(matches!(ledger.room(&page()), Room::Short(_)), "four are all that is promised");
        (0..4).for_each(|slot| ledger.on_gone(secs(0), SlotId(slot)));
        assert_eq!(ledger.room(&page()), Room::Fits);
    }
}

#[test]
fn a_booking_shrinks_as_its_memory_shows_and_never_below_zero() {
    let mut ledger = footprint();
    ledger.on_reserved(SlotId(1), page());
    assert_eq!(ledger.booked(), Bytes::mib(100));
    ledger.on_created(SlotId(1));
    assert_eq!(ledger.booked(), Bytes::mib(83));
    ledger.on_measured(SlotId(1), Bytes::mib(60));
    assert_eq!(ledger.booked(), Bytes::mib(40));
    ledger.on_created(SlotId(1));
    assert_eq!(ledger.booked(), Bytes::mib(40), "late news does not undo a measurement");
    ledger.on_measured(SlotId(1), Bytes::mib(400));
    assert_eq!(ledger.booked(), Bytes::ZERO);
    ledger.on_gone(secs(4), SlotId(1));
    ledger.on_gone(secs(4), SlotId(1));
    assert_eq!(ledger.booked(), Bytes::ZERO);
    assert!(ledger.estimate(&page()).mean > Bytes::mib(120), "its peak was learnt");
}

#[test]
fn the_gate_opens_only_at_the_lower_line_and_after_its_time() {
    let mut ledger = footprint();
    let fits = |ledger: &Footprint| ledger.room(&page()) == Room::Fits;
    ledger.on_memory(secs(0), memory(Bytes::mib(8_400)));
    assert!(fits(&ledger), "at the line is not above it");
    ledger.on_memory(secs(0), memory(Bytes::mib(8_401)));
    assert!(!fits(&ledger));
    ledger.on_memory(secs(9), memory(Bytes::mib(8_101)));
    let Room::Short(shortage) = ledger.room(&page()) else { panic!("82.01 % is above 82 %") };
    assert_eq!(shortage.line, Ratio::percent(82));
    assert_eq!(shortage.to_string(), "predicted memory 8.01 GiB is 82.0% of 9.77 GiB (line 82.0%)");
    ledger.on_memory(secs(9), memory(Bytes::mib(8_100)));
    assert!(fits(&ledger));

    ledger.on_memory(secs(20), memory(Bytes::mib(9_000)));
    ledger.on_memory(secs(21), memory(Bytes::ZERO));
    assert!(!fits(&ledger), "shut for less than 2 s");
    assert_eq!(ledger.poll_timeout(), Some(secs(22)));
    ledger.on_memory(secs(22), memory(Bytes::ZERO));
    assert!(fits(&ledger));
}

#[test]
fn asking_never_moves_the_gate_and_a_heavy_class_does_not_shut_out_a_light_one() {
    let heavy = Class("firefox".into());
    let priors = BTreeMap::from([
        (heavy.clone(), Estimate { mean: Bytes::mib(600), deviation: Bytes::mib(100) }),
        (page(), Estimate { mean: Bytes::mib(90), deviation: Bytes::mib(10) }),
    ]);
    let mut ledger = Footprint::new(FootprintConfig { priors, ..FootprintConfig::default() });
    ledger.on_memory(secs(0), memory(Bytes::mib(8_000)));
    for _ in 0..10 {
        assert!(matches!(ledger.room(&heavy), Room::Short(_)));
        assert_eq!(ledger.room(&page()), Room::Fits);
    }
}

#[derive(Debug, Clone)]
enum Event {
    Reserved(u64, u8),
    Created(u64),
    Measured(u64, u64),
    Gone(u64),
    Launching(u64),
    Launched(u64),
    Memory(Option<u64>),
}

fn event() -> impl Strategy<Value = Event> {
    let slot = 0u64..12;
    prop_oneof![
        3 => (slot.clone(), 0u8..3).prop_map(|(slot, class)| Event::Reserved(slot, class)),
        2 => slot.clone().prop_map(Event::Created),
        3 => (slot.clone(), 0u64..700).prop_map(|(slot, mib)| Event::Measured(slot, mib)),
        2 => slot.clone().prop_map(Event::Gone),
        1 => slot.clone().prop_map(Event::Launching),
        1 => slot.prop_map(Event::Launched),
        1 => prop::option::of(0u64..12_000).prop_map(Event::Memory),
    ]
}

proptest! {
    /// The model keeps each booking by itself, under the rule of the module's description, and adds them up.
    #[test]
    fn the_running_sum_is_the_sum(events in prop::collection::vec((event(), 0u64..2_000), 1..300)) {
        let mut ledger = footprint();
        let mut slots: BTreeMap<u64, (Class, Bytes, bool)> = BTreeMap::new();
        let mut launching = std::collections::BTreeSet::new();
        let mut now = Moment::ZERO;
        for (event, wait) in events {
            now += Duration::from_millis(wait);
            match event {
                Event::Reserved(slot, class) => {
                    let class = Class(class.to_string().into());
                    let whole = ledger.estimate(&class).mean;
                    ledger.on_reserved(SlotId(slot), class.clone());
                    slots.insert(slot, (class, whole, false));
                }
                Event::Created(slot) => {
                    ledger.on_created(SlotId(slot));
                    if let Some((class, booked, false)) = slots.get_mut(&slot) {
                        *booked = ledger.estimate(class).mean - Bytes::mib(17);
                    }
                }
                Event::Measured(slot, mib) => {
                    ledger.on_measured(SlotId(slot), Bytes::mib(mib));
                    if let Some((class, booked, is_measured)) = slots.get_mut(&slot) {
                        *booked = ledger.estimate(class).mean - Bytes::mib(mib);
                        *is_measured = true;
                    }
                }
                Event::Gone(slot) => {
                    ledger.on_gone(now, SlotId(slot));
                    slots.remove(&slot);
                }
                Event::Launching(browser) => {
                    ledger.on_launching(BrowserId(browser));
                    launching.insert(browser);
                }
                Event::Launched(browser) => {
                    ledger.on_launched(BrowserId(browser));
                    launching.remove(&browser);
                }
                Event::Memory(used) => ledger.on_memory(now, used.and_then(|mib| memory(Bytes::mib(mib)))),
            }
            let contexts: Bytes = slots.values().map(|(_, booked, _)| *booked).sum();
            let browsers: Bytes = launching.iter().map(|_| Bytes::mib(300)).sum();
            prop_assert_eq!(ledger.booked(), contexts + browsers);
            for class in ["0", "1", "2"].map(|name| Class(name.into())) {
                let before = ledger.room(&class);
                prop_assert_eq!(ledger.room(&class), before, "asking changes nothing");
                if before == Room::Fits {
                    let sure = ledger.predicted() + ledger.estimate(&class).high();
                    prop_assert!(sure.share_of(Bytes::mib(10_000)) <= Ratio::percent(85));
                }
            }
        }
        for slot in 0..12 {
            ledger.on_gone(now, SlotId(slot));
            ledger.on_launched(BrowserId(slot));
        }
        prop_assert_eq!(ledger.booked(), Bytes::ZERO);
    }
}
