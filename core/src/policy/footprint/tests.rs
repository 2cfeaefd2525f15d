//! The running sums against a full recount, and the gate at its lines.

use proptest::prelude::*;

use super::*;

fn secs(seconds: u64) -> Moment {
    Moment::after(Duration::from_secs(seconds))
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
    assert_eq!(ledger.room(), Room::Unknown);
    ledger.on_memory(secs(0), Some(MemoryUse { used: Bytes::ZERO, limit: Bytes::ZERO }));
    assert_eq!(ledger.room(), Room::Unknown);
    ledger.on_memory(secs(0), memory(Bytes::ZERO));
    assert_eq!(ledger.room(), Room::Fits);
}

#[test]
fn a_burst_is_stopped_by_promises_before_any_memory_is_used() {
    let mut ledger = footprint();
    ledger.on_memory(secs(0), memory(Bytes::ZERO));
    let mut admitted = 0;
    while ledger.room() == Room::Fits {
        ledger.on_reserved(SlotId(admitted));
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
            ledger.on_reserved(slot);
        }
        assert!(matches!(ledger.room(), Room::Short(_)), "four are all that is promised");
        (0..4).for_each(|slot| ledger.on_gone(secs(0), SlotId(slot)));
        assert_eq!(ledger.room(), Room::Fits);
    }
}

#[test]
fn a_booking_shrinks_as_its_memory_shows_and_as_the_context_lives_on() {
    let mut ledger = footprint();
    ledger.on_reserved(SlotId(1));
    assert_eq!(ledger.booked(), Bytes::mib(100));
    ledger.on_created(secs(10), SlotId(1));
    assert_eq!(ledger.booked(), Bytes::mib(83));
    measure(&mut ledger, 11, 10, &[1]);
    assert_eq!(ledger.booked(), Bytes::mib(90), "too young for any other bound than the estimate");
    ledger.on_created(secs(12), SlotId(1));
    assert_eq!(ledger.booked(), Bytes::mib(90), "an event that comes twice does not undo a measurement");
    measure(&mut ledger, 50, 10, &[1]);
    assert_eq!(ledger.booked(), Bytes::kib(2_560), "in 10 s it may grow by a quarter of what it did in 40 s");
    measure(&mut ledger, 51, 400, &[1]);
    assert_eq!(ledger.booked(), Bytes::ZERO, "never below zero");
    ledger.on_gone(secs(52), SlotId(1));
    ledger.on_gone(secs(52), SlotId(1));
    assert_eq!(ledger.booked(), Bytes::ZERO);
    assert!(ledger.estimate().mean > Bytes::mib(120), "its peak was learnt");
}

/// Measures `mib` in all browsers, of which there are so few that their own memory does not count.
fn measure(ledger: &mut Footprint, at: u64, mib: u64, running: &[u64]) {
    ledger.on_measured(secs(at), Bytes::mib(mib), 0, running.iter().copied().map(SlotId));
}

/// Contexts that hold their page were promised the prior for as long as they lived: 101 of 1,000 were admitted.
#[test]
fn living_contexts_teach_what_contexts_take_before_any_has_ended() {
    let mut ledger = Footprint::new(FootprintConfig::default());
    ledger.on_memory(secs(0), Some(MemoryUse { used: Bytes::gib(1), limit: Bytes::gib(24) }));
    let (mut held, mut by_minute) = (Vec::new(), Vec::new());
    for second in 0..=180 {
        while ledger.room() == Room::Fits && held.len() < 10 * (second as usize + 1) {
            let slot = held.len() as u64;
            ledger.on_reserved(SlotId(slot));
            ledger.on_created(secs(second), SlotId(slot));
            held.push(slot);
        }
        let all = 20 * held.len() as u64;
        let used = Bytes::gib(1) + Bytes::mib(all);
        ledger.on_memory(secs(second), Some(MemoryUse { used, limit: Bytes::gib(24) }));
        measure(&mut ledger, second, all, &held);
        if second % 60 == 0 {
            by_minute.push(held.len());
        }
    }
    assert!(by_minute[1] > 300 && by_minute[3] > 850, "{by_minute:?}");
    assert!(ledger.estimate().mean < Bytes::mib(30), "{}", ledger.estimate().mean);
}

#[test]
fn young_contexts_are_not_trusted_and_heavy_contexts_are_believed_at_once() {
    let mut ledger = footprint();
    (0..50).for_each(|slot| {
        ledger.on_reserved(SlotId(slot));
        ledger.on_created(secs(0), SlotId(slot));
    });
    let slots: Vec<_> = (0..50).collect();
    measure(&mut ledger, 1, 50 * 20, &slots);
    measure(&mut ledger, 2, 50 * 20, &slots);
    assert_eq!(ledger.estimate().mean, Bytes::mib(100), "20 MiB after 2 s may soon be 100 MiB");
    measure(&mut ledger, 3, 50 * 300, &slots);
    assert_eq!(ledger.estimate().mean, Bytes::mib(300));
}

