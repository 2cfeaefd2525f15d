//! A fleet with a library that answers wrongly: each wrong answer is a fault of class `internal` that names the driver and
//! the step, none counts as success, and no job is lost.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::outcome::{FailureClass, Outcome};
use plimsoll_core::policy::{DispatchConfig, LeakyConfig, LimitPolicy, Rule};
use plimsoll_core::port::{Artifact, Blindfold, JobRecord, Store, StoreError};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::fleet::{Fleet, FleetConfig, FleetReport, Surroundings};
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::{Value, json};

use crate::rig::{BUDGET, load, on_both};

/// Gives out jobs and keeps their records, by the number of the job.
struct Jobs {
    left: Mutex<VecDeque<(Ticket, Job)>>,
    records: Mutex<Vec<(Ticket, JobRecord)>>,
}

impl Jobs {
    /// One job for each value of the key `steps`.
    fn of(steps: Vec<Value>) -> Arc<Self> {
        let job = |(number, steps): (u64, Value)| {
            let written = json!({"id": number.to_string(), "url": "http://site/", "steps": steps});
            let keys: JobKeys = serde_json::from_value(written).expect("a job");
            let id = || JobId::try_from(number.to_string()).expect("a plain id");
            (Ticket(number), keys.into_job(id).expect("a job that makes sense"))
        };
        let left = (0..).zip(steps).map(job).collect();
        Arc::new(Self { left: Mutex::new(left), records: Mutex::default() })
    }
}

#[async_trait]
impl Store for Jobs {
    async fn next(&self) -> Result<Option<(Ticket, Job)>, StoreError> {
        Ok(self.left.lock().expect("no panic in here").pop_front())
    }

    async fn keep(&self, _: Ticket, job: &JobId, _: Artifact) -> Result<String, StoreError> {
        panic!("job {job} has a picture, which no step asked for")
    }

    async fn record(&self, ticket: Ticket, record: JobRecord) -> Result<(), StoreError> {
        self.records.lock().expect("no panic in here").push((ticket, record));
        Ok(())
    }

