//! A secret from any source of settings appears in no output, file or process of the program.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::desk::Desk;

/// The secret. It has only digits, so that it is also a valid number.
const CANARY: &str = "7261839405";

/// A source of the secret: a file, a variable with its value, and arguments. `{}` is the secret.
struct Way {
    name: &'static str,
    file: &'static str,
    variable: Option<(&'static str, &'static str)>,
    set: &'static [&'static str],
}

const fn file(name: &'static str, file: &'static str) -> Way {
    Way { name, file, variable: None, set: &[] }
}

const fn variable(name: &'static str, variable: &'static str, value: &'static str) -> Way {
    Way { name, file: "", variable: Some((variable, value)), set: &[] }
}

const fn set(name: &'static str, set: &'static [&'static str]) -> Way {
    Way { name, file: "", variable: None, set }
}

const GRID: &str = "driver.webdriver.url=http://grid:4444";

/// The sources before this one are valid settings.
const FIRST_WRONG: &str = "password alone";

const BROWSER: &str = "#!/bin/sh\n{ tr '\\0' ' ' < /proc/$$/cmdline; env; } >> \"${0%/*}/started\"\nexit 1\n";

const WAYS: [Way; 32] = [
    file("password", "[driver.webdriver]\nurl = \"http://g\"\nusername = \"u\"\npassword = \"{}\"\n"),
    file(
        "password file",
        "[driver.webdriver]\nurl = \"http://g\"\nusername = \"u\"\npassword_file = \"secret\"\n",
    ),
    file("URL", "[driver.webdriver]\nurl = \"http://u:{}@g:4444/wd\"\n"),
    file("URL without marks", "[driver.webdriver]\nurl = \"http:u:{}@g:4444/wd\"\n"),
    file(
        "URLs",
        "[[driver.webdriver.endpoints]]\nurl = \"http://{}@g\"\n[[driver.webdriver.endpoints]]\nurl = \"http://g\"\n",
    ),
    file("plugin's token", "[driver.plugin.x]\npath = \"/x\"\nconfig = {Api-Token = \"{}\", n = 1}\n"),
    file("plugin's nest", "[driver.plugin.x]\npath = \"/x\"\nconfig = {a = [{authorization = [\"{}\"]}]}\n"),
    file("plugin's URL", "[driver.plugin.x]\npath = \"/x\"\nconfig = {proxy = \"socks5://u:{}@h\"}\n"),
    file(
        "capability",
        "[driver.webdriver]\ncapabilities = {\"cloud:options\" = {accessKey = \"x\", secret = \"{}\"}}\n",
    ),
    file(
        "key of a grid",
        "[driver.webdriver]\ncapabilities = {\"sauce:options\" = {username = \"u\", accessKey = \"{}\"}}\n",
    ),
    file("argument", "[driver.cdp]\nargs = [\"--proxy-server=http://u:{}@h\"]\n"),
    variable("variable", "PLIMSOLL_DRIVER__PLUGIN__X__CONFIG__PASSWORD", "{}"),
    variable(
        "variable with JSON",
        "PLIMSOLL_DRIVER__PLUGIN__X",
        "{\"path\": \"/x\", \"config\": {\"token\": \"{}\"}}",
    ),
    variable("variable with URL", "PLIMSOLL_DRIVER__WEBDRIVER__URL", "http://u:{}@g"),
    set("set", &[GRID, "driver.webdriver.username=u", "driver.webdriver.password={}"]),
    set("set URL", &["driver.webdriver.url=http://u:{}@g"]),
    set("set table", &["driver.plugin.x.config={\"token\": \"{}\"}"]),
    file("password alone", "[driver.webdriver]\npassword = \"{}\"\n"),
    file("password as a number", "[driver.webdriver]\npassword = {}\n"),
    file("password as a list", "[driver.webdriver]\npassword = [\"{}\"]\n"),
    file("password without an end", "[driver.webdriver]\npassword = \"{}\n"),
    file("password twice", "[driver.webdriver]\npassword = \"x\"\npassword = \"{}\"\n"),
    file("password misspelt", "[driver.webdriver]\npasswrd = \"{}\"\n"),
    file("broken URL", "[driver.webdriver]\nurl = \"u:{}@g\"\n"),
    file("hidden URL", "[driver.webdriver]\nendpoints = [\"u:{}@g\"]\n"),
    file("URL in place of a number", "[limits]\nmax_contexts = \"http://u:{}@g\"\n"),
    variable("half a table", "PLIMSOLL_DRIVER__PLUGIN__X", "{\"config\": {\"token\": \"{}\""),
    variable("table in place of a text", "PLIMSOLL_DRIVER__WEBDRIVER", "{\"password\": {\"x\": \"{}\"}}"),
    variable("null", "PLIMSOLL_DRIVER__PLUGIN__X__CONFIG", "{\"a\": null, \"token\": \"{}\"}"),
    set("set without a sign", &["driver.webdriver.password {}"]),
    set("set of a table", &["driver.webdriver={}"]),
    set("set of a slip", &["driver.webdriver.pasword={}"]),
];

/// The commands that run while the secret is set.
const QUESTIONS: [&[&str]; 9] = [
    &["config", "check"],
    &["config", "show"],
    &["config", "show", "--json"],
    &["config", "explain", "driver"],
    &["config", "explain", "driver.webdriver.password"],
    &["config", "explain", "driver.webdriver.url"],
    &["config", "explain", "driver.webdriver.endpoints"],
    &["config", "explain", "driver.plugin.x.config"],
    &["run", "jobs.txt", "--out", "out", "--progress", "plain"],
];

#[test]
fn no_way_leads_a_secret_out_again() {
    let mut seen = Vec::new();
    let mut is_good = true;
    for Way { name, file, variable, set } in WAYS {
        is_good &= name != FIRST_WRONG;
        let desk = Desk::new();
        let fill = |text: &str| text.replace("{}", CANARY);
        desk.write("secret", format!("{CANARY}\n"));
        desk.write("jobs.txt", "http://127.0.0.1:9/\n");
        desk.write("plimsoll.toml", fill(file));
        // A browser that only records how it was started; it may run as another user.
        desk.write("browser", BROWSER);
        desk.write("started", "");
        for (file, mode) in [("", 0o755), ("browser", 0o755), ("started", 0o666)] {
            fs::set_permissions(desk.path(file), fs::Permissions::from_mode(mode)).expect("it is ours");
        }
        let root = format!("profiles.root={}", desk.path("").display());
        let browser = format!("driver.cdp.executable={}", desk.path("browser").display());
        let set: Vec<_> = set.iter().map(|text| fill(text)).collect();
        let value = variable.map(|(_, value)| fill(value)).unwrap_or_default();
        let mut environment = vec![(OsStr::new("PLIMSOLL_LOG"), OsStr::new("trace"))];
        environment.extend(variable.map(|(name, _)| (OsStr::new(name), OsStr::new(&value))));
        for question in QUESTIONS {
            let mut args = question.to_vec();
            args.extend(set.iter().flat_map(|set| ["--set", set]));
            if question[0] == "run" {
                args.extend(["--set", &root, "--set", &browser, "--set", "limits.queue_timeout=100ms"]);
            }
            let output = desk.run(&args, &environment);
            if question == ["config", "check"] {
                let expected = if is_good { 0 } else { 2 };
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(expected), "{name}: {stderr}");
            }
            for said in [output.stdout, output.stderr] {
                let said = String::from_utf8_lossy(&said);
                let told = said.lines().find(|line| line.contains(CANARY));
                seen.extend(told.map(|line| format!("{name}: {question:?}: {line}")));
            }
        }
        let was_started = fs::metadata(desk.path("started")).is_ok_and(|file| file.len() > 0);
        assert_eq!(was_started, is_good, "{name}: the browser");
        seen.extend(kept(&desk).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(seen.is_empty(), "{}", seen.join("\n"));
}

/// Files that the program left, or that its browser wrote, and that hold the secret. What is passed to a browser as its
/// argument is meant for it.
fn kept(desk: &Desk) -> Vec<String> {
    let started = fs::read_to_string(desk.path("started")).unwrap_or_default();
    let out = fs::read_dir(desk.path("out")).into_iter().flatten().flatten();
    let files = out.filter_map(|entry| Some((entry.path(), fs::read_to_string(entry.path()).ok()?)));
    let mut kept: Vec<_> = files
        .filter(|(_, text)| text.contains(CANARY))
        .map(|(path, text)| format!("{}: {text}", path.display()))
        .collect();
    if started.contains(CANARY) && !started.contains("--proxy-server=") {
        kept.push(started);
    }
    kept
}
