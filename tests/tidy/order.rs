//! Core reads in one direction: each module uses only modules that stand before it in a list.

use crate::files::{report, rust_files};
use crate::imports::used_paths;

/// The modules of core in the order they are read; each uses only those above it, and its own children.
const CORE_ORDER: [&str; 21] = [
    "time",
    "units",
    "duration",
    "quantity",
    "shorthand",
    "shown",
    "secret_mark",
    "id",
    "outcome",
    "step",
    "selector",
    "flow",
    "proxy",
    "job",
    "secrets",
    "capability",
    "page",
    "policy",
    "port",
    "runtime",
    "perform",
];

#[test]
fn core_reads_in_one_direction() {
    let mut faults = Vec::new();
    for (path, text) in rust_files() {
        let Some(module) = path.strip_prefix("core/src/").filter(|file| *file != "lib.rs") else { continue };
        let module: Vec<String> = module.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        let Some(own) = rank(&module) else {
            faults.push(format!("{path}: add `{}` to the table CORE_ORDER", module.join("::")));
            continue;
        };
        for used in used_paths(&module, &text) {
            let name = used.join("::");
            match rank(&used) {
                None => faults.push(format!(
                    "{path}: uses `crate::{name}`; use it by its module, or add the module to the table CORE_ORDER"
                )),
                Some(theirs) if theirs > own => {
                    faults.push(format!("{path}: uses `crate::{name}`, which comes later"));
                }
                Some(_) => {}
            }
        }
    }
    report("each module of core uses only modules before it in CORE_ORDER", faults.into_iter());
    let gone = CORE_ORDER.iter().filter(|module| {
        let path = format!("core/src/{}.rs", module.replace("::", "/"));
        !rust_files().iter().any(|(file, _)| *file == path)
    });
    report("CORE_ORDER lists a module that does not exist", gone.map(|module| (*module).to_owned()));
}

/// The position of a module of core: that of the longest entry that is the module or contains it.
fn rank(module: &[String]) -> Option<usize> {
    (1..=module.len()).rev().find_map(|length| {
        let name = module[..length].join("::");
        CORE_ORDER.iter().position(|entry| *entry == name)
    })
}

#[test]
fn a_module_has_the_rank_of_the_longest_entry_that_contains_it() {
    let rank = |path: &str| rank(&path.split("::").map(str::to_owned).collect::<Vec<_>>());
    assert!(rank("policy::limit::Y").is_some() && rank("time::Moment") < rank("policy::limit"));
    assert_eq!(rank("no::module"), None);
}
