//! An owner that is killed with SIGKILL ends its browsers too, and a later owner removes the rest.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileRoot, SweepReport};
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::{Exit, Ladder};
use rustix::process::{Pid, Signal};

use super::{PATIENCE, Witness, end, is_listed, sh, status};

/// The variable with the base for the owner that is going to be killed.
const BASE: &str = "TEST_PROFILE_BASE";

/// Not a test: the owner in the test below, which starts this function in a process of its own.
#[tokio::test]
#[ignore = "run by the test below in a process of its own"]
async fn doomed_owner() {
    let Some(base) = std::env::var_os(BASE) else { return };
    let root = ProfileRoot::open(Path::new(&base), &Identity::Current).expect("opens");
    let profile = root.create("b1").expect("creates");
    let witness = OpenOptions::new().write(true).open("/proc/self/fd/3").expect("inherited");
    // One child stays; a grandchild leaves group and session, so no death signal reaches it.
    let mut launch = sh("setsid sh -c 'echo $$ >&3; sleep 1000' \"$@\" & echo $$ >&3; wait", witness.into());
    launch.args.extend([
        "sh".into(),
        "browser".into(),
        format!("--user-data-dir={}", profile.path().display()).into(),
    ]);
    let spawner = Spawner::start().expect("a thread");
    let tree = spawner.spawn(&Supervisor::root(), launch).await.expect("sh starts");
    tree.wait().await;
}

#[tokio::test]
async fn what_a_killed_owner_leaves_is_cleared_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let base: PathBuf = dir.path().join("profiles");
    let (mut witness, fd) = Witness::new();
    let launch = Launch {
        program: std::env::current_exe().expect("this test"),
        args: ["--exact", "processes::owners::doomed_owner", "--ignored", "--nocapture"]
            .map(Into::into)
            .into(),
        env: vec![(BASE.into(), base.clone().into())],
        identity: Identity::Current,
        fds: vec![(fd, 3)],
        dir: dir.path().to_owned(),
    };
    let supervisor = Supervisor::root();
    let owner = Spawner::start().expect("a thread").spawn(&supervisor, launch).await.expect("starts");
    let pids = [witness.pid().await, witness.pid().await];
    let heir = ProfileRoot::open(&base, &Identity::Current).expect("opens");
    assert_eq!(heir.sweep().expect("sweeps"), SweepReport::default(), "the owner still lives");

    let session = |pid: i32| status(pid).lines().find(|line| line.starts_with("NSsid")).map(str::to_owned);
    let runs_away = |pid: &i32| session(*pid) == Some(format!("NSsid:\t{pid}"));
    let runaway = *pids.iter().find(|pid| runs_away(pid)).expect("one left the session");
    let child = *pids.iter().find(|pid| !runs_away(pid)).expect("one stayed");

    let owner_pid = Pid::from_raw(owner.pid()).expect("not zero");
    rustix::process::kill_process(owner_pid, Signal::KILL).expect("it runs");
    assert_eq!(owner.wait().await, Exit::Signal(9));
    let died = async {
        while is_listed(child) && !status(child).contains("State:\tZ") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, died).await.expect("the death signal reaches the child");
    assert!(is_listed(runaway));

    let sweep = supervisor.spawn_blocking("sweep", move || heir.sweep());
    let report = sweep.await.expect("does not panic").expect("sweeps");
    assert_eq!((report.dirs_removed, report.dirs_left), (1, 0));
    assert!(report.processes_killed >= 1);
    witness.rest().await;
    end(&owner, Ladder::NOW).await;
}
