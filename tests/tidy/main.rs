//! The rules of the repository that no compiler checks, as tests. Each failure states the fault, its place, and the
//! reason.
//!
//! The tables at the top of each file are part of the architecture; extend them when the code grows.

mod circles;
mod files;
mod imports;
mod order;
mod paths;
mod published;
mod words;

use std::fs;

use files::{files, ignored, is_under, report, root, rust_files};

/// Folders at the root; no further folder of code is allowed.
const FOLDERS: [&str; 12] = [
    ".cargo", ".ci", ".config", ".git", ".github", "backends", "cli", "core", "docs", "plugins", "tests",
    "xtask",
];

/// A file of code is at most this long.
const MAX_LINES: usize = 400;
/// Files that may be longer: path, reason.
const LONGER: [(&str, &str); 0] = [];

/// Names that do not describe the content of a file.
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

/// Which of our crates each crate may depend on.
const ARROWS: [(&str, &[&str]); 18] = [
    ("plimsoll-core", &[]),
    ("plimsoll-host", &["plimsoll-core"]),
    ("plimsoll-cdp", &["plimsoll-core", "plimsoll-host"]),
    ("plimsoll-webdriver", &["plimsoll-core", "plimsoll-host"]),
    ("plimsoll-sim", &["plimsoll-core"]),
    ("plimsoll-plugin-abi", &[]),
    ("plimsoll-plugin", &["plimsoll-core", "plimsoll-plugin-abi"]),
    // host: a driver library gets a process of its own.
    ("plimsoll-loader", &["plimsoll-core", "plimsoll-host", "plimsoll-plugin-abi"]),
    // The library that misbehaves on purpose: it also does things that the SDK never does.
    ("rogue-driver", &["plimsoll-plugin", "plimsoll-plugin-abi"]),
    // The text of the template as a crate, for tests.
    ("template-driver", &["plimsoll-plugin"]),
    ("plimsoll-http", &["plimsoll-core", "plimsoll-plugin"]),
    // host: browsers of a driver under test are started, killed and looked for.
    ("plimsoll-check", &["plimsoll-core", "plimsoll-host"]),
    ("plimsoll-template", &[]),
    ("plimsoll", EVERY_CRATE),
    // host: doctor looks at the machine; loader: the child process that a driver library gets is this binary.
    (
        "plimsoll-cli",
        &[
            "plimsoll",
            "plimsoll-check",
            "plimsoll-core",
            "plimsoll-host",
            "plimsoll-loader",
            "plimsoll-template",
        ],
    ),
    ("plimsoll-simulator", &["plimsoll-core", "plimsoll-sim"]),
    ("plimsoll-kit", &["plimsoll-check"]),
    ("xtask", &["plimsoll-host", "plimsoll-template"]),
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

/// Words of private notes, which do not belong in the repository. Written in halves, so that this file passes the
/// check.
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
            // The tests of a crate may switch on its features, and load a driver library.
            let for_tests =
                section.contains("dev-") && ["plimsoll-kit", "plimsoll-http", name].contains(&used);
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
    assert!(has_word("let t = Instant::now();", "Instant") && has_word("t::now()", "::now("));
    assert!(!has_word("instantiate(Instants)", "Instant"));
    assert_eq!(code_lines("//! a\ncode // b\n    /// c").collect::<Vec<_>>(), [(2, "code ")]);
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
