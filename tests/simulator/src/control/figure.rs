//! The figure of `docs/generated/control.svg`: contexts over time, a panel for each case, a line for each policy.

use std::fmt::Write as _;

use super::{CASES, Case, Course, Kind, TURN, WATCHED};

const PANEL: (f64, f64) = (400.0, 150.0);
const GAP: (f64, f64) = (40.0, 58.0);
const MARGIN: (f64, f64) = (44.0, 60.0);
const COLUMNS: usize = 2;
/// Contexts at the top of a panel.
const TOP: f64 = 105.0;
const FIXED: &str = "#c2571a";
const ADAPTIVE: &str = "#1f6f8b";
/// The seed that is drawn: one run, not a mean, so that its swings can be seen.
const SEED: u64 = 0;

/// The whole figure.
#[must_use]
pub fn svg() -> String {
    let rows = CASES.len().div_ceil(COLUMNS) as f64;
    let width = 2.0 * MARGIN.0 + COLUMNS as f64 * PANEL.0 + GAP.0;
    let height = MARGIN.1 + rows * (PANEL.1 + GAP.1);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <title>Contexts over time under fixed and adaptive limits</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    legend(&mut text);
    for (index, case) in CASES.iter().enumerate() {
        let (column, row) = (index % COLUMNS, index / COLUMNS);
        let x = MARGIN.0 + column as f64 * (PANEL.0 + GAP.0);
        let y = MARGIN.1 + row as f64 * (PANEL.1 + GAP.1);
        panel(&mut text, case, (x, y));
    }
    text.push_str("</svg>\n");
    text
}

fn legend(text: &mut String) {
    let items = [(FIXED, "fixed: 50 in creation, 100 active"), (ADAPTIVE, "adaptive, the same as ceilings")];
    let mut x = MARGIN.0;
    for (colour, label) in items {
        let _infallible = writeln!(
            text,
            "<path d=\"M{x:.0} 22h22\" stroke=\"{colour}\" stroke-width=\"2\"/><text x=\"{:.0}\" y=\"26\">{label}</text>",
            x + 28.0
        );
        x += 250.0;
    }
    let _infallible = writeln!(
        text,
        "<circle cx=\"{:.0}\" cy=\"22\" r=\"3\" fill=\"#b00020\"/><text x=\"{:.0}\" y=\"26\">the kernel kills a page</text>",
        x + 4.0,
        x + 14.0
    );
}

fn panel(text: &mut String, case: &Case, (x, y): (f64, f64)) {
    let (width, height) = PANEL;
    let _infallible = writeln!(
        text,
        "<g transform=\"translate({x:.0} {y:.0})\">\n<text y=\"-8\" font-weight=\"600\">{}</text>",
        case.name
    );
    for contexts in [0.0, 50.0, 100.0] {
        let at = level(contexts);
        let _infallible = writeln!(
            text,
            "<path d=\"M0 {at:.1}h{width:.0}\" stroke=\"#d8dde3\"/><text x=\"-6\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#5b6470\">{contexts:.0}</text>",
            at + 4.0
        );
    }
    for seconds in [0, 150, 300, 450] {
        let _infallible = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#5b6470\">{seconds} s</text>",
            second(f64::from(seconds)),
            height + 16.0
        );
    }
    if case.turn.is_some() {
        let at = second(TURN.as_secs_f64());
        let _infallible = writeln!(
            text,
            "<path d=\"M{at:.1} 0v{height:.0}\" stroke=\"#5b6470\" stroke-dasharray=\"3 3\"/>"
        );
    }
    for (kind, colour) in [(Kind::Fixed, FIXED), (Kind::Adaptive, ADAPTIVE)] {
        line(text, &case.run(kind, SEED), colour);
    }
    text.push_str("</g>\n");
}

fn line(text: &mut String, course: &Course, colour: &str) {
    let points: Vec<_> = (0_u32..)
        .zip(&course.samples)
        .map(|(at, sample)| format!("{:.1},{:.1}", second(f64::from(at)), level(f64::from(sample.active))))
        .collect();
    let _infallible = writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>",
        points.join(" ")
    );
    for (at, pair) in (1_u32..).zip(course.samples.windows(2)) {
        if pair[1].oom_kills > pair[0].oom_kills {
            let (x, y) = (second(f64::from(at)), level(f64::from(pair[1].active)));
            let _infallible =
                writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\" fill=\"#b00020\"/>");
        }
    }
}

fn second(at: f64) -> f64 {
    at / WATCHED.as_secs_f64() * PANEL.0
}

fn level(contexts: f64) -> f64 {
    PANEL.1 - contexts / TOP * PANEL.1
}
