//! A browser for the clients of this binary: started and ended as Plimsoll does it, user and sandbox included.

use std::ffi::OsString;
use std::os::fd::OwnedFd;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::browser;
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileDir, ProfileRoot, default_base};
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::{Ladder, ProcessTree};

use crate::Failure;

/// A browser that was started.
pub(crate) struct Launched {
    tree: ProcessTree,
    pub(crate) profile: ProfileDir,
    /// The directory goes when this is dropped.
    _profiles: ProfileRoot,
}

impl Launched {
    /// Starts it with these arguments and descriptors.
    pub(crate) async fn start(
        flags: &[String],
        driven: &str,
        fds: Vec<(OwnedFd, i32)>,
        supervisor: &Supervisor,
    ) -> Result<Self, Failure> {
        let identity = Identity::for_browsers()?;
        let profiles = ProfileRoot::open(&default_base(), &identity)?;
        let profile = profiles.create("browser")?;
        let mut place = OsString::from("--user-data-dir=");
        place.push(profile.path());
        let mut args: Vec<OsString> = flags.iter().map(OsString::from).collect();
        args.extend([place, driven.into()]);
        let launch = Launch {
            program: browser::find(None)?.path,
            args,
            env: vec![("HOME".into(), profile.path().into()), ("TMPDIR".into(), profile.tmp().into())],
            identity,
            fds,
            dir: profile.path().to_owned(),
        };
        let tree = Spawner::start()?.spawn(supervisor, launch).await?;
        Ok(Self { tree, profile, _profiles: profiles })
    }

    /// Waits for the browser, which was asked to end, and removes what it leaves.
    pub(crate) async fn end(self, supervisor: &Supervisor) -> Result<(), Failure> {
        self.tree.kill(Ladder::default()).await?;
        Ok(self.profile.remove(supervisor).await?)
    }
}
