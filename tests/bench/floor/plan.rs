//! The measurement: a page, a warm-up, and then every client in turn, round after round.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};

use tempfile::TempDir;

use crate::cost;
use crate::failure::Failure;
use crate::flags;
use crate::options::{Options, Protocol, Variant, Work};
use crate::results::Results;
use crate::table;
use crate::turn::{Client, Turn};
use crate::visit;

/// Measures, prints the table, and writes it to `bench/floor-cdp.md` or the like in cargo's target directory.
pub(crate) async fn measure(options: &Options) -> Result<ExitCode, Failure> {
    let place = Place::find()?;
    let page = Page::serve(&place)?;
    let driver = ["--driver".to_owned(), options.protocol.name().to_owned()];
    let warm_up = warm_up(&place, &page, driver.to_vec()).await?;
    let mut clients = vec![Client::Bare(options.protocol)];
    clients.extend((options.protocol == Protocol::Cdp).then_some(Client::Contender));
    clients.extend(options.variants.iter().cloned().map(|mut variant| {
        variant.args.extend(driver.clone());
        Client::Plimsoll(variant)
    }));

    let mut turns = Vec::new();
    for round in 1..=options.rounds.get() {
        for flight in &options.flights {
            // The first client changes each round, so that effects of one client on the next are spread over all.
            let first = round as usize % clients.len();
            for client in (0..clients.len()).map(|nth| (nth + first) % clients.len()) {
                let task = Task { jobs: options.jobs, flight: *flight, flags: warm_up.clone() };
                let turn = take(client, &clients[client], &task, &place, &page).await?;
                eprintln!(
                    "round {round}, {flight} in flight: {}",
                    table::line(clients[client].name(), &turn)
                );
                turns.push(turn);
            }
        }
    }
    let text = table::write(&clients, options, &turns);
    println!("\n{text}");
    let file = place.target.join(format!("bench/floor-{}.md", options.protocol.name()));
    fs::create_dir_all(place.target.join("bench"))?;
    fs::write(&file, text)?;
    eprintln!("also in {}", file.display());
    let all_done = turns.iter().all(|turn| turn.cost.content && turn.results.done == options.jobs.get());
    Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The paths of cargo's outputs.
struct Place {
    this: PathBuf,
    plimsoll: PathBuf,
    target: PathBuf,
}

impl Place {
    fn find() -> Result<Self, Failure> {
        let this = std::env::current_exe()?;
        let built = this.parent().ok_or("this program lies nowhere")?;
        let plimsoll = built.join("plimsoll");
        if !plimsoll.exists() {
            return Err(format!("no {}: `cargo build --release -p plimsoll-cli`", plimsoll.display()).into());
        }
        let target = built.parent().unwrap_or(built).to_owned();
        Ok(Self { plimsoll, target, this })
    }
}

/// The server of the page: a process of its own, which ends when its standard input does.
struct Page {
    _server: Child,
    url: String,
}

impl Page {
    fn serve(place: &Place) -> Result<Self, Failure> {
        let mut command = cost::command(&place.this);
        let mut server = cost::start(command.arg("page").stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let mut url = String::new();
        let stdout = server.stdout.take().ok_or("the server of the page has no output")?;
        BufReader::new(stdout).read_line(&mut url)?;
        Ok(Self { _server: server, url: url.trim_end().to_owned() })
    }
}

/// The task of a client.
struct Task {
    jobs: NonZeroU32,
    flight: NonZeroU32,
    flags: Vec<String>,
}

/// Runs a few uncounted jobs, which bring the browser into the page cache and show its flags.
async fn warm_up(place: &Place, page: &Page, driver: Vec<String>) -> Result<Vec<String>, Failure> {
    let dir = TempDir::new()?;
    let four = NonZeroU32::MIN.saturating_add(3);
    let task = Task { jobs: four, flight: four, flags: Vec::new() };
    let variant = Variant { name: String::new(), args: driver };
    let (mut command, results) = prepare(&Client::Plimsoll(variant), &task, place, page, &dir)?;
    let mut flags = None;
    let mut results = Results::expect(results);
    cost::follow(&mut command, &mut results, |client| {
        flags = flags.take().or_else(|| flags::of_browser_of(client));
    })
    .await?;
    if results.done < four.get() {
        return Err(format!("plimsoll cannot do {four} jobs: {}", said(&dir, &results)).into());
    }
    flags.ok_or_else(|| "plimsoll started no browser with a pipe".into())
}

async fn take(
    number: usize,
    client: &Client,
    task: &Task,
    place: &Place,
    page: &Page,
) -> Result<Turn, Failure> {
    let dir = TempDir::new()?;
    let (mut command, results) = prepare(client, task, place, page, &dir)?;
    let mut results = Results::expect(results);
    let cost = cost::follow(&mut command, &mut results, |_| {}).await?;
    if !cost.content || results.done < task.jobs.get() {
        eprintln!("{} did {} of {} jobs: {}", client.name(), results.done, task.jobs, said(&dir, &results));
    }
    let told = match client {
        Client::Plimsoll(_) => fs::read(dir.path().join("out/report.json")),
        Client::Bare(_) | Client::Contender => fs::read(dir.path().join("stdout")),
    };
    let told = told.ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    Ok(Turn { flight: task.flight, client: number, cost, results, told })
}

/// The client's command, and the file that it will write its results to.
fn prepare(
    client: &Client,
    task: &Task,
    place: &Place,
    page: &Page,
    dir: &TempDir,
) -> Result<(Command, PathBuf), Failure> {
    let dir = dir.path();
    let mode = match client {
        Client::Bare(Protocol::WebDriver) => "bare-webdriver",
        Client::Bare(Protocol::Cdp) => "bare",
        Client::Contender | Client::Plimsoll(_) => "chromiumoxide",
    };
    let (mut command, results) = match client {
        Client::Bare(_) | Client::Contender => {
            let results = dir.join("results.jsonl");
            let Task { jobs, flight, flags } = task;
            let (url, flags) = (page.url.clone(), flags.clone());
            let work = Work { jobs: *jobs, flight: *flight, url, results: results.clone(), flags };
            let mut command = cost::command(&place.this);
            command.arg(mode).args(work.args());
            (command, results)
        }
        Client::Plimsoll(variant) => {
            let jobs: String = (1..=task.jobs.get()).map(|number| visit::line(number, &page.url)).collect();
            fs::write(dir.join("jobs.jsonl"), jobs)?;
            let mut command = cost::command(&place.plimsoll);
            command.arg("run").arg(dir.join("jobs.jsonl")).arg("--out").arg(dir.join("out"));
            command
                .args(["--progress", "none", "--concurrency", &task.flight.to_string()])
                .args(&variant.args);
            (command, dir.join("out/results.jsonl"))
        }
    };
    command.stdin(Stdio::null());
    command.stdout(File::create(dir.join("stdout"))?).stderr(File::create(dir.join("stderr"))?);
    Ok((command, results))
}

/// The client's own error messages.
fn said(dir: &TempDir, results: &Results) -> String {
    let stderr = fs::read_to_string(dir.path().join("stderr")).unwrap_or_default();
    let complaints = results.complaints.iter().map(|(text, times)| format!("{times} x {text}"));
    complaints.take(10).chain(stderr.lines().take(10).map(str::to_owned)).collect::<Vec<_>>().join("\n  ")
}
