//! The table of `docs/generated/control.md`.

use std::fmt::Write as _;
use std::time::Duration;

use super::{CASES, Case, Course, Kind, TURN, WATCHED};

/// Seeds each row is the mean of.
pub const SEEDS: u64 = 10;

/// One policy's figures in one case: means over the seeds.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Attempts that succeeded in a minute.
    pub per_minute: f64,
    /// Kills by the kernel.
    pub oom_kills: f64,
    /// Attempts that ran out of time.
    pub timeouts: f64,
    /// Attempts that were evicted.
    pub evicted: f64,
    /// 95 of 100 creations took at most this number of seconds.
    pub creation_p95: f64,
    /// Contexts held before the turn, after the ramp.
    pub before: f64,
    /// Contexts held in the last 100 s.
    pub last: f64,
    /// Seconds until nine tenths of the steady state.
    pub ramp: f64,
    /// The most contexts ever held.
    pub most: u32,
}

impl Row {
    /// Runs a case on every seed.
    #[must_use]
    pub fn of(case: &Case, kind: Kind) -> Self {
        let courses: Vec<Course> = (0..SEEDS).map(|seed| case.run(kind, seed)).collect();
        let mean = |figure: &dyn Fn(&Course) -> f64| courses.iter().map(figure).sum::<f64>() / SEEDS as f64;
        let (turn, end) = (TURN.as_secs() as usize, WATCHED.as_secs() as usize);
        Self {
            per_minute: mean(&Course::per_minute),
            oom_kills: mean(&|course| course.oom_kills() as f64),
            timeouts: mean(&|course| course.timeouts as f64),
            evicted: mean(&|course| course.evicted as f64),
            creation_p95: mean(&|course| course.creation_p95().as_secs_f64()),
            before: mean(&|course| course.active(turn - 50, turn)),
            last: mean(&|course| course.active(end - 100, end)),
            ramp: mean(&|course| {
                let steady = course.active(turn - 50, turn);
                course.reaches(0, 0.9 * steady).map_or(f64::NAN, |second| second as f64)
            }),
            most: courses
                .iter()
                .flat_map(|course| &course.samples)
                .map(|sample| sample.active)
                .max()
                .unwrap_or(0),
        }
    }
}

/// The whole page.
#[must_use]
pub fn page() -> String {
    let mut text = format!(
        "# Fixed and adaptive limits, simulated\n\n\
         Written by `cargo xtask sim --control`; do not edit. Each figure is the mean of {SEEDS} seeds of {} s on virtual\n\
         time, with the production policies and a demand that never ends: 0.11-0.28 CPU-seconds a creation, 1 CPU-second a\n\
         page (log-normal), 120 MiB a page (log-normal), 150 MiB a browser, 20 contexts a browser. What happens, happens\n\
         at {} s. *Fixed* is 50 in creation and 100 active; *adaptive* has the same numbers as ceilings. The simulated\n\
         machine shows shapes, not the figures of a real one.\n\n\
         ![Contexts over time](control.svg)\n\n\
         | case | limits | done a minute | OOM kills | timed out | evicted | creation p95 | contexts at 100-150 s | in the last 100 s | 90 % after |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        Duration::as_secs(&WATCHED),
        TURN.as_secs(),
    );
    let mut losses = Vec::new();
    for case in &CASES {
        let rows = [Kind::Fixed, Kind::Adaptive].map(|kind| (kind, Row::of(case, kind)));
        for (kind, row) in &rows {
            let kind = format!("{kind:?}").to_lowercase();
            let _infallible = writeln!(
                text,
                "| {} | {kind} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} s | {:.0} | {:.0} | {:.0} s |",
                case.name,
                row.per_minute,
                row.oom_kills,
                row.timeouts,
                row.evicted,
                row.creation_p95,
                row.before,
                row.last,
                row.ramp
            );
        }
        losses.extend(loss(case, &rows[0].1, &rows[1].1));
    }
    text.push_str("\n## Where the adaptive limits lose\n\n");
    if losses.is_empty() {
        text.push_str("In none of these cases.\n");
    }
    text.extend(losses);
    text
}

fn loss(case: &Case, fixed: &Row, adaptive: &Row) -> Option<String> {
    let share = adaptive.per_minute / fixed.per_minute.max(1e-9);
    let slower = adaptive.ramp - fixed.ramp;
    let mut losses = Vec::new();
    if share < 0.995 {
        losses.push(format!("{:.0} % of the fixed limits' throughput", share * 100.0));
    }
    if slower > 2.0 {
        losses.push(format!("90 % of its steady state is reached {slower:.0} s later"));
    }
    if adaptive.oom_kills > 0.0 {
        losses.push(format!(
            "the kernel kills {:.1} pages (fixed: {:.1}): what is taken at once is gone before anybody can look",
            adaptive.oom_kills, fixed.oom_kills
        ));
    }
    (!losses.is_empty()).then(|| format!("* {}: {}.\n", case.name, losses.join("; ")))
}
