//! The house rules that no compiler knows, as tests. Each failure says what is wrong, where, and why it matters.
//!
//! Extend the tables at the top when the house grows; they are meant to be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders at the root; those of code never become more.
const FOLDERS: [&str; 12] = [
    ".cargo", ".ci", ".config", ".git", ".github", "backends", "cli", "core", "docs", "plugins", "tests",
    "xtask",
];

/// A file of code is at most this long.
const MAX_LINES: usize = 400;
/// Files that may be longer: path, reason.
const LONGER: [(&str, &str); 0] = [];

/// Words that say nothing about what is inside.
const EMPTY_NAMES: [&str; 11] =
    ["manager", "util", "utils", "helper", "helpers", "common", "inner", "imp", "misc", "mod", "stuff"];

/// What a policy must not mention: it decides from its arguments alone.
const IMPURE: [&str; 10] = [
    "tokio",
    "async",
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "::now(",
    "Instant",
    "SystemTime",
];

/// The modules of core in the order they are read; each uses only those above it, and its own children.
const CORE_ORDER: [&str; 15] = [
    "time",
    "units",
    "duration",
    "shorthand",
    "id",
    "outcome",
    "step",
    "proxy",
    "job",
    "capability",
    "page",
    "policy",
    "port",
    "settings",
    "runtime",
];

/// Which of our crates each crate may depend on.
const ARROWS: [(&str, &[&str]); 15] = [
    ("plimsoll-core", &[]),
    ("plimsoll-host", &["plimsoll-core"]),
    ("plimsoll-cdp", &["plimsoll-core", "plimsoll-host"]),
    ("plimsoll-webdriver", &["plimsoll-core", "plimsoll-host"]),
    ("plimsoll-sim", &["plimsoll-core"]),
    ("plimsoll-plugin-abi", &[]),
    ("plimsoll-plugin", &["plimsoll-core", "plimsoll-plugin-abi"]),
    // host: a driver library gets a process of its own.
    ("plimsoll-loader", &["plimsoll-core", "plimsoll-host", "plimsoll-plugin-abi"]),
    // The library that misbehaves on purpose: it also does what the SDK never would.
    ("rogue-driver", &["plimsoll-plugin", "plimsoll-plugin-abi"]),
    ("plimsoll-http", &["plimsoll-core", "plimsoll-plugin"]),
    ("plimsoll", EVERY_CRATE),
    // host: doctor looks at the machine; loader: the child process that a driver library gets is this binary.
    ("plimsoll-cli", &["plimsoll", "plimsoll-core", "plimsoll-host", "plimsoll-loader"]),
    ("plimsoll-simulator", &["plimsoll-core", "plimsoll-sim"]),
    ("plimsoll-kit", &[]),
    ("xtask", &["plimsoll-kit", "plimsoll-host"]),
];
/// What a driver crate in `plugins/` may depend on, without being listed.
const DRIVER_CRATE: &[&str] = &["plimsoll-core", "plimsoll-plugin"];
const EVERY_CRATE: &[&str] = &[
    "plimsoll-core",
    "plimsoll-host",
    "plimsoll-cdp",
    "plimsoll-webdriver",
    "plimsoll-sim",
    "plimsoll-plugin-abi",
    "plimsoll-loader",
];

/// What belongs on somebody's desk, and not in the repository. Written in halves, so that this file may be read too.
const DESK_WORDS: [&str; 3] = [concat!("/wo", "rk/"), concat!("fa", "rm-"), concat!("TO", "DO")];

#[test]
fn code_stays_in_its_folders() {
    let strangers =
        fs::read_dir(root()).expect("the root can be read").map(|entry| entry.expect("and its entries"));
    let ignored = ignored();
    let faults = strangers
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !FOLDERS.contains(&name.as_str()) && !ignored.contains(name));
    report("the top-level folders are part of the architecture; put code into one of them", faults);
}

#[test]
fn files_are_short() {
    let faults = rust_files().into_iter().filter_map(|(path, text)| {
        let lines = text.lines().count();
        let excused = LONGER.iter().any(|(longer, _)| *longer == path);
        (lines > MAX_LINES && !excused).then(|| format!("{path}: {lines} lines"))
    });
    report(
        "one file, one concept, at most 400 lines: split by concept, or list it in LONGER with a reason",
        faults,
    );
    let stale =
        LONGER.iter().filter(|(path, _)| !root().join(path).exists()).map(|(path, _)| (*path).to_owned());
    report("LONGER lists a file that is gone", stale);
}

