//! Driver libraries as a run sees them, in both isolations.

use rogue_driver as _;
use serde_json::{Value, json};

use crate::rig::Rig;

#[test]
fn what_a_library_prints_is_not_among_the_results() {
    let rig = Rig::new();
    rig.jobs((0..3).map(|_| json!({"url": "http://a.test/", "steps": [{"evaluate": "print"}]})));
    let this = std::env::current_exe().expect("this test");
    let library = this.with_file_name("librogue_driver.so");
    let path = format!("driver.plugin.rogue-driver.path={}", library.display());
    for isolation in ["process", "in-process"] {
        let isolation = format!("driver.plugin.rogue-driver.isolation={isolation}");
        let ended = rig.plimsoll(&[
            "run",
            "jobs.jsonl",
            "--driver",
            "rogue-driver",
            "--progress",
            "none",
            "--set",
            &path,
            "--set",
            &isolation,
            "--set",
            &rig.setting(),
        ]);
        let results = ended.stdout.lines().map(serde_json::from_str::<Value>);
        let results: Vec<_> =
            results.map(|line| line.unwrap_or_else(|_| panic!("{}", ended.stdout))).collect();
        assert_eq!(results.len(), 3, "{isolation}: {}", ended.stderr);
        let printed = ended.stderr.matches("printed by a library").count();
        assert_eq!(printed, if isolation.ends_with("in-process") { 3 } else { 0 }, "{}", ended.stderr);
    }
}
