//! The flags of Plimsoll's browsers, read from a running browser: a copy of them here would go stale.

use std::fs;

/// The flags for connection and files, which differ between clients.
const OWN: [&str; 2] = ["--remote-debugging-pipe", "--user-data-dir="];

/// The flags of the first browser among the descendants of `client`, if there is one.
pub(crate) fn of_browser_of(client: u32) -> Option<Vec<String>> {
    let tasks = fs::read_dir(format!("/proc/{client}/task")).ok()?;
    let children = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: String = children.collect();
    let mut children = children.split_whitespace().filter_map(|child| child.parse().ok());
    children.find_map(|child| of(child).or_else(|| of_browser_of(child)))
}

fn of(process: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{process}/cmdline")).ok()?;
    // Between fork and exec a child still has its parent's arguments.
    let args: Vec<&str> = line.split_terminator('\0').skip(1).collect();
    let flags = args.iter().filter(|arg| !OWN.iter().any(|own| arg.starts_with(own)));
    args.contains(&OWN[0]).then(|| flags.map(|flag| (*flag).to_owned()).collect())
}