#[test]
fn files_say_what_they_are() {
    let faults = rust_files().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path);
    report("the first line of a file is `//!`: a reader learns what it is before how it works", faults);
}

#[test]
fn names_say_something() {
    let faults = rust_files().into_iter().flat_map(|(path, text)| {
        let parts = path.trim_end_matches(".rs").split('/').map(str::to_owned);
        let modules = text.lines().filter_map(|line| {
            let line = line.trim_start();
            let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
            line.strip_prefix("mod ").map(|name| name.trim_end_matches([' ', '{', '}', ';']).to_owned())
        });
        let names: Vec<String> = parts.chain(modules).collect();
        let empty = |name: &String| name.split(['_', '-']).any(|word| EMPTY_NAMES.contains(&word));
        names.into_iter().filter(empty).map(move |name| format!("{path}: `{name}`")).collect::<Vec<_>>()
    });
    report(
        "such a name holds anything, so everything ends up in it; name the concept (and `x.rs`, not `x/mod.rs`)",
        faults,
    );
}

#[test]
fn policies_are_pure() {
    let policies = rust_files().into_iter().filter(|(path, _)| is_under(path, "core/src/policy"));
    let faults = policies.flat_map(|(path, text)| {
        let code = code_lines(&text).collect::<Vec<_>>();
        let mentions =
            |word: &str| code.iter().find(|(_, line)| has_word(line, word)).map(|(number, _)| *number);
        IMPURE
            .iter()
            .filter_map(|word| mentions(word).map(|number| format!("{path}:{number}: `{word}`")))
            .collect::<Vec<_>>()
    });
    report(
        "a policy takes time and randomness as arguments and returns what to do; waiting and I/O are the runtime's",
        faults,
    );
}

#[test]
fn core_reads_in_one_direction() {
    let mut faults = Vec::new();
    for (path, text) in rust_files() {
        let Some(module) = path.strip_prefix("core/src/").filter(|file| *file != "lib.rs") else { continue };
        let module = module.trim_end_matches(".rs").replace('/', "::");
        let Some(own) = rank(&module) else {
            faults.push(format!("{path}: `{module}` is in no place; add it to the table CORE_ORDER"));
            continue;
        };
        let code: String = code_lines(&text).map(|(_, line)| format!("{line}\n")).collect();
        for used in crate_paths(&code) {
            match rank(&used) {
                None => faults.push(format!(
                    "{path}: uses `crate::{used}`; name its module, or add it to the table CORE_ORDER"
                )),
                Some(theirs) if theirs > own => {
                    faults.push(format!("{path}: uses `crate::{used}`, which comes later"));
                }
                Some(_) => {}
            }
        }
        if code.contains("super::super::") {
            faults.push(format!("{path}: `super::super::` hides which module is meant; write `crate::`"));
        }
    }
    report(
        "core reads like a book, each module using only earlier ones, so no circle can form",
        faults.into_iter(),
    );
}

#[test]
fn crates_point_one_way() {
    let mut faults = Vec::new();
    for (path, text) in files(|path| path.ends_with("Cargo.toml")) {
        let Some(name) = text.lines().find_map(|line| line.strip_prefix("name = ")) else { continue };
        let name = name.trim_matches('"');
        let listed = ARROWS.iter().find(|(known, _)| *known == name).map(|(_, allowed)| *allowed);
        let Some(allowed) = listed.or_else(|| path.starts_with("plugins/").then_some(DRIVER_CRATE)) else {
            faults.push(format!("{path}: crate `{name}` is unknown; add it to the table ARROWS"));
            continue;
        };
        let mut section = "";
        for line in text.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            let ours = used.starts_with("plimsoll") && section.ends_with("dependencies]");
            // Tests may use the kit; the kit's own suites and benchmarks may use everything.
            let kit =
                name == "plimsoll-kit" && (section.contains("dev-") || line.contains("optional = true"));
            let for_tests = section.contains("dev-") && used == "plimsoll-kit";
            if ours && !kit && !for_tests && !allowed.contains(&used) {
                faults.push(format!("{path}: `{name}` must not depend on `{used}`"));
            }
        }
    }
    report(
        "arrows point one way: cli and tests to drivers, drivers to core, core to nothing",
        faults.into_iter(),
    );
}

#[test]
fn dependencies_say_why() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("dependencies are shared");
    let mut reason_given = false;
    let faults = section.lines().take_while(|line| !line.starts_with('[')).filter_map(|line| {
        let is_dependency = line.split_once(" = ").is_some() && !line.starts_with('#');
        reason_given = line.starts_with('#') || (reason_given && !line.is_empty());
        (is_dependency && !reason_given).then(|| line.to_owned())
    });
    report(
        "a dependency is a debt: the comment above it, or above its group, says what we get for it",
        faults,
    );
}

