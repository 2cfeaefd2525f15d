//! Loom tests every interleaving of permits and the fleet's loop, on the real source file.
//!
//! Built only with `--cfg loom`, as `cargo xtask ci` does:
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test --package plimsoll-core --test loom_permit --release --target-dir target/loom
//! ```
#![cfg(loom)]

/// The source file itself: under `cfg(all(test, loom))` it uses loom's lock and `Arc`.
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

/// Reads notes until each of `permits` is freed. Loom reports a deadlock if a note does not wake the reader.
async fn read_until_freed(notes: &SlotNotes, permits: u64) -> Vec<SlotNote> {
    let mut read = Vec::new();
    while read.iter().filter(|note| matches!(note, SlotNote::Freed(_))).count() < permits as usize {
        let taken = notes.take().await;
        assert!(!taken.is_empty(), "woken for nothing");
        read.extend(taken);
    }
    read
}

/// Each of these permits has reported exactly once that it opened and then exactly once that it was freed.
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
    // As in the fleet, a task receives the note, and the permit is dropped after the note was left.
    let task = |permit: Permit| thread::spawn(move || permit.opened_note().leave());
    permits.map(task).collect()
}

/// Tests all interleavings with at most `switches` preemptions. Without a bound there are too many interleavings; known
/// races need at most two preemptions.
fn bounded(switches: usize, check: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(switches);
    model.check(check);
}

fn all_are_heard(permits: u64) {
    let notes = Arc::new(SlotNotes::default());
    let tasks = tasks_that_open_and_drop(&notes, permits);
    assert_each_once(&block_on(read_until_freed(&notes, permits)), permits);
    tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
}

#[test]
fn one_permit_is_heard_in_every_order_there_is() {
    loom::model(|| all_are_heard(1));
}

#[test]
fn two_permits_are_each_heard_once_and_the_reader_always_wakes() {
    bounded(3, || all_are_heard(2));
}

#[test]
fn three_permits_are_each_heard_once_and_the_reader_always_wakes() {
    bounded(2, || all_are_heard(3));
}

#[test]
fn a_wait_that_is_given_up_loses_nothing() {
    bounded(3, || {
        let notes = Arc::new(SlotNotes::default());
        let tasks = tasks_that_open_and_drop(&notes, 2);
        let mut read = glance(&notes);
        let freed = read.iter().filter(|note| matches!(note, SlotNote::Freed(_))).count() as u64;
        read.extend(block_on(read_until_freed(&notes, 2 - freed)));
        assert_each_once(&read, 2);
        tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
    });
}

/// Starts a wait and drops it, as the loop does when another event comes first.
fn glance(notes: &SlotNotes) -> Vec<SlotNote> {
    match pin!(notes.take()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(taken) => taken,
        Poll::Pending => Vec::new(),
    }
}

#[test]
fn a_permit_may_be_dropped_where_its_notes_are_read() {
    loom::model(|| {
        let notes = Arc::new(SlotNotes::default());
        let tasks = tasks_that_open_and_drop(&notes, 1);
        let own = Permit::new(SlotId(1), &notes);
        own.opened_note().leave();
        drop(own);
        assert_each_once(&block_on(read_until_freed(&notes, 2)), 2);
        tasks.into_iter().for_each(|task| task.join().expect("it only leaves notes"));
    });
}
