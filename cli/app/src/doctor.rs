//! `plimsoll doctor`: how many contexts of the chosen driver fit on this machine, which limit binds first and why, what is
//! missing, and the command that fixes it.
//!
//! ```text
//!   gather (facts: files, limits, a browser that is really started) ─► findings (pure) ─► Diagnosis ─► text or JSON
//! ```
//!
//! The settings are those of a run in the same place; the driver is that of jobs without a rule. The exit code is 0
//! when a run can work, 3 when something is missing that stops it. `--json` prints one object; these keys stay:
//!
//! ```text
//!   verdict     good | warning | missing: the worst state among the findings
//!   driver      its name
//!   capacity    contexts (null when no sensor tells), asked, contexts_per_browser, jobs_per_s,
//!               binding and constraints[]: {resource, scope, contexts, room, need_per_context, source}
//!               resource: memory | threads | descriptors; scope: run | browser
//!               room and need_per_context: bytes for memory, else a count
//!   findings[]  {what, state: good | warning | missing, detail, remedy: text or null}
//!   machine     cores, and each null when no sensor tells: memory {used, limit, source} in bytes,
//!               threads and descriptors {used, limit, source} (limit 0: none), disk {free, total, source} in bytes,
//!               inodes {used, limit, source}, shared_memory {free, total} in bytes
//! ```

mod checks;
mod diagnosis;
mod facts;
mod finding;
mod fonts;
mod limits;
#[cfg(test)]
mod sample;
mod text;
mod trial;

use std::fs::File;
use std::io::{IsTerminal, Write};

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::shown::printable;

use crate::args::DoctorArgs;
use crate::config;
use crate::failure::{Exit, Failure};
use crate::result_stream;
use plimsoll::process_limits;

use self::diagnosis::Diagnosis;
use self::finding::State;
use self::text::Style;

/// Examines the machine and prints what was found.
///
/// # Errors
/// When the settings are wrong or standard output is closed. What the machine lacks is a finding, not an error.
pub async fn doctor(args: DoctorArgs) -> Result<Exit, Failure> {
    let settings = config::settings(&args.settings, Vec::new())?;
    process_limits::raise_descriptors();
    let mut stdout = result_stream::claim().map_err(Failure::environment)?;
    let (supervisor, clock) = (Supervisor::root(), Clock::start());
    let facts = facts::gather(&settings, &supervisor, clock).await;
    supervisor.stop().await;
    let diagnosis = Diagnosis::of(&facts);
    let text = if args.json {
        printable(&(serde_json::to_string_pretty(&diagnosis).map_err(Failure::bug)? + "\n")).into_owned()
    } else {
        // With colours, which `printable` would escape.
        text::render(&diagnosis, style(&stdout))
    };
    stdout.write_all(text.as_bytes()).map_err(Failure::environment)?;
    Ok(match diagnosis.verdict {
        State::Good | State::Warning => Exit::Success,
        State::Missing => Exit::Environment,
    })
}

/// Colours on a terminal, unless `NO_COLOR` is set.
fn style(stdout: &File) -> Style {
    let without = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if stdout.is_terminal() && !without { Style::Coloured } else { Style::Plain }
}
