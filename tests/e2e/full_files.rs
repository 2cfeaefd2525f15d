//! The limit on the size of files (`ulimit -f`) ends a run as a full disk does: with an error, and with complete lines.

use std::path::Path;

use serde_json::{Value, json};

use crate::rig::Rig;
use crate::running::Running;

/// Runs the binary under a limit of 128 KiB for each file: 256 blocks of 512 bytes.
const LIMITED: &str = r#"ulimit -f 256; exec "$0" "$@""#;

#[test]
fn a_file_at_its_limit_ends_a_run_with_complete_lines() {
    let rig = Rig::new();
    rig.jobs(
        (0..3000).map(|n| json!({"id": format!("{n}-{}", "x".repeat(100)), "url": "http://a.invalid/"})),
    );
    let binary = crate::binary::path().to_str().expect("a plain path");
    let run = ["run", "jobs.jsonl", "--driver", "sim", "--out", "out", "--set", "retry.attempts=1"];
    let args: Vec<&str> = ["-c", LIMITED, binary].iter().chain(&run).copied().collect();
    let ended = Running::start_program(Path::new("/bin/sh"), &rig.path(""), &args).ended();
    assert_eq!(ended.code(), Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("results.jsonl") && ended.stderr.contains("too large"), "{}", ended.stderr);
    let results = std::fs::read_to_string(rig.path("out/results.jsonl")).expect("the results");
    assert!(results.ends_with('\n') && results.len() > 100_000, "{} bytes", results.len());
    assert!(results.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "a line is torn");
    assert!(rig.path("out/report.json").exists() && rig.path("out/report.html").exists(), "{}", ended.stderr);
}
