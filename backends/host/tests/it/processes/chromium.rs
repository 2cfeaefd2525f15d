//! The real browser: sandboxed, as an unprivileged user, over a pipe; and nothing of it is left.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileDir, ProfileRoot};
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::{Exit, Ladder, ProcessTree};
use plimsoll_host::{browser, sandbox};
use rustix::process::{Pid, Signal};

use tokio::time::timeout;

use super::{PATIENCE, end, status};

/// A browser and our ends of its two pipes.
struct Running {
    tree: ProcessTree,
    commands: std::io::PipeWriter,
    answers: std::io::PipeReader,
}

impl Running {
    async fn start(
        binary: &Path,
        identity: &Identity,
        profile: &ProfileDir,
        supervisor: &Supervisor,
    ) -> Self {
        let (child_reads, commands) = std::io::pipe().expect("a pipe");
        let (answers, child_writes) = std::io::pipe().expect("a pipe");
        let fds: Vec<(OwnedFd, i32)> = vec![(child_reads.into(), 3), (child_writes.into(), 4)];
        let user_data = format!("--user-data-dir={}", profile.path().display());
        let launch = Launch {
            program: binary.to_owned(),
            args: ["--headless", "--remote-debugging-pipe", "--no-first-run", &user_data]
                .map(Into::into)
                .into(),
            env: vec![("HOME".into(), profile.path().into()), ("TMPDIR".into(), profile.tmp().into())],
            identity: identity.clone(),
            fds,
            dir: profile.path().to_owned(),
        };
        let tree =
            Spawner::start().expect("a thread").spawn(supervisor, launch).await.expect("the browser starts");
        Self { tree, commands, answers }
    }

    /// Sends a command and reads until its answer, or until the browser has closed the pipe.
    async fn ask(&mut self, supervisor: &Supervisor, command: &str) -> String {
        self.commands.write_all(format!("{command}\0").as_bytes()).expect("the browser listens");
        let mut answers = self.answers.try_clone().expect("a copy");
        let reading = supervisor.spawn_blocking("answer", move || {
            let (mut message, mut byte) = (Vec::new(), [0]);
            while answers.read(&mut byte).expect("readable") == 1 {
                match byte[0] {
                    0 if message.starts_with(b"{\"id\"") => break,
                    0 => message.clear(),
                    byte => message.push(byte),
                }
            }
            String::from_utf8(message).expect("text")
        });
        reading.await.expect("does not panic")
    }

    /// Numbers of the processes in the browser's group, zombies that await their new parent excepted.
    fn group(&self) -> Vec<i32> {
        let all = fs::read_dir("/proc")
            .expect("readable")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        all.filter(|pid| {
            field(*pid, "NSpgid").first() == Some(&self.tree.pid()) && !status(*pid).contains("State:\tZ")
        })
        .collect()
    }
}

/// The numbers of a line of `/proc/PID/status`; those of namespaces go from ours inwards.
fn field(pid: i32, name: &str) -> Vec<i32> {
    let status = status(pid);
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_default().split_whitespace().filter_map(|number| number.parse().ok()).collect()
}

/// Whether it lives in a process namespace of its own behind a filter of system calls.
fn is_sandboxed(pid: i32) -> bool {
    field(pid, "NSpid").len() > 1 && field(pid, "Seccomp") == [2]
}

#[tokio::test]
async fn a_sandboxed_browser_starts_as_an_ordinary_user_and_leaves_nothing() {
    let Ok(binary) = browser::find(None) else {
        eprintln!("skipped: no browser on this machine");
        return;
    };
    assert_eq!(sandbox::obstacle(Path::new("/")), None, "the sandbox cannot work here");
    let identity = Identity::for_browsers().expect("a user for browsers");
    let place = tempfile::tempdir().expect("a directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    let root = ProfileRoot::open(&place.path().join("profiles"), &identity).expect("opens");
    let supervisor = Supervisor::root();

    for (name, polite) in [("closed", true), ("frozen", false)] {
        let profile = root.create(name).expect("creates");
        let mut browser = Running::start(&binary.path, &identity, &profile, &supervisor).await;
        let create = r#"{"id":1,"method":"Target.createTarget","params":{"url":"data:text/html,hello"}}"#;
        let answer = browser.ask(&supervisor, create).await;
        assert!(answer.contains("targetId"), "{answer:?}; {:?}", browser.tree.stderr_tail());

        // The answer comes before the renderer has enabled its sandbox.
        let shut_in = async {
            while !browser.group().into_iter().any(is_sandboxed) {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, shut_in).await.expect("a renderer in a sandbox");
        let group = browser.group();
        if let Identity::User { uid, .. } = &identity {
            assert!(group.iter().all(|pid| field(*pid, "Uid").iter().all(|id| id.cast_unsigned() == *uid)));
        }

        if polite {
            browser.ask(&supervisor, r#"{"id":2,"method":"Browser.close"}"#).await;
        } else {
            let leader = Pid::from_raw(browser.tree.pid()).expect("not zero");
            rustix::process::kill_process_group(leader, Signal::STOP).expect("it runs");
        }
        let ladder = if polite { Ladder::default() } else { Ladder::NOW };
        end(&browser.tree, ladder).await;
        let exit = browser.tree.wait().await;
        assert_eq!(exit, if polite { Exit::Code(0) } else { Exit::Signal(9) });
        assert_eq!(browser.group(), [0; 0]);
        profile.remove(&supervisor).await.expect("removes");
    }
    let report = root.sweep().expect("sweeps");
    assert_eq!(report.processes_killed, 0);
}
