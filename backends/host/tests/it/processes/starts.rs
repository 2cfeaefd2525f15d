//! The environment of a child, and the errors when it does not start.

use std::path::PathBuf;
use std::pin::pin;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::spawn::{Launch, SpawnError, Spawner};
use plimsoll_host::tree::{Exit, Ladder};

use super::{Witness, end, sh, start};

#[tokio::test]
async fn a_child_gets_its_own_variables_and_no_secrets() {
    // The variables of this test's environment stand for secrets.
    assert!(std::env::vars_os().count() > 6, "an environment with too little to leak");
    let (witness, fd) = Witness::new();
    let mut launch = sh("tr '\\0' '\\n' < /proc/$$/environ >&3", fd);
    launch.env.push(("HOME".into(), "/profile".into()));
    let tree =
        Spawner::start().expect("a thread").spawn(&Supervisor::root(), launch).await.expect("sh starts");
    let mut names: Vec<String> = witness
        .rest()
        .await
        .iter()
        .map(|line| line.split('=').next().unwrap_or_default().to_owned())
        .collect();
    names.retain(|name| !["LANG", "LC_ALL", "TZ"].contains(&name.as_str()));
    names.sort();
    assert_eq!(names, ["HOME", "PATH", "_PLIMSOLL_TREE"]);
    end(&tree, Ladder::NOW).await;
}

#[tokio::test]
async fn a_child_gets_the_streams_its_descriptors_and_no_others() {
    let (witness, three) = Witness::new();
    let (four, _writer) = std::io::pipe().expect("a pipe");
    // A descriptor that survives an exec, as a parent may leave it open.
    let stray = rustix::io::dup(&four).expect("a copy");
    rustix::io::fcntl_setfd(&stray, rustix::io::FdFlags::empty()).expect("ours");
    let mut launch =
        sh("n=0; while [ $n -lt 1024 ]; do [ -e /proc/$$/fd/$n ] && echo $n >&3; n=$((n+1)); done", three);
    launch.fds.push((four.into(), 4));
    let tree =
        Spawner::start().expect("a thread").spawn(&Supervisor::root(), launch).await.expect("sh starts");
    let lines = witness.rest().await;
    assert_eq!(lines, ["0", "1", "2", "3", "4"]);
    drop(tree);
}

#[tokio::test]
async fn a_child_may_open_as_many_files_as_the_hard_limit_allows() {
    let (tree, witness) = start("ulimit -Sn >&3; ulimit -Hn >&3").await;
    let limits = witness.rest().await;
    assert_eq!(limits[0], limits[1]);
    drop(tree);
}

#[tokio::test]
async fn a_child_outlives_the_reader_of_its_pipe() {
    let (tree, witness) = start("kill -PIPE $$; echo alive >&3").await;
    assert_eq!(witness.rest().await, ["alive"]);
    drop(tree);
}

#[tokio::test]
async fn a_child_leads_a_group_of_its_own() {
    let (tree, mut witness) = start("ps -o pgid= -p $$ >&3; exec sleep 1000").await;
    assert_eq!(witness.pid().await, tree.pid());
    end(&tree, Ladder::NOW).await;
    witness.rest().await;
}

#[tokio::test]
async fn root_starts_browsers_as_nobody_without_roots_groups() {
    let identity = Identity::for_browsers().expect("a user for browsers");
    let Identity::User { uid, gid, .. } = identity.clone() else {
        eprintln!("skipped: not root, so there is no identity to change");
        return;
    };
    let (witness, fd) = Witness::new();
    let launch = Launch { identity, ..sh("id -u >&3; id -G >&3", fd) };
    let tree =
        Spawner::start().expect("a thread").spawn(&Supervisor::root(), launch).await.expect("sh starts");
    assert_eq!(tree.wait().await, Exit::Code(0));
    let lines = witness.rest().await;
    assert_eq!(lines, [uid.to_string(), gid.to_string()]);
}

#[tokio::test]
async fn a_program_that_is_missing_is_told_with_its_place() {
    let (_witness, fd) = Witness::new();
    let launch = Launch { program: PathBuf::from("/no/such/browser"), ..sh("", fd) };
    let spawner = Spawner::start().expect("a thread");
    let error = spawner.spawn(&Supervisor::root(), launch).await.expect_err("must not start");
    assert!(
        matches!(&error, SpawnError::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    );
    assert_eq!(error.to_string(), "cannot start /no/such/browser in / as the current user");
}

#[tokio::test]
async fn descriptors_that_collide_are_refused_before_anything_starts() {
    let spawner = Spawner::start().expect("a thread");
    let (_witness, fd) = Witness::new();
    let launch = Launch { fds: vec![(fd, 2)], ..sh("", Witness::new().1) };
    let error = spawner.spawn(&Supervisor::root(), launch).await.expect_err("2 is standard error");
    assert!(matches!(error, SpawnError::Descriptor(2)), "{error}");

    let (fd, other) = (Witness::new().1, Witness::new().1);
    let launch = Launch { fds: vec![(fd, 3), (other, 3)], ..sh("", Witness::new().1) };
    let error = spawner.spawn(&Supervisor::root(), launch).await.expect_err("3 twice");
    assert!(matches!(error, SpawnError::DescriptorTwice(_)), "{error}");
}

#[tokio::test]
async fn a_caller_who_leaves_while_it_starts_leaks_nothing() {
    let spawner = Spawner::start().expect("a thread");
    let supervisor = Supervisor::root();
    let mut left_early = 0;
    for _ in 0..20 {
        let (witness, fd) = Witness::new();
        {
            let mut spawning = pin!(spawner.spawn(&supervisor, sh("exec sleep 1000", fd)));
            // Polled once, so that the request is on its way, then dropped.
            let pending =
                std::future::poll_fn(|cx| std::task::Poll::Ready(spawning.as_mut().poll(cx).is_pending()));
            left_early += usize::from(pending.await);
        }
        witness.rest().await;
    }
    assert!(left_early > 0, "every start was faster than its caller");
}
