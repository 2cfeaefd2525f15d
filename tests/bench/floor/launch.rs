//! Starts and ends a browser, or its driver, for the clients of this binary, with the same user and sandbox as
//! Plimsoll.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileDir, ProfileRoot, default_base};
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::{Ladder, ProcessTree};

use crate::failure::Failure;

/// A browser or driver that was started.
pub(crate) struct Launched {
    tree: ProcessTree,
    pub(crate) profile: ProfileDir,
    /// The directory goes when this is dropped.
    _profiles: ProfileRoot,
}

impl Launched {
    /// Starts a browser with these arguments and descriptors.
    pub(crate) async fn start(
        flags: &[String],
        driven: &str,
        fds: Vec<(OwnedFd, i32)>,
        supervisor: &Supervisor,
    ) -> Result<Self, Failure> {
        let program = browser::find(None)?.path;
        Self::run(program, fds, supervisor, |profile| {
            let mut place = OsString::from("--user-data-dir=");
            place.push(profile.path());
            flags.iter().map(OsString::from).chain([place, driven.into()]).collect()
        })
        .await
    }

    /// Starts a chromedriver on a port that it chooses and logs.
    pub(crate) async fn driver(supervisor: &Supervisor) -> Result<Self, Failure> {
        // It prints the port on its stdout, which is not read.
        let told = ["-c", "exec chromedriver --port=0 >&2"];
        Self::run("/bin/sh".into(), Vec::new(), supervisor, |_| told.map(OsString::from).into()).await
    }

    async fn run(
        program: PathBuf,
        fds: Vec<(OwnedFd, i32)>,
        supervisor: &Supervisor,
        args: impl FnOnce(&ProfileDir) -> Vec<OsString>,
    ) -> Result<Self, Failure> {
        let identity = Identity::for_browsers()?;
        let profiles = ProfileRoot::open(&default_base(), &identity)?;
        let profile = profiles.create("browser")?;
        let launch = Launch {
            program,
            args: args(&profile),
            env: vec![("HOME".into(), profile.path().into()), ("TMPDIR".into(), profile.tmp().into())],
            identity,
            fds,
            dir: profile.path().to_owned(),
        };
        let tree = Spawner::start()?.spawn(supervisor, launch).await?;
        Ok(Self { tree, profile, _profiles: profiles })
    }

    /// Waits for a log line in which `find` finds a value.
    pub(crate) async fn said<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.tree.said(find).await
    }

    /// Waits for the browser, which was asked to end, and removes its files.
    pub(crate) async fn end(self, supervisor: &Supervisor) -> Result<(), Failure> {
        self.end_by(Ladder::default(), supervisor).await
    }

    /// Ends it by `ladder`, and removes its files.
    pub(crate) async fn end_by(self, ladder: Ladder, supervisor: &Supervisor) -> Result<(), Failure> {
        self.tree.kill(ladder).await?;
        Ok(self.profile.remove(supervisor).await?)
    }
}
