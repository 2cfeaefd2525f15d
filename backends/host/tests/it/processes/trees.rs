//! How trees end: without a request, on request, by SIGTERM, by SIGKILL, or by a drop.

use std::time::Duration;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::spawn::Spawner;
use plimsoll_host::tree::{Exit, KillError, Ladder};
use rustix::process::{Pid, Signal};
use tokio::time::timeout;

use super::{PATIENCE, Witness, end, is_listed, sh, start, status, terminate_then_kill_after};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn an_end_is_seen_by_everyone_who_waits_and_by_those_who_come_late() {
    let (tree, witness) = start("exit 7").await;
    assert_eq!(tokio::join!(tree.wait(), tree.wait()), (Exit::Code(7), Exit::Code(7)));
    witness.rest().await;
    end(&tree, Ladder::NOW).await;
    assert!(!is_listed(tree.pid()), "a zombie is left");
    end(&tree, Ladder::NOW).await;
    assert_eq!(tree.wait().await, Exit::Code(7));
}

#[tokio::test]
async fn a_death_by_signal_names_the_signal() {
    let (tree, _witness) = start("kill -SEGV $$").await;
    assert_eq!(tree.wait().await, Exit::Signal(Signal::SEGV.as_raw()));
}

#[tokio::test]
async fn a_process_that_ends_as_asked_gets_no_signal() {
    let (mut tree_end, hold) = {
        let (witness, fd) = Witness::new();
        (witness, fd)
    };
    let (reader, asking) = std::io::pipe().expect("a pipe");
    let mut launch = sh("trap 'exit 99' TERM; echo ready >&3; read line <&4; exit 0", hold);
    launch.fds.push((reader.into(), 4));
    let tree =
        Spawner::start().expect("a thread").spawn(&Supervisor::root(), launch).await.expect("sh starts");
    tree_end.line().await;
    drop(asking);
    end(&tree, Ladder { ask: HOUR, term: HOUR, kill: HOUR }).await;
    assert_eq!(tree.wait().await, Exit::Code(0));
}

#[tokio::test]
async fn sigterm_is_enough_for_the_well_behaved() {
    let (tree, mut witness) = start("trap 'exit 5' TERM; echo ready >&3; while :; do sleep 0.01; done").await;
    witness.line().await;
    end(&tree, terminate_then_kill_after(HOUR)).await;
    assert_eq!(tree.wait().await, Exit::Code(5));
    witness.rest().await;
}

#[tokio::test]
async fn whoever_ignores_sigterm_is_killed() {
    let (tree, mut witness) = start("trap '' TERM; echo ready >&3; while :; do sleep 0.01; done").await;
    witness.line().await;
    end(&tree, terminate_then_kill_after(Duration::from_millis(50))).await;
    assert_eq!(tree.wait().await, Exit::Signal(9));
    witness.rest().await;
}

#[tokio::test]
async fn a_stopped_process_can_still_obey_sigterm() {
    let (tree, mut witness) = start("trap 'exit 5' TERM; echo ready >&3; while :; do :; done").await;
    witness.line().await;
    stop(tree.pid()).await;
    end(&tree, terminate_then_kill_after(HOUR)).await;
    assert_eq!(tree.wait().await, Exit::Code(5));
}

#[tokio::test]
async fn a_stopped_process_can_be_killed() {
    let (tree, mut witness) = start("echo ready >&3; exec sleep 1000").await;
    witness.line().await;
    stop(tree.pid()).await;
    end(&tree, Ladder::NOW).await;
    witness.rest().await;
}

/// Descendants that left: a group of its own, a session of its own, an orphan in a session of its own that ignores
/// SIGTERM, and an orphaned pair. Five lines report that all of them run.
const RUNAWAYS: &str = "
    set -m; sh -c 'echo group >&3; sleep 1000' & set +m
    setsid sh -c 'echo session >&3; sleep 1000' &
    (setsid sh -c 'trap \"\" TERM; echo orphan >&3; while :; do sleep 1000; done' &)
    (setsid sh -c 'setsid sh -c \"echo pair >&3; sleep 1000\" & echo pair >&3; sleep 1000' &)
";

#[tokio::test]
async fn descendants_that_left_group_session_and_parent_are_killed_too() {
    let (tree, mut witness) = start(&format!("{RUNAWAYS} sleep 1000")).await;
    for _ in 0..5 {
        witness.line().await;
    }
    end(&tree, terminate_then_kill_after(Duration::from_millis(50))).await;
    witness.rest().await;
}

