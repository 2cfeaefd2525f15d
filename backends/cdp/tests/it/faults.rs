//! Faults that only this driver can report: the sandbox, the signal that killed a browser, and why a start failed.

use std::time::Duration;

use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::{BrowserEnd, Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_host::executable::NamedPath;
use plimsoll_host::sandbox::Sandbox;
use plimsoll_kit::nasty_site;
use plimsoll_kit::processes::Process;
use plimsoll_kit::site::LOOPBACK;
use rustix::process::Signal;

use plimsoll_cdp::CdpSettings;

use crate::rig::{AMPLE, Rig, goto, open, visit};

/// The process that was started.
fn leader(rig: &Rig) -> Process {
    let mut processes = rig.processes();
    processes.retain(|process| !process.args.contains("--type="));
    processes.pop().expect("a browser runs")
}

fn renderers(rig: &Rig) -> Vec<Process> {
    let mut processes = rig.processes();
    processes.retain(|process| process.args.contains("--type=renderer"));
    processes
}

#[tokio::test]
async fn browsers_run_unprivileged_with_their_sandbox_on() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let leader = leader(&rig);
    let status = std::fs::read_to_string(format!("/proc/{}/status", leader.pid)).expect("it lives");
    let uid = status.lines().find(|line| line.starts_with("Uid:")).expect("a status").to_owned();
    assert!(!uid.split_whitespace().skip(1).any(|uid| uid == "0"), "{uid}");
    assert!(!leader.args.contains("--no-sandbox"), "{}", leader.args);

    let visit = visit(browser.as_ref(), &site.url("/nested"), AMPLE).await;
    let renderer = renderers(&rig).pop().expect("a renderer runs");
    let status = std::fs::read_to_string(format!("/proc/{}/status", renderer.pid)).expect("it lives");
    assert!(status.lines().any(|line| line == "Seccomp:\t2"), "no seccomp filter: {status}");
    visit.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_killed_browser_and_its_contexts_name_the_signal() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let mut visit = visit(browser.as_ref(), &site.url("/nested"), AMPLE).await;
    leader(&rig).signal(Signal::KILL);
    let (end, fault) = tokio::join!(browser.ended(), visit.evaluate("new Promise(() => {})"));
    assert!(matches!(&end, BrowserEnd::Died(how) if how.contains("signal 9")), "{end}");
    let fault = fault.expect_err("the browser is dead");
    assert!(fault.message.contains("signal 9"), "{fault}");
    visit.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_network_service_that_ends_during_a_navigation_is_the_browser_s_crash() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    // A target is created with its URL; a context without a page navigates later.
    for first in [Some(goto(&site.url("/hang"))), None] {
        let before = site.hits("/hang");
        let request = OpenRequest { setup: Setup::default(), first };
        let mut context = browser.open(request, AMPLE).ready().await.expect("a context");
        let navigating = open(context.as_mut(), goto(&site.url("/hang")), AMPLE);
        let killing = async {
            while site.hits("/hang") == before {
                tokio::task::yield_now().await;
            }
            let mut services = rig.processes();
            services.retain(|process| process.args.contains("network.mojom.NetworkService"));
            services.pop().expect("it runs").signal(Signal::KILL);
        };
        let (fault, ()) = tokio::join!(navigating, killing);
        let fault = fault.expect_err("nothing can come any more");
        assert_eq!((fault.class, fault.recurrence), (FailureClass::BrowserCrash, Recurrence::Transient));
        assert!(fault.message.contains("network service ended"), "{fault}");
        context.close().await.expect("gone");
    }
    let after = visit(browser.as_ref(), &site.url("/nested"), AMPLE).await;
    assert!(after.page.is_ok(), "the browser has another: {:?}", after.page);
    after.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_browser_that_does_not_start_says_why_and_leaves_nothing() {
    let script = |text: &str| {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("chromium-headless-shell");
        std::fs::write(&path, text).expect("writable");
        for (path, mode) in [(dir.path(), 0o755), (path.as_path(), 0o755)] {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
        }
        (dir, path)
    };
    use FailureClass::{BrowserCrash, Unsupported};
    for (text, class, recurrence, says) in [
        ("#!/bin/sh\necho out of luck >&2\nexit 7\n", BrowserCrash, Recurrence::Transient, "out of luck"),
        (
            "#!/bin/sh\necho 'FATAL: No usable sandbox!' >&2\nexit 1\n",
            Unsupported,
            Recurrence::Persistent,
            "turn this driver's `sandbox` off",
        ),
        ("#!/bin/sh\nsleep 60\n", BrowserCrash, Recurrence::Transient, "did not answer"),
        ("#!/no/such/interpreter\n", Unsupported, Recurrence::Persistent, "cannot start"),
    ] {
        let (_dir, executable) = script(text);
        let rig = Rig::with(CdpSettings {
            executable: Some(NamedPath::new(executable, "this test")),
            ..CdpSettings::default()
        });
        let clock = Clock::start();
        let fault = rig.driver.launch(BrowserId(0), Duration::from_secs(1)).await.err().expect(text);
        assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{fault}");
        assert!(fault.message.contains(says), "{fault}");
        assert!(clock.now().elapsed() < Duration::from_secs(5));
        rig.assert_clean();
    }
    let rig = Rig::with(CdpSettings { sandbox: Sandbox::Off, ..CdpSettings::default() });
    let browser = rig.launch().await;
    assert!(leader(&rig).args.contains("--no-sandbox"));
    browser.close().await.expect("gone");
    rig.assert_clean();
}
