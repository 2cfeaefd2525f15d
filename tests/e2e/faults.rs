//! Browsers that are killed while jobs run in them. The conformance suite checks the class of each kind of end.

use std::time::Duration;

use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::patience;
use crate::rig::Rig;

/// Long enough for browsers to start and pages to load.
const SOON: Duration = Duration::from_secs(30);

/// A job that stays in its loaded page for `ms` milliseconds.
fn dwelling(site: &Site, id: &str, ms: u64) -> Value {
    let wait = format!("new Promise(done => setTimeout(() => done('dwelt'), {ms}))");
    json!({"id": id, "url": site.url("/nested"), "timeout": "60s", "steps": [{"evaluate": wait}]})
}

fn assert_all_dwelt(ended: &crate::running::Ended, jobs: usize) {
    for n in 0..jobs {
        let line = ended.result(&format!("d{n}"));
        assert_eq!(
            (&line["outcome"], &line["data"]["evaluate"]),
            (&json!("succeeded"), &json!("dwelt")),
            "{line}"
        );
    }
    let report = ended.report();
    assert_eq!((&report["lost"], &report["task_panics"]), (&json!(0), &json!(0)));
}

#[test]
fn jobs_of_killed_browsers_are_tried_again_in_new_ones() {
    const JOBS: usize = 24;
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..JOBS).map(|n| dwelling(&site, &format!("d{n}"), 1500)));
    let more =
        ["--concurrency", "8", "--set", "retry.attempts=10", "--set", "driver.cdp.contexts_per_browser=4"];
    let run = rig.start("jobs.jsonl", &more);
    for kills in 1..=2 {
        patience::until("pages are open", SOON, || site.hits("/nested") >= 6 * kills);
        let victims = rig.browsers();
        assert!(!victims.is_empty());
        victims.iter().for_each(|browser| browser.signal(Signal::KILL));
    }
    let ended = run.ended().expect(0);
    assert_all_dwelt(&ended, JOBS);
    let report = ended.report();
    assert!(report["browser_restarts"].as_u64() >= Some(2), "{}", report["browser_restarts"]);
    // An attempt that a browser took along counts only if its job was alone there, so most jobs have one.
    let counted = report["attempts"].as_u64().expect("a number");
    assert!((JOBS as u64..=JOBS as u64 + 2 * 8).contains(&counted), "{counted}");
    rig.assert_clean();
}
