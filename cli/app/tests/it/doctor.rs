//! `plimsoll doctor` judges the driver that a run would use, and no other.

use std::ffi::OsStr;

use serde_json::Value;

use crate::desk::Desk;

/// The exit code and the diagnosis with these settings, on a machine whose Chromium is missing.
fn diagnosis(set: &[&str]) -> (Option<i32>, Value) {
    let args: Vec<&str> =
        ["doctor", "--json"].into_iter().chain(set.iter().flat_map(|set| ["--set", set])).collect();
    let missing = [(OsStr::new("PLIMSOLL_CHROMIUM"), OsStr::new("/nowhere/chromium"))];
    let output = Desk::new().run(&args, &missing);
    let diagnosis = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), diagnosis)
}

/// The detail of the finding on `what`, and its state.
fn finding(diagnosis: &Value, what: &str) -> Option<(String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = diagnosis["findings"].as_array().expect("a list");
    let found = findings.iter().find(|finding| finding["what"] == what)?;
    Some((text(found, "state"), text(found, "detail")))
}

#[test]
fn without_a_chromium_only_the_drivers_that_start_one_are_missing_something() {
    let (code, cdp) = diagnosis(&[]);
    assert_eq!((code, cdp["driver"].as_str()), (Some(3), Some("cdp")));
    assert_eq!(finding(&cdp, "browser").expect("a finding").0, "missing", "{cdp}");

    for set in ["driver.name=sim", "route.default=sim"] {
        let (code, sim) = diagnosis(&[set]);
        assert_eq!((code, sim["driver"].as_str()), (Some(0), Some("sim")), "{set}: {sim}");
        assert_eq!(finding(&sim, "start").expect("it was tried").0, "good", "{sim}");
        assert_eq!((finding(&sim, "sandbox"), finding(&sim, "browser")), (None, None), "{sim}");
    }

    let (code, webdriver) = diagnosis(&["driver.name=webdriver"]);
    assert_eq!(code, Some(3), "{webdriver}");
    let (state, detail) = finding(&webdriver, "driver").expect("a finding");
    assert!(state == "missing" && detail.contains("/nowhere/chromium"), "{webdriver}");
}

#[test]
fn a_grid_that_does_not_answer_is_tried_and_found_missing() {
    // No process listens on port 1.
    let grid = ["driver.name=webdriver", "driver.webdriver.url=http://127.0.0.1:1", "timeouts.launch=2s"];
    let (code, diagnosis) = diagnosis(&grid);
    assert_eq!(code, Some(3), "{diagnosis}");
    let (state, detail) = finding(&diagnosis, "start").expect("it was tried");
    assert!(state == "missing" && detail.contains("Connection refused"), "{diagnosis}");
}

#[test]
fn the_configured_line_decides_how_many_contexts_fit() {
    let contexts = |set: &[&str]| {
        // A driver that cannot be started gets a diagnosis too, and starts nothing here.
        let firefox = [
            "driver.name=webdriver",
            "driver.webdriver.browser=firefox",
            "driver.webdriver.geckodriver=/nowhere",
        ];
        let (_, diagnosis) = diagnosis(&[&firefox, set].concat());
        let bound = diagnosis["capacity"]["constraints"].as_array().expect("a list").iter();
        let mut memory = bound.filter(|bound| bound["resource"] == "memory");
        memory.next().map(|bound| (bound["room"].as_u64(), bound["need_per_context"].as_u64()))
    };
    let usual = contexts(&[]).expect("a sensor");
    let sparing = contexts(&["memory.shut_above=60%", "memory.open_at=50%"]).expect("a sensor");
    assert_eq!(usual.1, Some(486 << 20), "a whole Firefox");
    assert!(sparing.0 < usual.0, "{sparing:?} {usual:?}");
}
