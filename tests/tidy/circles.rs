//! No files of a crate use each other in a circle.
//!
//! ```text
//!   files of a crate ──► which file uses which ──► excused pairs left out ──► a circle is a fault
//! ```
//!
//! A file uses a module when a path in it resolves to that module, by `crate::`, `self::`, `super::` or the name of a
//! child; `mod child;` alone is no use. What a child of a module uses from it through `self` or an `impl` cannot be seen.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::files::{report, rust_files};
use crate::imports::used_paths;

/// Modules that consist of several files: the module's file, and why the files in its folder use it.
const ONE_MODULE: &[(&str, &str)] = &[
    ("backends/host/src/profile.rs", "the sweep removes what the module's private functions made"),
    (
        "backends/host/src/readings.rs",
        "each child fills one field of the reading, by the module's file reader",
    ),
    ("backends/host/src/tree.rs", "its children are parts of the process tree's private state"),
    ("backends/sim/src/driver.rs", "its children are the port's objects over its settings"),
    ("backends/webdriver/src/endpoint.rs", "a trial is a state of the endpoint's breaker"),
    ("cli/app/src/out.rs", "its children write the files of the directory that the module names"),
    (
        "cli/engine/src/compose.rs",
        "each child composes one driver from the environment that the module holds",
    ),
    ("cli/engine/src/engine.rs", "the builder fills the engine's private fields"),
    (
        "cli/engine/src/job_router.rs",
        "the store of one driver's fleet is a view of the router's private state",
    ),
    ("cli/engine/src/jobs.rs", "the check goes through the module's private reader"),
    ("cli/engine/src/settings.rs", "the tree of settings and its parts are one declaration"),
    ("cli/engine/src/settings/driver.rs", "a plugin's settings contain the settings of any driver"),
    ("core/src/policy/breaker.rs", "an answer is part of the breaker's verdict"),
    ("core/src/policy/dispatch.rs", "one state machine, its transitions in several files"),
    ("core/src/policy/pressure.rs", "a gauge returns the module's levels"),
    ("core/src/runtime/fleet.rs", "the loop works on the fleet's private state"),
    (
        "core/src/runtime/fleet/turn.rs",
        "the wait for the next event is a part of the loop, over its private channels",
    ),
    ("plugins/abi/src/lib.rs", "the table's functions take the layout's types"),
    ("plugins/http/src/dom.rs", "the builder fills the document's private fields"),
    ("plugins/http/src/selector.rs", "its children parse and match the selector's private parts"),
    ("tests/simulator/src/world.rs", "one state, its events in several files"),
    ("xtask/src/setup.rs", "a tool is part of the equipment that the module returns"),
];

/// Which files of a crate each file uses.
type Uses = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_files_use_each_other_in_a_circle() {
    let files = rust_files();
    let mut uses: Uses = crates(&files).iter().flat_map(|(root, files)| uses_within(root, files)).collect();
    for (module, reason) in ONE_MODULE {
        let mut children =
            uses.iter().filter(|(file, used)| is_below(file, module) && used.contains(*module));
        assert!(
            children.any(|(file, _)| way(&uses, module, file).is_some()),
            "{module} is in no circle with its children: remove it from ONE_MODULE ({reason})"
        );
    }
    for (file, used) in &mut uses {
        used.retain(|used| !ONE_MODULE.iter().any(|(module, _)| module == used && is_below(file, module)));
    }
    report(
        "files that need each other are one thing, or share a third that belongs into a file of its own",
        circles(&uses).into_iter().map(|circle| circle.join("\n    -> ")),
    );
}

/// Whether `file` is in the folder of `module`, the file of a module; a crate's root contains all files beside it.
fn is_below(file: &str, module: &str) -> bool {
    let folder = module.trim_end_matches("lib.rs").trim_end_matches(".rs").trim_end_matches('/');
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The files of each crate by its root: the nearest `lib.rs` or, without one, `main.rs`. A `main.rs` beside a
/// `lib.rs` is a crate of one file, which can have no circle.
fn crates(files: &[(String, String)]) -> BTreeMap<String, Vec<(&str, &str)>> {
    let known: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut crates: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for (path, text) in files {
        let folders = std::iter::successors(path.rsplit_once('/'), |(above, _)| above.rsplit_once('/'));
        let mut roots =
            folders.flat_map(|(folder, _)| ["lib.rs", "main.rs"].map(|root| format!("{folder}/{root}")));
        let root = roots.find(|root| known.contains(root.as_str()));
        let beside = |root: &String| path.ends_with("/main.rs") && root.ends_with("/lib.rs");
        if let Some(root) = root.filter(|root| !beside(root)) {
            crates.entry(root).or_default().push((path, text));
        }
    }
    crates
}

/// Which of the files of one crate each of them uses.
fn uses_within(root: &str, files: &[(&str, &str)]) -> Uses {
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let module_of = |path: &str| -> Vec<String> {
        let inside =
            path.strip_prefix(folder).unwrap_or(path).trim_start_matches('/').trim_end_matches(".rs");
        if path == root { Vec::new() } else { inside.split('/').map(str::to_owned).collect() }
    };
    let places: BTreeMap<Vec<String>, &str> =
        files.iter().map(|(path, _)| (module_of(path), *path)).collect();
    let file_of =
        |used: &[String]| (0..=used.len()).rev().find_map(|length| places.get(&used[..length]).copied());
    let used = |(path, text): &(&str, &str)| {
        let used = used_paths(&module_of(path), text);
        let used = used.iter().filter_map(|used| file_of(used)).filter(|used| used != path);
        ((*path).to_owned(), used.map(str::to_owned).collect())
    };
    files.iter().map(used).collect()
}

/// The shortest circle through each file that is part of a circle, each circle once.
fn circles(uses: &Uses) -> BTreeSet<Vec<String>> {
    let through = |file: &String| {
        let shortest = uses[file].iter().filter_map(|next| way(uses, next, file));
        let mut circle = shortest.min_by_key(Vec::len)?;
        let first = circle.iter().enumerate().min_by_key(|(_, name)| name.as_str()).map_or(0, |(at, _)| at);
        circle.rotate_left(first);
        Some(circle)
    };
    uses.keys().filter_map(through).collect()
}

/// The shortest path from `start` to `end` along uses, both included.
fn way(uses: &Uses, start: &str, end: &str) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(file) = next.pop_front() {
        if file == end {
            let step = |file: &&str| before.get(file).copied().filter(|_| *file != start);
            let mut way: Vec<String> = std::iter::successors(Some(file), step).map(str::to_owned).collect();
            way.reverse();
            return Some(way);
        }
        for used in uses.get(file).into_iter().flatten() {
            if used != start && !before.contains_key(used.as_str()) {
                before.insert(used, file);
                next.push_back(used);
            }
        }
    }
    None
}

#[test]
fn circles_are_found_through_every_kind_of_path() {
    let files = [
        ("x/lib.rs", "mod a; mod b; pub use a::A;"),
        ("x/a.rs", "mod c; use crate::b::B; use c::C;"),
        ("x/b.rs", "fn f() { crate::d() }"),
        ("x/a/c.rs", "use super::super::b::B;"),
    ];
    let found = circles(&uses_within("x/lib.rs", &files));
    let expected: BTreeSet<Vec<String>> =
        [vec!["x/a.rs".to_owned(), "x/b.rs".to_owned(), "x/lib.rs".to_owned()]].into();
    let four = vec!["x/a.rs".to_owned(), "x/a/c.rs".to_owned(), "x/b.rs".to_owned(), "x/lib.rs".to_owned()];
    assert_eq!(found, expected.into_iter().chain([four]).collect());
}
