//! The jobs of the demonstration: 200 jobs of five kinds, in the public job format.

use plimsoll_kit::demo_site::PAGES;
use plimsoll_kit::site::Site;
use serde_json::{Value, json};

/// The number of jobs of each kind: 200 in all, 25 of them with a picture.
const VISITS: usize = 120;
const TABLES: usize = 34;
const LETTERS: usize = 34;
const GALLERIES: usize = 10;
const PRINTS: usize = 2;

/// The names that fill the form.
const NAMES: [&str; 6] = ["Ada", "Grace", "Samuel", "Hedy", "Alan", "Katherine"];

/// Makes the `n`th job of its kind.
type Make = fn(&Site, usize) -> Value;

/// The jobs as lines of JSON. The kinds take turns, as they would in a real batch.
pub(crate) fn mixed(site: &Site) -> String {
    let kinds: [(usize, Make); 5] =
        [(VISITS, visit), (TABLES, table), (LETTERS, letter), (GALLERIES, gallery), (PRINTS, print)];
    let mut jobs: Vec<(f64, Value)> = Vec::new();
    for (count, make) in kinds {
        // Each kind is spread evenly over the batch.
        jobs.extend((0..count).map(|n| ((n as f64 + 0.5) / count as f64, make(site, n))));
    }
    jobs.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    jobs.iter().map(|(_, job)| format!("{job}\n")).collect()
}

/// Reads a page; every twentieth job also takes a picture of the viewport.
fn visit(site: &Site, n: usize) -> Value {
    let mut job = json!({
        "id": format!("visit-{n}"),
        "url": site.url(&format!("/page/{}", n % PAGES + 1)),
        "extract": { "title": "title", "heading": "h1", "paragraphs": { "all": "article p" } },
        "timeout": "60s",
    });
    if n.is_multiple_of(20) {
        job["steps"] = json!([{ "expect": { "text": "Page" } }, { "screenshot": {} }]);
    }
    job
}

/// Waits for rows that a script builds, and reads a column of them.
fn table(site: &Site, n: usize) -> Value {
    let mut job = json!({
        "id": format!("table-{n}"),
        "url": site.url("/table"),
        "steps": [
            { "wait_for": { "text": "100 entries" } },
            { "extract": { "count": "#count", "ships": { "all": "tbody td:nth-child(2)" } } },
        ],
        "timeout": "60s",
    });
    if n.is_multiple_of(8) {
        job["screenshot"] = json!("full");
    }
    job
}

/// Fills in a form and waits for its response; one in nine jobs takes a picture of it.
fn letter(site: &Site, n: usize) -> Value {
    let name = format!("{} {n}", NAMES[n % NAMES.len()]);
    let mut steps = vec![
        json!({ "fill": { "selector": "#name", "text": name } }),
        json!({ "fill": { "selector": "#email", "text": format!("letter-{n}@example.invalid") } }),
        json!({ "select": { "selector": "#topic", "value": "draught" } }),
        json!({ "check": "#agree" }),
        json!({ "click": "#send" }),
        json!({ "wait_for": { "text": "Thank you" } }),
        json!({ "expect": { "text": format!("Thank you, {name}") } }),
        json!({ "extract": { "answer": "#out" } }),
    ];
    if n.is_multiple_of(9) {
        steps.push(json!({ "screenshot": {} }));
    }
    json!({ "id": format!("letter-{n}"), "url": site.url("/form"), "steps": steps, "timeout": "60s" })
}

/// Takes a picture of a whole page of drawings.
fn gallery(site: &Site, n: usize) -> Value {
    json!({
        "id": format!("gallery-{n}"),
        "url": site.url("/gallery"),
        "extract": { "captions": { "all": "figcaption" } },
        "screenshot": "full",
        "timeout": "60s",
    })
}

/// Prints a page.
fn print(site: &Site, n: usize) -> Value {
    json!({
        "id": format!("print-{n}"),
        "url": site.url(&format!("/page/{}", n + 1)),
        "steps": [{ "extract": { "title": "h1" } }, { "pdf": {} }],
        "timeout": "60s",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use plimsoll_kit::demo_site;
    use plimsoll_kit::site::LOOPBACK;

    use super::*;

    #[test]
    fn there_are_200_jobs_of_distinct_names_and_25_pictures() {
        let lines = mixed(&demo_site::serve(LOOPBACK).unwrap());
        let ids: BTreeSet<String> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].to_string())
            .collect();
        assert_eq!((lines.lines().count(), ids.len()), (200, 200));
        assert_eq!(lines.lines().filter(|line| line.contains("screenshot")).count(), 25);
    }
}
