//! The end of sessions and shares: only verified sessions count as gone, and nothing waits for a stuck session.

use std::sync::atomic::AtomicU32;

use super::end::session;
use super::*;

/// A session's number, as a remote end gives it.
fn next(count: &AtomicU32) -> Reply {
    Reply::Json(200, session(&(count.fetch_add(1, Ordering::Relaxed) + 1).to_string()))
}

#[tokio::test]
async fn a_session_that_cannot_be_deleted_is_not_called_gone() {
    let mended = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&mended);
    let end = End::answering(move |method, path| match (method, path) {
        ("DELETE", _) if !works.load(Ordering::Relaxed) => Reply::Html(503),
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    let context = open(browser.as_ref(), AMPLE).await.expect("a session");
    context.close().await.expect_err("it is not known to be gone");
    assert_eq!(rig.written(), 1, "it stays written down");
    mended.store(true, Ordering::Relaxed);
    browser.close().await.expect("its browser sees to it");
}

#[tokio::test]
async fn a_session_that_cannot_be_deleted_leaves_its_neighbours_alone() {
    let (mended, count) = (Arc::new(AtomicBool::new(false)), AtomicU32::new(0));
    let works = Arc::clone(&mended);
    let end = End::answering(move |method, path| match (method, path) {
        ("POST", "/session") => next(&count),
        ("POST", _) => Reply::Json(200, json!({ "value": r#"{"ready":"<html></html>"}"# })),
        ("DELETE", "/session/1") if !works.load(Ordering::Relaxed) => Reply::Html(503),
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    let stuck = open(browser.as_ref(), AMPLE).await.expect("a session");
    let mut neighbour = open(browser.as_ref(), AMPLE).await.expect("a session");
    stuck.close().await.expect_err("it is not known to be gone");
    // So the fleet closes the browser, as it does when a context may be left.
    let going_on = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            neighbour.perform(&content(), AMPLE).await.expect("it is not touched");
        }
        neighbour.close().await.expect("gone");
        mended.store(true, Ordering::Relaxed);
    };
    let (closed, ()) = tokio::join!(browser.close(), going_on);
    closed.expect("at last it is gone");
    assert_eq!(rig.written(), 0);
}

#[tokio::test]
async fn sessions_of_a_share_are_deleted_beside_one_that_is_stuck() {
    let (mended, count) = (Arc::new(AtomicBool::new(false)), AtomicU32::new(0));
    let works = Arc::clone(&mended);
    let end = End::answering(move |method, path| match (method, path) {
        ("POST", "/session") => next(&count),
        ("DELETE", "/session/1") if !works.load(Ordering::Relaxed) => Reply::Never,
        _ => well(method, path),
    });
    let end = end.await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(open(browser.as_ref(), AMPLE).await.expect("a session"));
    }
    let others = async {
        end.until_asked("DELETE /session/2").await;
        end.until_asked("DELETE /session/3").await;
        mended.store(true, Ordering::Relaxed);
    };
    let clock = Clock::start();
    let (closed, ()) = tokio::join!(browser.close(), others);
    closed.expect("all are gone");
    assert!(clock.now().elapsed() < AMPLE, "{:?}", clock.now().elapsed());
    assert_eq!(rig.written(), 0, "those that the share itself deleted are struck too");
    drop(held);
}

/// A remote end that gives its session when the test releases it.
async fn late() -> (End, Arc<Notify>) {
    let told = Arc::new(Notify::new());
    let tell = Arc::clone(&told);
    let end = End::answering(move |method, path| match (method, path) {
        ("POST", "/session") => Reply::Late("late", Arc::clone(&told)),
        _ => well(method, path),
    });
    (end.await, tell)
}

#[tokio::test]
async fn a_session_that_comes_late_is_deleted() {
    let (end, tell) = late().await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    is(&open(browser.as_ref(), SHORT).await.err().expect("it is late"), Overload, Transient);
    tell.notify_one();
    end.until_asked("DELETE /session/late").await;
    browser.close().await.expect("nothing is left");
    assert_eq!(rig.written(), 0);
}

#[tokio::test]
async fn a_session_that_comes_while_its_share_is_closed_is_deleted() {
    let (end, tell) = late().await;
    let rig = Rig::at(&end.url());
    let browser = rig.launch().await;
    is(&open(browser.as_ref(), SHORT).await.err().expect("it is late"), Overload, Transient);
    let coming = async {
        tokio::time::sleep(SHORT).await;
        tell.notify_one();
    };
    let (closed, ()) = tokio::join!(browser.close(), coming);
    closed.expect("nothing is left");
    assert_eq!((end.asked("DELETE /session/late"), rig.written()), (1, 0));
}
