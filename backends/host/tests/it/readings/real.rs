//! The machine that runs the tests: only facts that hold on all machines are asserted. `--nocapture` shows the rest.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use plimsoll_host::readings::{Machine, PsiTrigger, PssSweep, StallKind, StallLine, TriggerError, tree_pids};
use tokio::time::timeout;

const ROOT: &str = "/";

fn machine() -> Machine {
    Machine::new(Path::new(ROOT), &std::env::temp_dir())
}

#[test]
fn this_machine_has_memory_descriptors_threads_and_a_disk() {
    let mut machine = machine();
    let clock = Clock::start();
    let reading = machine.read(clock.now());
    println!("{reading:#?}\nblind: {:?}", machine.blind());
    let memory = reading.memory.expect("some sensor sees the memory").value;
    assert!(memory.used.0 > 0 && memory.used <= memory.limit);
    let fds = reading.fds.expect("/proc/self/fd").value;
    assert!(fds.used >= 3 && (fds.limit == 0 || fds.used <= fds.limit));
    assert!(reading.pids.expect("/proc/loadavg").value.used > 0);
    assert!(reading.disk.expect("statvfs").value.total.0 > 0);
    assert!(machine.supervisor_cpu().is_some());
}

#[test]
fn a_look_is_cheap() {
    let mut machine = machine();
    let clock = Clock::start();
    let looks = (0..50).map(|_| {
        let before = clock.now();
        machine.read(before);
        clock.now().since(before)
    });
    let mut costs: Vec<Duration> = looks.collect();
    costs.sort();
    println!("a look: best {:?}, median {:?}, worst {:?}", costs[0], costs[25], costs[49]);
    // It took 70 µs on the author's machine; the bound allows for a loaded machine and a debug build.
    assert!(costs[0] < Duration::from_millis(5), "{costs:?}");
}

#[test]
fn this_very_process_has_a_size() {
    let own = rustix::process::getpid().as_raw_pid();
    let group = rustix::process::getpgrp().as_raw_pid();
    let mut sweep = PssSweep::new(Path::new(ROOT));
    let now = Clock::start().now();
    let list = || {
        let mut members = tree_pids(Path::new(ROOT), &BTreeSet::from([group]))?;
        members.retain(|member| member.pid == own);
        Ok(members)
    };
    assert_eq!(sweep.step(now, list), Ok(Some(own)));
    let total = sweep.total(now);
    println!("{total:?}");
    assert!(total.pss.0 > 100 << 10, "{total:?}");
}

#[tokio::test]
async fn a_trigger_wakes_when_tasks_stall() {
    let line = StallLine {
        kind: StallKind::Some,
        stalled: Duration::from_millis(1),
        window: Duration::from_secs(2),
    };
    let trigger = match PsiTrigger::arm(&["/proc/pressure/cpu".into()], line) {
        Ok(trigger) => trigger,
        Err(error) => return println!("no triggers on this machine: {error} ({error:?})"),
    };
    // Twice as many busy threads as cores must stall some.
    let done = Arc::new(AtomicBool::new(false));
    let threads = 2 * std::thread::available_parallelism().expect("some").get();
    for _ in 0..threads {
        let done = Arc::clone(&done);
        std::thread::spawn(move || {
            while !done.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        });
    }
    let fired = timeout(Duration::from_secs(10), trigger.fired()).await;
    done.store(true, Ordering::Relaxed);
    fired.expect("in time").expect("still armed");
}

#[tokio::test]
async fn what_takes_no_trigger_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    let plain = dir.path().join("memory.pressure");
    std::fs::write(&plain, "").expect("writable");
    let missing = dir.path().join("missing");
    for path in [plain, missing] {
        let refused = PsiTrigger::arm(std::slice::from_ref(&path), StallLine::default());
        assert!(matches!(refused, Err(TriggerError::Refused { path: named, .. }) if named == path));
    }
    assert!(matches!(PsiTrigger::arm(&[], StallLine::default()), Err(TriggerError::NoFile)));
}
