//! A Selenium Grid on this machine: one node with [`SLOTS`] slots for Chromium.
//!
//! The grid belongs to a rig and ends with it. `PLIMSOLL_SELENIUM_JAR` is the path of the server.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_check::machine::Machine;
use plimsoll_host::browser;
use plimsoll_host::spawn::Launch;
use plimsoll_host::tree::{Ladder, ProcessTree};
use serde_json::json;
use tokio::time::timeout;

/// Sessions at a time: more than one share of the grid, since cases launch further shares.
const SLOTS: usize = 16;
/// The time limit for Java's start, on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running grid.
#[derive(Debug)]
pub(crate) struct Grid {
    /// The address of the grid.
    pub(crate) url: String,
    tree: ProcessTree,
}

impl Grid {
    /// Starts the grid as the user that runs browsers.
    pub(crate) async fn start(machine: &Machine) -> Self {
        let home = machine.dir().join("grid");
        std::fs::create_dir(&home).expect("our own directory");
        machine.identity.take_ownership(&home).expect("our own directory");
        let launch = Launch {
            program: on_path("sh"),
            // The server logs to stdout, but only a tree's stderr can be read.
            args: ["-c".into(), "exec \"$0\" \"$@\" >&2".into()].into_iter().chain(arguments()).collect(),
            env: vec![("HOME".into(), home.clone().into()), ("TMPDIR".into(), home.clone().into())],
            identity: machine.identity.clone(),
            fds: Vec::new(),
            dir: home,
        };
        let tree = machine.spawner.spawn(&machine.supervisor, launch).await.expect("a Java");
        let started = tree.said(|line| {
            let (_, url) = line.split_once("Started Selenium Standalone")?.1.split_once("http://")?;
            Some(format!("http://{}", url.trim()))
        });
        let url = timeout(START, started).await.ok().flatten();
        let url = url.unwrap_or_else(|| panic!("no grid: {:#?}", tree.stderr_tail()));
        Self { url, tree }
    }

    /// The server's process number: the sessions' processes are its descendants.
    pub(crate) fn pid(&self) -> i32 {
        self.tree.pid()
    }

    /// Ends the grid.
    pub(crate) async fn stop(&self) {
        self.tree.kill(Ladder::NOW).await.expect("nothing of it is left");
    }
}

/// A port that was free a moment ago, because the server picks none itself. If it is taken meanwhile, the test fails.
fn port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

fn arguments() -> Vec<OsString> {
    let jar = std::env::var_os("PLIMSOLL_SELENIUM_JAR").expect("`cargo xtask test --grid` brings it");
    let chromium = browser::find(None).expect("a Chromium; `cargo xtask setup` brings one").path;
    let driver =
        std::env::var_os("PLIMSOLL_CHROMEDRIVER").map_or_else(|| on_path("chromedriver"), PathBuf::from);
    let stereotype = json!({ "browserName": "chrome", "goog:chromeOptions": { "binary": chromium } });
    let mut arguments: Vec<OsString> = vec![on_path("java").into(), "-Xmx512m".into(), "-jar".into(), jar];
    let (port, slots) = (port(), SLOTS);
    let flags = format!(
        "standalone --host 127.0.0.1 --port {port} --selenium-manager false --detect-drivers false \
         --override-max-sessions true --max-sessions {slots} --driver-configuration display-name=chrome \
         max-sessions={slots}"
    );
    arguments.extend(flags.split(' ').map(OsString::from));
    arguments.push(format!("webdriver-executable={}", driver.display()).into());
    arguments.push(format!("stereotype={stereotype}").into());
    arguments
}

fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&path).map(|dir| dir.join(name));
    files
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("no {name}; `cargo xtask test --grid` brings it"))
}
