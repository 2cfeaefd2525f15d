//! Starts processes so that they cannot outlive us: the only place that starts a process.
//!
//! ```text
//!   spawn(launch) ──► [ spawner thread ] ── fork, setuid, death signal, exec ──► ProcessTree
//! ```
//!
//! The kernel sends a child its death signal when the *thread* that started it ends. So one thread, which runs until
//! the last [`Spawner`] handle and [`ProcessTree`] are dropped, starts all processes; a thread of an async runtime's
//! pool would end its browsers when it times out.
//!
//! A child gets a small environment instead of ours (no secrets leak), a process group of its own, no standard input
//! and output, a standard error that is drained, exactly the given descriptors, and the highest descriptor limit that
//! the hard limit allows; a write to a pipe without a reader does not kill it. When the caller of [`Spawner::spawn`]
//! leaves before the child has started, the child is killed.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use command_fds::{CommandFdExt, FdMapping, FdMappingCollision};
use plimsoll_core::runtime::supervisor::Supervisor;
use rustix::io::FdFlags;
use rustix::process::{Resource, Rlimit, Signal};
use tokio::sync::{mpsc, oneshot};

use crate::identity::Identity;
use crate::processes::{Kin, Process};
use crate::tree::{Leader, ProcessTree, Started};

/// Variables that a child inherits from us; everything else it gets from its [`Launch`].
const INHERITED: [&str; 4] = ["PATH", "LANG", "LC_ALL", "TZ"];
/// Requests that may wait for the spawner thread; further callers wait for room.
const QUEUE: usize = 16;
/// The variable that marks every process of a tree. Children inherit it, so a child that left its group, its session
/// and its parent is still found.
const MARK: &str = "_PLIMSOLL_TREE";

