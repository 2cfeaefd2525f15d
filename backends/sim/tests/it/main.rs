//! The driver for dry runs: it is deterministic, and every request of a job gets a result of the right kind.

use std::time::Duration;

use plimsoll_core::id::{BrowserId, JobId};
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{ArtifactKind, BrowserEnd, Driver, OpenRequest, StepOutput};
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::Step;
use plimsoll_sim::driver::{SimDriver, SimFaults, SimSettings};
use serde_json::{Value, json};

const AMPLE: Duration = Duration::from_secs(30);

fn driver(settings: SimSettings) -> SimDriver {
    SimDriver::new(settings, &Supervisor::root())
}

fn job(written: Value) -> Job {
    let keys: JobKeys = serde_json::from_value(written).expect("a job");
    keys.into_job(|| JobId::try_from("1".to_owned()).expect("a plain id")).expect("a job that makes sense")
}

/// Runs the job; returns its outputs, or the fault that ended it.
async fn run(driver: &SimDriver, written: Value) -> Result<Vec<StepOutput>, Fault> {
    let browser = driver.launch(BrowserId(0), AMPLE).await?;
    let job = job(written);
    let request = OpenRequest { setup: job.setup, first: job.start.clone() };
    let mut context = browser.open(request, AMPLE).ready().await?;
    let mut outputs = Vec::new();
    for step in job.start.map(Step::Goto).into_iter().chain(job.steps) {
        outputs.push(context.perform(&step, AMPLE).await?);
    }
    context.close().await.expect("gone");
    browser.close().await.expect("gone");
    Ok(outputs)
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_data_and_another_gives_other() {
    let wants = json!({"url": "http://a/", "steps": [{"content": {}}, {"evaluate": "1"}], "extract": {
        "one": "h1", "all": {"all": "li"}, "records": {"all": ".card", "fields": {"name": "h2", "link": {"selector": "a", "attribute": "href"}}}}});
    let one = run(&driver(SimSettings::default()), wants.clone()).await.expect("it runs");
    assert_eq!(one, run(&driver(SimSettings::default()), wants.clone()).await.expect("it runs"));
    let other = SimSettings { seed: 2, ..SimSettings::default() };
    assert_ne!(one, run(&driver(other), wants).await.expect("it runs"));
    let StepOutput::Data(data) = &one[3] else { panic!("{one:?}") };
    assert!(
        data["one"].is_string() && data["all"].is_array() && data["records"][0]["link"].is_string(),
        "{data:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn pictures_can_be_looked_at() {
    let wants = json!({"url": "http://a/", "steps": [{"screenshot": "page"}, {"screenshot": {"of": "full", "format": "jpeg"}}, {"pdf": {}}]});
    let outputs = run(&driver(SimSettings::default()), wants).await.expect("it runs");
    let artifact = |n: usize| match &outputs[n] {
        StepOutput::Artifact(artifact) => artifact,
        other => panic!("{other:?}"),
    };
    for n in [1, 2] {
        image::load_from_memory(&artifact(n).bytes).expect("a picture");
    }
    assert_eq!((artifact(3).kind, &artifact(3).bytes[..5]), (ArtifactKind::Pdf, &b"%PDF-"[..]));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_goes_wrong_by_rule() {
    let sim = driver(SimSettings::default());
    let never = json!({"wait_for": {"text": "never", "timeout": "1s"}});
    for (keys, class) in [
        (json!({"url": "http://ship.invalid/"}), FailureClass::Navigation),
        (json!({"url": "chrome://crash"}), FailureClass::PageCrash),
        (json!({"url": "chrome://hang"}), FailureClass::Timeout),
        (json!({"url": "http://a/", "steps": [never]}), FailureClass::Timeout),
        (json!({"url": "http://a/", "steps": [{"expect": {"title": "never"}}]}), FailureClass::Assertion),
    ] {
        let fault = run(&sim, keys.clone()).await.expect_err("it fails");
        assert_eq!(fault.class, class, "{keys}: {fault}");
    }
    let outputs = run(&sim, json!({"url": "http://a/status/404"})).await.expect("it opens");
    assert!(matches!(&outputs[0], StepOutput::Page(page) if page.status == Some(404)), "{outputs:?}");
}

#[tokio::test(start_paused = true)]
async fn faults_come_as_often_as_they_were_set_and_a_retry_has_its_own_luck() {
    let faults = SimFaults { navigation: 0.3, ..SimFaults::default() };
    let sim = driver(SimSettings { faults, ..SimSettings::default() });
    let mut failed = [0, 0];
    for n in 0..1000 {
        let url = format!("http://a/{n}");
        for turn in [0, 1] {
            let fate = run(&sim, json!({ "url": url })).await;
            failed[turn] += u32::from(fate.is_err());
            if turn == 0 && fate.is_ok() {
                break;
            }
        }
    }
    assert!((250..350).contains(&failed[0]) && (50..130).contains(&failed[1]), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_takes_its_browser_along_ends_every_context_of_it() {
    let faults = SimFaults { browser_crash: 1.0, ..SimFaults::default() };
    let sim = driver(SimSettings { faults, ..SimSettings::default() });
    let browser = sim.launch(BrowserId(0), AMPLE).await.expect("it starts");
    let request = || OpenRequest { setup: job(json!({"url": "http://a/"})).setup, first: None };
    let mut doomed = browser.open(request(), AMPLE).ready().await.expect("a context");
    let mut neighbour = browser.open(request(), AMPLE).ready().await.expect("a context");
    let steps = job(json!({"url": "http://a/", "steps": [{"wait_for": {"text": "never"}}]}));
    let goto = Step::Goto(steps.start.expect("it has a url"));
    let wait = steps.steps.into_iter().next().expect("a step");
    let (fate, waiting) = tokio::join!(doomed.perform(&goto, AMPLE), neighbour.perform(&wait, AMPLE));
    assert_eq!(fate.expect_err("it crashes").class, FailureClass::BrowserCrash);
    assert_eq!(waiting.expect_err("it goes along").class, FailureClass::BrowserCrash);
    assert!(matches!(browser.ended().await, BrowserEnd::Died(_)));
    assert!(
        browser
            .open(request(), AMPLE)
            .ready()
            .await
            .is_err_and(|fault| fault.class == FailureClass::BrowserCrash)
    );
}
