//! Secrets of jobs: users and passwords of URLs, values of headers and cookies, texts that are typed. No output has them,
//! at the most talkative level of the log, however the jobs end.

use std::fs;

use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use serde_json::{Value, json};

use crate::rig::Rig;

const CANARY: &str = "canary-7261839405";

/// A URL of the site, with a user and a password.
fn with_user(site: &Site, path: &str) -> String {
    site.url(path).replacen("://", &format!("://user:{CANARY}@"), 1)
}

/// Jobs that succeed, and jobs that fail in each stage and class, with secrets in every key that can hold some.
fn jobs(site: &Site, dead: &str) -> Vec<Value> {
    let page = site.url("/nested");
    let throws = |what: &str| json!({"evaluate": format!("(() => {{ throw new Error({what}) }})()")});
    let cookie = json!({"name": "a", "value": CANARY, "url": page});
    let foreign = json!({"name": "a", "value": CANARY, "domain": "other.example", "path": "no path"});
    let wait = |condition: Value| {
        let mut condition = condition;
        condition["timeout"] = json!("300ms");
        condition
    };
    vec![
        json!({"url": with_user(site, "/nested"), "extract": {"title": "title"}}),
        json!({"url": with_user(site, "/no-such-page")}),
        json!({"url": with_user(site, "/hang"), "timeout": "1s"}),
        json!({"url": format!("http://user:{CANARY}@{dead}/")}),
        json!({"url": format!("http://user:{CANARY}@no-such-host.invalid/")}),
        json!({"url": page, "steps": [{"goto": format!("http://{CANARY}@{dead}/")}]}),
        json!({"url": page, "steps": [{"wait_for": wait(json!({"url": format!("http://u:{CANARY}@h/*")}))}]}),
        json!({"url": page, "steps": [{"wait_for": wait(json!({"url": format!("u:{CANARY}@h")}))}]}),
        json!({"url": page, "steps": [{"expect": wait(json!({"url": format!("*://u:{CANARY}@h/*")}))}]}),
        json!({"url": with_user(site, "/nested"), "steps": [{"wait_for": wait(json!({"url": "/elsewhere"}))}]}),
        json!({"url": page, "steps": [{"fill": {"selector": "#none", "text": CANARY, "timeout": "300ms"}}]}),
        json!({"url": page, "steps": [{"type": {"selector": "#none", "text": CANARY, "timeout": "300ms"}}]}),
        json!({"url": page, "cookies": [cookie], "steps": [throws("document.cookie")]}),
        json!({"url": page, "cookies": [foreign]}),
        json!({"url": page, "cookies": [{"name": "a", "value": CANARY, "url": format!("http://u:{CANARY}@/")}]}),
        json!({"url": page, "steps": [{"set_cookies": [foreign]}]}),
        json!({"url": page, "steps": [{"set_cookies": [cookie]}, throws("document.cookie")]}),
        json!({"url": site.url("/headers"), "headers": {"authorization": format!("Bearer {CANARY}"), "x-a": CANARY},
               "steps": [throws("document.body.textContent")]}),
        json!({"url": page, "headers": {"connection": CANARY, "host": CANARY}}),
    ]
}

#[test]
fn no_output_of_a_run_has_a_secret_of_its_jobs() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let dead = DeadPort::reserve().expect("a port");
    rig.jobs(jobs(&site, &dead.addr.to_string()));
    let talk = ["--set", "log.level=trace"];
    for driver in ["cdp", "sim"] {
        let ended = rig.run(&[&talk[..], &["--driver", driver]].concat());
        assert_eq!(ended.code(), Some(1), "{}", ended.stderr);
        let mut told: Vec<_> = ended.stderr.lines().filter(|line| line.contains(CANARY)).collect();
        told.extend(ended.stdout.lines().filter(|line| line.contains(CANARY)));
        assert!(told.is_empty(), "{driver}: {}", told.join("\n"));
        for entry in fs::read_dir(rig.path("out")).expect("the output").flatten() {
            let text = fs::read(entry.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let text = text.unwrap_or_default();
            let told = text.lines().find(|line| line.contains(CANARY));
            assert_eq!(told, None, "{driver}: {}", entry.path().display());
        }
    }
    rig.assert_clean();
}