/// The process to start.
#[derive(Debug)]
pub struct Launch {
    /// The binary, as an absolute path.
    pub program: PathBuf,
    /// Its arguments, without the program's name.
    pub args: Vec<OsString>,
    /// Variables added to `PATH`, `LANG`, `LC_ALL` and `TZ`, which are ours.
    pub env: Vec<(OsString, OsString)>,
    /// The user that it runs as.
    pub identity: Identity,
    /// Descriptors that it inherits, each with its number in the child: 3 or above.
    pub fds: Vec<(OwnedFd, i32)>,
    /// Its working directory.
    pub dir: PathBuf,
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// A descriptor was mapped to standard input, output or error.
    #[error("child descriptor {0} belongs to the standard streams; use 3 or above")]
    Descriptor(i32),
    /// Two descriptors were mapped to the same number.
    #[error("two descriptors were given the same number in the child")]
    DescriptorTwice(#[from] FdMappingCollision),
    /// No descriptor or process could be made for it.
    #[error("cannot set descriptors aside for a new process; is this process at its limit (`ulimit -n`)?")]
    Reserve(#[source] io::Error),
    /// The operating system returned an error: missing file or directory, no permission, no memory, too many processes.
    #[error("cannot start {} in {} as {identity}", program.display(), dir.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Its working directory.
        dir: PathBuf,
        /// The user that it should have run as.
        identity: Identity,
        /// The system's error.
        source: io::Error,
    },
    /// It started but cannot be watched (it was killed again): a kernel before 5.4, or no `/proc`.
    #[error("started {} but cannot watch it; this needs Linux 5.4 or newer with /proc mounted", program.display())]
    Watch {
        /// The program.
        program: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The spawner thread has ended, which only a panic in it can cause.
    #[error("the spawner thread has ended")]
    SpawnerEnded,
}

/// Starts processes from one thread. Copies are handles to the same thread.
#[derive(Debug, Clone)]
pub struct Spawner {
    requests: mpsc::Sender<Request>,
    /// The leaders of started trees that may not be gone yet.
    leaders: Arc<Mutex<Vec<Weak<Leader>>>>,
}

#[derive(Debug)]
struct Request {
    launch: Launch,
    reply: oneshot::Sender<Result<Started, SpawnError>>,
}

impl Spawner {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn start() -> io::Result<Self> {
        let (requests, mut inbox) = mpsc::channel::<Request>(QUEUE);
        thread::Builder::new().name("spawner".to_owned()).spawn(move || {
            while let Some(Request { launch, reply }) = inbox.blocking_recv() {
                // A caller that has left gets nothing, and the started process is killed on drop.
                drop(reply.send(start(launch)));
            }
        })?;
        Ok(Self { requests, leaders: Arc::default() })
    }

    /// Starts a process. `supervisor` owns the tasks that watch it; they end when the tree has gone, so stop it only
    /// after its trees were killed or dropped.
    ///
    /// A caller that leaves early leaks nothing: its process is killed.
    ///
    /// # Errors
    /// See [`SpawnError`]; no process runs then.
    pub async fn spawn(&self, supervisor: &Supervisor, launch: Launch) -> Result<ProcessTree, SpawnError> {
        let program = launch.program.clone();
        let (reply, started) = oneshot::channel();
        self.requests.send(Request { launch, reply }).await.map_err(|_| SpawnError::SpawnerEnded)?;
        let started = started.await.map_err(|_| SpawnError::SpawnerEnded)??;
        self.known_leaders().push(Arc::downgrade(&started.leader));
        ProcessTree::watch(started, Box::new(self.clone()), supervisor)
            .map_err(|source| SpawnError::Watch { program, source })
    }
}

impl Spawner {
    /// The numbers of started processes whose trees are not gone: each leads a group of its own.
    #[must_use]
    pub fn leaders(&self) -> BTreeSet<i32> {
        let mut known = self.known_leaders();
        known.retain(|leader| leader.strong_count() > 0);
        known.iter().filter_map(Weak::upgrade).map(|leader| leader.pid()).collect()
    }

    fn known_leaders(&self) -> MutexGuard<'_, Vec<Weak<Leader>>> {
        // A list of numbers cannot be left half changed.
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs on the spawner thread.
fn start(launch: Launch) -> Result<Started, SpawnError> {
    let Launch { program, args, env, identity, fds, dir } = launch;
    if let Some((_, number)) = fds.iter().find(|(_, number)| *number < 3) {
        return Err(SpawnError::Descriptor(*number));
    }
    // The standard library reports a failed exec over a descriptor of its own. Were its number one of ours, mapping
    // would overwrite it in the child; holding those numbers here makes it choose others.
    let held: Result<Vec<OwnedFd>, _> =
        fds.iter().map(|(fd, number)| rustix::io::fcntl_dupfd_cloexec(fd, *number)).collect();
    let _held = held.map_err(|errno| SpawnError::Reserve(errno.into()))?;

    let mark = format!("{MARK}={}", next_mark());
    let mut command = command(&program);
    command.args(args).envs(env).current_dir(&dir).process_group(0);
    command.env(MARK, &mark[MARK.len() + 1..]);
    if let Identity::User { uid, gid, .. } = &identity {
        command.uid(*uid).gid(*gid);
    }
    // Before the mapping, which opens the descriptors for the child.
    prepare_child(&mut command, open_descriptors().map_err(SpawnError::Reserve)?);
    command.fd_mappings(
        fds.into_iter().map(|(parent_fd, child_fd)| FdMapping { parent_fd, child_fd }).collect(),
    )?;

    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(source) => return Err(SpawnError::Start { program, dir, identity, source }),
    };
    let stderr = child.stderr.take();
    let leader =
        Leader::new(child).map_err(|source| SpawnError::Watch { program: program.clone(), source })?;
    let founder = Process::read(leader.pid());
    match (founder, stderr) {
        (Some(founder), Some(stderr)) => {
            Ok(Started { leader: Arc::new(leader), stderr: stderr.into(), kin: Kin::of(founder), mark })
        }
        _ => Err(SpawnError::Watch { program, source: io::Error::from(io::ErrorKind::NotFound) }),
    }
}

/// A command with our small environment and no standard streams except standard error.
#[expect(clippy::disallowed_methods, reason = "the one place that starts processes")]
fn command(program: &PathBuf) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(INHERITED.iter().filter_map(|name| Some((name, env::var_os(name)?))));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The changes that the child makes to itself between fork and exec, after it has changed its user: a later change of
/// the user would clear the death signal. `to_close` are the descriptors that must not survive the exec.
#[expect(unsafe_code, reason = "the standard library has no safe way to run code between fork and exec")]
fn prepare_child(command: &mut Command, to_close: Vec<RawFd>) {
    let parent = rustix::process::getpid();
    let prepare = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        // A parent that ended before that call sends no signal any more.
        if rustix::process::getppid() != Some(parent) {
            return Err(rustix::io::Errno::SRCH.into());
        }
        for &number in &to_close {
            // SAFETY: borrowed for one call. If the number was closed meanwhile, the call fails, which does no harm.
            let _ = rustix::io::fcntl_setfd(unsafe { BorrowedFd::borrow_raw(number) }, FdFlags::CLOEXEC);
        }
        // chromedriver writes to the pipe of a browser that has just ended, and SIGPIPE would kill it with all its
        // browsers. The standard library resets each child to the default action, which is to end.
        // SAFETY: a plain system call, which installs no function.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
        let limit = rustix::process::getrlimit(Resource::Nofile);
        // A browser with a lower limit is better than no browser.
        let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
        Ok(())
    };
    // SAFETY: the closure makes plain system calls: it takes no lock, allocates nothing and touches no memory that
    // another thread may have left half-written at the fork.
    unsafe {
        command.pre_exec(prepare);
    }
}

/// Our descriptors above the standard streams. Those we opened ourselves close at an exec anyway; those that this
/// process inherited do not, and browsers must not get them.
fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let number: Option<RawFd> = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        numbers.extend(number.filter(|number| *number > 2));
    }
    Ok(numbers)
}

/// A text that is unique among the trees on this machine.
fn next_mark() -> String {
    static TREES: AtomicU64 = AtomicU64::new(0);
    let number = TREES.fetch_add(1, Ordering::Relaxed);
    format!("{}-{number}-{:016x}", rustix::process::getpid().as_raw_pid(), fastrand::u64(..))
}
