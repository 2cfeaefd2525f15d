//! The examples of the engine as programs, against the demonstration site.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use plimsoll_kit::demo_site;
use plimsoll_kit::site::LOOPBACK;
use rustix::process::Signal;

use crate::binary;
use crate::patience;
use crate::rig::Rig;
use crate::running::{Ended, Running};

/// Long enough for a program to start and to listen.
const SOON: Duration = Duration::from_secs(30);

/// The title of `/page/1`, as the site has it.
fn first_title() -> &'static str {
    include_str!("../kit/demo_site/logbook.txt").trim().lines().next().expect("an entry")
}

/// Runs an example that must succeed. It starts browsers below the directory of `rig`.
fn run(rig: &Rig, example: &str, args: &[&str]) -> Ended {
    let ended = start(rig, example, args).ended().expect(0);
    rig.assert_clean();
    ended
}

fn start(rig: &Rig, example: &str, args: &[&str]) -> Running {
    Running::start_program(&binary::example(example), &rig.path(""), args)
}

#[test]
fn visit_and_own_driver_print_the_title_of_a_page() {
    let site = demo_site::serve(LOOPBACK).expect("a port");
    for example in ["visit", "own_driver"] {
        let rig = Rig::new();
        let ended = run(&rig, example, &[&site.url("/page/1")]);
        assert!(
            ended.stdout.starts_with("succeeded: ") && ended.stdout.contains(first_title()),
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn batch_visits_every_page_and_counts() {
    let (rig, site) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"));
    let ended = run(&rig, "batch", &[&site.url(""), "24"]);
    assert!(ended.stdout.contains("24 of 24 done, 0 failed"), "{}", ended.stdout);
    assert_eq!(site.hits("/page/1"), 2);
}

#[test]
fn service_answers_with_the_title_of_a_page_until_it_is_interrupted() {
    let (rig, site) = (Rig::new(), demo_site::serve(LOOPBACK).expect("a port"));
    let service = start(&rig, "service", &[]);
    let mut address = String::new();
    patience::until("the service listens", SOON, || {
        let stdout = std::fs::read_to_string(rig.path("stdout")).unwrap_or_default();
        address = stdout.trim().trim_start_matches("listening on http://").to_owned();
        stdout.ends_with('\n')
    });
    let ask = |query: &str| {
        let mut stream = TcpStream::connect(&address).expect("the service listens");
        let request =
            format!("GET /title?url={query} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the service reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the service answers");
        answer
    };
    let answer = ask(&site.url("/page/1"));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(first_title()), "{answer}");
    let refused = ask("no-page");
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    service.signal(Signal::INT);
    service.ended().expect(0);
    rig.assert_clean();
}
