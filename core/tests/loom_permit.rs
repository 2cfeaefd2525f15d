//! Every order in which permits and the fleet's loop can meet, tried by loom on the real source.
//!
//! Only built with `--cfg loom`; `cargo xtask test` does so:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --package plimsoll-core --test loom_permit --release --target-dir target/loom
//! ```
#![cfg(loom)]

/// The source itself: under `cfg(all(test, loom))` its lock and its `Arc` are loom's.
#[path = "../src/runtime/permit.rs"]
mod permit;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use plimsoll_core::id;
use plimsoll_core::id::SlotId;

use permit::{Permit, SlotNote, SlotNotes};

/// Takes until each of `permits` has been freed. Loom reports a deadlock if the reader is not woken for one of them.
async fn read_until_freed(notes: &SlotNotes, permits: usize) -> Vec<SlotNote> {
    let mut read = Vec::new();
    while read.iter().filter(|note| matches!(note, SlotNote::Freed(_))).count() < permits {
        let taken = notes.take().await;
        assert!(!taken.is_empty(), "woken for nothing");
        read.extend(taken);
    }
    read
}

/// Each of these permits said that it opened, then that it was freed, once each.
fn assert_each_once(read: &[SlotNote], permits: u64) {
    for slot in (0..permits).map(SlotId) {
        let of_slot: Vec<_> = read
            .iter()
            .filter(|note| matches!(note, SlotNote::Opened(of) | SlotNote::Freed(of) if *of == slot))
            .collect();
        assert_eq!(of_slot, [&SlotNote::Opened(slot), &SlotNote::Freed(slot)]);
    }
    assert_eq!(read.len() as u64, 2 * permits);
}

fn tasks_that_open_and_drop(notes: &Arc<SlotNotes>, permits: u64) -> Vec<thread::JoinHandle<()>> {
    let permits = (0..permits).map(|slot| Permit::new(SlotId(slot), notes));
    permits.map(|permit| thread::spawn(move || permit.opened())).collect()
}

#[test]
fn two_permits_are_each_heard_once_and_the_reader_always_wakes() {
    loom::model(|| {
        let notes = Arc::new(SlotNotes::default());
        let tasks = tasks_that_open_and_drop(&notes, 2);
        assert_each_once(&block_on(read_until_freed(&notes, 2)), 2);
        tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
    });
}

#[test]
fn three_permits_are_each_heard_once_and_the_reader_always_wakes() {
    // Four threads are the most that loom has; three switches at the worst moment find every known kind of race.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let notes = Arc::new(SlotNotes::default());
        let tasks = tasks_that_open_and_drop(&notes, 3);
        assert_each_once(&block_on(read_until_freed(&notes, 3)), 3);
        tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
    });
}

#[test]
fn a_wait_that_is_given_up_loses_nothing() {
    loom::model(|| {
        let notes = Arc::new(SlotNotes::default());
        let tasks = tasks_that_open_and_drop(&notes, 2);
        // The loop waits for many things at once and drops this wait whenever another comes first.
        let mut read = Vec::new();
        {
            let mut wait = pin!(notes.take());
            if let Poll::Ready(taken) = wait.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                read.extend(taken);
            }
        }
        let freed = read.iter().filter(|note| matches!(note, SlotNote::Freed(_))).count();
        read.extend(block_on(read_until_freed(&notes, 2 - freed)));
        assert_each_once(&read, 2);
        tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
    });
}

#[test]
fn a_permit_may_be_dropped_where_its_notes_are_read() {
    loom::model(|| {
        let notes = Arc::new(SlotNotes::default());
        let tasks = tasks_that_open_and_drop(&notes, 1);
        let own = Permit::new(SlotId(7), &notes);
        assert_eq!(own.slot(), SlotId(7));
        drop(own);
        let read = block_on(read_until_freed(&notes, 2));
        assert_eq!(read.iter().filter(|note| **note == SlotNote::Freed(SlotId(7))).count(), 1);
        let others: Vec<_> = read.into_iter().filter(|note| *note != SlotNote::Freed(SlotId(7))).collect();
        assert_each_once(&others, 1);
        tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
    });
}
