//! Throw-away bench.
use std::sync::Arc;
use std::time::Duration;
use plimsoll_cdp::{CdpDriver, CdpSettings, Machine, WindowSize};
use plimsoll_core::id::BrowserId;
use plimsoll_core::job::Setup;
use plimsoll_core::port::{Driver, OpenRequest, StepOutput};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use plimsoll_core::step::{Evaluate, Goto, LoadState, PageUrl, Step};
use plimsoll_host::identity::Identity;
use plimsoll_host::profile::{ProfileRoot, default_base};
use plimsoll_host::spawn::Spawner;
fn cpu() -> f64 { let s = std::fs::read_to_string("/proc/self/stat").unwrap(); let f: Vec<f64> = s.rsplit_once(") ").unwrap().1.split(' ').map(|x| x.parse().unwrap_or(0.0)).collect(); (f[11] + f[12]) / 100.0 }
fn tree_cpu(dir: &str) -> f64 {
    let mut t = 0.0; let mut leader = String::new();
    let all: Vec<_> = std::fs::read_dir("/proc").unwrap().flatten().filter(|e| e.file_name().to_string_lossy().parse::<i32>().is_ok()).collect();
    for e in &all { let a = std::fs::read_to_string(e.path().join("cmdline")).unwrap_or_default(); if a.contains(dir) && !a.contains("--type=") { leader = e.file_name().to_string_lossy().into_owned(); } }
    for e in &all { let Ok(s) = std::fs::read_to_string(e.path().join("stat")) else { continue }; let f: Vec<&str> = s.rsplit_once(") ").unwrap().1.split(' ').collect(); if f[2] == leader { t += f[11..15].iter().map(|x| x.parse::<f64>().unwrap()).sum::<f64>(); } }
    t / 100.0
}
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let jobs: usize = args[1].parse().unwrap();
    let flight: usize = args[2].parse().unwrap();
    let w: u32 = args[3].parse().unwrap();
    let url = args.get(4).cloned().unwrap_or("http://127.0.0.1:7102/".into());
    let identity = Identity::for_browsers().unwrap();
    let profiles = Arc::new(ProfileRoot::open(&default_base(), &identity).unwrap());
    let profs = Arc::clone(&profiles); let sup = Supervisor::root();
    let settings = CdpSettings { window: WindowSize { width: w, height: w * 3 / 4 }, ..CdpSettings::default() };
    let driver = CdpDriver::new(settings, Machine { spawner: Spawner::start().unwrap(), identity, profiles }, &sup, Clock::start()).unwrap();
    let clock = Clock::start();
    let browser = driver.launch(BrowserId(1), Duration::from_secs(30)).await.unwrap();
    println!("launched in {:?}", clock.now().elapsed());
    let next = std::cell::Cell::new(0);
    let lat = std::cell::RefCell::new(vec![]);
    let dir = profs.path().to_str().unwrap().to_owned(); let b0 = tree_cpu(&dir); let t0 = clock.now(); let c0 = cpu();
    let worker = async || {
        while next.get() < jobs {
            next.set(next.get() + 1);
            let begin = clock.now();
            let goto = Goto { url: PageUrl::parse(&url).unwrap(), wait_until: LoadState::Load };
            let mut c = browser.open(OpenRequest { setup: Setup::default(), first: Some(goto.clone()) }, Duration::from_secs(30)).await.unwrap();
            let StepOutput::Page(p) = c.perform(&Step::Goto(goto), Duration::from_secs(30)).await.unwrap() else { panic!() };
            assert_eq!(p.status, Some(200));
            for e in ["document.title", "document.querySelectorAll('tr').length", "document.querySelector('td').textContent"] {
                c.perform(&Step::Evaluate(Evaluate { script: e.into(), name: "v".into() }), Duration::from_secs(30)).await.unwrap();
            }
            c.close().await.unwrap();
            lat.borrow_mut().push(clock.now().since(begin));
        }
    };
    futures_util::future::join_all((0..flight).map(|_| worker())).await;
    let dt = clock.now().since(t0).as_secs_f64();
    let b1 = tree_cpu(&dir); println!("browser {:.1} ms/job", (b1 - b0) / jobs as f64 * 1000.0);
    let mut l = lat.borrow().clone(); l.sort();
    println!("{jobs} jobs, {flight} in flight, {w}: {:.2} jobs/s, supervisor {:.2} ms/job, p50 {:?} p99 {:?} max {:?}", jobs as f64 / dt, (cpu() - c0) / jobs as f64 * 1000.0, l[l.len()/2], l[l.len()*99/100], l[l.len()-1]);
    browser.close().await.unwrap();
}
