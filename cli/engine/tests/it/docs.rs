//! Compares the documentation with the program: every example is valid, and no step, key or class is missing.
//! `reference.rs` compares the documentation of settings.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::jobs::{JobFile, Source};
use plimsoll::settings::Layers;
use plimsoll::settings::SettingsSources;
use plimsoll::settings::reference::key_tree;
use plimsoll_core::flow::{Plain, Statement};
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::outcome::FailureClass;
use plimsoll_core::policy::{
    FootprintConfig, Lines, Pace, PressureConfig, PressureProfile, STARVED_AFTER, STARVED_AFTER_EMERGENCY,
};
use plimsoll_core::port::{Artifact, ArtifactKind, Page, StepOutput, WrongOutput};
use plimsoll_core::step::Step;
use plimsoll_core::units::Ratio;
use serde::de::DeserializeOwned;
use serde_json::Map;

/// A fenced block of a page.
struct Block {
    language: String,
    line: usize,
    text: String,
}

fn page(path: &str) -> String {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in the repository");
    fs::read_to_string(root.join(path)).expect("the page is there")
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((line, fence)) = lines.next() {
        if let Some(language) = fence.strip_prefix("```") {
            let inside = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```");
            let text = inside.map(|text| format!("{text}\n")).collect();
            blocks.push(Block { language: language.to_owned(), line, text });
        }
    }
    blocks
}

/// The jobs of a page's `jsonl` and `toml` blocks. A `csv` block right after one holds its rows.
fn jobs(path: &str) -> Vec<Job> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let blocks = blocks(&page(path));
    let mut jobs = Vec::new();
    for (number, block) in
        blocks.iter().enumerate().filter(|(_, b)| ["jsonl", "toml"].contains(&&*b.language))
    {
        let write = |block: &Block| -> PathBuf {
            let file = dir.path().join(format!("{}.{}", block.line, block.language));
            fs::write(&file, &block.text).expect("a file in it");
            file
        };
        let rows = blocks.get(number + 1).filter(|next| next.language == "csv").map(write);
        let mut file = JobFile::open(&Source::Path(write(block)), rows.as_deref())
            .unwrap_or_else(|why| panic!("the example at {path}:{}: {why}", block.line));
        while let Some(job) = file.next().expect("an unchanged file") {
            jobs.push(job);
        }
    }
    jobs
}

/// The names that serde would have accepted in place of the `?` in `wrong`: its message lists them.
fn accepted<T: DeserializeOwned + std::fmt::Debug>(wrong: &str) -> BTreeSet<String> {
    let message = serde_json::from_str::<T>(wrong).expect_err("there is no such name").to_string();
    let (_, list) = message.split_once("expected one of ").expect("a list of names");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The cells of each row of the page's tables, without the code marks around a whole cell.
fn rows(page: &str) -> Vec<Vec<String>> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect()).collect()
}

#[test]
fn every_example_is_a_job() {
    assert_eq!(jobs("README.md").len(), 10, "the README shows ten lines");
    let documented = jobs("docs/jobs.md");
    assert_eq!(documented[..2], documented[2..4], "the two formats show the same jobs");
}

#[test]
fn every_step_has_an_example_and_every_key_class_and_outcome_a_row() {
    let shown: BTreeSet<String> = jobs("docs/jobs.md")
        .iter()
        .flat_map(|job| job.steps.plain())
        .map(|plain| plain.step().name().to_owned())
        .collect();
    let missing: Vec<_> = accepted::<Step>(r#"{"?": 0}"#).difference(&shown).cloned().collect();
    assert!(missing.is_empty(), "no example of {missing:?}");

    let text = page("docs/jobs.md");
    let forms =
        accepted::<Statement>(r#"{"?": 0}"#).into_iter().filter(|name| !Step::NAMES.contains(&name.as_str()));
    let missing: Vec<_> = forms.filter(|key| !text.contains(&format!("\"{key}\": "))).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");

    let named: BTreeSet<String> =
        rows(&page("docs/jobs.md")).into_iter().map(|cells| cells[0].clone()).collect();
    let keys = accepted::<JobKeys>(r#"{"?": 0}"#);
    let classes = FailureClass::ALL.iter().map(|class| class.name().to_owned());
    let outcomes = ["succeeded", "failed", "cancelled", "expired", "rejected"].map(str::to_owned);
    let all = keys.into_iter().chain(classes).chain(outcomes);
    let missing: Vec<_> = all.filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}

#[test]
fn the_settings_file_that_is_shown_is_good() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let shown = blocks(&page("docs/settings.md"));
    let shown = shown.iter().find(|block| block.language == "toml").expect("a settings file is shown");
    let path = dir.path().join("plimsoll.toml");
    fs::write(&path, &shown.text).expect("a file in it");
    let args = SettingsSources { config: Some(path), set: vec!["retry.classes=navigation,proxy".to_owned()] };
    let layers = Layers::read(&args, std::iter::empty(), Vec::new())
        .unwrap_or_else(|why| panic!("docs/settings.md:{}: {why}", shown.line));
    assert_eq!(
        layers.settings().retry.classes,
        BTreeSet::from([FailureClass::Navigation, FailureClass::Proxy])
    );
}

#[test]
fn what_each_step_owes_is_what_the_check_asks_for() {
    let rows = rows(&page("docs/plugins.md"));
    let file = |kind| StepOutput::Artifact(Artifact { kind, bytes: Vec::new() });
    let outputs = [
        ("Done", vec![StepOutput::Done]),
        ("Page", vec![StepOutput::Page(Page { url: "http://a/".into(), status: None })]),
        ("Data", vec![StepOutput::Data(Map::new())]),
        ("Artifact", [ArtifactKind::Png, ArtifactKind::Jpeg, ArtifactKind::Pdf].map(file).to_vec()),
    ];
    for step in jobs("docs/jobs.md").iter().flat_map(|job| job.steps.plain()).map(Plain::step) {
        let is_owed = |outputs: &[StepOutput]| {
            outputs.iter().any(|output| !matches!(output.check(step), Err(WrongOutput::Kind { .. })))
        };
        let owed: Vec<_> =
            outputs.iter().filter(|(_, outputs)| is_owed(outputs)).map(|(name, _)| *name).collect();
        let row = rows.iter().find(|cells| cells[0] == step.name());
        let row = row.unwrap_or_else(|| panic!("docs/plugins.md has no row for `{}`", step.name()));
        assert_eq!(owed, [row[1].as_str()], "{}", step.name());
    }
}

#[test]
fn the_settings_of_libraries_that_are_shown_are_good() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let shown = blocks(&page("docs/plugins.md"));
    for block in shown.iter().filter(|block| block.language == "toml") {
        let path = dir.path().join("plimsoll.toml");
        fs::write(&path, &block.text).expect("a file in it");
        // A driver library that is installed; its file is not opened.
        let set = vec!["driver.plugin.http.path=/plugins/libplimsoll_http.so".to_owned()];
        let args = SettingsSources { config: Some(path), set };
        let read = Layers::read(&args, std::iter::empty(), Vec::new());
        read.unwrap_or_else(|why| panic!("docs/plugins.md:{}: {why}", block.line));
    }
}

#[test]
fn the_page_on_memory_has_the_lines_of_every_profile_and_the_defaults_of_every_key() {
    let page = page("docs/memory.md");
    let lines = |lines: [Ratio; 3]| {
        let line = |line: Ratio| match line {
            Lines::NEVER => "never".to_owned(),
            line => format!("{} %", (line.value() * 100.0).round()),
        };
        lines.map(line).join(", ")
    };
    for profile in PressureProfile::ALL {
        let name = serde_json::to_value(profile).expect("plain data");
        let config = profile.config();
        for (signal, Lines { enter, leave }) in [
            ("memory in use", config.memory_use),
            ("all tasks stalled", config.memory_full),
            ("some tasks stalled", config.memory_some),
        ] {
            let name = name.as_str().expect("a name");
            let row = format!("| {signal} | `{name}` | {} | {} |", lines(enter), lines(leave));
            assert!(page.contains(&row), "no row {row:?}");
        }
    }
    for key in key_tree().keys().into_iter().filter(|key| key.name.starts_with("memory.")) {
        let row = format!("| `{}` | `{}` |", key.name, key.default.as_str().expect("a text"));
        assert!(page.contains(&row), "no row {row:?}");
    }
    let PressureConfig { hold, stale_after, spare_below, .. } = PressureConfig::default();
    let spare = format!("less than {:.0} % of memory in use, a stall", spare_below.value() * 100.0);
    assert!(page.contains(&spare), "no {spare:?}");
    let shut_for = FootprintConfig::default().shut_for;
    for (words, value) in [
        ("has stayed below a lower line for {}", hold),
        ("gives no value for {} is *blind*", stale_after),
        ("admission stops for {} at least", shut_for),
        ("may admit none for {} ", STARVED_AFTER),
        ("({} at the level emergency)", STARVED_AFTER_EMERGENCY),
        ("is verified gone and {} have passed", Pace::at(Ratio::percent(95)).spacing()),
        ("passed ({} when more than 97 %", Pace::at(Ratio::percent(98)).spacing()),
    ] {
        let words = words.replace("{}", &format!("{} s", value.as_secs()));
        assert!(page.contains(&words), "no {words:?}");
    }
}