    async fn release(&self, _: Ticket) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Runs the jobs one after the other on the rogue library.
async fn run_fleet(
    isolation: plimsoll_loader::Isolation,
    jobs: &Arc<Jobs>,
    timeout: Duration,
) -> FleetReport {
    let mut dispatch = DispatchConfig::default();
    dispatch.admission.policy = LimitPolicy::Fixed;
    dispatch.admission.max_contexts = 1;
    dispatch.retry.attempts = 1;
    // Breakers that would hold the jobs back after the first failures are kept closed.
    let patient = Rule::Leaky(LeakyConfig { trips_at: 1_000, ..LeakyConfig::default() });
    dispatch.admission.scopes.fuse.rule = patient.clone();
    dispatch.admission.scopes.global.rule = patient;
    let config = FleetConfig { dispatch, attempt_timeout: timeout, launch_timeout: BUDGET, seed: 1 };
    let surroundings = Surroundings {
        name: "rogue".into(),
        driver: Arc::new(load(isolation, json!({})).await.expect("loads")),
        store: Arc::clone(jobs) as Arc<dyn Store>,
        probe: Box::new(Blindfold),
        observer: Arc::new(()),
    };
    let mut fleet = Fleet::start(config, surroundings, Clock::start(), &Supervisor::root());
    fleet.ended().await.expect("the fleet's own task does not fail")
}

/// Checks that every job ended as an internal fault which begins with the driver and the step, and says what came.
fn all_internal(report: &FleetReport, jobs: &Jobs, says: &[&str]) {
    assert_eq!((report.jobs.ended(), report.jobs.succeeded, report.jobs.lost()), (says.len() as u64, 0, 0));
    let records = jobs.records.lock().expect("no panic in here");
    assert_eq!(records.len(), says.len(), "each job ends once");
    for (ticket, record) in records.iter() {
        let says = says[usize::try_from(ticket.0).expect("few")];
        let Outcome::Failed(failure) = &record.outcome else { panic!("{says}: {record:?}") };
        assert_eq!(failure.fault.class, FailureClass::Internal, "{says}: {failure}");
        let message = &failure.fault.message;
        assert!(message.starts_with("driver `rogue`, step `evaluate`: "), "{says}: {message}");
        assert!(message.contains(says) && message.len() < 1_000, "{says}: {message}");
        assert!(record.artifacts.is_empty(), "{record:?}");
    }
}

/// The head of a step's answer with this output.
fn head(output: &str) -> String {
    format!(r#"{{"output":{output},"incidents":{{"dialogs":0,"popups":0,"downloads":0}}}}"#)
}

/// What the library does for a step `evaluate`, and a part of the sentence that says what is wrong with it.
fn wrong() -> Vec<(String, &'static str)> {
    let raw = |output: &str| format!("raw: {}", head(output));
    let unreadable = "the plugin's answer cannot be read: ";
    vec![
        ("nothing".into(), "the step owes data, and the answer is no output"),
        ("picture".into(), "the answer is a PNG picture"),
        (raw(r#"{"Ok":{"page":{"url":"http://a/","status":500}}}"#), "the answer is a page"),
        (raw(r#"{"Ok":{"data":{}}}"#), "the step owes the field `evaluate`"),
        (raw(r#"{"Ok":{"data":{"evaluate":1,"more":2}}}"#), "the field `more`"),
        (raw(r#"{"Ok":{"data":{"evaluate":NaN}}}"#), unreadable),
        (raw(r#"{"Ok":{"data":{"evaluate":1e999}}}"#), unreadable),
        (raw(r#"{"Ok":{"data":{"evaluate":"\ud83d"}}}"#), unreadable),
        (raw(r#"{"Ok":{"data":[1]}}"#), unreadable),
        (raw(r#"{"Ok":{"page":{"url":7,"status":200}}}"#), unreadable),
        (raw(r#"{"Ok":{"page":{"url":"http://a/","status":70000}}}"#), unreadable),
        (raw(r#"{"Ok":{"page":{"status":200}}}"#), unreadable),
        (raw(r#"{"Ok":{"film":"mp4"}}"#), unreadable),
        (raw(r#"{"Ok":"done","Err":{}}"#), unreadable),
        (raw(r#"{"Err":{"class":"bad_luck","recurrence":"transient","message":""}}"#), unreadable),
        (raw(r#"{"Err":{"class":"timeout"}}"#), unreadable),
        (raw(&format!(r#"{{"Ok":{{"data":{{"evaluate":{}}}}}}}"#, "[".repeat(100_000))), unreadable),
        (r#"raw: {"output":{"Ok":"done"}}"#.into(), unreadable),
        (r#"raw: {"output":{"Ok":"done"},"output":{"Ok":"done"}}"#.into(), unreadable),
        (format!("raw: {0}{0}", head(r#"{"Ok":{"data":{"evaluate":1}}}"#)), unreadable),
        ("raw: null".into(), unreadable),
        ("raw: ".into(), unreadable),
        (r#"cut: {"output":{"Ok":{"data":{"evaluate":"ü"#.into(), unreadable),
        (
            format!("bodied: {}", head(r#"{"Ok":{"data":{"evaluate":1}}}"#)),
            "has 5 bytes that are no artifact",
        ),
        ("garbage".into(), unreadable),
        ("strange and answer".into(), "the unknown status 4711"),
        ("huge head".into(), "the plugin's answer has 1073741824 bytes"),
        ("huge body".into(), "the plugin's answer has 1073741826 bytes"),
        ("panic".into(), "the plugin panicked: a whim"),
    ]
}

on_both! {
    async fn each_wrong_answer_is_an_internal_fault_and_no_job_is_lost(isolation) {
        let (whims, says): (Vec<_>, Vec<_>) = wrong().into_iter().unzip();
        let jobs = Jobs::of(whims.into_iter().map(|whim| json!([{"evaluate": whim}])).collect());
        let report = run_fleet(isolation, &jobs, BUDGET).await;
        all_internal(&report, &jobs, &says);
        let records = jobs.records.lock().expect("no panic in here");
        assert!(records.iter().all(|(_, record)| record.data.is_empty()), "nothing of a wrong answer is used");
        assert_eq!(report.counters["rogue"]["rogue.closed"], says.len() as u64, "the library's counts are in the report");
    }

    async fn a_second_answer_is_an_internal_fault_of_its_job(isolation) {
        // The second step shows a second answer that comes after the first one was used.
        let steps = json!([{"evaluate": "twice and answer"}, {"evaluate": "nothing and answer"}]);
        let jobs = Jobs::of(vec![steps; 5]);
        let report = run_fleet(isolation, &jobs, BUDGET).await;
        all_internal(&report, &jobs, &["the plugin answered a step twice"; 5]);
    }

    async fn an_answer_that_comes_too_late_is_an_internal_fault_of_its_job(isolation) {
        let jobs = Jobs::of(vec![json!([{"evaluate": "later and answer"}])]);
        let report = run_fleet(isolation, &jobs, Duration::from_secs(5)).await;
        all_internal(&report, &jobs, &["the plugin has not answered within"]);
    }

    async fn a_right_answer_counts(isolation) {
        let jobs = Jobs::of(vec![json!([{"evaluate": "nothing and answer"}])]);
        assert_eq!(run_fleet(isolation, &jobs, BUDGET).await.jobs.succeeded, 1);
    }
}
