//! Compares what is written about settings with the program: the defaults file, the JSON Schema and the manual's tables
//! are generated from the types by this test. `BLESS=1 cargo test -p plimsoll --test it reference`, run twice, writes
//! them again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::settings::SettingsSources;
use plimsoll::settings::reference::{ANY_NAME, Key, KeyTree, key_tree, schema};
use plimsoll::settings::{DEFAULTS, Layers, Settings};
use serde_json::Value;

/// The widest line of a generated comment.
const WIDTH: usize = 110;
/// The markers around the tables of the manual.
const BEGIN: &str = "<!-- drawn from the program: begin -->\n";
const END: &str = "<!-- drawn from the program: end -->\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the crate lies in the repository")
}

/// Compares a file with its expected content, or writes that content.
#[track_caller]
fn assert_drawn(path: &str, is: impl Fn(&str) -> bool, should_be: &str) {
    let path: PathBuf = root().join(path);
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, should_be).expect("the repository can be written to");
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        is(&text),
        "{} is out of date; `BLESS=1 cargo test -p plimsoll --test it reference` draws it anew",
        path.display()
    );
}

#[test]
fn the_defaults_file_is_drawn_from_the_types() {
    let mut text = String::from(
        "# Every setting of Plimsoll with its default. A file of yours needs only the keys that differ.\n\
         # Keys that stand behind a `#` here are not set unless you set them.\n",
    );
    table(&mut text, key_tree(), "", &mut BTreeSet::new());
    assert_drawn("cli/engine/src/settings/defaults.toml", |file| file == text, &text);
    assert_eq!(DEFAULTS, text, "the program was built before the file was drawn: build it again");
}

#[test]
fn the_defaults_file_holds_the_defaults() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("defaults.toml");
    fs::write(&path, DEFAULTS).expect("a file in it");
    let args = SettingsSources { config: Some(path), set: Vec::new() };
    let layers = Layers::read(&args, std::iter::empty(), Vec::new()).expect("the defaults are good");
    assert_eq!(layers.settings(), &Settings::default());
    // Each key is in the file: no value comes from the layer below.
    for key in key_tree().keys().into_iter().filter(|key| !key.is_optional() && !key.name.contains(ANY_NAME))
    {
        let explained = layers.explain(&key.name).expect("a key");
        assert!(explained[0].origin.contains("defaults.toml:"), "{} is not in the file", key.name);
    }
}

