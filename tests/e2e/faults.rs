//! Renderers and browsers that are killed or stopped while jobs run in them.

use std::time::Duration;

use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::patience::{self, Stopwatch};
use crate::processes::Process;
use crate::rig::Rig;

/// Ample for browsers to start and pages to load.
const SOON: Duration = Duration::from_secs(30);

/// A job that sits in its loaded page for a while.
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
fn jobs_of_killed_renderers_are_tried_again() {
    const JOBS: usize = 16;
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..JOBS).map(|n| dwelling(&site, &format!("d{n}"), 1500)));
    let run = rig.start("jobs.jsonl", &["--concurrency", "8", "--set", "retry.attempts=10"]);
    // A few at a time, and jobs that succeed in between: a host whose pages do nothing but crash is not asked again.
    for round in 0..3 {
        let renderers = || rig.processes().into_iter().filter(Process::is_renderer).collect::<Vec<_>>();
        patience::until("some have succeeded", SOON, || run.lines() >= 4 * round);
        patience::until("pages are open", SOON, || renderers().len() >= 3);
        renderers().iter().take(3).for_each(|renderer| renderer.signal(Signal::KILL));
    }
    let ended = run.ended().expect(0);
    assert_all_dwelt(&ended, JOBS);
    let report = ended.report();
    assert!(report["attempts"].as_u64() > Some(JOBS as u64), "killing had no effect: {report}");
    assert_eq!(report["browser_restarts"], 0, "a renderer is not its browser");
    rig.assert_clean();
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
    assert!(report["attempts"].as_u64() > Some(JOBS as u64), "{}", report["attempts"]);
    rig.assert_clean();
}

#[test]
fn a_stopped_browser_is_found_out_and_replaced() {
    const HELD: usize = 3;
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let held = (0..HELD).map(|n| dwelling(&site, &format!("held{n}"), 50_000));
    let later = (0..HELD).map(|n| dwelling(&site, &format!("d{n}"), 10));
    rig.jobs(held.chain(later));
    let run = rig.start("jobs.jsonl", &["--concurrency", "3", "--set", "limits.policy=fixed"]);
    patience::until("all sit in their pages", SOON, || site.hits("/nested") == HELD as u64);
    let [victim] = &rig.browsers()[..] else { panic!("three contexts fit into one browser") };
    victim.signal(Signal::STOP);
    let since = Stopwatch::start();
    patience::until("the hung browser's jobs end", SOON, || run.lines() >= HELD);
    // Three pings, five seconds apart, and a margin for a busy machine.
    assert!(since.elapsed() < Duration::from_secs(23), "found out after {:?}", since.elapsed());
    let ended = run.ended().expect(1);
    for n in 0..HELD {
        assert_eq!(ended.result(&format!("held{n}"))["class"], "browser_crash");
    }
    assert_all_dwelt(&ended, HELD);
    assert_eq!(ended.report()["browser_restarts"], 1);
    rig.assert_clean();
}
