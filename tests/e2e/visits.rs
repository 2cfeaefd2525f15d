//! Many visits: every job runs once with the right data, and the report's numbers add up.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use plimsoll_kit::demo_site::{self, PAGES};
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::running::Ended;

/// The site's pages as it has them: the first line of an entry is its title.
const LOGBOOK: &str = include_str!("../kit/demo_site/logbook.txt");

/// The keys of `report.json` that scripts rely on.
const CONTRACT: [&str; 17] = [
    "submitted",
    "succeeded",
    "failed",
    "cancelled",
    "expired",
    "rejected",
    "lost",
    "attempts",
    "wall_s",
    "jobs_per_s",
    "latency_ms",
    "peak_active",
    "peak_creating",
    "peak_memory_bytes",
    "browser_restarts",
    "breaker_trips",
    "supervisor_cpu_s",
];

/// The keys of each line of `results.jsonl` that scripts rely on.
const LINE: [&str; 8] = ["id", "url", "outcome", "class", "attempts", "ms", "data", "artifacts"];

/// Jobs in a large run.
fn many() -> usize {
    std::env::var("PLIMSOLL_E2E_JOBS").ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(60)
}

fn page(job: usize) -> usize {
    job % PAGES + 1
}

/// The expected data of the job.
fn expected(site: &Site, job: usize) -> Value {
    let entry: Vec<&str> =
        LOGBOOK.split("\n\n").nth(page(job) - 1).expect("a page an entry").trim().lines().collect();
    json!({
        "title": entry[0],
        "text": entry[1..],
        "next": site.url(&format!("/page/{}", page(page(job)))),
    })
}

/// Every job has one line with the right data, and the report agrees with the lines.
fn assert_all_there(site: &Site, ended: &Ended, jobs: usize, concurrency: u64) {
    let mut lines: BTreeMap<String, Value> = BTreeMap::new();
    for line in ended.results() {
        let id = line["id"].as_str().expect("an id").to_owned();
        assert!(lines.insert(id, line.clone()).is_none(), "a second line: {line}");
    }
    assert_eq!(lines.len(), jobs);
    for job in 0..jobs {
        let line = &lines[&format!("visit-{job}")];
        assert!(LINE.iter().all(|key| line.get(key).is_some()), "{line}");
        assert_eq!(
            (&line["outcome"], &line["class"], &line["attempts"]),
            (&json!("succeeded"), &Value::Null, &json!(1))
        );
        assert_eq!(line["data"], expected(site, job), "job {job}");
    }
    assert_adds_up(ended, jobs, concurrency);
}

/// The report agrees with itself and with the lines.
fn assert_adds_up(ended: &Ended, jobs: usize, concurrency: u64) {
    let (report, lines) = (ended.report(), ended.results());
    for key in CONTRACT {
        assert!(report.get(key).is_some(), "no {key} in {report}");
    }
    let number =
        |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key} is no count: {}", report[key]));
    let seconds =
        |key: &str| report[key].as_f64().unwrap_or_else(|| panic!("{key} is no number: {}", report[key]));
    let of = |outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count() as u64;
    assert_eq!(number("submitted"), jobs as u64);
    for outcome in ["succeeded", "failed", "cancelled", "expired", "rejected"] {
        assert_eq!(number(outcome), of(outcome), "{outcome}");
    }
    assert_eq!(number("lost"), 0);
    assert_eq!(number("attempts"), lines.iter().filter_map(|line| line["attempts"].as_u64()).sum::<u64>());
    let waits = report["waits"].as_array().expect("a list").iter();
    let share: f64 = waits.map(|wait| wait["share"].as_f64().expect("a share")).sum();
    assert!((0.0..=1.01).contains(&share), "{}", report["waits"]);
    let ran = (number("succeeded") + number("failed")) as f64;
    let (wall, rate) = (seconds("wall_s"), seconds("jobs_per_s"));
    assert!(wall > 0.0 && wall <= ended.took.as_secs_f64(), "{wall} of {:?}", ended.took);
    assert!((rate - ran / wall).abs() <= 0.01 * rate, "{rate} of {ran} in {wall}");
    let [p50, p95, p99] = ["p50", "p95", "p99"].map(|p| report["latency_ms"][p].as_f64().expect("jobs ran"));
    assert!(0.0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= wall * 1000.0, "{}", report["latency_ms"]);
    let (active, creating) = (number("peak_active"), number("peak_creating"));
    assert!((1..=concurrency).contains(&active), "{active} active of {concurrency}");
    assert!((1..=active.min(50)).contains(&creating), "{creating} in creation of {active}");
    let memory = &report["peak_memory_bytes"];
    assert!(memory.is_null() || memory.as_u64().is_some_and(|bytes| bytes > 10 << 20), "{memory}");
    assert_eq!((number("browser_restarts"), number("breaker_trips")), (0, 0));
    let cpu = seconds("supervisor_cpu_s");
    assert!(cpu > 0.0 && cpu < 2.0 * wall, "{cpu} s of processor time in {wall} s");
}

