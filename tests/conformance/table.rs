//! `docs/generated/drivers.md`: all verdicts, written by a command and compared by each run.
//!
//! A run with `PLIMSOLL_DRIVERS_TABLE=DIR` stores its verdicts there; [`the_table_is_whole`] with the same variable
//! writes the page from these files. Verdicts of drivers that did not run (often the grid) stay as they are in the
//! page.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_check::suites;
use plimsoll_core::capability::{Capabilities, Capability};

use crate::driver::{self, Subject};

/// The variable with the directory of the verdicts.
const KEEP: &str = "PLIMSOLL_DRIVERS_TABLE";
/// The text before the tables.
const HEAD: &str = include_str!("table.md");
/// The first table: what each driver declares. The others are suites.
const DECLARED: &str = "capabilities";

/// Verdicts by suite and case, then by driver.
type Cells = BTreeMap<(String, String), BTreeMap<String, String>>;

/// A cell of the page: what a driver does in a case.
pub(crate) struct Row {
    suite: &'static str,
    case: &'static str,
    cell: String,
}

impl Row {
    pub(crate) const fn of(suite: &'static str, case: &'static str, cell: String) -> Self {
        Self { suite, case, cell }
    }
}

/// Stores the verdicts on a driver, or compares them with the page.
pub(crate) fn keep(subject: &Subject, group: &str, rows: Vec<Row>, declared: Option<&Capabilities>) {
    let cases = rows.into_iter().map(|Row { suite, case, cell }| (suite, case, cell));
    let driver = subject.name;
    let yes = if subject.models.is_empty() { "yes" } else { "modelled" };
    let capabilities = declared.into_iter().flat_map(|declared| {
        let answer = |capability| if declared.contains(capability) { yes } else { "unsupported" };
        Capability::ALL
            .iter()
            .map(move |&capability| (DECLARED, capability.name(), answer(capability).to_owned()))
    });
    let lines = cases.chain(capabilities);

    if let Some(dir) = std::env::var_os(KEEP) {
        let text: String = lines.map(|(suite, case, cell)| format!("{suite}\t{case}\t{cell}\n")).collect();
        fs::write(Path::new(&dir).join(format!("{driver}.{group}")), text)
            .expect("a directory to keep them in");
        return;
    }
    let page = read();
    let told = |suite: &str, case: &str| {
        page.get(&(suite.to_owned(), case.to_owned())).and_then(|row| row.get(driver))
    };
    let differ = lines.filter(|(suite, case, cell)| told(suite, case) != Some(cell));
    let differ: Vec<_> = differ.map(|(suite, case, cell)| format!("  {suite}: {case}: {cell}\n")).collect();
    assert!(
        differ.is_empty(),
        "docs/generated/drivers.md says otherwise of {driver}; `cargo xtask docs drivers` writes it anew:\n{}",
        differ.concat()
    );
}

#[test]
fn the_table_is_whole() {
    if let Some(dir) = std::env::var_os(KEEP) {
        fs::write(path(), written(&kept(Path::new(&dir)))).expect("the docs are ours");
    }
    let text = fs::read_to_string(path()).unwrap_or_default();
    assert_eq!(
        text,
        written(&read()),
        "docs/generated/drivers.md is not as `cargo xtask docs drivers` writes it"
    );
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("|  "));
    let blank = rows.filter(|line| line.contains("|  |"));
    assert_eq!(blank.collect::<Vec<_>>(), Vec::<&str>::new(), "cells without a verdict");
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/generated/drivers.md")
}

/// The verdicts in the page.
fn read() -> Cells {
    let text = fs::read_to_string(path()).unwrap_or_default();
    let (mut cells, mut suite, mut drivers) = (Cells::new(), String::new(), Vec::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut suite);
        }
        let Some(row) = line.strip_prefix("| ") else { continue };
        let row: Vec<_> = row.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
        if row[0].is_empty() || drivers.is_empty() {
            drivers = row[1..].to_vec();
        } else {
            let case = row[0].replace('`', "").replace(' ', "_");
            cells.insert(
                (suite.clone(), case),
                drivers.iter().cloned().zip(row[1..].iter().cloned()).collect(),
            );
        }
    }
    cells
}

/// The verdicts in the page, replaced by those in `dir` where there are any.
fn kept(dir: &Path) -> Cells {
    let mut cells = read();
    for entry in fs::read_dir(dir).expect("verdicts were kept").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let driver = name.split('.').next().unwrap_or_default().to_owned();
        for line in fs::read_to_string(entry.path()).expect("text").lines() {
            let [suite, case, cell] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
            let row = cells.entry((suite.to_owned(), case.to_owned())).or_default();
            row.insert(driver.clone(), cell.to_owned());
        }
    }
    cells
}

/// The page.
fn written(cells: &Cells) -> String {
    let mut page = HEAD.to_owned();
    let capabilities = Capability::ALL.iter().map(|capability| capability.name()).collect();
    let suites = suites::all();
    let suites = suites.iter().map(|(suite, cases)| (*suite, cases.iter().map(|case| case.name).collect()));
    let drivers = driver::NAMES;
    for (suite, cases) in std::iter::once((DECLARED, capabilities)).chain(suites) {
        let cases: Vec<&str> = cases;
        let _infallible = write!(page, "\n## {suite}\n\n|  | {} |\n|---|", drivers.join(" | "));
        page.push_str(&"---|".repeat(drivers.len()));
        page.push('\n');
        for case in cases {
            let row = cells.get(&(suite.to_owned(), case.to_owned()));
            let cell = |driver: &&str| row.and_then(|row| row.get(*driver)).cloned().unwrap_or_default();
            let row: Vec<_> = drivers.iter().map(cell).collect();
            let case = if suite == DECLARED { format!("`{case}`") } else { case.replace('_', " ") };
            let _infallible = writeln!(page, "| {case} | {} |", row.join(" | "));
        }
    }
    page
}
