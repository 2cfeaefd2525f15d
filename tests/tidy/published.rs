//! Crates that are published carry what crates.io and their readers need.

use std::fs;

use crate::files::{files, report, root};

/// What lies beside the manifest of each published crate.
const BESIDE: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// What each manifest says.
const SAID: [&str; 4] =
    ["description = \"", "license.workspace", "repository.workspace", "rust-version.workspace"];

#[test]
fn published_crates_are_whole() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let faults = files(|path| path.ends_with("/Cargo.toml")).into_iter().flat_map(|(path, text)| {
        // A crate that is not published says so.
        if text.lines().any(|line| line.starts_with("publish")) {
            return Vec::new();
        }
        let dir = path.trim_end_matches("Cargo.toml");
        let beside = BESIDE.iter().filter(|name| !root().join(dir).join(name).is_file());
        let said = SAID.iter().filter(|key| !text.lines().any(|line| line.starts_with(**key)));
        let lacks = beside.chain(said).map(|what| format!("{path}: no `{what}`"));
        let unversioned = own_dependencies(&text)
            .filter(|name| {
                !workspace.lines().any(|line| line.starts_with(&format!("{name} = {{ version = ")))
            })
            .map(|name| format!("{path}: `{name}` has no version in the workspace"));
        lacks.chain(unversioned).collect()
    });
    report("a published crate stands alone: its texts lie beside it, its dependencies have versions", faults);
}

/// Our own crates that a manifest needs outside of its tests.
fn own_dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let names = lines.take_while(|line| !line.starts_with('[')).map(|line| line.split(['.', ' ']).next());
    names.flatten().filter(|name| name.starts_with("plimsoll"))
}
