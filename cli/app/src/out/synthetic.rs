//! Invented runs for tests of the report.
//!
//! With `PLIMSOLL_SAMPLES=DIR` in the environment, `cargo test -p plimsoll-cli` writes the reports of these runs to `DIR`,
//! so that a person can look at them.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::time::Duration;

use image::{ImageFormat, Rgb, RgbImage};
use plimsoll_core::id::{JobId, Ticket};
use plimsoll_core::outcome::{FailureClass, Fault, Outcome, Stage};
use plimsoll_core::policy::Wait;
use plimsoll_core::port::{Artifact, ArtifactKind, Incidents, JobRecord};
use plimsoll_core::units::Bytes;
use serde_json::json;

use super::{ChangeKind, ChangeLog, History, OutDir, Report, RunFigures, Sample, Spread, Tally, Waits};

/// A report of `jobs` jobs of which every ninth failed, without artifacts.
pub(super) fn report(jobs: u64) -> Report {
    let mut tally = Tally::default();
    for n in 0..jobs {
        let mut record = record(n, if n % 9 == 8 { failure(n) } else { Outcome::Succeeded });
        record.driver = if n % 3 == 0 { "http" } else { "cdp" }.into();
        tally.add(&record);
    }
    Report::new(tally, figures(jobs, jobs * 250))
}

/// A whole run into `out`: artifacts, results, report.
pub(super) fn run(out: &OutDir, jobs: u64, outcome: impl Fn(u64) -> Outcome) -> Report {
    let mut results = out.results().expect("a descriptor");
    let mut tally = Tally::default();
    for n in 0..jobs {
        let mut record = record(n, outcome(n));
        if n < 30 && matches!(record.outcome, Outcome::Succeeded) {
            let shot = Artifact { kind: ArtifactKind::Png, bytes: screenshot(n) };
            record.artifacts.push(out.artifacts().keep(Ticket(n), &record.id, &shot).expect("room"));
        }
        results.write(&record).expect("room");
        tally.add(&record);
    }
    Report::new(tally, figures(jobs, jobs * 140))
}

/// A few failures among many successes.
pub(super) fn usual(n: u64) -> Outcome {
    match n % 23 {
        9 => failure(n),
        _ if n % 97 == 96 => Outcome::Expired,
        _ => Outcome::Succeeded,
    }
}

pub(super) fn failure(n: u64) -> Outcome {
    let (class, stage, message) = match n % 7 {
        0 | 1 => (
            FailureClass::Timeout,
            Stage::Step(2),
            "waited 20 s for text \"Thank you\"; the page still loads".to_owned(),
        ),
        2 => (
            FailureClass::HttpStatus,
            Stage::Step(0),
            "the server answered 503 Service Unavailable".to_owned(),
        ),
        3 => (FailureClass::Navigation, Stage::Step(0), "net::ERR_CONNECTION_REFUSED".to_owned()),
        4 => (FailureClass::PageCrash, Stage::Step(1), "the renderer ended with code 139".to_owned()),
        5 => (
            FailureClass::Script,
            Stage::Step(4),
            format!("TypeError: a is null\n    at read (page.js:{n}:7)\n    at main (page.js:3:1)"),
        ),
        _ => (
            FailureClass::Assertion,
            Stage::Step(3),
            "expected the title to be \"Orders\", it is \"<b>Log in</b>\"".to_owned(),
        ),
    };
    Outcome::Failed(Fault::transient(class, message).at(stage))
}

pub(super) fn record(n: u64, outcome: Outcome) -> JobRecord {
    let ran = !matches!(outcome, Outcome::Expired | Outcome::Rejected);
    let jitter = n * 7919 % 1000;
    JobRecord {
        id: JobId::try_from(format!("page-{n:04}")).expect("a plain id"),
        url: Some(format!("https://shop.example/catalogue/{}/item/{n}?view=full", n % 12)),
        elapsed: Duration::from_millis(if ran { 600 + jitter + jitter.pow(3) / 90_000_000 * 900 } else { 0 }),
        attempts: if !ran {
            0
        } else if n.is_multiple_of(19) {
            2
        } else {
            1
        },
        outcome,
        driver: "cdp".into(),
        fell_back_from: Vec::new(),
        data: serde_json::Map::new(),
        artifacts: Vec::new(),
        status: Some(200),
        incidents: Incidents {
            dialogs: u32::from(n % 40 == 1),
            popups: 0,
            downloads: u32::from(n % 90 == 2),
        },
    }
}

