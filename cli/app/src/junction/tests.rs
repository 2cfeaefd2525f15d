//! Fleets that take jobs and end them as chance will have it: whatever they do, each job is recorded once, and no lane
//! grows beyond its bound.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use futures_util::future::join_all;
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::port::Incidents;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::out::{OutDir, ResultsWriter};
use plimsoll::jobs::{self, JobFile};

/// A store of `jobs` jobs, half of them for each of two hosts, in a directory of its own.
struct Rig {
    dir: tempfile::TempDir,
    store: Arc<RunStore>,
    /// Holds the directory.
    _out: OutDir,
}

impl Rig {
    fn new(jobs: usize) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let file = listed(dir.path(), jobs);
        let out = OutDir::create(&dir.path().join("out")).expect("a place for results");
        let store = Arc::new(RunStore::new(file, Some(&out)).expect("results can be written"));
        Self { dir, store, _out: out }
    }

    /// The lines of the results, by id.
    fn results(&self) -> BTreeMap<String, Value> {
        let text = fs::read_to_string(self.dir.path().join("out/results.jsonl")).expect("results");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let count = lines.len();
        let by_id: BTreeMap<_, _> =
            lines.into_iter().map(|line| (line["id"].as_str().expect("an id").to_owned(), line)).collect();
        assert_eq!(by_id.len(), count, "no job has two lines");
        by_id
    }
}

fn listed(dir: &Path, jobs: usize) -> JobFile {
    let list = dir.join("jobs.txt");
    let urls: String = (0..jobs).map(|n| format!("http://{}/{n}\n", ["a", "b"][n % 2])).collect();
    fs::write(&list, urls).expect("a list of jobs");
    JobFile::open(&jobs::Source::Path(list), None).expect("good jobs")
}

fn routes() -> Routes {
    let mut routes = Routes::to("cdp");
    routes.add_rule("http://a/*", "http");
    routes.add_fallback("http", vec![FailureClass::Script], "cdp");
    routes.add_fallback("cdp", vec![FailureClass::Script], "sim");
    routes
}

/// The same, and the last driver falls back to the first.
fn circle() -> Routes {
    let mut routes = routes();
    routes.add_fallback("sim", vec![FailureClass::Script], "http");
    routes
}

/// How a fleet works.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Jobs it has under way at most.
    width: usize,
    /// Turns it takes for each.
    turns: usize,
    /// Of four jobs, those that fail with a class that falls back.
    failing: u8,
}

fn pace() -> impl Strategy<Value = Pace> {
    (1..200usize, 1..20usize, 0..=4u8).prop_map(|(width, turns, failing)| Pace { width, turns, failing })
}

const STEADY: Pace = Pace { width: 3, turns: 1, failing: 1 };

/// A lane and those that fall back to it hold no more than a full lane each and what their fleets have under way.
fn assert_bounded(junction: &Junction, paces: &[Pace]) {
    let lanes = &junction.state().lanes;
    for lane in 0..lanes.len() {
        let mut together = junction.routes.upstream(lane);
        together.push(lane);
        let held: usize =
            together.iter().map(|lane| lanes[*lane].waiting.len() + lanes[*lane].given.len()).sum();
        let bound: usize = together.iter().map(|lane| LANE + paces[*lane].width).sum();
        assert!(held <= bound, "{held} of {bound} in lanes {together:?}");
    }
}

fn record(seq: u64, job: &Job, outcome: Outcome) -> JobRecord {
    JobRecord {
        seq: JobSeq(seq),
        id: job.id.clone(),
        url: None,
        outcome,
        attempts: 1,
        elapsed: Duration::from_millis(5),
        data: Map::new(),
        artifacts: Vec::new(),
        status: None,
        incidents: Incidents::default(),
    }
}

fn failed(class: FailureClass) -> Outcome {
    Outcome::Failed(Fault::persistent(class, "it did").at(Stage::Step(0)))
}

/// A fleet of one lane: takes as many jobs as it may have, and now and then ends the oldest; until its lane is over.
async fn fleet(lane: LaneStore, paces: &[Pace], mut chance: fastrand::Rng) {
    let Pace { width, turns, failing } = paces[lane.lane];
    let mut running = VecDeque::new();
    let (mut numbered, mut turn) = (0, 0);
    loop {
        let next = tokio::select! {
            biased;
            next = lane.next(), if running.len() < width => next.expect("the list is there"),
            () = tokio::task::yield_now(), if !running.is_empty() => None,
        };
        if let Some(job) = next {
            running.push_back((numbered, job));
            numbered += 1;
        } else if running.is_empty() {
            return;
        } else {
            turn += 1;
            if turn % turns == 0
                && let Some((seq, job)) = running.pop_front()
            {
                let outcome = match chance.u8(0..4) {
                    luck if luck < failing => failed(FailureClass::Script),
                    0 | 1 => failed(FailureClass::Timeout),
                    _ => Outcome::Succeeded,
                };
                lane.record(record(seq, &job, outcome)).await.expect("a place for results");
            }
        }
        assert_bounded(&lane.junction, paces);
        tokio::task::yield_now().await;
    }
}

