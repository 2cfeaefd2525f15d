//! Reads the result lines of any client as they are written, and checks their values.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_core::time::Moment;
use serde_json::Value;

use crate::visit;

/// The sums of the lines so far.
#[derive(Debug)]
pub(crate) struct Results {
    path: PathBuf,
    file: Option<File>,
    partial: Vec<u8>,
    /// Jobs whose values are those of the page.
    pub(crate) done: u32,
    /// Pages that were loaded without a load event.
    pub(crate) lost_loads: u32,
    /// Jobs that took more than one attempt.
    pub(crate) retried: u32,
    /// The errors of the other jobs, with their counts.
    pub(crate) complaints: BTreeMap<String, u32>,
    first_start: Option<Moment>,
    last_end: Option<Moment>,
}

impl Results {
    /// For a client that will write to `path`.
    pub(crate) fn expect(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            partial: Vec::new(),
            done: 0,
            lost_loads: 0,
            retried: 0,
            complaints: BTreeMap::new(),
            first_start: None,
            last_end: None,
        }
    }

    /// Reads the lines since the last call.
    pub(crate) fn look(&mut self, now: Moment) -> io::Result<()> {
        if self.file.is_none() {
            self.file = match File::open(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                opened => Some(opened?),
            };
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        file.read_to_end(&mut self.partial)?;
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.take(&serde_json::from_slice(&line).unwrap_or_default(), now);
        }
        Ok(())
    }

    /// From the first job's start to the last one's end; `None` before a job has ended.
    pub(crate) fn steady(&self) -> Option<Duration> {
        Some(self.last_end?.since(self.first_start?))
    }

    fn take(&mut self, line: &Value, now: Moment) {
        // The lines give a job's duration, not its start.
        let took = Duration::from_millis(line["ms"].as_u64().unwrap_or_default());
        let start = Moment::after(now.elapsed().saturating_sub(took));
        self.first_start = Some(self.first_start.map_or(start, |first| first.min(start)));
        self.last_end = Some(now);
        self.lost_loads += u32::from(line["lost_load"] == true);
        self.retried += u32::from(line["attempts"].as_u64().is_some_and(|attempts| attempts > 1));
        if line["outcome"] == "succeeded" && visit::is_right(&line["data"]) {
            self.done += 1;
        } else {
            let said =
                line["message"].as_str().map_or_else(|| format!("wrong: {}", line["data"]), str::to_owned);
            *self.complaints.entry(said).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_believed_only_with_the_values_of_the_page() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("results.jsonl");
        let mut results = Results::expect(path.clone());
        results.look(Moment::ZERO).unwrap();
        assert_eq!(results.steady(), None, "nothing is there yet");

        let page = json!({ "title": "How deep may she lie?", "count": "100 entries", "first": "1\tBellatrix\tCork\t8.7" });
        let early = json!({ "title": "How deep may she lie?", "count": "no entries yet", "first": null });
        let right = json!({ "outcome": "succeeded", "ms": 200, "data": page }).to_string();
        let wrong = json!({ "outcome": "succeeded", "ms": 100, "data": early }).to_string();
        let mut file = File::create(&path).unwrap();
        let (half, other_half) = wrong.split_at(20);
        write!(file, "{right}\n{half}").unwrap();
        results.look(Moment::after(Duration::from_millis(1000))).unwrap();
        assert_eq!((results.done, results.complaints.len()), (1, 0), "half a line says nothing");
        writeln!(file, "{other_half}").unwrap();
        results.look(Moment::after(Duration::from_millis(1500))).unwrap();
        assert_eq!((results.done, results.complaints.len()), (1, 1));
        assert_eq!(results.steady(), Some(Duration::from_millis(700)), "from 800 to 1500");
    }
}
