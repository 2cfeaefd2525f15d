//! Secrets of jobs: users and passwords of URLs, values of headers and cookies, texts that are typed; and secrets of the
//! settings. No output has them, at the most talkative level of the log, however the jobs end.

use std::fs;

use plimsoll_kit::dead_port::DeadPort;
use plimsoll_kit::nasty_site;
use plimsoll_kit::site::{LOOPBACK, Site};
use serde_json::{Value, json};

use crate::rig::Rig;
use crate::running::Ended;

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

/// Asserts that no output has the canary.
#[track_caller]
fn assert_nothing_told(rig: &Rig, ended: &Ended, what: &str) {
    let mut told: Vec<_> = ended.stderr.lines().filter(|line| line.contains(CANARY)).collect();
    told.extend(ended.stdout.lines().filter(|line| line.contains(CANARY)));
    assert!(told.is_empty(), "{what}: {}", told.join("\n"));
    for entry in fs::read_dir(rig.path("out")).into_iter().flatten().flatten() {
        let text = fs::read(entry.path()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let told = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(told, None, "{what}: {}", entry.path().display());
    }
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
        assert_nothing_told(&rig, &ended, driver);
    }
    rig.assert_clean();
}

/// Keys whose texts name files of this machine, which have no users and no passwords.
const FILES: [&str; 9] = [
    "driver.cdp.executable",
    "driver.plugin.a.path",
    "driver.plugins.dirs",
    "driver.webdriver.chromedriver",
    "driver.webdriver.executable",
    "driver.webdriver.geckodriver",
    "driver.webdriver.password_file",
    "profiles.root",
    "secrets.dir",
];

/// Every key below `schema` that can hold free text, with a value that has the canary wherever a secret may stand.
fn settings(schema: &Value, key: &str, url: &str) -> Vec<(String, Value)> {
    let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
    if let Some(keys) = schema["properties"].as_object() {
        return keys.iter().flat_map(|(name, schema)| settings(schema, &below(name), url)).collect();
    }
    if schema["additionalProperties"].is_object() {
        return settings(&schema["additionalProperties"], &below("a"), url);
    }
    value(schema, url).map(|value| (key.to_owned(), value)).into_iter().collect()
}

/// A value of the form that `schema` describes, with canaries; `None` when the form has no free text.
fn value(schema: &Value, url: &str) -> Option<Value> {
    if schema["format"] == "password" {
        return Some(json!(CANARY));
    }
    if schema["additionalProperties"] == json!(true) {
        let deep = json!([{"password": CANARY, "server": url}]);
        return Some(json!({"token": CANARY, "server": url, "deep": deep}));
    }
    if let Some(keys) = schema["properties"].as_object() {
        let first = |schema: &Value| schema["items"]["oneOf"][0]["const"].clone();
        let of = |schema| value(schema, url).unwrap_or_else(|| json!([first(schema)]));
        let required = schema["required"].as_array()?.iter().filter_map(Value::as_str);
        return Some(required.map(|name| (name.to_owned(), of(&keys[name]))).collect());
    }
    match schema["type"].as_str()? {
        "array" => value(&schema["items"], url).map(|item| json!([item])),
        "string" if schema["oneOf"].is_null() && schema["x-unit"].is_null() => Some(json!(url)),
        _ => None,
    }
}

#[test]
fn no_command_shows_a_secret_of_the_settings() {
    let (rig, dead) = (Rig::new(), DeadPort::reserve().expect("a port"));
    let schema = rig.plimsoll(&["config", "schema"]).expect(0).stdout;
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let url = format!("http://user:{CANARY}@{}/", dead.addr);
    let mut keys = settings(&schema, "", &url);
    keys.retain(|(key, _)| !FILES.contains(&key.as_str()));
    for known in ["url", "password", "endpoints", "capabilities", "args"] {
        let key = format!("driver.webdriver.{known}");
        assert!(keys.iter().any(|(found, _)| *found == key), "no {key} in {keys:?}");
    }
    rig.jobs([json!({"url": "about:blank"})]);
    let remote = format!("driver.webdriver.url=http://{}/", dead.addr);
    for (key, value) in keys {
        let set = match &value {
            Value::String(text) => format!("{key}={text}"),
            value => format!("{key}={value}"),
        };
        for command in [&["config", "show"][..], &["config", "check"], &["config", "explain", &key]] {
            let ended = rig.plimsoll(&[command, &["--set", &set]].concat());
            assert_nothing_told(&rig, &ended, &format!("{command:?} {set}"));
        }
        let driver = if key.starts_with("driver.webdriver.") { "webdriver" } else { "cdp" };
        let mut talk = vec!["--set", "log.level=trace", "--driver", driver, "--set", &set];
        if !["driver.webdriver.url", "driver.webdriver.endpoints"].contains(&key.as_str()) {
            talk.extend(["--set", &remote]);
        }
        assert_nothing_told(&rig, &rig.run(&talk), &set);
    }
    rig.assert_clean();
}

#[test]
fn no_output_has_a_secret_that_a_job_has_by_name() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let dead = DeadPort::reserve().expect("a port");
    let (page, by_name) = (site.url("/nested"), "{{secret:CANARY}}");
    let throws = |what: &str| json!({"evaluate": format!("(() => {{ throw new Error({what}) }})()")});
    rig.jobs([
        json!({"url": format!("{page}?k={by_name}"), "steps": [throws("location.href")]}),
        json!({"url": page.replacen("://", &format!("://u:{by_name}@"), 1), "extract": {"title": "title"}}),
        json!({"url": format!("http://{}/{by_name}", dead.addr)}),
        json!({"url": page, "steps": [{"evaluate": format!("[`{by_name}`, encodeURIComponent(`{by_name}`)]")}]}),
        json!({"url": page, "steps": [{"evaluate": format!("(() => {{ throw new Error(JSON.stringify(`{by_name}`)) }})()")}]}),
        json!({"url": page, "steps": [{"expect": {"text": by_name, "timeout": "100ms"}}]}),
        json!({"url": page, "steps": [{"click": {"selector": format!("[a='{by_name}']"), "timeout": "100ms"}}]}),
        json!({"url": site.url("/headers"), "headers": {"x-a": by_name}, "steps": [{"content": "all"}]}),
    ]);
    fs::create_dir(rig.path("secrets")).expect("writable");
    rig.write("secrets/CANARY", format!("{CANARY} \"ü\"\n"));
    let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
    fs::set_permissions(rig.path("secrets/CANARY"), mode(0o600)).expect("ours");
    let ended = rig.run(&["--set", "secrets.dir=secrets", "--set", "log.level=trace"]);
    assert_eq!(ended.code(), Some(1), "{}", ended.stderr);
    let results = fs::read_to_string(rig.path("out/results.jsonl")).expect("results");
    assert_eq!(results.lines().count(), 8, "{results}");
    assert!(results.contains("(redacted)") && results.contains("{{secret:CANARY}}"), "{results}");
    let files = ["out/results.jsonl", "out/report.json", "out/report.html"];
    let texts = files.map(|file| fs::read_to_string(rig.path(file)).expect("it was written"));
    for text in texts.iter().chain([&ended.stdout, &ended.stderr]) {
        let told = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(told, None);
    }
}
