//! One client from its start to its end: how long, how many jobs, and whose processor time.
//!
//! The client is watched until it is a zombie: its own processor time is read then, before it is reaped. Whatever
//! it leaves behind becomes our child, so what all reaped processes took, less the client's own, is its browsers'.
#![expect(
    clippy::disallowed_methods,
    reason = "clients are measured, not owned: each ends by itself or is killed"
)]

use std::fs;
use std::io;
use std::process::{Child, Command};
use std::time::Duration;

use plimsoll_core::runtime::clock::Clock;
use rustix::process::{Pid, WaitId, WaitIdOptions, WaitOptions, waitid, waitpid};
use tokio::time::interval;

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
    /// Processor time of its browsers.
    pub(crate) browsers: Duration,
    /// It said that all went well.
    pub(crate) content: bool,
}

/// Starts `command` and follows it to its end; `look` is called all the while with the client's number.
pub(crate) async fn follow(
    command: &mut Command,
    results: &mut Results,
    mut look: impl FnMut(i32),
) -> io::Result<Cost> {
    // What a dead client leaves behind comes to us.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let reaped_before = Times::of("self")?.reaped;
    let clock = Clock::start();
    let mut client = command.spawn()?;
    let mut looks = interval(LOOK);
    while !has_ended(&client)? {
        if clock.now().elapsed() > PATIENCE {
            client.kill()?;
        }
        looks.tick().await;
        look(client.id().cast_signed());
        results.look(clock.now())?;
    }
    let whole = clock.now().elapsed();
    results.look(clock.now())?;
    let own = Times::of(&client.id().to_string())?.own;
    let content = client.wait()?.success();
    while let Ok(Some(_)) = waitpid(None, WaitOptions::NOHANG) {}
    let reaped = Times::of("self")?.reaped.saturating_sub(reaped_before);
    Ok(Cost { whole, client: own, browsers: reaped.saturating_sub(own), content })
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

/// Processor time, user's and system's together.
struct Times {
    own: Duration,
    /// Of its children that were reaped, and of theirs.
    reaped: Duration,
}

impl Times {
    fn of(process: &str) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name, in parentheses, may hold anything; the state after it is field 3, the times are 14 to 17.
        let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let ticks: Vec<u64> = fields.skip(11).take(4).map_while(|field| field.parse().ok()).collect();
        let [user, system, reaped_user, reaped_system] = ticks[..] else {
            return Err(io::Error::other("/proc/PID/stat has no times"));
        };
        let time = |ticks: u64| Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second());
        Ok(Self { own: time(user + system), reaped: time(reaped_user + reaped_system) })
    }
}