#[tokio::test]
async fn descendants_are_found_though_the_leader_ended_long_before() {
    let (tree, mut witness) = start(RUNAWAYS).await;
    assert_eq!(tree.wait().await, Exit::Code(0));
    for _ in 0..5 {
        witness.line().await;
    }
    end(&tree, Ladder::NOW).await;
    witness.rest().await;
}

#[tokio::test]
async fn dropping_a_tree_kills_all_of_it() {
    let (tree, mut witness) = start(&format!("{RUNAWAYS} sleep 1000")).await;
    for _ in 0..5 {
        witness.line().await;
    }
    drop(tree);
    witness.rest().await;
}

#[test]
fn the_end_of_the_runtime_kills_all_of_it_and_leaves_no_zombie() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (ending, other) = (runtime(), runtime());
    // The witness uses a runtime that is not shut down.
    let (mut witness, fd) = other.block_on(async { Witness::new() });
    let script = format!("{RUNAWAYS} sleep 1000");
    let spawner = Spawner::start().expect("a thread");
    let tree = ending.block_on(spawner.spawn(&Supervisor::root(), sh(&script, fd))).expect("sh starts");
    other.block_on(async {
        for _ in 0..5 {
            witness.line().await;
        }
    });
    drop(ending);
    other.block_on(witness.rest());
    assert_eq!(other.block_on(tree.wait()), Exit::Unseen);
    assert!(matches!(other.block_on(tree.kill(Ladder::NOW)), Err(KillError::Interrupted)));
    let pid = tree.pid();
    drop(tree);
    assert!(!is_listed(pid));
}

#[tokio::test]
async fn the_tree_outlives_the_callers_spawner_handle() {
    let (tree, mut witness) = start("echo ready >&3; exec sleep 1000").await;
    // `start` has dropped its spawner: if its thread had ended, the death signal would be sent now.
    witness.line().await;
    assert!(timeout(Duration::from_millis(200), tree.wait()).await.is_err(), "died with the caller's handle");
    end(&tree, Ladder::NOW).await;
}

#[tokio::test]
async fn the_most_impatient_caller_sets_the_pace_for_all() {
    let (tree, mut witness) = start("echo ready >&3; exec sleep 1000").await;
    witness.line().await;
    let patient = tree.kill(Ladder { ask: HOUR, term: HOUR, kill: HOUR });
    let impatient = async {
        tokio::task::yield_now().await;
        tree.kill(Ladder::NOW).await
    };
    let both =
        timeout(PATIENCE, async { tokio::join!(patient, impatient) }).await.expect("nobody waits an hour");
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_stop_the_climb() {
    let (tree, mut witness) = start("trap '' TERM; echo ready >&3; while :; do sleep 0.01; done").await;
    witness.line().await;
    let left =
        timeout(Duration::from_millis(10), tree.kill(terminate_then_kill_after(Duration::from_millis(100))))
            .await;
    assert!(left.is_err());
    witness.rest().await;
    assert_eq!(tree.wait().await, Exit::Signal(9));
}

#[tokio::test]
async fn a_flood_without_newlines_neither_blocks_the_process_nor_fills_memory() {
    let (tree, witness) =
        start("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo; echo last words >&2; exit 3").await;
    witness.rest().await;
    assert_eq!(tree.wait().await, Exit::Code(3));
    let tail = tree.stderr_tail();
    assert_eq!(tail.len(), 1, "{tail:?}");
    assert_eq!(tail[0].len(), 1024);
}

#[tokio::test]
async fn the_last_words_are_there_as_soon_as_the_end_is_known() {
    for _ in 0..20 {
        let (tree, _witness) =
            start("i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done >&2; exit 1").await;
        assert_eq!(tree.wait().await, Exit::Code(1));
        let tail = tree.stderr_tail();
        assert_eq!((tail.len(), tail[63].as_str()), (64, "line 199"));
    }
}

#[tokio::test]
async fn the_supervisors_tasks_end_with_the_tree() {
    let supervisor = Supervisor::root();
    let (witness, fd) = Witness::new();
    let spawner = Spawner::start().expect("a thread");
    let tree = spawner.spawn(&supervisor, sh("sleep 1000 & sleep 1000", fd)).await.expect("sh starts");
    end(&tree, Ladder::NOW).await;
    timeout(PATIENCE, supervisor.stop()).await.expect("no task is left");
    witness.rest().await;
}

/// Stops the whole group and waits until the leader has stopped.
async fn stop(pid: i32) {
    let group = Pid::from_raw(pid).expect("not zero");
    rustix::process::kill_process_group(group, Signal::STOP).expect("it runs");
    let stopped = async {
        while !status(pid).contains("State:\tT") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, stopped).await.expect("stopped in time");
}