/// A run that finds its limit, comes under pressure once and recovers.
fn figures(jobs: u64, wall_ms: u64) -> RunFigures {
    let (mut history, mut changes) = (History::default(), ChangeLog::default());
    let ticks = wall_ms / 250;
    let mut limit = 8;
    for tick in 0..=ticks {
        let at = Duration::from_millis(tick * 250);
        let share = tick as f64 / ticks.max(1) as f64;
        let before = limit;
        limit = match share {
            s if s < 0.3 => 8 + (s / 0.3 * 11.0) as u32 * 4,
            s if (0.55..0.7).contains(&s) => 26,
            _ => 52,
        };
        if limit != before {
            changes.push(at, ChangeKind::Limit, format!("{before} → {limit}"));
        }
        if limit < before {
            changes.push(at, ChangeKind::Pressure, "nominal → elevated: memory stalls 6.2 % (limit 5 %)");
            changes.push(at, ChangeKind::Browser, "browser 2 recycled after 412 contexts");
        }
        let done = (jobs as f64 * share.powf(1.1)) as u64;
        let wave = ((tick as f64 / 3.0).sin() * 2.0 + 2.0) as u32;
        let left = jobs - done;
        let active = limit.saturating_sub(wave).min(u32::try_from(left).unwrap_or(u32::MAX));
        history.push(Sample {
            at,
            active,
            creating: (wave + 1).min(active),
            limit: Some(limit),
            creation_limit: Some(5),
            queued: (left - u64::from(active)).min(400),
            done,
            failed: done / 23,
            memory: (!(40..44).contains(&tick)).then(|| Bytes::mib(180 + u64::from(active) * 17 + tick % 9)),
            browsers: 1 + active / 20,
        });
    }
    let settings = json!({
        "limits.max_contexts": 100, "limits.max_creating": 50, "limits.policy": "adaptive", "retry.attempts": 2,
        "driver.name": "cdp", "driver.cdp.contexts_per_browser": 20, "driver.cdp.executable": "/usr/lib/chromium/chromium-headless-shell",
    });
    let mut waits = Waits::default();
    waits.add(&Wait::Active { in_flight: 52, limit: 52 }, Duration::from_millis(wall_ms / 2));
    waits.add(&Wait::Browser { launching: 1 }, Duration::from_millis(wall_ms / 10));
    let mut creations = Spread::default();
    (0..jobs).for_each(|n| creations.record(Duration::from_millis(180 + n % 70)));
    RunFigures {
        submitted: jobs,
        lost: 0,
        wall: Duration::from_millis(wall_ms),
        peak_active: u32::try_from(jobs).unwrap_or(u32::MAX).min(52),
        peak_creating: u32::try_from(jobs).unwrap_or(u32::MAX).min(5),
        creations,
        peak_memory: Some(Bytes::mib(1064)),
        browser_restarts: u64::from(jobs > 100),
        breaker_trips: 0,
        task_panics: 0,
        supervisor_cpu: Duration::from_micros(jobs * 2100),
        started_at: "2026-11-23T14:02:11Z".to_owned(),
        driver: "cdp".to_owned(),
        browser: Some("HeadlessChrome 156.0.7200.1".to_owned()),
        settings: settings.as_object().cloned().unwrap_or_default(),
        history,
        changes,
        waits,
        counters: BTreeMap::new(),
    }
}

