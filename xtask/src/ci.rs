//! `cargo xtask ci`: everything a change must pass. Every stage runs, so that one run shows every failure.
#![expect(clippy::disallowed_methods, reason = "a stopwatch for people; nothing decides by it")]

use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::program::{ProgramError, cargo, program, root, run as run_program, succeeds, target};
use crate::test;

/// How a stage ended.
enum Verdict {
    Passed(Duration),
    Failed(Duration, String),
    Skipped(&'static str),
}

pub(crate) fn run() -> Result<(), Failure> {
    let mut verdicts = vec![
        ("format", stage(|| command(&["fmt", "--all", "--check"]))),
        (
            "lints",
            stage(|| {
                command(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
            }),
        ),
        ("tests", stage(|| test::run(&[]))),
    ];
    verdicts.extend(after_the_tests());

    eprintln!();
    for (name, verdict) in &verdicts {
        match verdict {
            Verdict::Passed(time) => eprintln!("{name:<14} passed   {:>6.1} s", time.as_secs_f64()),
            Verdict::Failed(time, why) => {
                eprintln!("{name:<14} FAILED   {:>6.1} s  {why}", time.as_secs_f64());
            }
            Verdict::Skipped(why) => eprintln!("{name:<14} skipped  {why}"),
        }
    }
    match verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Failed(..))).count() {
        0 => Ok(()),
        failed => Err(Failure::Stages(failed)),
    }
}

/// The stages whose verdicts do not depend on time, two at a time: the check of thread orders seldom uses a second
/// processor.
fn after_the_tests() -> Vec<(&'static str, Verdict)> {
    thread::scope(|scope| {
        let orders = scope.spawn(|| stage(thread_orders));
        let mut verdicts = vec![
            ("simulation", stage(|| simulate(&["--seeds", "1000"]))),
            ("at scale", stage(|| simulate(&["--contexts", "10000"]))),
            ("program alone", stage(program_alone)),
            ("documentation", stage(documentation)),
            ("packages", stage(packages)),
            ("dependencies", dependencies()),
        ];
        let orders = orders.join().unwrap_or_else(|panic| resume_unwind(panic));
        verdicts.push(("thread orders", orders));
        verdicts
    })
}

fn stage(work: impl FnOnce() -> Result<(), Failure>) -> Verdict {
    let start = Instant::now();
    let end = work();
    match end {
        Ok(()) => Verdict::Passed(start.elapsed()),
        Err(failure) => Verdict::Failed(start.elapsed(), failure.to_string()),
    }
}

fn command(args: &[&str]) -> Result<(), Failure> {
    Ok(run_program(&mut cargo(args))?)
}

/// Runs the simulator that the tests have built. For itself, cargo would build it again, on dependencies with fewer
/// features; an optimised build takes longer than it saves.
fn simulate(args: &[&str]) -> Result<(), Failure> {
    let simulator = root().join(target()).join("debug/plimsoll-simulator");
    Ok(run_program(program(&[&simulator.to_string_lossy()]).args(args))?)
}

/// Checks that the binary needs no feature that only other members of the workspace ask for: the tests run a binary
/// that was built with them.
fn program_alone() -> Result<(), Failure> {
    command(&["check", "--quiet", "--locked", "--package", "plimsoll-cli", "--bin", "plimsoll"])
}

/// Model-checks every interleaving of permits and the fleet's loop. The flag changes every crate, so these builds
/// have a target directory of their own.
fn thread_orders() -> Result<(), Failure> {
    let test = ["test", "--locked", "--package", "plimsoll-core", "--test", "loom_permit"];
    let mut test = cargo(test);
    // Loom alone is optimised: it runs the test, and optimising the other crates takes longer than it saves.
    for package in ["loom", "generator"] {
        test.args(["--config", &format!("profile.dev.package.{package}.opt-level=3")]);
    }
    Ok(run_program(test.args(["--target-dir", "target/loom"]).env("RUSTFLAGS", "--cfg loom"))?)
}

fn documentation() -> Result<(), Failure> {
    let mut doc = cargo(["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    run_program(doc.env("RUSTDOCFLAGS", "-D warnings")).map_err(ProgramError::into)
}

/// Packs and builds the crates that are published as crates.io would get them.
fn packages() -> Result<(), Failure> {
    let packages = ["plimsoll-core", "plimsoll-plugin-abi", "plimsoll-plugin"];
    let named = packages.iter().flat_map(|package| ["--package", package]);
    let publish = ["publish", "--dry-run", "--locked", "--allow-dirty"];
    Ok(run_program(&mut cargo(publish.into_iter().chain(named)))?)
}

/// Checks the dependencies' licences, sources and versions by the rules in `deny.toml`.
fn dependencies() -> Verdict {
    if succeeds(&mut cargo(["deny", "--version"])) {
        stage(|| command(&["deny", "check", "bans", "licenses", "sources"]))
    } else {
        Verdict::Skipped("cargo-deny is not installed: cargo install --locked cargo-deny")
    }
}