#[test]
fn many_visits_from_lines_of_json() {
    let (rig, site, jobs) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"), many());
    rig.jobs((0..jobs).map(|job| {
        json!({
            "id": format!("visit-{job}"),
            "url": site.url(&format!("/page/{}", page(job))),
            "extract": {"title": "h1", "text": {"all": "article p", "take": "html"}, "next": {"selector": "a[rel=next]", "attribute": "href"}},
        })
    }));
    let ended = rig.run(&["--concurrency", "8"]).expect(0);
    assert_all_there(&site, &ended, jobs, 8);
    assert_eq!(ended.stdout, "", "results go to the directory");
    rig.assert_clean();
}

#[test]
fn many_visits_from_toml_as_many_at_once_as_may_be() {
    let (rig, site, jobs) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"), many());
    let tables = (0..jobs).fold(String::new(), |mut text, job| {
        let url = site.url(&format!("/page/{}", page(job)));
        let extract = "{ title = 'h1', text = { all = 'article p', take = 'html' }, next = { selector = 'a[rel=next]', attribute = 'href' } }";
        writeln!(text, "[[job]]\nid = 'visit-{job}'\nurl = '{url}'\nextract = {extract}\n").expect("a string");
        text
    });
    rig.write("jobs.toml", tables);
    let ended = rig.start("jobs.toml", &["--concurrency", "100"]).ended().expect(0);
    assert_all_there(&site, &ended, jobs, 100);
    rig.assert_clean();
}

#[test]
fn many_visits_from_a_list_of_urls() {
    let (rig, site, jobs) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"), many());
    let list: Vec<String> = (0..jobs).map(|job| site.url(&format!("/page/{}\n", page(job)))).collect();
    rig.write("jobs.txt", list.concat());
    for concurrency in [8, 100] {
        let before = site.hits("/page/1");
        let more = ["--concurrency", &concurrency.to_string()];
        let ended = rig.start("jobs.txt", &more).ended().expect(0);
        let mut ids: Vec<usize> = ended
            .results()
            .iter()
            .map(|line| {
                line["id"]
                    .as_str()
                    .and_then(|id| id.parse().ok())
                    .expect("a job without an id has its number")
            })
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=jobs).collect::<Vec<_>>());
        assert_eq!(
            site.hits("/page/1") - before,
            jobs.div_ceil(PAGES) as u64,
            "each page was opened once a job"
        );
        assert_adds_up(&ended, jobs, concurrency);
        rig.assert_clean();
    }
}

#[test]
fn a_template_is_filled_from_rows() {
    let (rig, site) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"));
    rig.jobs([json!({"id": "t", "url": site.url("/page/{{page}}"), "extract": {"title": "h1"}})]);
    rig.write("pages.csv", "page,name\n1,one\n2,\"t,wo\"\n3,three\n");
    let ended = rig.run(&["--rows", "pages.csv"]).expect(0);
    for row in 1..=3 {
        assert_eq!(ended.result(&format!("t-{row}"))["data"]["title"], expected(&site, row - 1)["title"]);
    }
    assert_eq!(ended.results().len(), 3);
}

#[test]
fn a_hundred_at_once_are_held_and_none_is_lost() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let hundred = || (0..100).map(|n| json!({"id": format!("visit-{n}"), "url": site.url("/slow/1500")}));
    rig.jobs(hundred());
    let ended = rig.run(&["--concurrency", "100", "--set", "limits.policy=fixed"]).expect(0);
    assert_adds_up(&ended, 100, 100);
    let report = ended.report();
    // Jobs arrive for ten seconds and each takes a second and a half, so they overlap.
    assert!(report["peak_active"].as_u64() >= Some(50), "{}", report["peak_active"]);
    rig.assert_clean();
}
