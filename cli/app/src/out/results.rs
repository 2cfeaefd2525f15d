//! `results.jsonl`: one line for each job that ended.
//!
//! Each line is written in one call as soon as its job has ended, without a buffer, so that the lines before a crash are
//! complete. When only part of a line could be written (a full disk), that part is removed before the error is returned.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use plimsoll_core::id::JobId;
use plimsoll_core::outcome::{FailureClass, Stage};
use plimsoll_core::port::{Incidents, JobRecord, StoreError};
use plimsoll_core::shown::printable;
use serde::Serialize;
use serde_json::{Map, Value};

/// Writes results, one line for each job.
#[derive(Debug)]
pub struct ResultsWriter {
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    /// A file that is opened for appending; `whole` is its length after the last complete line.
    File {
        file: File,
        path: PathBuf,
        whole: u64,
    },
    Stream(File),
}

/// A line. The keys that scripts rely on are always there; the other keys are left out when they are empty.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a JobId,
    url: Option<&'a str>,
    outcome: &'static str,
    class: Option<FailureClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<At<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    /// The driver of the last attempt.
    driver: &'a str,
    attempts: u32,
    ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    data: &'a Map<String, Value>,
    artifacts: &'a [String],
    #[serde(skip_serializing_if = "Incidents::is_empty")]
    incidents: Incidents,
}

/// Where a job failed: the stage, and the path to a step in control flow.
#[derive(Serialize)]
struct At<'a> {
    #[serde(flatten)]
    stage: Stage,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(record: &'a JobRecord) -> Self {
        let failure = record.outcome.failure();
        Self {
            id: &record.id,
            url: record.url.as_deref(),
            outcome: record.outcome.name(),
            class: failure.map(|failure| failure.fault.class),
            stage: failure.map(|failure| At { stage: failure.stage, path: failure.path.as_deref() }),
            message: failure.map(|failure| failure.fault.message.as_str()),
            driver: &record.driver,
            attempts: record.attempts,
            ms: u64::try_from(record.elapsed.as_millis()).unwrap_or(u64::MAX),
            status: record.status,
            data: &record.data,
            artifacts: &record.artifacts,
            incidents: record.incidents,
        }
    }
}

impl ResultsWriter {
    /// A writer to the stream of results, which was standard output.
    #[must_use]
    pub const fn stream(stream: File) -> Self {
        Self { sink: Sink::Stream(stream) }
    }

    /// A writer to `file`, which is empty and open for appending; errors name it as `path`.
    pub(crate) const fn file(file: File, path: PathBuf) -> Self {
        Self { sink: Sink::File { file, path, whole: 0 } }
    }

