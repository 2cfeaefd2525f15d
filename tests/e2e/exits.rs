//! Exit codes and output: results go to stdout or files, messages to stderr.

use std::fs::File;

use plimsoll_kit::nasty_site;
use plimsoll_kit::site::LOOPBACK;
use serde_json::json;

use crate::rig::Rig;
use crate::running::{Running, parsed};

#[test]
fn without_a_directory_results_are_all_of_standard_output() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let jobs = [("good", "/nested"), ("bad", "/status/404"), ("loud", "/throws")];
    rig.jobs(jobs.map(|(id, path)| json!({"id": id, "url": site.url(path), "extract": {"title": "h1"}})));
    for progress in ["auto", "plain", "bar", "none"] {
        let ended = rig.plimsoll(&["run", "jobs.jsonl", "--progress", progress, "--set", &rig.setting()]);
        assert_eq!(ended.code(), Some(1), "{}", ended.stderr);
        let mut ids: Vec<String> =
            parsed(&ended.stdout).iter().map(|line| line["id"].as_str().expect("an id").to_owned()).collect();
        ids.sort();
        assert_eq!(ids, ["bad", "good", "loud"], "{progress}");
        assert!(ended.stderr.contains("2 of 3 succeeded"), "{progress}: {}", ended.stderr);
        assert!(!rig.path("out").exists());
        rig.assert_clean();
    }
}

#[test]
fn a_run_whose_results_cannot_be_written_stops() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..200).map(|n| json!({"id": format!("j{n}"), "url": site.url("/slow/300")})));
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let args = ["run", "jobs.jsonl", "--concurrency", "4", "--progress", "none", "--set", &rig.setting()];
    let ended = Running::start_into(crate::binary::path(), full, &rig.path(""), &args).ended();
    assert_eq!(ended.code(), Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("No space left"), "{}", ended.stderr);
    assert!(site.hits("/slow/300") < 100, "{} pages were opened for nothing", site.hits("/slow/300"));
    rig.assert_clean();
}

#[test]
fn a_picture_without_a_directory_is_refused_with_a_remedy() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let plain = json!({"id": "plain", "url": site.url("/nested")});
    rig.jobs([plain, json!({"id": "taken", "url": site.url("/nested"), "screenshot": "page"})]);
    let ended = rig.plimsoll(&["run", "jobs.jsonl", "--progress", "none", "--set", &rig.setting()]);
    assert_eq!((ended.code(), ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    for part in ["jobs.jsonl:2", "`taken`", "--out"] {
        assert!(ended.stderr.contains(part), "no {part:?} in\n{}", ended.stderr);
    }
    assert_eq!(site.hits("/nested"), 0, "no job was run");
    rig.assert_clean();
}

#[test]
fn all_succeeded_is_0_and_some_did_not_is_1() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let good = json!({"id": "good", "url": site.url("/nested")});
    rig.jobs([good.clone()]);
    rig.run(&[]).expect(0);
    // A second run replaces the output of the first.
    rig.jobs([good, json!({"id": "bad", "url": site.url("/status/500")})]);
    let ended = rig.run(&[]).expect(1);
    assert_eq!(ended.results().len(), 2);
    rig.assert_clean();
}

#[test]
fn a_missing_browser_is_3_and_says_so() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs([json!({"id": "a", "url": site.url("/nested")})]);
    rig.write("no-browser", "not a program");
    let here = rig.path("no-browser").display().to_string();
    for (executable, says) in [("/nonexistent", "/nonexistent"), (here.as_str(), "no-browser")] {
        let ended = rig.run(&["--set", &format!("driver.cdp.executable={executable}")]);
        assert_eq!(ended.code(), Some(3), "{executable}: {}", ended.stderr);
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
        rig.assert_clean();
    }
}

#[test]
fn a_browser_that_never_starts_is_3_and_every_job_is_told_of() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..20).map(|n| json!({"id": format!("j{n}"), "url": site.url("/nested")})));
    rig.write("chromium-headless-shell", "#!/bin/sh\necho out of luck >&2\nexit 7\n");
    let browser = rig.path("chromium-headless-shell");
    std::fs::set_permissions(&browser, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    let ended = rig.run(&["--set", &format!("driver.cdp.executable={}", browser.display())]);
    assert_eq!(ended.code(), Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("out of luck"), "its last words: {}", ended.stderr);
    assert_eq!(ended.results().len(), 20);
    assert_eq!(ended.report()["lost"], 0);
    rig.assert_clean();
}

#[test]
fn help_is_output_and_a_lack_of_arguments_is_usage() {
    let rig = Rig::new();
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        let ended = rig.plimsoll(args);
        assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(!ended.stdout.is_empty());
    }
    for args in [&[][..], &["run"], &["sail"], &["run", "a.txt", "--concurrency", "many"]] {
        let ended = rig.plimsoll(args);
        assert_eq!((ended.code(), ended.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!ended.stderr.is_empty());
    }
}
