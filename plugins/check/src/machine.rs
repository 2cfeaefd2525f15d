//! What a driver is made from, and who makes it: [`Machine`], [`DriverSource`].

use std::error::Error;
use std::fs::{Permissions, set_permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use plimsoll_core::port::Driver;
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_host::identity::{Identity, IdentityError};
use plimsoll_host::profile::{ProfileError, ProfileRoot};
use plimsoll_host::spawn::Spawner;
use tempfile::TempDir;

/// Makes the driver under test.
#[async_trait(?Send)]
pub trait DriverSource {
    /// Makes a driver. It keeps its files in [`Machine::dir`], so that what it leaves is found.
    ///
    /// # Errors
    /// When the driver cannot be made.
    async fn make(&self, machine: &Machine) -> Result<Arc<dyn Driver>, Box<dyn Error>>;

    /// The process of a server that outlives the driver's browsers, if there is one.
    fn server(&self) -> Option<i32> {
        None
    }

    /// Ends that server.
    async fn end_server(&self) {}
}

/// The resources for making a driver.
pub struct Machine {
    /// Starts processes.
    pub spawner: Spawner,
    /// The user of browsers.
    pub identity: Identity,
    /// Where browsers keep their profiles.
    pub profiles: Arc<ProfileRoot>,
    /// Owns every task of the driver.
    pub supervisor: Supervisor,
    /// The clock of the run.
    pub clock: Clock,
    dir: Arc<TempDir>,
}

/// Why there is no machine for a driver.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// There is no place for files.
    #[error("no directory for the files of the check could be made")]
    Directory(#[source] io::Error),
    /// There is no user for browsers.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is no place for profiles.
    #[error(transparent)]
    Profiles(#[from] ProfileError),
    /// A thread could not be started.
    #[error("the thread that starts browsers could not be started")]
    Thread(#[source] io::Error),
}

impl Machine {
    /// A machine with a new directory, which is removed at the end.
    ///
    /// # Errors
    /// See [`MachineError`].
    pub fn open() -> Result<Self, MachineError> {
        let dir = tempfile::tempdir().map_err(MachineError::Directory)?;
        // If the check runs as root, browsers run as another user, who needs access to the profile.
        set_permissions(dir.path(), Permissions::from_mode(0o755)).map_err(MachineError::Directory)?;
        let identity = Identity::for_browsers()?;
        let profiles = Arc::new(ProfileRoot::open(dir.path(), &identity)?);
        Ok(Self {
            spawner: Spawner::start().map_err(MachineError::Thread)?,
            identity,
            profiles,
            supervisor: Supervisor::root(),
            clock: Clock::start(),
            dir: Arc::new(dir),
        })
    }

    /// The directory of all files.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The same machine with a supervisor whose tasks can be stopped by themselves.
    pub(crate) fn child(&self) -> Self {
        Self {
            spawner: self.spawner.clone(),
            identity: self.identity.clone(),
            profiles: Arc::clone(&self.profiles),
            supervisor: self.supervisor.child(),
            clock: self.clock,
            dir: Arc::clone(&self.dir),
        }
    }
}
