//! Measures one client from start to end: time, jobs, and processor time of client and browsers.
//!
//! The client's processor time is read after its end and before it is reaped. The rest of its control group's
//! processor time belongs to its browsers.
#![expect(
    clippy::disallowed_methods,
    reason = "clients are measured, not owned: each ends by itself or is killed"
)]

use std::fs;
use std::io;
use std::process::{Child, Command};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tokio::time::interval;

use crate::group::Group;
use crate::results::Results;

/// The interval of checks for results, and so the precision of the times.
const LOOK: Duration = Duration::from_millis(5);
/// A client that takes longer is killed: 300 jobs take 20 seconds where they are slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// The measurements of a client.
#[derive(Debug)]
pub(crate) struct Cost {
    /// The time from start to end, with the browsers' starts and ends.
    pub(crate) whole: Duration,
    /// Processor time of the client.
    pub(crate) client: Duration,
    /// Processor time of its browsers, where the system counts it.
    pub(crate) browsers: Option<Duration>,
    /// Whether its exit code was success.
    pub(crate) content: bool,
}

/// Starts `command` and waits for its end; `look` is called meanwhile with the client's process number.
pub(crate) async fn follow(
    command: &mut Command,
    results: &mut Results,
    mut look: impl FnMut(u32),
) -> io::Result<Cost> {
    let group = Group::make();
    let clock = Clock::start();
    let mut client = match &group {
        Ok(group) => group.around(|| command.spawn())??,
        Err(_) => command.spawn()?,
    };
    let number = client.id();
    let mut looks = interval(LOOK);
    while !has_ended(&client)? {
        if clock.now().elapsed() > PATIENCE {
            client.kill()?;
        }
        looks.tick().await;
        look(number);
        results.look(clock.now())?;
    }
    let whole = clock.now().elapsed();
    results.look(clock.now())?;
    let own = own_time(number)?;
    let content = client.wait()?.success();
    let used = group.and_then(|group| group.used());
    Ok(Cost { whole, client: own, browsers: used.ok().map(|used| used.saturating_sub(own)), content })
}

/// Starts a program that is not measured.
pub(crate) fn start(command: &mut Command) -> io::Result<Child> {
    command.spawn()
}

/// A command that runs `program`.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    Command::new(program)
}

/// Whether the client has ended; it stays a zombie.
fn has_ended(client: &Child) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(client)), options)?.is_some())
}

/// Processor time of one process, user's and system's together, its children's left out.
fn own_time(process: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may contain anything; state is field 3 after it, the times are 14 and 15.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}
