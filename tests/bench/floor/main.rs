//! `bench-floor`: compares Plimsoll's job rate with that of a bare protocol client on the same browser.
//!
//! ```text
//!   bench-floor ──► page        a child that serves the page of the measurements
//!       │
//!       └─ round 1..n, each width, each client in turn:
//!              bench-floor bare | bench-floor chromiumoxide | plimsoll run ──► browser(s)
//!                         └─ results.jsonl, a line a job: read as they come, checked, timed
//! ```
//!
//! Every client does the same jobs: it opens an isolated context, loads the page, reads three values and closes the
//! context. Each client is a process of its own, so its processor time is separate from its browsers' and the
//! server's. Rates are compared with the bare client's of the same round, so that slow phases of the machine affect
//! all clients. The flags and the sandbox of the browsers are those of a running browser of Plimsoll.
//!
//! With `--protocol webdriver` the context is a session of a chromedriver, and the bare client one of HTTP.
//!
//! Exit codes: 1 a client did not finish its jobs; 2 a mistake on the command line; 3 the measurement failed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program for people")]

mod bare;
mod bare_webdriver;
mod contender;
mod cost;
mod failure;
mod flags;
mod group;
mod lanes;
mod launch;
mod options;
mod plan;
mod results;
mod table;
mod turn;
mod visit;

use std::io::Read;
use std::process::ExitCode;

use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_kit::bench_page;
use plimsoll_kit::site::LOOPBACK;

use crate::failure::Failure;
use crate::options::{Command, USAGE};

fn main() -> ExitCode {
    let command = match Command::read(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(mistake) => {
            eprintln!("bench-floor: {mistake}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("bench-floor: {failure}");
            ExitCode::from(3)
        }
    }
}

fn run(command: Command) -> Result<ExitCode, Failure> {
    // One thread: the bare client does little work, and passing it between threads costs more.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let supervisor = Supervisor::root();
        let done = match command {
            Command::Measure(options) => return plan::measure(&options).await,
            Command::Page => serve(),
            Command::Bare(work) => bare::run(&work, &supervisor).await,
            Command::BareWebDriver(work) => bare_webdriver::run(&work, &supervisor).await,
            Command::Contender(work) => contender::run(&work, &supervisor).await,
        };
        supervisor.stop().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

/// Serves the page until the parent process has ended.
fn serve() -> Result<(), Failure> {
    let site = bench_page::serve(LOOPBACK)?;
    println!("{}", site.url("/"));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
