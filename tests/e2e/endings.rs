//! Runs that are ended from outside: interrupted once or twice, or killed.

use std::time::Duration;

use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use rustix::process::Signal;
use serde_json::json;

use crate::patience;
use crate::processes::{self, Process};
use crate::rig::Rig;
use crate::running::{Ended, Running};

/// Long enough for browsers to start and pages to load.
const SOON: Duration = Duration::from_secs(30);
/// Jobs in each run, eight at once.
const JOBS: usize = 200;

/// Starts a run whose jobs hang, and returns when some of them do.
fn under_load(rig: &Rig, site: &Site, more: &[&str]) -> Running {
    rig.jobs((0..JOBS).map(|n| json!({"id": format!("j{n}"), "url": site.url("/hang"), "timeout": "60s"})));
    let args: Vec<&str> = ["--concurrency", "8"].iter().chain(more).copied().collect();
    let before = site.hits("/hang");
    let run = rig.start("jobs.jsonl", &args);
    patience::until("pages hang", SOON, || site.hits("/hang") - before >= 4);
    run
}

/// Every job has its line, and the report agrees.
fn assert_told(ended: &Ended) {
    let lines = ended.results();
    assert_eq!(lines.len(), JOBS);
    let of = |outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count() as u64;
    assert_eq!(of("cancelled") + of("failed"), JOBS as u64);
    let report = ended.report();
    assert_eq!((report["submitted"].as_u64(), report["lost"].as_u64()), (Some(JOBS as u64), Some(0)));
    assert_eq!(report["cancelled"], of("cancelled"));
    for n in 0..JOBS {
        ended.result(&format!("j{n}"));
    }
}

#[test]
fn an_interrupted_run_tells_of_every_job_and_leaves_nothing() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    for signal in [Signal::INT, Signal::TERM] {
        let run = under_load(&rig, &site, &["--set", "timeouts.grace=1s"]);
        run.signal(signal);
        let ended = run.ended_within(Duration::from_secs(20)).expect(4);
        assert!(ended.stderr.contains("Press Ctrl-C again"), "{}", ended.stderr);
        assert_told(&ended);
        rig.assert_clean();
    }
}

#[test]
fn running_jobs_may_finish_after_the_first_interrupt() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..20).map(|n| json!({"id": format!("j{n}"), "url": site.url("/slow/3000")})));
    let run = rig.start("jobs.jsonl", &["--concurrency", "2", "--set", "timeouts.grace=30s"]);
    patience::until("two pages load", SOON, || site.hits("/slow/3000") >= 2);
    run.signal(Signal::INT);
    let ended = run.ended_within(Duration::from_secs(20)).expect(4);
    let report = ended.report();
    assert_eq!(
        (&report["succeeded"], &report["cancelled"], &report["lost"]),
        (&json!(2), &json!(18), &json!(0))
    );
    assert_eq!(ended.results().len(), 20);
    rig.assert_clean();
}

#[test]
fn a_second_interrupt_ends_the_run_at_once() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let run = under_load(&rig, &site, &["--set", "timeouts.grace=60s"]);
    run.signal(Signal::INT);
    // The kernel merges two pending signals of one kind: the second waits until the first was handled.
    patience::until("the first is taken", SOON, || {
        std::fs::read_to_string(rig.path("stderr")).is_ok_and(|said| said.contains("Press Ctrl-C again"))
    });
    run.signal(Signal::INT);
    let since = patience::Stopwatch::start();
    let ended = run.ended_within(Duration::from_secs(20)).expect(4);
    assert!(since.elapsed() < Duration::from_secs(10), "ended after {:?}", since.elapsed());
    assert_told(&ended);
    rig.assert_clean();
}

#[test]
fn an_interrupt_while_browsers_start_leaves_nothing() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..JOBS).map(|n| json!({"id": format!("j{n}"), "url": site.url("/hang")})));
    for wait in [100, 200, 400] {
        let run = rig.start("jobs.jsonl", &["--concurrency", "8", "--set", "timeouts.grace=0s"]);
        patience::until("a profile is made", SOON, || !rig.run_dirs().is_empty());
        patience::within(Duration::from_millis(wait), || false);
        run.signal(Signal::INT);
        let ended = run.ended_within(Duration::from_secs(20)).expect(4);
        assert_told(&ended);
        rig.assert_clean();
    }
}

#[test]
fn a_killed_run_takes_its_browsers_along_and_the_next_clears_up() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let run = under_load(&rig, &site, &["--set", "driver.cdp.contexts_per_browser=3"]);
    let browsers: Vec<Process> =
        processes::tree(run.pid()).into_iter().filter(|process| process.pid != run.pid()).collect();
    assert!(browsers.iter().filter(|process| process.is_browser()).count() >= 2, "{browsers:?}");
    assert!(browsers.iter().any(Process::is_renderer), "{browsers:?}");
    run.signal(Signal::KILL);
    patience::until("its browsers are gone", Duration::from_secs(5), || {
        browsers.iter().all(|process| !process.lives()) && rig.processes().is_empty()
    });
    let ended = run.ended();
    assert_eq!(ended.code(), None, "it was killed");
    let left = rig.run_dirs();
    assert_eq!(left.len(), 1, "nobody was there to remove it: {left:?}");

    rig.jobs([json!({"id": "next", "url": site.url("/nested")})]);
    rig.run(&[]).expect(0);
    assert!(!left[0].exists(), "the next run removes it");
    rig.assert_clean();
}

#[test]
fn two_runs_share_a_profile_root_and_do_not_sweep_each_other() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs([json!({"id": "a", "url": site.url("/slow/4000")})]);
    let first = rig.start("jobs.jsonl", &[]);
    patience::until("the first loads its page", SOON, || site.hits("/slow/4000") == 1);
    rig.write("second.jsonl", json!({"id": "b", "url": site.url("/nested")}).to_string());
    let root = rig.setting();
    let taken = rig.plimsoll(&["run", "second.jsonl", "--out", "out", "--set", &root]);
    assert_eq!(taken.code(), Some(2), "{}", taken.stderr);
    assert!(taken.stderr.contains("another run is writing to out"), "{}", taken.stderr);
    rig.plimsoll(&["run", "second.jsonl", "--out", "out2", "--set", &root]).expect(0);
    assert_eq!(first.ended().expect(0).result("a")["outcome"], "succeeded");
    rig.assert_clean();
}
