//! Several drivers in one run, and settings that change during the run.

use std::time::Duration;

use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::patience;
use plimsoll_kit::site::LOOPBACK;
use rustix::process::Signal;
use serde_json::json;

use crate::rig::Rig;

/// Long enough for the reaction to a signal.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn jobs_go_where_rules_and_their_own_words_send_them() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.write("routes.toml", "[route]\nrules = [{ match = \"*/sim/*\", driver = \"sim\" }]\n");
    let real = (0..6).map(|n| json!({"id": format!("real{n}"), "url": site.url("/alert")}));
    let simulated = (0..6).map(|n| json!({"id": format!("sim{n}"), "url": format!("http://a.test/sim/{n}")}));
    let named = (0..6)
        .map(|n| json!({"id": format!("named{n}"), "url": format!("http://a.test/{n}"), "driver": "sim"}));
    rig.jobs(real.chain(simulated).chain(named));
    let ended = rig.run(&["--config", "routes.toml", "--concurrency", "4"]).expect(0);
    for n in 0..6 {
        assert_eq!(ended.result(&format!("real{n}"))["driver"], "cdp");
        assert_eq!(ended.result(&format!("sim{n}"))["driver"], "sim");
        assert_eq!(ended.result(&format!("named{n}"))["driver"], "sim");
    }
    let report = ended.report();
    assert_eq!(
        (&report["submitted"], &report["succeeded"], &report["lost"]),
        (&json!(18), &json!(18), &json!(0))
    );
    assert_eq!(report["drivers"]["sim"], json!({"ended": 12, "succeeded": 12, "fell_back": 0}));
    rig.assert_clean();
}

#[test]
fn what_one_driver_fails_another_does() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    // For the simulated driver no host under `.invalid` exists; for the browser this site does.
    let fallback = "[route]\ndefault = \"cdp\"\nfallback = [{ driver = \"cdp\", classes = [\"navigation\"], to = \"sim\" }]\n";
    rig.write("routes.toml", fallback);
    let refused = DeadPort::reserve().expect("a port");
    rig.jobs([
        json!({"id": "falls", "url": refused.url("/")}),
        json!({"id": "stays", "url": site.url("/alert")}),
        json!({"id": "pinned", "url": refused.url("/"), "driver": "cdp"}),
    ]);
    let ended = rig.run(&["--config", "routes.toml"]).expect(1);
    let falls = ended.result("falls");
    assert_eq!(
        (&falls["driver"], &falls["outcome"], &falls["attempts"]),
        (&json!("sim"), &json!("succeeded"), &json!(2))
    );
    assert_eq!(ended.result("stays")["driver"], "cdp");
    assert_eq!(ended.result("pinned")["class"], "navigation");
    let report = ended.report();
    assert_eq!((&report["submitted"], &report["lost"]), (&json!(3), &json!(0)));
    assert_eq!(report["drivers"]["cdp"], json!({"ended": 2, "succeeded": 1, "fell_back": 1}));
}

#[test]
fn a_driver_that_is_not_there_is_told_before_anything_runs() {
    let rig = Rig::new();
    rig.jobs([json!({"url": "http://a.test/"}), json!({"url": "http://a.test/", "driver": "nobody"})]);
    let ended = rig.run(&["--driver", "sim"]).expect(2);
    assert!(ended.stderr.contains("jobs.jsonl:2: there is no driver `nobody`"), "{}", ended.stderr);
    let ended = rig.run(&["--driver", "web-driver"]).expect(2);
    assert!(ended.stderr.contains("did you mean `webdriver`?"), "{}", ended.stderr);
}

#[test]
fn a_hangup_reads_the_settings_again() {
    let rig = Rig::new();
    let limit = |limit: &str| {
        rig.write("run.toml", format!("[limits]\npolicy = \"fixed\"\nmax_contexts = {limit}\n"));
    };
    limit("1");
    rig.jobs((0..2000).map(|n| json!({"url": format!("http://a.test/{n}")})));
    let run = rig.start("jobs.jsonl", &["--driver", "sim", "--config", "run.toml"]);
    let stderr = || std::fs::read_to_string(rig.path("stderr")).unwrap_or_default();
    patience::until("the run has begun", SOON, || run.lines() > 0);
    limit("many");
    run.signal(Signal::HUP);
    patience::until("the mistake is told", SOON, || stderr().contains("settings were not read again"));
    limit("64");
    run.signal(Signal::HUP);
    patience::until("the change is told", SOON, || stderr().contains("changed: limits.max_contexts"));
    let ended = run.ended().expect(0);
    assert!(ended.report()["peak_active"].as_u64().is_some_and(|peak| peak > 1), "the new limit was used");
}
