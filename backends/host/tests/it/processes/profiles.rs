//! Profile directories: their owners, when they are kept, and which files they leave alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileError, ProfileRoot, SweepReport};
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::Exit;

use super::{Witness, sh};

/// A place for profiles that any user can reach.
fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let base = dir.path().join("profiles");
    (dir, base)
}

fn open(base: &Path) -> ProfileRoot {
    ProfileRoot::open(base, &Identity::Current).expect("opens")
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("exists").mode() & 0o7777
}

fn entries(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).expect("readable").map(|entry| entry.expect("readable").file_name());
    let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The remains of an owner that was killed: a directory whose lock is free.
fn leave_dead_run(base: &Path, name: &str) -> PathBuf {
    let run = base.join(name);
    fs::create_dir_all(run.join("b1/tmp")).expect("writable");
    fs::write(run.join("owner.lock"), "").expect("writable");
    fs::write(run.join("b1/Cookies"), "data").expect("writable");
    run
}

#[test]
fn a_profile_and_all_that_leads_to_it_is_closed_to_others() {
    let (_dir, base) = place();
    let root = open(&base);
    let profile = root.create("b1").expect("creates");
    for path in [base.as_path(), root.path(), profile.path(), &profile.tmp()] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
}

#[tokio::test]
async fn the_browsers_user_owns_its_profile_and_sees_no_neighbours() {
    let identity = Identity::for_browsers().expect("a user for browsers");
    let Identity::User { uid, .. } = identity else {
        eprintln!("skipped: not root, so there is no identity to change");
        return;
    };
    let (_dir, base) = place();
    let root = ProfileRoot::open(&base, &identity).expect("opens");
    let profile = root.create("b1").expect("creates");
    assert_eq!((mode(&base), mode(root.path()), mode(profile.path())), (0o711, 0o711, 0o700));
    assert_eq!(fs::metadata(profile.tmp()).expect("exists").uid(), uid);

    let (witness, fd) = Witness::new();
    let script = "touch tmp/mine && echo wrote >&3; ls .. >/dev/null 2>&1 || echo blind >&3; touch ../x || echo shut >&3";
    let launch = Launch { identity, dir: profile.path().to_owned(), ..sh(script, fd) };
    let tree =
        Spawner::start().expect("a thread").spawn(&Supervisor::root(), launch).await.expect("sh starts");
    assert_eq!(tree.wait().await, Exit::Code(0));
    assert_eq!(witness.rest().await, ["wrote", "blind", "shut"]);
}

#[test]
fn a_way_that_is_closed_to_the_browsers_user_is_named() {
    let Ok(identity @ Identity::User { .. }) = Identity::for_browsers() else {
        eprintln!("skipped: not root, so there is no identity to change");
        return;
    };
    let (dir, base) = place();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("ours");
    let error = ProfileRoot::open(&base, &identity).expect_err("closed");
    let closed = dir.path().canonicalize().expect("exists");
    assert!(matches!(&error, ProfileError::Unreachable { dir, .. } if *dir == closed), "{error}");
}

#[test]
fn a_base_that_is_not_safely_ours_is_refused() {
    let (dir, base) = place();
    fs::create_dir(dir.path().join("elsewhere")).expect("writable");
    symlink(dir.path().join("elsewhere"), &base).expect("writable");
    let refused = |base: &Path| ProfileRoot::open(base, &Identity::Current).expect_err("must be refused");
    assert!(matches!(refused(&base), ProfileError::NotADirectory { .. }));
    assert_eq!(entries(&dir.path().join("elsewhere")), [""; 0]);

    fs::write(dir.path().join("file"), "").expect("writable");
    assert!(matches!(refused(&dir.path().join("file")), ProfileError::NotADirectory { .. }));

    if let Ok(other @ Identity::User { .. }) = Identity::for_browsers() {
        let foreign = dir.path().join("foreign");
        fs::create_dir(&foreign).expect("writable");
        other.take_ownership(&foreign).expect("root may");
        assert!(matches!(refused(&foreign), ProfileError::ForeignOwner { us: 0, .. }));
    }
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let (_dir, base) = place();
    let root = open(&base);
    for name in ["", ".", "..", "../x", "a/b", "/etc", "owner.lock", "a\0b", "ä"] {
        assert!(matches!(root.create(name), Err(ProfileError::BadName(_))), "{name:?}");
    }
    let _first = root.create("b1").expect("creates");
    assert!(matches!(root.create("b1"), Err(ProfileError::Io { action: "create", .. })));
}

