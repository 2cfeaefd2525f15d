//! A job does not find what an earlier job stored in its context.

use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use serde_json::{Value, json};

use crate::rig::Rig;

/// Reads what an earlier visit stored, then writes to every kind of storage.
fn storing(site: &Site, id: &str) -> Value {
    json!({"id": id, "url": site.url("/storage"), "steps": [
        {"wait_for": {"function": "document.querySelector('#out').textContent !== 'looking'"}},
        {"extract": {"found": "#out"}},
    ]})
}

#[test]
fn jobs_find_no_cookies_and_no_storage_of_others() {
    const ROUNDS: usize = 4;
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs((0..ROUNDS).flat_map(|n| {
        [
            json!({"id": format!("set{n}"), "url": site.url(&format!("/cookies/set/berth/{n}")), "steps": [{"get_cookies": {}}]}),
            json!({"id": format!("see{n}"), "url": site.url("/cookies"), "extract": {"sent": "#out"}}),
            storing(&site, &format!("store{n}")),
        ]
    }));
    // One after the other, and beside each other in one browser.
    for concurrency in ["1", "6"] {
        let ended = rig.run(&["--concurrency", concurrency]).expect(0);
        for n in 0..ROUNDS {
            let set = ended.result(&format!("set{n}"));
            assert_eq!(set["data"]["cookies"][0]["value"], n.to_string(), "the cookie was there: {set}");
            assert_eq!(ended.result(&format!("see{n}"))["data"]["sent"], "none");
            let found = ended.result(&format!("store{n}"));
            let found: Value =
                serde_json::from_str(found["data"]["found"].as_str().expect("text")).expect("JSON");
            let nothing =
                json!({"cookie": "", "local": [], "session": [], "caches": [], "indexed": [], "name": ""});
            assert_eq!(found, nothing);
        }
        rig.assert_clean();
    }
}

#[test]
fn a_job_keeps_its_cookies_from_step_to_step() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    rig.jobs([json!({"id": "a", "url": site.url("/cookies/set/berth/seven"), "steps": [
        {"goto": site.url("/cookies")}, {"extract": {"sent": "#out"}},
        {"set_cookies": [{"name": "berth", "value": "eight", "url": site.url("/")}]},
        {"goto": site.url("/headers")}, {"evaluate": {"script": "JSON.parse(document.body.innerText).cookie", "name": "then"}},
    ]})]);
    let data = rig.run(&[]).expect(0).result("a")["data"].clone();
    assert_eq!((&data["sent"], &data["then"]), (&json!("berth=seven"), &json!("berth=eight")));
    rig.assert_clean();
}
