//! Several remote ends, or a single one among others: which is asked, and what each holds.

use super::end::{grid, session};
use super::*;

/// A remote end with this number of slots, all free.
async fn with_slots(slots: usize) -> End {
    End::answering(move |method, path| if path == "/status" { grid(slots, 0) } else { well(method, path) })
        .await
}

/// Waits until each has reported its slots.
async fn until_told(rig: &Rig, slots: u32) {
    for _ in 0..1000 {
        if rig.driver.slots() == Some(slots) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?} slots, not {slots}", rig.driver.slots());
}

#[tokio::test]
async fn a_remote_end_that_refuses_costs_nothing_while_another_gives() {
    let refusing = End::answering(|method, path| match (method, path) {
        ("POST", "/session") => refusal(500, "session not created"),
        _ => well(method, path),
    });
    let (refusing, giving) = (refusing.await, End::answering(well).await);
    let rig = Rig::among(&[&refusing.url(), &giving.url()]);
    let browser = rig.launch().await;
    for _ in 0..40 {
        open(browser.as_ref(), AMPLE).await.expect("the other gives it").close().await.expect("gone");
    }
    browser.close().await.expect("gone");
    // Its breaker opens after five; on a slow machine it may have been tried again.
    assert!((5..10).contains(&refusing.asked("POST /session")), "{}", refusing.asked("POST /session"));
    assert_eq!(giving.asked("POST /session"), 40);
}

#[tokio::test]
async fn a_remote_end_that_lets_requests_wait_for_ever_is_told_as_soon_as_one_that_refuses() {
    let waiting = End::answering(|method, path| match (method, path) {
        ("POST", "/session") => Reply::Never,
        _ => well(method, path),
    });
    let (waiting, giving) = (waiting.await, End::answering(well).await);
    let rig = Rig::among(&[&waiting.url(), &giving.url()]);
    let browser = rig.launch().await;
    let mut given = 0;
    for _ in 0..12 {
        match open(browser.as_ref(), SHORT).await {
            Ok(context) => {
                given += 1;
                context.close().await.expect("gone");
            }
            Err(fault) => is(&fault, Overload, Transient),
        }
    }
    assert!(given >= 6, "{given}");
    browser.close().await.expect("gone");
}

#[tokio::test]
async fn sessions_go_where_there_is_a_slot() {
    let (small, large) = (with_slots(2).await, with_slots(6).await);
    let rig = Rig::among(&[&small.url(), &large.url()]);
    let browser = rig.launch().await;
    until_told(&rig, 8).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(open(browser.as_ref(), AMPLE).await.expect("a slot is free"));
    }
    assert_eq!((small.asked("POST /session"), large.asked("POST /session")), (2, 6));
    for context in held {
        context.close().await.expect("gone");
    }
    browser.close().await.expect("gone");
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_does_not_count_as_ours() {
    let end = End::answering(|method, path| match (method, path) {
        ("GET", "/status") => grid(8, 8),
        ("POST", "/session") => Reply::Never,
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    until_told(&rig, 1).await;
    for _ in 0..3 {
        is(&open(browser.as_ref(), SHORT).await.err().expect("all are taken"), Overload, Transient);
    }
    assert_eq!(rig.driver.slots(), Some(1), "strangers hold all eight, still");
    browser.close().await.expect("gone");
}

#[tokio::test]
async fn a_remote_end_that_goes_down_takes_its_own_sessions_only() {
    let silent = Arc::new(AtomicBool::new(false));
    let fallen = Arc::clone(&silent);
    let falling =
        End::answering(
            move |method, path| {
                if fallen.load(Ordering::Relaxed) { Reply::Html(502) } else { well(method, path) }
            },
        );
    let staying = End::answering(|method, path| match (method, path) {
        ("POST", "/session") => Reply::Json(200, session("2")),
        ("POST", _) => Reply::Json(200, json!({ "value": r#"{"ready":"<html></html>"}"# })),
        _ => well(method, path),
    });
    let (falling, staying) = (falling.await, staying.await);
    let rig = Rig::among(&[&falling.url(), &staying.url()]);
    let browser = rig.launch().await;
    let mut doomed = open(browser.as_ref(), AMPLE).await.expect("a session");
    let mut spared = open(browser.as_ref(), AMPLE).await.expect("a session");
    assert_eq!((falling.asked("POST /session"), staying.asked("POST /session")), (1, 1));
    silent.store(true, Ordering::Relaxed);
    is(&fails(doomed.as_mut(), AMPLE).await, BrowserCrash, Transient);
    spared.perform(&content(), AMPLE).await.expect("it is elsewhere");
    spared.close().await.expect("gone");
    silent.store(false, Ordering::Relaxed);
    doomed.close().await.expect("gone");
    browser.close().await.expect("gone");
    assert_eq!(rig.written(), 0);
}

#[tokio::test]
async fn a_remote_end_that_is_the_only_one_is_asked_all_the_same() {
    let mended = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&mended);
    let end = End::answering(move |method, path| match (method, path) {
        ("POST", "/session") if !works.load(Ordering::Relaxed) => refusal(500, "session not created"),
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    for _ in 0..8 {
        let browser = rig.launch().await;
        is(&open(browser.as_ref(), AMPLE).await.err().expect("refused"), Overload, Transient);
        browser.close().await.expect("gone");
    }
    mended.store(true, Ordering::Relaxed);
    let browser = rig.launch().await;
    open(browser.as_ref(), AMPLE).await.expect("a session").close().await.expect("gone");
    browser.close().await.expect("gone");
}