#[tokio::test]
async fn removal_deletes_links_and_spares_what_they_point_to() {
    let (dir, base) = place();
    let treasure = dir.path().join("treasure");
    fs::create_dir(&treasure).expect("writable");
    fs::write(treasure.join("gold"), "gold").expect("writable");
    let root = open(&base);
    let lay_traps = |profile: &Path| {
        symlink(&treasure, profile.join("dir-link")).expect("writable");
        symlink(treasure.join("gold"), profile.join("tmp/file-link")).expect("writable");
        symlink("/", profile.join("root-link")).expect("writable");
        symlink(profile, profile.join("loop")).expect("writable");
        fs::create_dir(profile.join("closed")).expect("writable");
    };
    let removed = root.create("removed").expect("creates");
    lay_traps(removed.path());
    let path = removed.path().to_owned();
    removed.remove(&Supervisor::root()).await.expect("removes");
    assert!(!path.exists());
    let left = root.create("left").expect("creates");
    lay_traps(left.path());
    std::mem::forget(left);
    drop(root);
    assert_eq!(entries(&base), [""; 0]);
    assert_eq!(fs::read_to_string(treasure.join("gold")).expect("still there"), "gold");
}

#[tokio::test]
async fn removing_what_is_gone_is_no_error() {
    let (_dir, base) = place();
    let root = open(&base);
    let profile = root.create("b1").expect("creates");
    drop(root);
    profile.remove(&Supervisor::root()).await.expect("gone already");
}

#[test]
fn a_sweep_spares_the_living_and_removes_the_dead() {
    let (dir, base) = place();
    let (one, other) = (open(&base), open(&base));
    let kept = other.create("b1").expect("creates");
    leave_dead_run(&base, "run-1-dead");
    leave_dead_run(&base, ".trash-run-2-dead");
    fs::create_dir(base.join("run-3-without-lock")).expect("writable");
    fs::create_dir(base.join("notes")).expect("writable");
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).expect("writable");
    symlink(&outside, base.join("run-4-link")).expect("writable");

    let report = one.sweep().expect("sweeps");
    assert_eq!(report, SweepReport { dirs_removed: 3, processes_killed: 0, dirs_left: 0 });
    assert!(kept.path().exists() && one.path().exists());
    let name = |root: &ProfileRoot| root.path().file_name().expect("a name").to_string_lossy().into_owned();
    let mut expected = vec!["notes".to_owned(), "run-4-link".to_owned(), name(&one), name(&other)];
    expected.sort();
    assert_eq!(entries(&base), expected);
    assert_eq!(entries(&outside), [""; 0]);
    assert_eq!(one.sweep().expect("sweeps"), SweepReport::default());
}

#[tokio::test]
async fn a_sweep_kills_those_who_use_a_dead_owners_directory_and_no_one_else() {
    let (_dir, base) = place();
    let root = open(&base);
    let dead = leave_dead_run(&base, "run-1-dead");
    let neighbour = format!("{}er", dead.display());
    let spawner = Spawner::start().expect("a thread");
    let supervisor = Supervisor::root();
    let sleeper = |argument: String, fd| {
        let mut launch = sh("trap '' TERM; setsid sleep 1000 & echo ready >&3; wait", fd);
        launch.args.extend(["sh".into(), argument.into()]);
        launch
    };
    let (mut user, fd) = Witness::new();
    let argument = format!("--user-data-dir={}/b1", dead.display());
    let _using = spawner.spawn(&supervisor, sleeper(argument, fd)).await.expect("sh starts");
    let (mut bystander, fd) = Witness::new();
    let spared = spawner
        .spawn(&supervisor, sleeper(format!("--user-data-dir={neighbour}"), fd))
        .await
        .expect("sh starts");
    user.line().await;
    bystander.line().await;

    let sweep = supervisor.spawn_blocking("sweep", move || (root.sweep(), root));
    let (report, _root) = sweep.await.expect("does not panic");
    assert_eq!(report.expect("sweeps"), SweepReport { dirs_removed: 1, processes_killed: 2, dirs_left: 0 });
    user.rest().await;
    assert!(!dead.exists());
    let still_runs = tokio::time::timeout(std::time::Duration::from_millis(50), spared.wait()).await.is_err();
    assert!(still_runs, "a sweep killed a process of a directory whose name merely begins alike");
}

#[test]
fn many_owners_may_come_and_go_while_others_sweep() {
    let (_dir, base) = place();
    let work = || {
        for number in 0..30 {
            let root = open(&base);
            let profile = root.create("b1").expect("creates");
            fs::write(profile.path().join("state"), number.to_string()).expect("still ours");
            root.sweep().expect("sweeps");
            let state = fs::read_to_string(profile.path().join("state"));
            assert_eq!(state.expect("nobody swept the living"), number.to_string());
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    assert_eq!(entries(&base), [""; 0]);
}
