//! Invalid input: each mistake ends the run before it begins, with code 2, no output files, and a message that names
//! the place.

use serde_json::json;

use crate::rig::Rig;

const GOOD: &str = r#"{"id":"a","url":"http://127.0.0.1:9/"}"#;

/// A mistake in a job file: the file's name, its content, and texts that the message must contain.
const FILES: [(&str, &str, &[&str]); 32] = [
    ("empty.txt", "", &["empty.txt has no jobs"]),
    ("comments.txt", "# nothing\n\n", &["comments.txt has no jobs"]),
    ("empty.jsonl", "\n", &["empty.jsonl has no jobs"]),
    ("empty.json", "[]", &["empty.json has no jobs"]),
    ("empty.toml", "", &["empty.toml has no jobs"]),
    ("broken.jsonl", "{\"url\":\"http://a/\"}\n{\"url\": http}\n", &["broken.jsonl:2:9", "no valid JSON"]),
    ("half.jsonl", "{\"url\":\n\"http://a/\"}\n", &["half.jsonl:1", "one whole line"]),
    ("list.jsonl", "[1]\n", &["list.jsonl:1", "a job is a map"]),
    ("broken.json", "[{\"url\":\"http://a/\"},\n {\"url\"}]", &["broken.json:2:8", "no valid JSON"]),
    ("broken.toml", "[[job]]\nurl = \"http://a/\"\nid = x\n", &["broken.toml:3:6"]),
    (
        "key.toml",
        "[[job]]\nurl = \"http://a/\"\nscrenshot = \"page\"\n",
        &["key.toml:3", "screnshot", "did you mean `screenshot`"],
    ),
    ("other.toml", "[[jobs]]\nurl = \"http://a/\"\n", &["other.toml", "`job`"]),
    (
        "key.jsonl",
        r#"{"url":"http://a/","extrakt":{}}"#,
        &["key.jsonl:1", "unknown key `extrakt`", "did you mean `extract`"],
    ),
    (
        "step.jsonl",
        r##"{"url":"http://a/","steps":[{"clik":"#a"}]}"##,
        &["step.jsonl:1", "clik", "did you mean `click`", "steps[0]"],
    ),
    (
        "inside.jsonl",
        r##"{"url":"http://a/","steps":[{"click":"#a"},{"fill":{"selektor":"#a","text":""}}]}"##,
        &["inside.jsonl:1", "selektor", "did you mean `selector`", "steps[1].fill"],
    ),
    ("scheme.txt", "http://a/\nfile:///etc/passwd\n", &["scheme.txt:2", "file", "only http and https"]),
    ("scheme.jsonl", r#"{"url":"javascript:alert(1)"}"#, &["scheme.jsonl:1", "only http and https"]),
    ("bare.txt", "example.com\n", &["bare.txt:1", "with its scheme"]),
    ("goto.jsonl", r#"{"steps":[{"goto":"ftp://a/"}]}"#, &["goto.jsonl:1", "only http and https"]),
    (
        "twice.jsonl",
        "{\"id\":\"a\",\"url\":\"http://a/\"}\n{\"id\":\"b\",\"url\":\"http://a/\"}\n{\"id\":\"a\",\"url\":\"http://a/\"}\n",
        &["twice.jsonl:3", "`a`"],
    ),
    ("nothing.jsonl", r#"{"id":"a"}"#, &["nothing.jsonl:1", "needs a `url`"]),
    ("time.jsonl", r#"{"url":"http://a/","timeout":"soon"}"#, &["time.jsonl:1", "timeout"]),
    ("no-time.jsonl", r#"{"url":"http://a/","timeout":"0s"}"#, &["no-time.jsonl:1", "`timeout` is zero"]),
    ("status.jsonl", r#"{"url":"http://a/","accept_status":[4040]}"#, &["status.jsonl:1", "4040"]),
    ("id.jsonl", r#"{"id":"a\nb","url":"http://a/"}"#, &["id.jsonl:1", "control character"]),
    ("type.jsonl", r#"{"id":7,"url":"http://a/"}"#, &["type.jsonl:1", "id", "7"]),
    ("jobs.yaml", "url: http://a/\n", &["jobs.yaml", ".jsonl"]),
    ("rows.csv", "link,x\nhttp://a/,b\n", &["rows.csv:1", "no column is named `url`", "--rows rows.csv"]),
    ("quote.csv", "url,x\nhttp://a/,\"b\nhttp://c/,d\n", &["quote.csv:2:11", "has no end"]),
    ("two.txt", "http://a/ http://b/\n", &["two.txt:1:11", "second URL"]),
    ("title.txt", "http://a/\ttitle\n", &["title.txt:1:11", "text after the URL"]),
    ("feed.xml", "<rss></rss>", &["feed.xml:1:1", "<rss> begins no sitemap"]),
];

#[track_caller]
fn assert_refused(rig: &Rig, args: &[&str], says: &[&str]) {
    let root = rig.setting();
    let args: Vec<&str> = ["run"].iter().chain(args).chain(&["--set", &root]).copied().collect();
    let ended = rig.plimsoll(&args);
    assert_eq!(ended.code(), Some(2), "{args:?}\n{}", ended.stderr);
    for part in says {
        assert!(ended.stderr.contains(part), "{args:?}: no {part:?} in\n{}", ended.stderr);
    }
    assert_eq!(ended.stdout, "", "{args:?}");
    assert!(!rig.path("out").exists(), "{args:?} wrote something");
    assert!(rig.run_dirs().is_empty(), "{args:?} left something");
}

#[test]
fn mistakes_in_job_files_are_told_with_their_place() {
    let rig = Rig::new();
    for (name, content, says) in FILES {
        rig.write(name, content);
        assert_refused(&rig, &[name, "--out", "out"], says);
    }
    rig.write("latin1.txt", b"http://a/\nhttp://b/\xe9\n");
    assert_refused(&rig, &["latin1.txt", "--out", "out"], &["latin1.txt:2", "UTF-8"]);
}

#[test]
fn every_mistake_of_a_file_is_told_at_once() {
    let rig = Rig::new();
    rig.write(
        "many.jsonl",
        format!("{GOOD}\n{{\"url\":7}}\n{GOOD}\n{{\"url\":\"http://a/\",\"pdff\":{{}}}}\n"),
    );
    let says = ["many.jsonl has 3 mistakes; no job was run", "many.jsonl:2", "many.jsonl:3", "many.jsonl:4"];
    assert_refused(&rig, &["many.jsonl", "--out", "out"], &says);
}

#[test]
fn files_that_are_not_there_or_are_something_else_are_told() {
    let rig = Rig::new();
    rig.write("good.jsonl", GOOD);
    assert_refused(&rig, &["missing.jsonl", "--out", "out"], &["there is no file missing.jsonl"]);
    std::fs::create_dir(rig.path("dir.jsonl")).expect("writable");
    assert_refused(&rig, &["dir.jsonl", "--out", "out"], &["dir.jsonl is a directory"]);
    assert_refused(&rig, &["-", "--out", "out"], &["stdin has no jobs"]);
    assert_refused(&rig, &["/dev/null", "--out", "out"], &["/dev/null has no jobs"]);
    for device in ["/dev/zero", "/dev/urandom"] {
        assert_refused(&rig, &[device, "--out", "out"], &["is a device"]);
        assert_refused(&rig, &["good.jsonl", "--rows", device, "--out", "out"], &["is a device"]);
    }
}

#[test]
fn mistakes_in_rows_are_told_with_both_places() {
    let rig = Rig::new();
    rig.write("t.jsonl", r#"{"id":"t","url":"{{url}}"}"#);
    for (name, content, says) in [
        ("short.csv", "url,name\nhttp://a/,x\nhttp://b/\n", &["short.csv:3"][..]),
        ("none.csv", "url\n", &["none.csv has no rows"]),
        ("column.csv", "link\nhttp://a/\n", &["t.jsonl:1", "url"]),
        ("bad.csv", "url\nhttp://a/\nftp://b/\n", &["t.jsonl:1", "bad.csv:3", "only http and https"]),
        ("twice.csv", "url,url\na,b\n", &["twice.csv:1", "two columns are named `url`"]),
    ] {
        rig.write(name, content);
        assert_refused(&rig, &["t.jsonl", "--rows", name, "--out", "out"], says);
    }
    assert_refused(
        &rig,
        &["t.jsonl", "--rows", "missing.csv", "--out", "out"],
        &["there is no file missing.csv"],
    );
}

#[test]
fn mistakes_in_settings_are_told_with_their_origin() {
    let rig = Rig::new();
    rig.write("a.jsonl", GOOD);
    rig.write("unknown.toml", "[limits]\nmax_context = 5\n");
    rig.write("broken.toml", "[limits\n");
    let cases: [(&[&str], &[&str]); 11] = [
        (&["--config", "unknown.toml"], &["max_context", "did you mean `max_contexts`", "unknown.toml"]),
        (&["--config", "broken.toml"], &["broken.toml:1:"]),
        (&["--config", "missing.toml"], &["missing.toml cannot be read"]),
        (&["--set", "limits.max_contexts"], &["KEY=VALUE"]),
        (&["--set", "limits.max_contexts=many"], &["limits.max_contexts", "many", "--set"]),
        (&["--set", "limits.max_contexts=0"], &["limits.max_contexts", "at least 1"]),
        (&["--set", "retry.attempt=2"], &["attempt", "did you mean `attempts`"]),
        (&["--set", "limits.policy=magic"], &["magic", "adaptive"]),
        (&["--set", "timeouts.attempt=0s"], &["timeouts.attempt", "zero"]),
        (&["--concurrency", "0"], &["limits.max_contexts", "--concurrency"]),
        (&["--driver", "selenium"], &["route.default", "selenium", "cdp"]),
    ];
    for (args, says) in cases {
        let args: Vec<&str> = ["a.jsonl", "--out", "out"].iter().chain(args).copied().collect();
        assert_refused(&rig, &args, says);
    }
}

#[test]
fn places_that_cannot_be_written_to_are_told_before_a_browser_starts() {
    let rig = Rig::new();
    rig.jobs([json!({"id": "a", "url": "http://127.0.0.1:9/"})]);
    rig.write("file", "precious");
    assert_refused(&rig, &["jobs.jsonl", "--out", "file"], &["file is not a directory"]);
    assert_refused(&rig, &["jobs.jsonl", "--out", "file/out"], &["cannot use file/out"]);
    assert_refused(&rig, &["jobs.jsonl", "--out", "/proc/out"], &["cannot use /proc/out"]);
    assert_eq!(std::fs::read_to_string(rig.path("file")).expect("it is still there"), "precious");
}
