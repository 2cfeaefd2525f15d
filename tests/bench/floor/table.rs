//! The figures as Markdown: medians, and the ratio of each client to the floor of the same round.

use std::fmt::Write;
use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use crate::options::Options;
use crate::turn::{Client, Turn, rate};

const HEAD: &str = "\
| client | jobs/s, steady | beside the floor | jobs/s, whole run | beside the floor | client CPU a job | browser CPU a job | done | lost load events | retried |
|---|---|---|---|---|---|---|---|---|---|
";

/// A turn in one line, to show progress.
pub(crate) fn line(name: &str, turn: &Turn) -> String {
    let mut line = format!(
        "{name:<16} {:6.2} jobs/s steady, {:6.2} whole, client {:5.2} ms a job, browser {:6.1} ms a job",
        steady(turn),
        whole(turn),
        each(turn.cost.client, turn),
        browsers(turn)
    );
    if turn.results.lost_loads > 0 {
        let _infallible = write!(line, ", {} load events lost", turn.results.lost_loads);
    }
    line
}

/// The whole table.
pub(crate) fn write(clients: &[Client], options: &Options, turns: &[Turn]) -> String {
    let (rounds, jobs) = (options.rounds, options.jobs);
    let mut text = format!("# Beside a bare protocol client\n\n{}\n\n", machine(turns));
    text += &format!(
        "{jobs} jobs a turn, a fresh context each; {rounds} rounds, all clients in each. Median; beside the floor: \
         the ratio to the floor's rate of the same round, median (lowest to highest). Steady is from the first \
         job's start to the last one's end, the whole run includes starting and ending browsers. Client CPU is the \
         client's own process, browser CPU all of its browsers.\n"
    );
    for flight in &options.flights {
        text += &format!("\n## {flight} in flight\n\n{HEAD}");
        for (number, client) in clients.iter().enumerate() {
            text += &row(client, number, *flight, jobs, turns);
        }
    }
    text += &wire(jobs, turns);
    text + &reports(clients, options, turns)
}

fn row(client: &Client, number: usize, flight: NonZeroU32, jobs: NonZeroU32, turns: &[Turn]) -> String {
    let of = |number: usize| turns.iter().filter(move |turn| (turn.client, turn.flight) == (number, flight));
    let median_of = |figure: &dyn Fn(&Turn) -> f64| median(of(number).map(figure).collect());
    let beside = |figure: &dyn Fn(&Turn) -> f64| {
        let mut ratios: Vec<f64> =
            of(number).zip(of(0)).map(|(turn, floor)| figure(turn) / figure(floor)).collect();
        ratios.sort_by(f64::total_cmp);
        let (Some(low), Some(high)) = (ratios.first().copied(), ratios.last().copied()) else {
            return String::new();
        };
        format!("{:.2} ({low:.2} to {high:.2})", median(ratios))
    };
    let sum = |figure: &dyn Fn(&Turn) -> u32| of(number).map(figure).sum::<u32>();
    format!(
        "| {} | {:.2} | {} | {:.2} | {} | {:.2} ms | {} | {} of {} | {} | {} |\n",
        client.name(),
        median_of(&steady),
        beside(&steady),
        median_of(&whole),
        beside(&whole),
        median_of(&|turn| each(turn.cost.client, turn)),
        counted(median_of(&browsers)),
        sum(&|turn| turn.results.done),
        jobs.get() * u32::try_from(of(number).count()).unwrap_or(u32::MAX),
        if matches!(client, Client::Bare(_)) {
            sum(&|turn| turn.results.lost_loads).to_string()
        } else {
            "-".into()
        },
        if matches!(client, Client::Plimsoll(_)) {
            sum(&|turn| turn.results.retried).to_string()
        } else {
            "-".into()
        },
    )
}

/// The machine of the measurement.
fn machine(turns: &[Turn]) -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let browser = turns.iter().find_map(|turn| turn.told["browser"].as_str().filter(|_| turn.client == 0));
    format!("{cores} cores, {}.", browser.unwrap_or("an unknown browser"))
}

/// The messages that the floor sends and receives.
fn wire(jobs: NonZeroU32, turns: &[Turn]) -> String {
    let floor = |key: &str| {
        let per_job = |told: &Value| told[key].as_f64().unwrap_or_default() / f64::from(jobs.get());
        median(turns.iter().filter(|turn| turn.client == 0).map(|turn| per_job(&turn.told)).collect())
    };
    let (sent, received) = (floor("sent"), floor("received"));
    format!("\nThe floor sends {sent:.1} commands a job and receives {received:.1} messages.\n")
}

/// Plimsoll's own figures, for comparison with the measurement from outside.
fn reports(clients: &[Client], options: &Options, turns: &[Turn]) -> String {
    let mut text = "\nWhat `report.json` says, medians:\n\n".to_owned();
    for (number, client) in clients.iter().enumerate() {
        for flight in options.flights.iter().filter(|_| matches!(client, Client::Plimsoll(_))) {
            let turns = || turns.iter().filter(|turn| (turn.client, turn.flight) == (number, *flight));
            let says =
                |key: &str| median(turns().map(|turn| turn.told[key].as_f64().unwrap_or_default()).collect());
            let name = client.name();
            text += &format!(
                "- {name}, {flight} in flight: {:.2} jobs/s in {:.1} s, supervisor CPU {:.2} s, at most {} active\n",
                says("jobs_per_s"),
                says("wall_s"),
                says("supervisor_cpu_s"),
                says("peak_active")
            );
        }
    }
    text
}

fn steady(turn: &Turn) -> f64 {
    turn.results.steady().map_or(0.0, |time| rate(turn.results.done, time))
}

fn whole(turn: &Turn) -> f64 {
    rate(turn.results.done, turn.cost.whole)
}

/// Milliseconds of `time` for each job done.
fn each(time: Duration, turn: &Turn) -> f64 {
    time.as_secs_f64() * 1000.0 / f64::from(turn.results.done.max(1))
}

/// NaN if the system does not count it.
fn browsers(turn: &Turn) -> f64 {
    turn.cost.browsers.map_or(f64::NAN, |time| each(time, turn))
}

/// The value in milliseconds, if it was counted.
fn counted(millis: f64) -> String {
    if millis.is_nan() { "-".into() } else { format!("{millis:.0} ms") }
}

/// The median; the mean of the two middle figures if their number is even; 0 for no figures.
fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(figures[middle - 1], figures[middle]),
        _ => figures[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        let expected = [(vec![], 0.0), (vec![3.0], 3.0), (vec![9.0, 1.0], 5.0), (vec![7.0, 1.0, 2.0], 2.0)];
        for (figures, middle) in expected {
            assert!((median(figures) - middle).abs() < f64::EPSILON, "{middle}");
        }
    }
}
