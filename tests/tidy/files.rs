//! The files of the repository, and how a rule reports its faults.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Fails with every fault and the reason for the rule.
#[track_caller]
pub(crate) fn report(reason: &str, faults: impl Iterator<Item = String>) {
    let faults: Vec<String> = faults.collect();
    assert!(faults.is_empty(), "\n{reason}\n  {}\n", faults.join("\n  "));
}

pub(crate) fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the kit lies in the repository")
}

/// Names at the root that git ignores: plain lines of `.gitignore` that begin with a slash.
pub(crate) fn ignored() -> BTreeSet<String> {
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap_or_default();
    ignored.lines().filter_map(|line| line.strip_prefix('/')).map(str::to_owned).collect()
}

/// Every text file whose path from the root is accepted by `wanted`, in the order of the paths.
pub(crate) fn files(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
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
                // Files that are not UTF-8 are pictures, to which no rule applies.
                found.extend(fs::read_to_string(&path).ok().map(|text| (name, text)));
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn rust_files() -> Vec<(String, String)> {
    files(|path| path.ends_with(".rs"))
}

/// Whether `path` is the module `folder` or lies in it.
pub(crate) fn is_under(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with(['/', '.']))
}
