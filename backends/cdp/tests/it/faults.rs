//! Faults: renderers and browsers that are killed or stopped, and callers that leave.

use std::time::Duration;

use futures_util::future::join_all;
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::outcome::{FailureClass, Recurrence};
use plimsoll_core::port::{BrowserEnd, Driver, OpenRequest};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_kit::nasty_site;
use plimsoll_kit::processes::Process;
use plimsoll_kit::site::LOOPBACK;
use rustix::process::Signal;
use tokio::time::timeout;

use plimsoll_cdp::{CdpSettings, Sandbox};

use crate::rig::{AMPLE, Rig, goto, visit};

/// Soon enough to be called at once on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(3);

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
async fn a_killed_browser_ends_each_of_its_contexts_at_once() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let (browser, other) = (rig.launch().await, rig.launch().await);
    let mut survivor = visit(other.as_ref(), &site.url("/nested"), AMPLE).await;
    let url = site.url("/hang");
    let contexts = join_all((0..4).map(|_| async {
        let request = OpenRequest { setup: Setup::default(), first: Some(goto(&url)) };
        browser.open(request, AMPLE).await.expect("a context")
    }))
    .await;
    let victim = rig
        .processes()
        .into_iter()
        .find(|process| !process.args.contains("--type=") && process.args.contains("browser-0"));
    let lives = contexts.into_iter().map(|mut context| async {
        let step = plimsoll_core::step::Step::Goto(goto(&url));
        let fault = context.perform(&step, AMPLE).await.expect_err("its browser is dead");
        assert_eq!((fault.class, fault.recurrence), (FailureClass::BrowserCrash, Recurrence::Transient));
        assert!(fault.message.contains("signal 9"), "{fault}");
        context.close().await.expect("gone with its browser");
    });
    let killing = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        victim.expect("the browser runs").signal(Signal::KILL);
        let clock = Clock::start();
        let end = browser.ended().await;
        assert!(matches!(&end, BrowserEnd::Died(how) if how.contains("signal 9")), "{end}");
        clock
    };
    let (clock, _) = tokio::join!(killing, join_all(lives));
    assert!(clock.now().elapsed() < AT_ONCE);
    browser.close().await.expect("gone");
    let late = browser.open(OpenRequest { setup: Setup::default(), first: None }, AMPLE).await;
    assert_eq!(late.err().map(|fault| fault.class), Some(FailureClass::BrowserCrash));
    assert_eq!(survivor.evaluate("6 * 7").await.expect("untouched"), 42);
    survivor.close().await;
    other.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn a_stopped_browser_hangs_and_is_cleared_away() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    let mut visit = visit(browser.as_ref(), &site.url("/nested"), AMPLE).await;
    leader(&rig).signal(Signal::STOP);
    let clock = Clock::start();
    let (end, fault) = tokio::join!(browser.ended(), visit.evaluate("new Promise(() => {})"));
    assert!(matches!(end, BrowserEnd::Hung(silence) if silence >= Duration::from_secs(14)), "{end}");
    assert!(clock.now().elapsed() < Duration::from_secs(20));
    // Whichever was sooner: the step's own time, or the news of its browser.
    let class = fault.expect_err("its browser hangs").class;
    assert!(matches!(class, FailureClass::Timeout | FailureClass::BrowserCrash), "{class}");
    visit.close().await;
    browser.close().await.expect("gone");
    rig.assert_clean();
}

#[tokio::test]
async fn callers_who_leave_leave_nothing() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let browser = rig.launch().await;
    // Contexts whose opening is abandoned at many moments, and one that is dropped without being closed.
    for wait in [0, 1, 2, 4, 6, 8, 12, 16, 24] {
        let request = OpenRequest { setup: Setup::default(), first: Some(goto(&site.url("/nested"))) };
        let opening = browser.open(request, AMPLE);
        drop(timeout(Duration::from_millis(wait), opening).await);
    }
    let mut left = visit(browser.as_ref(), &site.url("/busy-later?ms=100000"), AMPLE).await;
    drop(timeout(Duration::from_millis(50), left.evaluate("new Promise(() => {})")).await);
    drop(left);
    let mut waited = 0;
    while !renderers(&rig).is_empty() {
        waited += 1;
        assert!(waited < 100, "renderers of abandoned contexts are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A browser whose launch is abandoned, and one that is dropped without being closed.
    for (id, wait) in [(90, 5), (91, 60), (92, 120)] {
        let launch = rig.driver.launch(BrowserId(id), AMPLE);
        drop(timeout(Duration::from_millis(wait), launch).await);
    }
    drop(browser);
    let mut waited = 0;
    while !rig.processes().is_empty() || !rig.profile_dirs().is_empty() {
        waited += 1;
        assert!(waited < 200, "left: {:?} {:?}", rig.processes(), rig.profile_dirs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
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
            "sandbox = false",
        ),
        ("#!/bin/sh\nsleep 60\n", BrowserCrash, Recurrence::Transient, "did not answer"),
        ("#!/no/such/interpreter\n", Unsupported, Recurrence::Persistent, "cannot start"),
    ] {
        let (_dir, executable) = script(text);
        let rig = Rig::with(CdpSettings { executable: Some(executable), ..CdpSettings::default() });
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
