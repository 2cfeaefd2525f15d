//! Measures the cost of a call to a library: `cargo xtask bench abi`, or `cargo bench -p plimsoll-loader`.
//!
//! The library of `tests/rogue` carries out a step, in this process and in a process of its own, measured from the
//! port's `perform` to its result. A step that does nothing runs one call at a time and sixteen at a time; a step
//! that must wait once runs one call at a time, so that the library's own threads end it. Two bounds are measured
//! beside it: encoding and decoding a call, which every call needs, and waking a thread and back, which a call needs
//! if it changes threads or processes.
#![expect(clippy::print_stdout, reason = "a program whose output is its result")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch is what this is")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::port::call::{OutputHead, Perform, Performed};
use plimsoll_core::port::{Context, Driver, Incidents, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_host::spawn::Spawner;
use plimsoll_loader::{HostProgram, Isolation, Loader, child};
use serde_json::json;

const WARM_UP: usize = 2_000;
const CALLS: usize = 50_000;
const IN_FLIGHT: usize = 16;
/// The library's behaviour: see its `whim`.
const NOTHING: &str = "nothing";
const WAIT: &str = "wait";
const BUDGET: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    if let [command, path] = args.as_slice()
        && command == "__plugin-host"
    {
        return child::run(Path::new(path));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    println!("{:<34} {:>8} {:>8} {:>8} {:>10}", "microseconds a call", "p50", "p99", "p99.9", "calls/s");
    words();
    thread_and_back();
    runtime.expect("a runtime").block_on(async {
        for (isolation, name) in [(Isolation::InProcess, "in process"), (Isolation::Process, "process")] {
            library(isolation, name).await;
        }
    });
    ExitCode::SUCCESS
}

/// Encodes and decodes a call's messages as both sides do.
fn words() {
    let step = step(NOTHING);
    let times = measure(|| {
        let sent = serde_json::to_vec(&Perform { step: &step, budget: BUDGET }).expect("plain data");
        let _read: Perform = serde_json::from_slice(&sent).expect("as it was written");
        let performed = Performed { output: Ok(OutputHead::Done), incidents: Incidents::default() };
        let answer = serde_json::to_vec(&performed).expect("plain data");
        let _read: Performed = serde_json::from_slice(&answer).expect("as it was written");
    });
    report("words alone", times);
}

/// Wakes another thread, which wakes this one.
fn thread_and_back() {
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel();
    let echo = std::thread::spawn(move || asked.iter().for_each(|()| answer.send(()).expect("there")));
    let times = measure(|| {
        ask.send(()).expect("there");
        answered.recv().expect("there");
    });
    drop(ask);
    echo.join().expect("no panic");
    report("a thread and back", times);
}

async fn library(isolation: Isolation, name: &str) {
    let loader = Loader {
        spawner: Spawner::start().expect("a thread"),
        supervisor: Supervisor::root(),
        clock: Clock::start(),
        program: HostProgram::default(),
    };
    let driver = loader.load(&rogue(), isolation, json!({})).await.expect("loads");
    let browser = driver.launch(BrowserId(1), BUDGET).await.expect("launches");
    let request = || OpenRequest { setup: Setup::default(), first: None };
    let open = async || browser.open(request(), BUDGET).ready().await;
    let mut context = open().await.expect("opens");
    calls(context.as_mut(), NOTHING, WARM_UP).await;
    for (script, which) in [(NOTHING, "one at a time"), (WAIT, "one that must wait")] {
        // As attempts do, it runs on a task of the runtime.
        let one = async move {
            let times = calls(context.as_mut(), script, CALLS).await;
            (times, context)
        };
        let times;
        (times, context) = loader.supervisor.spawn("one", one).await.expect("no panic");
        report(&format!("{name}, {which}"), times);
    }

    let start = Instant::now();
    let mut many = Vec::new();
    for _ in 0..IN_FLIGHT {
        let mut context = open().await.expect("opens");
        let each = async move { calls(context.as_mut(), NOTHING, CALLS / IN_FLIGHT).await };
        many.push(loader.supervisor.spawn("one of many", each));
    }
    let mut times = Vec::new();
    for task in many {
        times.extend(task.await.expect("no panic"));
    }
    row(&format!("{name}, {IN_FLIGHT} at a time"), times, start.elapsed());
    browser.close().await.expect("closes");
}

async fn calls(context: &mut dyn Context, script: &str, count: usize) -> Vec<Duration> {
    let step = step(script);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let start = Instant::now();
        context.perform(&step, BUDGET).await.expect("works");
        times.push(start.elapsed());
    }
    times
}

fn measure(mut work: impl FnMut()) -> Vec<Duration> {
    let mut time = || {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let _cold: Duration = (0..WARM_UP).map(|_| time()).sum();
    (0..CALLS).map(|_| time()).collect()
}

fn report(name: &str, times: Vec<Duration>) {
    let wall = times.iter().sum();
    row(name, times, wall);
}

fn row(name: &str, mut times: Vec<Duration>, wall: Duration) {
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 1000].as_secs_f64() * 1e6;
    let rate = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX)) / wall.as_secs_f64();
    println!("{name:<34} {:>8.1} {:>8.1} {:>8.1} {rate:>10.0}", at(500), at(990), at(999));
}

fn step(script: &str) -> Step {
    serde_json::from_value(json!({ "evaluate": script })).expect("a step")
}

fn rogue() -> PathBuf {
    let program = std::env::current_exe().expect("this program");
    program.parent().expect("in a directory").join("librogue_driver.so")
}
