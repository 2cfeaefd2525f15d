//! `plimsoll driver check` on libraries that keep what they declare, and on libraries that are broken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::desk::without_settings;

/// A library that cargo built beside this test.
fn library(file: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let library = test.with_file_name(file);
    assert!(library.is_file(), "{} is missing", library.display());
    library
}

/// Runs `plimsoll driver check` with these settings in a settings file.
#[expect(clippy::disallowed_methods, reason = "it ends by itself")]
fn check(driver: &str, args: &[&str], settings: &str) -> Output {
    let desk = tempfile::tempdir().expect("a directory");
    std::fs::write(desk.path().join("plimsoll.toml"), settings).expect("our own directory");
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["driver", "check", driver]).args(args).current_dir(desk.path());
    without_settings(&mut command);
    command.output().expect("the program starts")
}

fn check_library(file: &str, args: &[&str], settings: &str) -> Output {
    check(library(file).to_str().expect("a plain path"), args, settings)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The suites and cases of the table of drivers.
fn rows_of_the_table() -> BTreeSet<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/drivers.md");
    let page = std::fs::read_to_string(page).expect("the page is part of the repository");
    let (mut rows, mut suite) = (BTreeSet::new(), String::new());
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut suite);
        }
        if let Some(row) = line.strip_prefix("| ").filter(|row| !row.starts_with(['`', ' '])) {
            let case = row.split(" |").next().unwrap_or_default();
            rows.insert((suite.clone(), case.replace(' ', "_")));
        }
    }
    rows
}

#[test]
fn the_driver_http_passes_all_that_it_declares_in_every_row_of_the_table() {
    let output = check_library("libplimsoll_http.so", &["--json"], "");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    let cases = report["cases"].as_array().expect("a list");
    let rows: BTreeSet<_> = cases.iter().map(|case| (word(&case["suite"]), word(&case["case"]))).collect();
    assert_eq!(rows, rows_of_the_table());
    let lacks = |case: &str| {
        let found = cases.iter().find(|found| found["case"] == case).expect("a case");
        (word(&found["verdict"]), found["lacks"].clone())
    };
    assert_eq!(lacks("pages_are_printed"), ("refused".to_owned(), serde_json::json!(["pdf"])));
    assert_eq!(lacks("long_pages_are_brought_back_whole").0, "passed");
    let declared = report["declared"].as_array().expect("a list");
    assert!(!declared.is_empty() && declared.iter().all(|one| one["extent"] == "whole"), "{declared:?}");
    let summary = &report["summary"];
    assert_eq!((&summary["failed"], &summary["not_reached"]), (&0.into(), &0.into()), "{summary}");
}

#[test]
fn the_template_of_a_driver_passes_all_that_it_declares() {
    let output = check_library("libtemplate_driver.so", &[], "");
    let told = text(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("pass     pages: a page arrives with its status"), "{told}");
    assert!(!told.contains("declared, but"), "{told}");
}

#[test]
fn each_breakage_of_a_driver_is_named() {
    let breakages = [
        // It ends its process.
        ("launch = \"abort\"", "closing is shared", "signal 6"),
        ("open = \"panic\"", "closing is shared", "the plugin panicked: a whim"),
        ("open = \"hang\"", "closing is shared", "it did not end within"),
        ("launch = \"spin\"", "closing is shared", "it did not end within"),
        // It does not close a context.
        ("close_context = \"fault\"", "contexts open within", "gone: CloseError(\"a whim\")"),
        // It reports a page that it has not opened.
        ("", "a page arrives with its address", "/redirect/3"),
        // It declares `evaluate`, and answers without a value.
        ("", "values come back as json", "evaluate"),
    ];
    for (setting, case, named) in breakages {
        let settings = format!("[driver.plugin.rogue-driver.config]\n{setting}\n");
        let output = check_library("librogue_driver.so", &["--only", case, "--within", "6s"], &settings);
        let told = text(&output);
        assert_eq!(output.status.code(), Some(1), "{setting}: {told}");
        assert!(told.contains("FAIL") && told.contains(named), "{setting}: `{named}` is not named: {told}");
        assert!(!told.contains("panicked at"), "{setting}: a failed case is no panic of the program: {told}");
        assert!(output.stdout.ends_with(b"it does not keep what it declares\n"), "{setting}: {told}");
    }
}

#[test]
fn what_is_declared_only_in_part_is_told_with_its_cases() {
    let output = check_library("librogue_driver.so", &["--only", "scripts"], "");
    let told = text(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("evaluate: values come back as json"), "{told}");
}

#[test]
fn cases_that_are_not_reached_in_the_time_for_all_count_as_failed() {
    let settings = "[driver.plugin.rogue-driver.config]\nopen = \"hang\"\n";
    let output =
        check_library("librogue_driver.so", &["--only", "isolation", "--within", "1s", "--json"], settings);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["summary"]["failed"], 1, "{report}");
    assert_eq!(report["summary"]["not_reached"], 5, "{report}");
}

#[test]
fn what_cannot_be_checked_has_another_exit_code() {
    let nothing = library("librogue_driver.so");
    let nothing = nothing.to_str().expect("a plain path");
    for (driver, args, code, named) in [
        ("no-such-driver", &[][..], 2, "no-such-driver"),
        ("sim", &[], 2, "`sim` is a model"),
        (nothing, &["--only", "no such case"], 2, "no such case"),
        (nothing, &["--within", "soon"], 2, "--within"),
        ("./libnothing.so", &[], 3, "libnothing.so"),
    ] {
        let output = check(driver, args, "");
        assert_eq!(output.status.code(), Some(code), "{driver}: {}", text(&output));
        assert!(text(&output).contains(named), "{driver}: {}", text(&output));
    }
    let settings = "[driver.plugin.rogue-driver.config]\nstart = \"panic\"\n";
    let output = check_library("librogue_driver.so", &[], settings);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("could not be made: the plugin panicked: a whim"), "{}", text(&output));
}
