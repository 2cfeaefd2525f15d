//! The whole transport against a peer that misbehaves.

mod peer;

use std::time::Duration;

use chromiumoxide_cdp::cdp::browser_protocol::browser::GetVersionParams;
use chromiumoxide_cdp::cdp::browser_protocol::page::{self, EventLoadEventFired, NavigateParams};
use chromiumoxide_cdp::cdp::browser_protocol::target::{AttachToTargetParams, CreateTargetParams};
use chromiumoxide_cdp::cdp::js_protocol::runtime::EvaluateParams;
use futures_util::future::join_all;
use plimsoll_core::units::Bytes;
use proptest::prelude::*;
use serde_json::json;

use self::peer::{Peer, connect};
use super::*;

const SECOND: Duration = Duration::from_secs(1);
const LOAD: &[&str] = &[EventLoadEventFired::IDENTIFIER];

fn limits() -> ConnectionLimits {
    ConnectionLimits::default()
}

/// Waits, without advancing the time, until both sides are idle.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// A missing event must fail the test, not hang it.
async fn next(session: &Session) -> Result<Event, SessionEnd> {
    tokio::time::timeout(SECOND, session.next_event()).await.expect("an event or an end")
}

async fn answers(peer: &mut Peer, session: &Session) -> bool {
    let call = session.start(EvaluateParams::new("6*7"), SECOND).await.expect("open");
    let command = peer.receive().await;
    peer.reply(command.id, json!({"result": {"type": "number", "value": 42}})).await;
    call.reply().await.is_ok_and(|returns| returns.result.value == Some(json!(42)))
}

