//! Ways to get configuration wrong, each tried with the program itself: it ends with code 2 and a message that names the
//! place and the remedy, within a second of processor time and 100 MB of memory, and prints nothing else.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Output;

use crate::desk::Desk;
use crate::table::FILES;

/// What is wrong with the message about a mistake.
fn faults_of(name: &str, output: &Output, says: &[&str]) -> Vec<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut faults = Vec::new();
    if output.status.code() != Some(2) || !output.stdout.is_empty() {
        faults.push(format!("{:?}", output.status));
    }
    if stderr.contains("panicked") || stderr.contains("bug of Plimsoll") || stderr.len() > 20_000 {
        faults.push(format!("{} bytes of message", stderr.len()));
    }
    faults.extend(says.iter().filter(|part| !stderr.contains(**part)).map(|part| format!("no {part:?}")));
    let beginning: String = stderr.chars().take(2_000).collect();
    faults.into_iter().map(|fault| format!("{name}: {fault} in {beginning}")).collect()
}

#[track_caller]
fn assert_no(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn mistakes_in_a_file_are_told_with_line_and_column() {
    let desk = Desk::new();
    let mut faults = Vec::new();
    for (name, content, says) in FILES {
        desk.write("f.toml", content);
        faults.extend(faults_of(name, &desk.run(&["config", "check", "--config", "f.toml"], &[]), says));
        // Windows line ends and a byte order mark do not change a place.
        desk.write("f.toml", format!("\u{feff}{}", content.replace('\n', "\r\n")));
        faults.extend(faults_of(name, &desk.run(&["config", "check", "--config", "f.toml"], &[]), says));
    }
    assert_no(&faults);
}

#[test]
fn files_that_are_good_for_all_their_looks_are_read() {
    let desk = Desk::new();
    for content in
        ["", "\n\n", "# nothing\n", "\u{feff}", "\u{feff}[limits]\r\nmax_contexts = 7\r\n", "limits = {}\n"]
    {
        desk.write("plimsoll.toml", content);
        let output = desk.run(&["config", "check"], &[]);
        assert_eq!(output.status.code(), Some(0), "{content:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.stderr, b"");
    }
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let desk = Desk::new();
    let mut faults = Vec::new();
    let fifo = desk.path("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    fs::create_dir(desk.path("dir")).expect("a directory");
    symlink("loop", desk.path("loop")).expect("a link");
    symlink("nowhere", desk.path("dangling")).expect("a link");
    desk.write("huge", vec![b'#'; (256 << 10) + 1]);
    desk.write("latin1", b"[limits]\n# caf\xe9\n");
    desk.write("utf16", b"\xff\xfe[\0l\0");
    desk.write("zeros", [0; 100]);
    desk.write(
        "noise",
        (0..60_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f).collect::<Vec<_>>(),
    );
    desk.write("deep list", format!("x = {}", "[".repeat(60_000)));
    desk.write("deep table", format!("x = {}", "{a=".repeat(60_000)));
    desk.write("deep key", format!("[{}a]\n", "a.".repeat(60_000)));
    desk.write("many keys", (0..26_000).map(|n| format!("k{n}=1\n")).collect::<String>());
    desk.write("many tables", (0..14_000).map(|n| format!("[limits.k{n}]\n")).collect::<String>());
    desk.write("many lines", "=\n".repeat(120_000));
    desk.write("long list", format!("[driver.cdp]\nargs = [{}]\n", "1,".repeat(120_000)));
    desk.write("long text", format!("[limits]\npolicy = \"{}\"\n", "x".repeat(250_000)));
    desk.write("long key", format!("{} = 1\n", "k".repeat(250_000)));
    for (name, says) in [
        ("missing", &["missing cannot be read: there is no such file"][..]),
        ("dir", &["dir cannot be read: it is a directory"]),
        ("dangling", &["no such file"]),
        ("loop", &["loop cannot be read"]),
        ("fifo", &["fifo cannot be read: it is a pipe"]),
        ("/dev/zero", &["it is a device"]),
        ("huge/x", &["cannot be read"]),
        ("huge", &["larger than 256 KiB"]),
        ("latin1", &["latin1:2:6", "UTF-8"]),
        ("utf16", &["utf16:1:1", "UTF-8"]),
        ("zeros", &["zeros:1:1"]),
        ("noise", &["noise:1:"]),
        ("deep list", &["deep list:1:"]),
        ("deep table", &["deep table:1:"]),
        ("deep key", &["deep key:1:"]),
        ("many keys", &["many keys:1:1", "unknown key `k0`", "and more"]),
        ("many tables", &["many tables:1:9", "and more"]),
        ("many lines", &["many lines:1:1"]),
        ("long list", &["long list:2:9", "driver.cdp.args[0]"]),
        ("long text", &["long text:2:10", "limits.policy"]),
        ("long key", &["long key:1:1", "unknown key"]),
    ] {
        faults.extend(faults_of(name, &desk.run(&["config", "check", "--config", name], &[]), says));
    }
    // A file with the default name that cannot be read is not ignored.
    symlink("nowhere", desk.path("plimsoll.toml")).expect("a link");
    faults.extend(faults_of(
        "usual",
        &desk.run(&["config", "check"], &[]),
        &["plimsoll.toml cannot be read"],
    ));
    assert_no(&faults);
}

#[test]
fn a_file_that_others_keep_to_themselves_is_told() {
    let desk = Desk::new();
    let mut faults = Vec::new();
    desk.write("private.toml", "[limits]\n");
    fs::set_permissions(desk.path("private.toml"), fs::Permissions::from_mode(0o000)).expect("it is ours");
    let output = desk.run(&["config", "check", "--config", "private.toml"], &[]);
    // Root can read every file.
    if output.status.code() != Some(0) || !rustix::process::geteuid().is_root() {
        faults.extend(faults_of("private", &output, &["private.toml cannot be read", "denied"]));
    }
    assert_no(&faults);
}

#[test]
fn mistakes_in_the_environment_are_told_with_the_variable() {
    let desk = Desk::new();
    let mut faults = Vec::new();
    let text = OsStr::new;
    let not_utf8 = OsString::from_vec(b"caf\xe9".to_vec());
    let cases: [(&str, &OsStr, &OsStr, &[&str]); 9] = [
        (
            "type",
            text("PLIMSOLL_LIMITS__MAX_CONTEXTS"),
            text("many"),
            &["variable PLIMSOLL_LIMITS__MAX_CONTEXTS:", "from 1 to 100000"],
        ),
        (
            "one mark",
            text("PLIMSOLL_LIMITS_MAX_CONTEXTS"),
            text("5"),
            &["did you mean PLIMSOLL_LIMITS__MAX_CONTEXTS"],
        ),
        (
            "slip",
            text("PLIMSOLL_LIMITS__MAX_CONTEXT"),
            text("5"),
            &["PLIMSOLL_LIMITS__MAX_CONTEXT:", "max_contexts"],
        ),
        (
            "three marks",
            text("PLIMSOLL_LIMITS___POLICY"),
            text("fixed"),
            &["did you mean PLIMSOLL_LIMITS__POLICY"],
        ),
        (
            "nothing",
            text("PLIMSOLL_LIMITS__MAX_CREATING"),
            text(""),
            &["PLIMSOLL_LIMITS__MAX_CREATING", "not the text \"\""],
        ),
        ("no name", text("PLIMSOLL_"), text("1"), &["the environment variable PLIMSOLL_"]),
        ("value is no text", text("PLIMSOLL_DRIVER__NAME"), &not_utf8, &["PLIMSOLL_DRIVER__NAME", "UTF-8"]),
        (
            "share",
            text("PLIMSOLL_MEMORY__OPEN_AT"),
            text("1e999"),
            &["PLIMSOLL_MEMORY__OPEN_AT", "such as \"80%\""],
        ),
        ("deep", text("PLIMSOLL_LIMITS"), text("[[[[[[[[[[[[[[[["), &["PLIMSOLL_LIMITS", "must be a map"]),
    ];
    for (name, variable, value, says) in cases {
        faults.extend(faults_of(name, &desk.run(&["config", "check"], &[(variable, value)]), says));
    }
    assert_no(&faults);
}

#[test]
fn mistakes_in_arguments_are_told_with_the_argument() {
    let desk = Desk::new();
    let mut faults = Vec::new();
    let deep = format!("{}=1", "a.".repeat(10_000));
    let nested = format!("driver.webdriver.capabilities={}", "[".repeat(50_000));
    for (set, says) in [
        ("limits.max_contexts", &["--set limits.max_contexts: write it as KEY=VALUE"][..]),
        ("=5", &["--set :", "unknown key"]),
        ("limits.max_contexts=many", &["--set limits.max_contexts:", "many"]),
        ("limits..policy=fixed", &["--set limits..policy", "did you mean `limits.policy`"]),
        ("limits=5", &["--set limits:", "must be a map"]),
        ("driver.name=cpd", &["--set driver.name", "did you mean `cdp`"]),
        ("limits.max_contexts.x=5", &["limits.max_contexts must be a whole number"]),
        (&deep, &["long name"]),
        (&nested, &["driver.webdriver.capabilities must be a map"]),
        ("driver.webdriver.url=https://grid", &["driver.webdriver.url", "TLS needs a forwarder"]),
    ] {
        faults.extend(faults_of(set, &desk.run(&["config", "check", "--set", set], &[]), says));
    }
    let [browser, sessions] = ["driver.webdriver.browser=firefox", "driver.webdriver.sessions_per_driver=2"];
    let crowded = desk.run(&["config", "check", "--set", browser, "--set", sessions], &[]);
    let says = ["driver.webdriver.sessions_per_driver", "a geckodriver holds one session"];
    faults.extend(faults_of("crowded", &crowded, &says));
    let unknown = desk.run(&["config", "explain", "limits.max_context"], &[]);
    faults.extend(faults_of(
        "explain",
        &unknown,
        &["no setting `limits.max_context`", "did you mean `limits.max_contexts`"],
    ));
    assert_no(&faults);
}

#[test]
fn a_run_is_refused_as_the_check_is_and_all_mistakes_are_told_at_once() {
    let desk = Desk::new();
    let mut faults = Vec::new();
    desk.write("jobs.txt", "http://127.0.0.1:9/\n");
    desk.write(
        "plimsoll.toml",
        "[limits]\nmax_contekst = 7\nmax_creating = 0\n[retry]\nclasses = [\"navigatoin\"]\ncap = \"1ms\"\n",
    );
    let environment = [(OsStr::new("PLIMSOLL_TIMEOUTS__GRACE"), OsStr::new("soon"))];
    let args = ["run", "jobs.txt", "--out", "out", "--set", "retry.attempts=0", "--concurrency", "200000"];
    let output = desk.run(&args, &environment);
    faults.extend(faults_of(
        "run",
        &output,
        &[
            "plimsoll.toml:2:1: unknown key `max_contekst`",
            "plimsoll.toml:3:16: limits.max_creating is 0",
            "plimsoll.toml:5:12: unknown value `navigatoin`",
            "plimsoll.toml:6:7: retry.cap and retry.base",
            "the environment variable PLIMSOLL_TIMEOUTS__GRACE: timeouts.grace must be a duration",
            "--set retry.attempts: retry.attempts is 0",
            "--concurrency: limits.max_contexts is 200000; it must be at most 100000",
        ],
    ));
    assert_no(&faults);
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 7);
    assert!(!desk.path("out").exists(), "it wrote something");
}
