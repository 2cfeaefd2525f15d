//! One client from its start to its end: how long, how many jobs, and whose processor time.
//!
//! The client's own processor time is read when it has ended and before it is reaped. What its control group took
//! beyond that is its browsers'.
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

/// How often results are looked at, and with it the precision of the times.
const LOOK: Duration = Duration::from_millis(5);
/// A client that takes longer is killed: 300 jobs take 20 seconds where they are slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// What a client took.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Its whole life: browsers started and ended.
    pub(crate) whole: Duration,
    /// Processor time of the client.
    pub(crate) client: Duration,
    /// Processor time of its browsers, where the system counts it.
    pub(crate) browsers: Option<Duration>,
    /// It said that all went well.
    pub(crate) content: bool,
}

/// Starts `command` and follows it to its end; `look` is called all the while with the client's number.
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

/// Whether it has; it stays a zombie.
fn has_ended(client: &Child) -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(Pid::from_child(client)), options)?.is_some())
}

/// Processor time of one process, user's and system's together, its children's left out.
fn own_time(process: u32) -> io::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything; the state after it is field 3, the times are 14 and 15.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}
