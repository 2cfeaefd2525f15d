//! A million jobs: the run starts immediately and needs no more memory than a run of ten jobs.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::Duration;

use plimsoll_kit::demo_site;
use plimsoll_kit::site::LOOPBACK;
use rustix::process::Signal;

use crate::patience::{self, Stopwatch};
use crate::processes;
use crate::rig::Rig;

const JOBS: usize = 1_000_000;
/// The time limit for checking every line, in an unoptimised build on a busy machine.
const FIRST_LINES: Duration = Duration::from_secs(120);
/// Far above the memory of a run, far below the memory of a million jobs.
const MOST_MEMORY_KIB: u64 = 150 << 10;

#[test]
#[ignore = "it takes minutes and 100 MB of disk: `cargo xtask test --slow`"]
fn a_million_jobs_begin_soon_and_take_little_memory() {
    let (rig, site) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"));
    let mut jobs = BufWriter::new(File::create(rig.path("jobs.jsonl")).expect("writable"));
    let url = site.url("/page/1");
    for n in 0..JOBS {
        writeln!(jobs, r#"{{"id":"visit-{n}","url":"{url}","extract":{{"title":"h1"}}}}"#)
            .expect("room for 100 MB");
    }
    jobs.into_inner().expect("written");

    let run = rig.start("jobs.jsonl", &["--concurrency", "8"]);
    let first = patience::until("the first results", FIRST_LINES, || run.lines() >= 20);
    let early = processes::resident_kib(run.pid());
    patience::within(Duration::from_secs(20), || run.lines() >= 300);
    let late = processes::resident_kib(run.pid());
    let done = run.lines();
    run.signal(Signal::INT);
    let since = Stopwatch::start();
    let ended = run.ended().expect(4);
    let report = ended.report();
    eprintln!(
        "first lines after {first:?}, {early} KiB then, {late} KiB after {done} jobs; ended {:?} after the interrupt; {report}",
        since.elapsed()
    );
    assert!(early < MOST_MEMORY_KIB && late < MOST_MEMORY_KIB, "{early} KiB, {late} KiB");
    assert_eq!(report["lost"], 0);
    assert_eq!(report["submitted"], ended.results().len());
    rig.assert_clean();
}