#[tokio::test(start_paused = true)]
async fn typed_commands_go_out_in_order_and_answers_may_come_in_any() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", &[]);
    let enable = session.start(page::EnableParams::default(), SECOND).await.expect("open");
    let navigate = session.start(NavigateParams::new("http://a/"), SECOND).await.expect("open");
    let (first, second) = (peer.receive().await, peer.receive().await);
    assert_eq!((&*first.method, &*second.method), ("Page.enable", "Page.navigate"));
    assert_eq!((first.session.as_deref(), second.params["url"].as_str()), (Some("S1"), Some("http://a/")));
    peer.reply(second.id, json!({"frameId": "F", "loaderId": "L"})).await;
    peer.reply(first.id, json!({})).await;
    assert_eq!(enable.reply().await.expect("answered"), page::EnableReturns {});
    assert_eq!(navigate.reply().await.expect("answered").frame_id.inner(), "F");
    let root = connection.root(&[]);
    let call = root.start(CreateTargetParams::new("about:blank"), SECOND).await.expect("open");
    let command = peer.receive().await;
    assert_eq!(command.session, None);
    peer.reply(command.id, json!({"targetId": "T"})).await;
    assert_eq!(call.reply().await.expect("answered").target_id.inner(), "T");
    let stats = connection.stats();
    assert_eq!((stats.sent, stats.received, stats.unknown, stats.pending), (3, 3, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn refusals_and_surprises_are_typed() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", &[]);
    let refused = session.start(NavigateParams::new(""), SECOND).await.expect("open");
    let shapeless = session.start(NavigateParams::new(""), SECOND).await.expect("open");
    let lost = session.start(NavigateParams::new(""), SECOND).await.expect("open");
    let error = |id, code, text| json!({"id": id, "error": {"code": code, "message": text}});
    let (first, second, third) = (peer.receive().await, peer.receive().await, peer.receive().await);
    peer.send(&error(first.id, -32000, "Cannot navigate to invalid URL")).await;
    peer.reply(second.id, json!({"frame": "F"})).await;
    peer.send(&error(third.id, -32001, "Session with given id not found.")).await;
    assert!(matches!(refused.reply().await, Err(CallError::Protocol { code: -32000, .. })));
    assert!(matches!(shapeless.reply().await, Err(CallError::Decode { .. })));
    assert!(matches!(lost.reply().await, Err(CallError::SessionGone { .. })));
    assert_eq!(next(&session).await.expect_err("the session is gone"), SessionEnd::Detached);
}

#[tokio::test(start_paused = true)]
async fn nonsense_is_counted_and_harms_nobody() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", LOAD);
    peer.send_bytes(b"\0garbage\0{\"id\":\0{}\0\xff\xfe\0").await;
    peer.send(&json!({"error": {"code": -32700, "message": "JSON: invalid token"}})).await;
    peer.reply(4_000_000, json!({})).await;
    peer.send(&json!({"id": u64::MAX, "result": {}})).await;
    peer.event("stranger", "Page.loadEventFired", json!({})).await;
    assert!(answers(&mut peer, &session).await);
    peer.reply(1, json!({"again": true})).await;
    settle().await;
    let stats = connection.stats();
    assert_eq!((stats.malformed, stats.unknown, stats.received), (6, 4, 11));
    assert_eq!(connection.disconnect(), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_at_its_deadline_and_the_late_answer_is_ignored() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", &[]);
    let before = peer.clock.now();
    let error = session.call(NavigateParams::new(""), 3 * SECOND).await.expect_err("no answer");
    assert!(matches!(error, CallError::Timeout { stage: CallStage::Reply, .. }), "{error}");
    let took = peer.clock.now().since(before);
    assert!((3 * SECOND..3 * SECOND + SECOND / 100).contains(&took), "{took:?}");
    assert_eq!(connection.last_received(), before, "the browser has been silent");
    assert_eq!(connection.stats().pending, 0);
    let late = peer.receive().await;
    peer.reply(late.id, json!({"frameId": "F"})).await;
    assert!(answers(&mut peer, &session).await);
    assert_eq!(connection.stats().unknown, 1);
    assert!(connection.last_received() > before);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_leaves_is_forgotten_and_leaves_no_half_message() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", &[]);
    // Longer than the pipe's buffer, so the write is still in progress when the caller leaves.
    let long = "x".repeat(1 << 20);
    let call = session.call(EvaluateParams::new(&*long), 60 * SECOND);
    assert!(tokio::time::timeout(SECOND, call).await.is_err());
    assert_eq!(connection.stats().pending, 0);
    let command = peer.receive().await;
    assert_eq!(command.params["expression"].as_str().map(str::len), Some(1 << 20));
    peer.reply(command.id, json!({})).await;
    assert!(answers(&mut peer, &session).await);
    assert_eq!(connection.stats().unknown, 1);
}

#[tokio::test(start_paused = true)]
async fn a_browser_that_does_not_read_costs_each_call_its_deadline_and_no_more() {
    let (connection, mut peer) = connect(ConnectionLimits { queued_commands: 4, ..limits() });
    let session = connection.session("S1", &[]);
    let long = "x".repeat(100 << 10);
    let calls = (0..20).map(|_| session.call(EvaluateParams::new(&*long), SECOND));
    let stages: Vec<_> = join_all(calls)
        .await
        .into_iter()
        .map(|result| match result {
            Err(CallError::Timeout { stage, .. }) => stage,
            other => panic!("not a timeout: {other:?}"),
        })
        .collect();
    assert!(stages.contains(&CallStage::Queue) && stages.contains(&CallStage::Reply), "{stages:?}");
    assert!(peer.clock.now().elapsed() < 2 * SECOND);
    assert_eq!(connection.stats().pending, 0);
    // The peer reads again: queued commands arrive complete, and the connection works again.
    for _ in stages.iter().filter(|stage| **stage == CallStage::Reply) {
        assert_eq!(peer.receive().await.params["expression"], long);
    }
    assert!(answers(&mut peer, &session).await);
}

#[tokio::test(start_paused = true)]
async fn death_fails_every_call_and_session_at_once() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", LOAD);
    let mut calls = Vec::new();
    for _ in 0..50 {
        calls.push(session.start(NavigateParams::new(""), 30 * SECOND).await.expect("open"));
    }
    let first = peer.receive().await;
    peer.reply(first.id, json!({"frameId": "F"})).await;
    peer.event("S1", EventLoadEventFired::IDENTIFIER, json!({"timestamp": 1.0})).await;
    peer.send_bytes(b"{\"id\":2,\"result\":{\"frame").await;
    let (clock, supervisor) = (peer.clock, peer.supervisor.clone());
    drop(peer);
    assert_eq!(connection.closed().await, Disconnect::Eof);
    let mut results = join_all(calls.into_iter().map(PendingCall::reply)).await.into_iter();
    assert!(results.next().is_some_and(|first| first.is_ok()), "what arrived before the end counts");
    let died = |error: &CallError| matches!(error, CallError::Disconnected { reason: Disconnect::Eof, .. });
    assert_eq!(results.filter(|result| result.as_ref().is_err_and(died)).count(), 49);
    let later = session.call(NavigateParams::new(""), SECOND).await.expect_err("closed");
    assert!(died(&later), "{later}");
    assert!(next(&session).await.is_ok(), "what waited is still given");
    let end = SessionEnd::Disconnected(Disconnect::Eof);
    assert_eq!(next(&session).await.expect_err("closed"), end);
    assert_eq!(next(&connection.session("S2", &[])).await.expect_err("closed"), end);
    assert_eq!(clock.now().elapsed(), Duration::ZERO, "nobody waited for a deadline");
    supervisor.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_beyond_the_limit_costs_its_call_or_its_event_and_nothing_else() {
    let (connection, mut peer) = connect(ConnectionLimits { frame: Bytes::kib(100), ..limits() });
    let (session, sibling) = (connection.session("S1", LOAD), connection.session("S2", LOAD));
    let call = session.start(EvaluateParams::new("1"), SECOND).await.expect("open");
    let command = peer.receive().await;
    let long = "x".repeat(3 << 20);
    peer.reply(command.id, json!({"result": {"type": "string", "value": long}})).await;
    let error = call.reply().await.expect_err("too large");
    assert!(matches!(error, CallError::AnswerTooLarge { size, .. } if size > Bytes::mib(3)), "{error}");
    peer.send_bytes(
        format!(
            "{{\"method\":\"Page.loadEventFired\",\"params\":{{\"a\":\"{long}\"}},\"sessionId\":\"S1\"}}\0"
        )
        .as_bytes(),
    )
    .await;
    let event = next(&session).await.expect("without its parameters");
    assert_eq!((&*event.method, event.params(), event.lagged), ("Page.loadEventFired", "{}", 1));
    assert!(answers(&mut peer, &session).await && answers(&mut peer, &sibling).await);
    assert_eq!((connection.disconnect(), connection.stats().pending), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_command_beyond_the_limit_is_not_sent() {
    let (connection, mut peer) = connect(ConnectionLimits { command: Bytes::kib(1), ..limits() });
    let session = connection.session("S1", &[]);
    let result = session.call(EvaluateParams::new("x".repeat(1 << 10)), SECOND).await;
    assert!(matches!(result, Err(CallError::TooLarge { .. })));
    assert!(answers(&mut peer, &session).await, "the browser sees only the next one");
}

#[tokio::test(start_paused = true)]
async fn a_flood_on_one_session_neither_grows_nor_delays_another() {
    let (connection, mut peer) = connect(ConnectionLimits { queued_events: 10, ..limits() });
    let (flooded, calm) = (connection.session("S1", LOAD), connection.session("S2", &[]));
    let call = calm.start(EvaluateParams::new("1"), SECOND).await.expect("open");
    let command = peer.receive().await;
    for number in 0..100_000 {
        peer.event("S1", EventLoadEventFired::IDENTIFIER, json!({"timestamp": number})).await;
        peer.event("S1", "Network.dataReceived", json!({"unwanted": number})).await;
    }
    peer.reply(command.id, json!({"result": {"type": "undefined"}})).await;
    assert!(call.reply().await.is_ok());
    let event = next(&flooded).await.expect("the newest ten are kept");
    assert_eq!(event.lagged, 99_990);
    assert_eq!(*event.parse::<EventLoadEventFired>().expect("typed").timestamp.inner(), 99_990.0);
    assert_eq!(next(&flooded).await.expect("nine more").lagged, 0);
    assert_eq!((connection.stats().lagged, connection.stats().received), (99_990, 200_001));
}

#[tokio::test(start_paused = true)]
async fn events_between_announcement_and_claim_are_kept() {
    let (connection, mut peer) = connect(limits());
    let root = connection.root(&[]);
    let attach = AttachToTargetParams::new("T".to_owned());
    let call = root.start(attach, SECOND).await.expect("open");
    let command = peer.receive().await;
    peer.target("attachedToTarget", "S1").await;
    peer.event("S1", "Page.frameNavigated", json!({})).await;
    peer.event("S1", EventLoadEventFired::IDENTIFIER, json!({"timestamp": 1.0})).await;
    peer.reply(command.id, json!({"sessionId": "S1"})).await;
    let id = call.reply().await.expect("attached").session_id;
    settle().await;
    let session = connection.session(id.inner(), LOAD);
    let event = next(&session).await.expect("it was kept");
    assert_eq!((&*event.method, event.lagged), (EventLoadEventFired::IDENTIFIER, 0));
    assert_eq!(connection.stats().unknown, 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_before_its_claim_says_so() {
    let (connection, mut peer) = connect(limits());
    peer.target("attachedToTarget", "S1").await;
    peer.target("detachedFromTarget", "S1").await;
    settle().await;
    let session = connection.session("S1", LOAD);
    assert_eq!(next(&session).await.expect_err("gone"), SessionEnd::Detached);
    let error = session.call(NavigateParams::new(""), SECOND).await.expect_err("gone");
    assert!(matches!(error, CallError::SessionGone { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_detach_fails_the_calls_of_that_session_at_once_and_no_others() {
    let (connection, mut peer) = connect(limits());
    let (doomed, other) = (connection.session("S1", LOAD), connection.session("S2", LOAD));
    let lost = doomed.start(NavigateParams::new(""), 30 * SECOND).await.expect("open");
    let kept = other.start(NavigateParams::new(""), 30 * SECOND).await.expect("open");
    let (_, command) = (peer.receive().await, peer.receive().await);
    peer.target("detachedFromTarget", "S1").await;
    assert!(matches!(lost.reply().await, Err(CallError::SessionGone { .. })));
    assert_eq!(peer.clock.now().elapsed(), Duration::ZERO);
    peer.reply(command.id, json!({"frameId": "F"})).await;
    assert!(kept.reply().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_already_waits_is_woken_by_an_event_and_by_the_end() {
    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", LOAD);
    let (event, ()) = tokio::join!(next(&session), async {
        settle().await;
        peer.event("S1", EventLoadEventFired::IDENTIFIER, json!({"timestamp": 1.0})).await;
    });
    assert_eq!(event.expect("open").params(), r#"{"timestamp":1.0}"#);
    let (end, ()) = tokio::join!(next(&session), async {
        settle().await;
        peer.target("detachedFromTarget", "S1").await;
    });
    assert_eq!(end.expect_err("gone"), SessionEnd::Detached);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_session_gets_no_more_events() {
    let (connection, mut peer) = connect(limits());
    drop(connection.session("S1", LOAD));
    peer.event("S1", EventLoadEventFired::IDENTIFIER, json!({"timestamp": 1.0})).await;
    settle().await;
    assert_eq!(connection.stats().unknown, 1);
}

#[tokio::test(start_paused = true)]
async fn ending_the_tasks_or_the_handles_ends_the_connection() {
    let (connection, peer) = connect(limits());
    let session = connection.session("S1", &[]);
    let call = session.start(GetVersionParams::default(), 30 * SECOND).await.expect("open");
    peer.supervisor.stop().await;
    let result = call.reply().await;
    assert!(matches!(result, Err(CallError::Disconnected { reason: Disconnect::Closed, .. })), "{result:?}");

    let (connection, mut peer) = connect(limits());
    let session = connection.session("S1", &[]);
    drop(connection);
    assert!(answers(&mut peer, &session).await, "a session keeps its connection");
    drop(session);
    let far_end = tokio::time::timeout(SECOND, peer.hangs_up()).await;
    assert!(far_end.is_ok(), "the browser sees that we left");
    peer.supervisor.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// For any order of replies and events and any read boundaries, each consumer gets its own messages, in order.
    #[test]
    fn every_message_reaches_its_owner_in_order(
        order in prop::collection::vec(0_usize..4, 1..60),
        cuts in prop::collection::vec(1_usize..90, 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        runtime.block_on(async {
            let (connection, mut peer) = connect(limits());
            let sessions = ["S0", "S1", "S2"].map(|id| connection.session(id, LOAD));
            let (mut calls, mut bytes, mut events) = (Vec::new(), Vec::new(), [0_u64; 3]);
            for (number, owner) in order.iter().enumerate() {
                let message = if let Some(count) = events.get_mut(*owner) {
                    *count += 1;
                    let (id, method) = (format!("S{owner}"), EventLoadEventFired::IDENTIFIER);
                    json!({"sessionId": id, "method": method, "params": {"timestamp": *count}})
                } else {
                    let call = sessions[0].start(NavigateParams::new("a"), SECOND).await.expect("open");
                    calls.push((call, number));
                    json!({"id": peer.receive().await.id, "result": {"frameId": number.to_string()}})
                };
                bytes.extend_from_slice(format!("{message}\0").as_bytes());
            }
            let mut cuts = cuts.iter().cycle();
            while !bytes.is_empty() {
                let cut = cuts.next().map_or(1, |cut| *cut).min(bytes.len());
                let rest = bytes.split_off(cut);
                peer.send_bytes(&bytes).await;
                settle().await;
                bytes = rest;
            }
            for (call, number) in calls {
                assert_eq!(call.reply().await.expect("answered").frame_id.inner(), &number.to_string());
            }
            for (session, count) in sessions.iter().zip(events) {
                for expected in 1..=count {
                    let event = next(session).await.expect("open");
                    let event: EventLoadEventFired = event.parse().expect("typed");
                    assert_eq!(*event.timestamp.inner(), expected as f64);
                }
            }
            assert_eq!((connection.stats().malformed, connection.stats().unknown), (0, 0));
        });
    }
}