/// Runs all lanes on one thread until they are over; hangs are found by a deadline on paused time.
fn run(junction: &Arc<Junction>, paces: &[Pace], seed: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let lanes = junction.lanes().into_iter().zip(seed..);
    let fleets = lanes.map(|(lane, seed)| fleet(lane, paces, fastrand::Rng::with_seed(seed)));
    let all = async { tokio::time::timeout(Duration::from_secs(3600), join_all(fleets)).await };
    runtime.expect("a runtime").block_on(all).expect("every lane comes to its end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn each_job_is_recorded_once_whatever_fails(
        jobs in 1usize..1_000,
        paces in [pace(), pace(), pace()],
        circular: bool,
        seed in 0..u64::MAX - 3,
    ) {
        let rig = Rig::new(jobs);
        let routes = if circular { circle() } else { routes() };
        let junction = Arc::new(Junction::new(Arc::clone(&rig.store), routes, &Supervisor::root()));
        run(&junction, &paces, seed);
        let results = rig.results();
        prop_assert_eq!(results.len(), jobs);
        let on_the_way: u64 = results.values().map(|line| line["attempts"].as_u64().unwrap_or_default() - 1).sum();
        prop_assert_eq!(junction.fell_back(), on_the_way, "what an earlier driver tried is added up");
        for line in results.values().filter(|line| line["class"] == "script") {
            let was_last = if circular { line["attempts"] == 3 } else { line["driver"] == "sim" };
            prop_assert!(was_last, "only the last driver fails a job that falls back: {}", line);
        }
        let tally = rig.store.take_tally();
        prop_assert_eq!(tally.jobs(), jobs as u64);
    }
}

/// A quick driver once read nearly the whole list into the lane of the slow one that its jobs fall back to.
#[test]
fn a_quick_driver_does_not_run_ahead_of_the_one_its_jobs_fall_back_to() {
    let rig = Rig::new(1_000);
    let mut routes = Routes::to("cdp");
    routes.add_rule("*", "http");
    routes.add_fallback("http", vec![FailureClass::Script], "cdp");
    let junction = Arc::new(Junction::new(Arc::clone(&rig.store), routes, &Supervisor::root()));
    let slow = Pace { width: 1, turns: 20, failing: 0 };
    run(&junction, &[slow, Pace { width: 10, turns: 1, failing: 4 }], 7);
    assert_eq!((rig.results().len(), junction.fell_back()), (1_000, 1_000));
}

#[test]
fn a_stop_lets_nothing_fall_back_and_hands_out_the_rest() {
    let rig = Rig::new(300);
    let junction = Arc::new(Junction::new(Arc::clone(&rig.store), routes(), &Supervisor::root()));
    junction.stop();
    run(&junction, &[STEADY; 3], 7);
    assert_eq!((rig.results().len(), junction.fell_back()), (300, 0));
}

#[test]
fn lanes_are_over_when_results_cannot_be_written() {
    let rig = Rig::new(300);
    let junction = Arc::new(Junction::new(Arc::clone(&rig.store), routes(), &Supervisor::root()));
    junction.state().source = Source::Broken;
    run(&junction, &[STEADY; 3], 7);
    assert_eq!(rig.results().len(), 0);
}

/// Lines were once written on the one worker: while nobody read them no timer went off and no browser was heard, and
/// jobs that were well ran out of time.
#[tokio::test]
async fn a_reader_that_stands_still_stops_no_clock() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (mut reader, writer) = io::pipe().expect("a pipe");
    let writer = ResultsWriter::file(File::from(OwnedFd::from(writer)), PathBuf::from("a pipe"));
    let store = Arc::new(RunStore::of(listed(dir.path(), 1), None, writer));
    let junction = Arc::new(Junction::new(store, Routes::to("cdp"), &Supervisor::root()));
    let (read_on, told) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        // Whoever writes on the worker finds nobody to tell it.
        let _ = told.recv_timeout(Duration::from_secs(5));
        let mut text = String::new();
        reader.read_to_string(&mut text).map(|_| text)
    });

    let lane = junction.lanes().pop().expect("one lane");
    let job = lane.next().await.expect("the list is there").expect("one job");
    let mut long = record(0, &job, Outcome::Succeeded);
    // More than a pipe holds.
    long.data.insert("text".to_owned(), "x".repeat(1 << 20).into());
    let mut recorded = lane.record(long);
    tokio::select! {
        biased;
        _ = &mut recorded => panic!("the timer waited for the reader"),
        () = tokio::time::sleep(Duration::from_millis(20)) => {}
    }
    read_on.send(()).expect("it waits");
    recorded.await.expect("it is read");
    drop((lane, junction));
    let text = reading.join().expect("it ends").expect("lines are text");
    assert_eq!(text.lines().count(), 1);
}
