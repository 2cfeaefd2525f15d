//! `plimsoll-sim`: runs the fleet's policies against simulated machines, many seeds at a time.
//!
//! Exit codes: 0 every seed held; 1 an invariant failed, or a planted bug was not found; 2 a mistake on the command line.
#![expect(clippy::print_stdout, reason = "a command-line program: its answer goes to stdout")]
#![expect(clippy::disallowed_methods, reason = "a stopwatch for people; no run depends on it")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use plimsoll_core::units::Bytes;
use plimsoll_simulator::control::{figure, table};
use plimsoll_simulator::journal::Journal;
use plimsoll_simulator::mutation::Mutation;
use plimsoll_simulator::report;
use plimsoll_simulator::run::run;
use plimsoll_simulator::scale::{Cost, Meter, cost, plan};
use plimsoll_simulator::sweep::{Tally, Until, sweep};

/// The number of seeds that are run twice, to check that a run is reproducible.
const TWICE: u64 = 50;
/// The number of seeds within which every planted bug must be found.
const PLANT_SEEDS: u64 = 1_000;

/// Runs the fleet's policies against simulated machines.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Run this seed alone, and tell everything about it if it fails.
    #[arg(long)]
    seed: Option<u64>,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Plant this bug around the policies.
    #[arg(long)]
    plant: Option<Mutation>,
    /// Only count the failures of each invariant.
    #[arg(long)]
    table: bool,
    /// Plant each bug in turn and print a table of what found it.
    #[arg(long)]
    plant_table: bool,
    /// Measure with this number of contexts: events a second, memory of each, what an admission costs.
    #[arg(long)]
    contexts: Option<u32>,
    /// Compare fixed and adaptive limits, and write control.md and control.svg into this directory.
    #[arg(long, value_name = "DIR")]
    control: Option<PathBuf>,
    /// End at the first failure and print one line about it.
    #[arg(long)]
    brief: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.plant_table {
        return plant_table();
    }
    if let Some(contexts) = args.contexts {
        return scale(contexts);
    }
    if let Some(dir) = &args.control {
        return control_figures(dir);
    }
    let (first, seeds) = args.seed.map_or((args.first, args.seeds), |seed| (seed, 1));
    let start = Instant::now();
    let until = if args.brief { Until::FirstFailure } else { Until::All };
    let tally = sweep(first, seeds, TWICE, args.plant, until);
    if args.brief {
        println!("{}", brief(&tally));
    } else {
        println!("{}", report::summary(&tally, start.elapsed()));
        if args.table {
            print!("{}", report::by_invariant(&tally));
        } else if let Some((seed, violation)) = tally.failures.first() {
            println!("\n{} of {seeds} seeds failed:", tally.failures.len());
            print!("{}", report::by_invariant(&tally));
            println!("\n{}", report::failure(*seed, violation, args.plant));
        }
    }
    if !tally.unsteady.is_empty() {
        println!("these seeds did not repeat themselves: {:?}", tally.unsteady);
    }
    if tally.failures.is_empty() && tally.unsteady.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One line for programs: the number of seeds and the invariant, or that none failed.
fn brief(tally: &Tally) -> String {
    tally.failures.first().map_or_else(
        || format!("none {}", tally.seeds),
        |(seed, violation)| format!("{} {}", seed + 1, violation.invariant.name()),
    )
}

fn control_figures(dir: &Path) -> ExitCode {
    let pages = [("control.md", table::page()), ("control.svg", figure::svg())];
    for (name, text) in pages {
        if let Err(why) = std::fs::write(dir.join(name), text) {
            println!("{}: {why}", dir.join(name).display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The most memory that the policies may hold for a context.
const BYTES_EACH: Bytes = Bytes::kib(2);
/// How many times the median admission of the largest fleet may cost that of the smallest. A cost that is linear in the
/// number of contexts is 100 times; the cache misses of a larger fleet are less than twice. Absolute times are shown and not
/// judged, because they depend on the machine and on what else it does.
const GROWTH: f64 = 6.0;

fn scale(contexts: u32) -> ExitCode {
    let meter = Watch { start: Instant::now() };
    // The largest first: its memory can only be measured while it is new to the process.
    let sizes = [100_000, 10_000, 1_000, 100].into_iter().filter(|n| *n <= contexts);
    let costs: Vec<Cost> = sizes.map(|n| cost(n, &meter)).collect();
    println!("{:>9} {:>10} {:>10} {:>10} {:>10}", "contexts", "admit p50", "admit p99", "read", "measured");
    for Cost { contexts, p50, p99, read, measured, .. } in costs.iter().rev() {
        println!("{contexts:>9} {p50:>10.1?} {p99:>10.1?} {read:>10.1?} {measured:>10.1?}");
    }
    let (Some(largest), Some(smallest)) = (costs.first(), costs.last()) else {
        println!("give at least 100 contexts");
        return ExitCode::from(2);
    };
    let growth = largest.p50.as_secs_f64() / smallest.p50.as_secs_f64();
    println!(
        "{} of memory for each context, admissions {growth:.1} times as long in the largest fleet",
        largest.each
    );

    let plan = plan(contexts);
    let before = processor_time();
    let done = run(&plan, None, Journal::NONE);
    let took = processor_time().saturating_sub(before);
    let speed = done.events as f64 / took.as_secs_f64();
    println!("{} events in {:.1} s, {speed:.0} events/s on one core", done.events, took.as_secs_f64());

    let mut faults = Vec::new();
    if growth > GROWTH {
        faults.push(format!("an admission may take {GROWTH} times as long in the largest fleet as in the smallest, not {growth:.1}"));
    }
    if largest.each > BYTES_EACH {
        faults.push(format!("a context may take {BYTES_EACH} of the policies' memory, not {}", largest.each));
    }
    faults.extend(done.violation.map(|violation| violation.to_string()));
    for fault in &faults {
        println!("{fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// This process's own clock and memory.
struct Watch {
    start: Instant,
}

impl Meter for Watch {
    fn time(&self) -> Duration {
        self.start.elapsed()
    }

    fn memory(&self) -> Bytes {
        // The second field of statm: resident pages, 4 KiB each.
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        Bytes::kib(4 * pages)
    }
}

/// The processor time of this thread: other programs do not count.
fn processor_time() -> Duration {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

fn plant_table() -> ExitCode {
    let mut missed = false;
    for plant in Mutation::ALL {
        let tally = sweep(0, PLANT_SEEDS, 0, Some(*plant), Until::FirstFailure);
        let found = brief(&tally);
        missed |= tally.failures.is_empty();
        let (seeds, invariant) = found.split_once(' ').unwrap_or(("none", ""));
        println!("| `{}` | {} | {seeds} | `{invariant}` |", plant.name(), plant.text());
    }
    if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