/// A picture that resembles a page: a bar, a heading, lines.
fn screenshot(n: u64) -> Vec<u8> {
    let hue = u8::try_from(n * 37 % 160).unwrap_or_default();
    let picture = RgbImage::from_fn(480, 640, |x, y| match (x, y) {
        (_, 0..56) => Rgb([30 + hue / 2, 60, 150 - hue / 2]),
        (40..360, 90..116) => Rgb([40, 40, 50]),
        (40..440, 150..) if y % 34 < 12 && x < 280 + u32::from(hue) + y % 7 * 9 => Rgb([190, 196, 204]),
        _ => Rgb([252, 252, 250]),
    });
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).expect("a picture");
    png.into_inner()
}

mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The directory of a sample: `PLIMSOLL_SAMPLES` if it is set, else a temporary directory.
    fn place(name: &str) -> (OutDir, PathBuf, Option<tempfile::TempDir>) {
        let (path, guard) = match std::env::var_os("PLIMSOLL_SAMPLES") {
            Some(samples) => (PathBuf::from(samples).join(name), None),
            None => {
                let guard = tempfile::tempdir().expect("a place for tests");
                (guard.path().to_owned(), Some(guard))
            }
        };
        (OutDir::open(&path).expect("it can be used"), path, guard)
    }

    #[test]
    fn a_usual_run_leaves_a_page_with_its_pictures() {
        let (out, path, _guard) = place("usual");
        let files = out.finish(&run(&out, 300, usual)).expect("room for a report");
        let page = std::fs::read_to_string(&files.page).expect("it is there");
        assert_eq!(page.matches("data:image/jpeg;base64,").count(), 24);
        assert!(page.len() < 1_000_000, "{} bytes", page.len());
        let lines = std::fs::read_to_string(&files.results).expect("it is there");
        assert_eq!(lines.lines().count(), 300);
        for line in lines.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            for name in line["artifacts"].as_array().expect("a list") {
                assert!(path.join(name.as_str().expect("a name")).is_file(), "{name}");
            }
        }
    }

    #[test]
    fn small_huge_and_failing_runs_leave_a_page() {
        let (out, _, _guard) = place("one");
        out.finish(&run(&out, 1, |_| Outcome::Succeeded)).expect("room for a report");
        let (out, _, _guard) = place("none");
        out.finish(&run(&out, 0, usual)).expect("room for a report");
        let (out, _, _guard) = place("all-failed");
        out.finish(&run(&out, 40, failure)).expect("room for a report");
        let (out, _, _guard) = place("million");
        let files = out.finish(&report(1_000_000)).expect("room for a report");
        assert!(files.page.metadata().is_ok_and(|file| file.len() < 400_000));
    }

    #[test]
    fn what_jobs_wrote_stays_text() {
        let (out, _, _guard) = place("hostile");
        let mut tally = Tally::default();
        let evil =
            "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">";
        for (n, id) in
            (0u64..).zip([evil, "<script>", "</script>", "<!--", "]]>\u{2028}", "../../x", "&lt;b&gt;"])
        {
            let fault =
                Fault::persistent(FailureClass::Script, format!("{evil}\u{0}\u{202e}")).at(Stage::Step(1));
            let mut record = record(n, Outcome::Failed(fault));
            record.id = JobId::try_from(id.to_owned()).expect("no control characters");
            record.url = Some(if n % 2 == 0 {
                "javascript:document.title='owned'".to_owned()
            } else {
                format!("http://x/{evil}")
            });
            record.artifacts = vec!["artifacts/../../../etc/passwd.png".to_owned()];
            tally.add(&record);
        }
        let mut figures = figures(7, 4000);
        figures.driver = evil.to_owned();
        figures.changes.push(Duration::from_secs(4), ChangeKind::Breaker, evil);
        let files = out.finish(&Report::new(tally, figures)).expect("room for a report");
        let page = std::fs::read_to_string(&files.page).expect("it is there");
        assert_eq!(page.matches("</script").count(), 2, "that of the data and that of the script");
        assert!(!page.contains("<img") && !page.contains("<!--"));
    }
}