#[test]
fn with_every_comment_made_a_setting_the_defaults_file_is_still_good() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("examples.toml");
    let key =
        |line: &str| line.split_once(" = ").map(|(key, _)| key.to_owned()).filter(|key| !key.contains(' '));
    let mut lines: Vec<&str> = Vec::new();
    for line in DEFAULTS.lines() {
        let example = line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || key(rest).is_some());
        // The example is on the line before the empty default.
        let twice = lines.last().is_some_and(|last| key(line).is_some() && key(last) == key(line));
        lines.extend(example.or(Some(line)).filter(|_| !twice));
    }
    fs::write(&path, lines.join("\n").replace(ANY_NAME, "http")).expect("a file in it");
    let args = SettingsSources { config: Some(path), set: Vec::new() };
    let error = Layers::read(&args, std::iter::empty(), Vec::new()).expect_err("some contradict each other");
    // Each example is valid by itself.
    let wrong: Vec<_> = error.0.iter().filter(|mistake| !mistake.message.contains(" and driver.")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_schema_is_drawn_from_the_types() {
    let schema = schema();
    let text = serde_json::to_string_pretty(&schema).expect("plain data") + "\n";
    let same = |file: &str| serde_json::from_str::<Value>(file).is_ok_and(|file| file == schema);
    assert_drawn("docs/settings.schema.json", same, &text);
}

#[test]
fn the_tables_of_the_manual_are_drawn_from_the_types() {
    let page = fs::read_to_string(root().join("docs/settings.md")).expect("the page is there");
    let (before, rest) = page.split_once(BEGIN).expect("tables begin");
    let (_, after) = rest.split_once(END).expect("tables end");
    let drawn = format!("{before}{BEGIN}{}{END}{after}", tables());
    assert_drawn("docs/settings.md", |page| page == drawn, &drawn);
}

#[test]
fn at_most_seventy_keys_are_documented() {
    let keys = key_tree().keys().len();
    assert!(keys <= 70, "{keys} keys: make a profile of those that belong together");
}

#[test]
fn every_key_says_what_it_means() {
    let keys = key_tree().keys();
    let silent: Vec<_> = keys.iter().filter(|key| key.doc.is_empty()).map(|key| &key.name).collect();
    assert!(silent.is_empty(), "no comment on {silent:?}");
    let unclear: Vec<_> = keys
        .iter()
        .filter(|key| key.is_optional() && key.example.is_none() && !key.is_quiet)
        .map(|key| &key.name)
        .collect();
    assert!(unclear.is_empty(), "neither a default nor an example of {unclear:?}");
}

/// Every section with its keys as a table.
fn tables() -> String {
    let mut text = String::new();
    let KeyTree::Table(sections, _) = key_tree() else { panic!("settings are a table") };
    for (name, section) in sections {
        let KeyTree::Table(_, about) = section else { panic!("a section is a table") };
        let _ = write!(
            text,
            "\n## `{name}`\n\n{about}\n\n| key | default | allowed | meaning |\n|---|---|---|---|\n"
        );
        for key in section.keys() {
            let default = if key.is_optional() { "none".to_owned() } else { format!("`{}`", key.default) };
            let _ = writeln!(text, "| `{}` | {default} | {} | {} |", key.name, key.allowed(), key.doc);
        }
    }
    text + "\n"
}

/// A table of the defaults file: its keys, then the tables in it. What was `said` of a key of that name is not repeated.
fn table(text: &mut String, tree: &KeyTree, path: &str, said: &mut BTreeSet<String>) {
    let (children, about) = match tree {
        KeyTree::Table(children, about) => (children, about),
        KeyTree::Named(each) => return table(text, each, &format!("{path}.{ANY_NAME}"), said),
        KeyTree::Key(_) => return,
    };
    let mark = if path.contains(ANY_NAME) { "# " } else { "" };
    let keys: Vec<_> = children.iter().filter_map(|(name, child)| Some((name, as_key(child)?))).collect();
    if !path.is_empty() && (!keys.is_empty() || !path.contains('.')) {
        text.push_str(if path.contains('.') { "\n" } else { "\n\n" });
        comment(text, about);
        let _ = writeln!(text, "{mark}[{path}]");
    }
    for (name, key) in keys {
        let range = key.range().replacen(" of at", " At", 1).replacen(" from", " From", 1);
        let meaning = format!("{}{range}{}", key.doc, if range.is_empty() { "" } else { "." });
        if said.insert(format!("{name}: {meaning}")) {
            text.push('\n');
            comment(text, &meaning);
        }
        match (&key.example, key.is_optional()) {
            (Some(example), true) => {
                let _ = writeln!(text, "# {name} = {}", toml(example));
            }
            (None, true) => {
                let _ = writeln!(text, "# {name} = \"...\"");
            }
            (example, false) => {
                if let Some(example) = example {
                    let _ = writeln!(text, "# {name} = {}", toml(example));
                }
                let _ = writeln!(text, "{mark}{name} = {}", toml(&key.default));
            }
        }
    }
    for (name, child) in children.iter().filter(|(_, child)| as_key(child).is_none()) {
        let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
        table(text, child, &path, said);
    }
}

fn as_key(tree: &KeyTree) -> Option<&Key> {
    if let KeyTree::Key(key) = tree { Some(key) } else { None }
}

fn toml(value: &Value) -> String {
    toml::Value::try_from(value).expect("what JSON says TOML can say").to_string()
}

/// A comment, wrapped.
fn comment(text: &mut String, words: &str) {
    let mut line = String::from("#");
    for word in words.split_whitespace() {
        if line.len() + 1 + word.len() > WIDTH {
            let _ = writeln!(text, "{line}");
            line = String::from("#");
        }
        let _ = write!(line, " {word}");
    }
    let _ = writeln!(text, "{line}");
}