    /// Writes the line of a job that ended. It blocks until the file has taken it.
    ///
    /// # Errors
    /// When the line could not be written completely. Standard output without a reader is
    /// [`io::ErrorKind::BrokenPipe`].
    pub fn write(&mut self, record: &JobRecord) -> Result<(), StoreError> {
        let line = line(record).map_err(|source| self.error(source))?;
        let written = match &mut self.sink {
            Sink::Stream(stream) => stream.write_all(&line),
            Sink::File { file, whole, .. } => append(file, whole, &line),
        };
        written.map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> StoreError {
        let doing = match &self.sink {
            Sink::Stream(_) => "writing results to standard output".to_owned(),
            Sink::File { path, .. } => format!("writing {}", path.display()),
        };
        StoreError { doing, source }
    }
}

fn line(record: &JobRecord) -> io::Result<Vec<u8>> {
    let json = serde_json::to_string(&Line::of(record))?;
    let mut line = printable(&json).into_owned().into_bytes();
    line.push(b'\n');
    Ok(line)
}

fn append(file: &mut File, whole: &mut u64, line: &[u8]) -> io::Result<()> {
    match file.write_all(line) {
        Ok(()) => {
            *whole += line.len() as u64;
            Ok(())
        }
        Err(error) => {
            // The first error is the one to report. If the part cannot be removed, half a line stays.
            let _ = file.set_len(*whole);
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::os::fd::AsRawFd as _;
    use std::time::Duration;

    use plimsoll_core::outcome::{Fault, Outcome};

    use super::*;

    fn record(id: &str, outcome: Outcome) -> JobRecord {
        JobRecord {
            id: JobId::try_from(id.to_owned()).expect("a plain id"),
            url: Some("http://site/".to_owned()),
            outcome,
            driver: "cdp".into(),
            fell_back_from: Vec::new(),
            attempts: 2,
            elapsed: Duration::from_micros(1_234_900),
            data: Map::new(),
            artifacts: Vec::new(),
            status: None,
            incidents: Incidents::default(),
        }
    }

    fn text(record: &JobRecord) -> String {
        String::from_utf8(line(record).expect("plain data")).expect("JSON is UTF-8")
    }

    #[test]
    fn a_line_always_has_the_keys_of_the_contract() {
        assert_eq!(
            text(&record("a", Outcome::Succeeded)),
            "{\"id\":\"a\",\"url\":\"http://site/\",\"outcome\":\"succeeded\",\"class\":null,\"driver\":\"cdp\",\"attempts\":2,\"ms\":1234,\
             \"data\":{},\"artifacts\":[]}\n"
        );
    }

    #[test]
    fn a_failure_says_what_and_where_and_never_breaks_the_line() {
        let fault = Fault::transient(FailureClass::Script, "first\nsecond\u{2028}third\u{9b}2J\u{202e}");
        let mut failed = record("b", Outcome::Failed(fault.at(Stage::Step(3))));
        failed.status = Some(503);
        failed.incidents.popups = 1;
        let text = text(&failed);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(text.is_ascii(), "nothing controls the terminal that shows it: {text}");
        let value: Value = serde_json::from_str(&text).expect("a line is JSON");
        assert_eq!(value["class"], "script");
        assert_eq!(value["stage"], serde_json::json!({"at": "step", "step": 3}));
        assert_eq!(value["message"], "first\nsecond\u{2028}third\u{9b}2J\u{202e}");
        assert_eq!(value["status"], 503);
        assert_eq!(value["incidents"]["popups"], 1);

        let fault = Fault::persistent(FailureClass::Script, "late");
        let mut failure = fault.at(Stage::Step(3));
        failure.path = Some("steps[2].repeat[7].steps[0]".to_owned());
        let value: Value = serde_json::from_str(&self::text(&record("b", Outcome::Failed(failure))))
            .expect("a line is JSON");
        let place = serde_json::json!({"at": "step", "step": 3, "path": "steps[2].repeat[7].steps[0]"});
        assert_eq!(value["stage"], place);
    }

    #[test]
    fn a_line_is_in_the_file_as_soon_as_it_is_written() {
        let dir = tempfile::tempdir().expect("a place for tests");
        let path = dir.path().join("results.jsonl");
        let file = OpenOptions::new().append(true).create(true).open(&path).expect("a new file");
        let mut writer = ResultsWriter::file(file, path.clone());
        for lines in 1..=3 {
            writer.write(&record("a", Outcome::Cancelled)).expect("room for a line");
            let text = std::fs::read_to_string(&path).expect("it was written");
            assert!(text.ends_with('\n') && text.lines().count() == lines, "{text}");
        }
    }

    #[test]
    fn a_full_disk_is_an_error_that_names_the_file() {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().append(true).open(&path).expect("Linux has it");
        let error =
            ResultsWriter::file(file, path).write(&record("a", Outcome::Expired)).expect_err("it is full");
        assert_eq!(error.source.kind(), io::ErrorKind::StorageFull);
        assert!(error.to_string().starts_with("writing /dev/full "), "{error}");
    }

    #[test]
    fn half_a_line_is_taken_back() {
        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

        // A file that cannot grow beyond two pages takes the line that crosses the end in part.
        let disk = memfd_create("disk", MemfdFlags::ALLOW_SEALING).expect("a file in memory");
        ftruncate(&disk, 8192).expect("two pages");
        fcntl_add_seals(&disk, SealFlags::GROW).expect("a seal");
        let file = File::from(disk);
        let mut writer = ResultsWriter::file(file.try_clone().expect("a descriptor"), PathBuf::from("disk"));
        let line = record(&"x".repeat(200), Outcome::Succeeded);
        let written = (0..).take_while(|_| writer.write(&line).is_ok()).count();
        let text =
            std::fs::read_to_string(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("it is text");
        assert!(
            written > 20 && text.lines().count() == written && text.ends_with("}\n"),
            "{written} lines: {text:?}"
        );
    }
}