#[test]
fn nothing_is_left_on_the_desk() {
    let faults = files(|_| true).into_iter().flat_map(|(path, text)| {
        let lines = text.lines().zip(1..).filter_map(|(line, number)| {
            DESK_WORDS
                .iter()
                .find(|word| line.contains(*word))
                .map(|word| format!("{path}:{number}: `{word}`"))
        });
        lines.collect::<Vec<_>>()
    });
    report(
        "machine paths, tool names and intentions belong to whoever works here, not to whoever reads",
        faults,
    );
}

#[test]
fn the_readers_of_this_file_read_right() {
    let paths = crate_paths(
        "use crate::{id::{A, b::C}, time};\nlet x = crate::policy::limit::Y::new(); mycrate::z();",
    );
    assert_eq!(paths, ["id::A", "id::b::C", "time", "policy::limit::Y::new"]);
    assert!(rank("policy::limit") == rank("policy") && rank("time") < rank("policy") && rank("no").is_none());
    assert!(has_word("let t = Instant::now();", "Instant") && has_word("t::now()", "::now("));
    assert!(!has_word("instantiate(Instants)", "Instant"));
    assert_eq!(code_lines("//! a\ncode // b\n    /// c").collect::<Vec<_>>(), [(2, "code ")]);
}

/// Fails with every fault and the reason for the rule.
#[track_caller]
fn report(reason: &str, faults: impl Iterator<Item = String>) {
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{reason}\n  {}\n", faults.join("\n  "));
}

fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the kit lies in the repository")
}

/// Names at the root that git ignores: plain lines of `.gitignore` that begin with a slash.
fn ignored() -> BTreeSet<String> {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    ignored.lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).collect()
}

/// Every text file whose path from the root `wanted` likes, in the order of their paths.
fn files(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let ignored = ignored();
    let mut folders: Vec<PathBuf> = vec![root().to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
            if name == ".git" || ignored.contains(&name) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if wanted(&name) {
                // What is not UTF-8 is a picture, and pictures keep no rules.
                found.extend(fs::read_to_string(&path).ok().map(|text| (name, text)));
            }
        }
    }
    found.sort();
    found
}

fn rust_files() -> Vec<(String, String)> {
    files(|path| path.ends_with(".rs"))
}

/// Whether `path` is the module `folder` or lies in it.
fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(['/', '.']))
}

/// Numbered lines without their comments; lines that are nothing else are left out. A string that holds `//` is cut
/// short, which can hide a fault but not invent one.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code =
        (1..).zip(text.lines()).map(|(number, line)| (number, line.split("//").next().unwrap_or_default()));
    code.filter(|(_, line)| !line.trim().is_empty())
}

/// Whether `line` holds `word` and not merely a longer word around it.
fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        let joins = |neighbour: Option<char>, edge: Option<char>| {
            neighbour.is_some_and(part) && edge.is_some_and(part)
        };
        !joins(before, word.chars().next()) && !joins(after, word.chars().next_back())
    })
}

/// Where a module of core stands: the place of the longest entry that is it or holds it.
fn rank(module: &str) -> Option<usize> {
    let holds = |entry: &&str| {
        module.strip_prefix(*entry).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let longest = CORE_ORDER.iter().filter(|entry| holds(entry)).max_by_key(|entry| entry.len())?;
    CORE_ORDER.iter().position(|entry| entry == longest)
}

/// Every path after a `crate::` in `code`, braces spelled out.
fn crate_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, mark) in code.match_indices("crate::") {
        if !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            spell_out("", &code[at + mark.len()..], &mut paths);
        }
    }
    paths
}

/// Adds the paths of the use-tree at the start of `rest` to `paths`, and returns what follows the tree.
fn spell_out<'a>(prefix: &str, rest: &'a str, paths: &mut Vec<String>) -> &'a str {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
    let path = format!("{prefix}{}", &rest[..end]);
    let Some(mut rest) = rest[end..].strip_prefix('{') else {
        paths.push(path.trim_end_matches(':').to_owned());
        return &rest[end..];
    };
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest.starts_with('}') {
            return rest.get(1..).unwrap_or_default();
        }
        let after = spell_out(&path, rest, paths);
        // Past `as NAME`, a `*`, and the comma.
        rest = after.trim_start_matches(|c| c != ',' && c != '}').trim_start_matches(',');
    }
}