/// The processes of contexts that are gone stay in the measurement for some seconds, and idle browsers take memory too.
#[test]
fn neither_contexts_that_just_ended_nor_idle_browsers_make_the_living_look_heavy() {
    let mut ledger = footprint();
    (0..50).for_each(|slot| ledger.on_reserved(SlotId(slot)));
    (1..50).for_each(|slot| ledger.on_gone(secs(1), SlotId(slot)));
    measure(&mut ledger, 2, 50 * 100, &[0]);
    assert_eq!(ledger.estimate().mean, Bytes::mib(100));
    ledger.on_measured(secs(60), Bytes::mib(5 * 300), 5, [SlotId(0)].into_iter());
    assert_eq!(ledger.estimate().mean, Bytes::mib(100));
}

#[test]
fn the_gate_opens_only_at_the_lower_line_and_after_its_time() {
    let mut ledger = footprint();
    let fits = |ledger: &Footprint| ledger.room() == Room::Fits;
    ledger.on_memory(secs(0), memory(Bytes::mib(8_400)));
    assert!(fits(&ledger), "at the line is not above it");
    ledger.on_memory(secs(0), memory(Bytes::mib(8_401)));
    assert!(!fits(&ledger));
    ledger.on_memory(secs(9), memory(Bytes::mib(8_101)));
    let Room::Short(shortage) = ledger.room() else { panic!("82.01 % is above 82 %") };
    assert_eq!(shortage.line, Ratio::percent(82));
    assert_eq!(
        shortage.to_string(),
        "memory: 7.91 GiB of 8.01 GiB used, 0 B promised to 0 contexts and to browsers that start; one more may take 100.0 MiB"
    );
    ledger.on_memory(secs(9), memory(Bytes::mib(8_100)));
    assert!(fits(&ledger));

    ledger.on_memory(secs(20), memory(Bytes::mib(9_000)));
    ledger.on_memory(secs(21), memory(Bytes::ZERO));
    assert!(!fits(&ledger), "shut for less than 2 s");
    assert_eq!(ledger.poll_timeout(), Some(secs(22)));
    ledger.on_memory(secs(22), memory(Bytes::ZERO));
    assert!(fits(&ledger));
}

#[derive(Debug, Clone)]
enum Event {
    Reserved(u64),
    Created(u64),
    Measured(u64),
    Gone(u64),
    Launching(u64),
    Launched(u64),
    Memory(Option<u64>),
}

fn event() -> impl Strategy<Value = Event> {
    let slot = 0u64..12;
    prop_oneof![
        3 => slot.clone().prop_map(Event::Reserved),
        2 => slot.clone().prop_map(Event::Created),
        3 => (0u64..3_000).prop_map(Event::Measured),
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
        let mut slots: BTreeMap<u64, (Bytes, Option<Moment>)> = BTreeMap::new();
        let mut launching = std::collections::BTreeSet::new();
        let mut now = Moment::ZERO;
        for (event, wait) in events {
            now += Duration::from_millis(wait);
            match event {
                Event::Reserved(slot) => {
                    slots.insert(slot, (ledger.estimate().mean, None));
                    ledger.on_reserved(SlotId(slot));
                }
                Event::Created(slot) => {
                    ledger.on_created(now, SlotId(slot));
                    if let Some(entry @ (_, None)) = slots.get_mut(&slot) {
                        *entry = (ledger.estimate().mean - Bytes::mib(17), Some(now));
                    }
                }
                Event::Measured(mib) => {
                    let all = slots.keys().copied().map(SlotId).collect::<Vec<_>>();
                    ledger.on_measured(now, Bytes::mib(mib), 1, all.into_iter());
                    let each = Bytes(Bytes::mib(mib).0 / slots.len().max(1) as u64);
                    let rest = ledger.estimate().mean - each;
                    for (booked, created) in slots.values_mut() {
                        let Some(created) = created else { continue };
                        let age = now.since(*created).as_secs_f64();
                        *booked = rest.min(Bytes((each.0 as f64 * 10.0 / age) as u64));
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
            let contexts: Bytes = slots.values().map(|(booked, _)| *booked).sum();
            let browsers: Bytes = launching.iter().map(|_| Bytes::mib(300)).sum();
            prop_assert_eq!(ledger.booked(), contexts + browsers);
            let before = ledger.room();
            prop_assert_eq!(ledger.room(), before, "asking changes nothing");
            if before == Room::Fits {
                let sure = ledger.predicted() + ledger.estimate().high();
                prop_assert!(sure.share_of(Bytes::mib(10_000)) <= Ratio::percent(85));
            }
        }
        for slot in 0..12 {
            ledger.on_gone(now, SlotId(slot));
            ledger.on_launched(BrowserId(slot));
        }
        prop_assert_eq!(ledger.booked(), Bytes::ZERO);
    }
}
