//! For tests: job files in a temporary directory, and the messages about them.

use std::fs;
use std::path::PathBuf;

use plimsoll_core::job::Job;

use super::{JobFile, JobsError, Source};

/// Files in a temporary directory, whose name is removed from messages.
pub(super) struct Files(pub(super) tempfile::TempDir);

impl Files {
    pub(super) fn new(files: &[(&str, &[u8])]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, content) in files {
            fs::write(dir.path().join(name), content).expect("a file in it");
        }
        Self(dir)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn open(&self, jobs: &str, rows: Option<&str>) -> Result<JobFile, String> {
        let rows = rows.map(|name| self.path(name));
        let opened = JobFile::open(&Source::Path(self.path(jobs)), rows.as_deref());
        opened.map_err(|why| self.said(&why))
    }

    pub(super) fn said(&self, why: &JobsError) -> String {
        why.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

pub(super) fn jobs(mut file: JobFile) -> Vec<Job> {
    let mut jobs = Vec::new();
    while let Some(job) = file.next().expect("an unchanged file") {
        jobs.push(job);
    }
    assert_eq!(jobs.len() as u64, file.count());
    jobs
}

pub(super) fn read(name: &str, content: &[u8]) -> Vec<Job> {
    jobs(Files::new(&[(name, content)]).open(name, None).expect("good jobs"))
}

pub(super) fn ids(jobs: &[Job]) -> Vec<(&str, &str)> {
    jobs.iter()
        .map(|job| (job.id.as_str(), job.start.as_ref().map_or("", |goto| goto.url.as_str())))
        .collect()
}

/// The message about a bad file, without its first line.
pub(super) fn problems(name: &str, content: &[u8]) -> String {
    let said = Files::new(&[(name, content)]).open(name, None).expect_err("bad jobs");
    said.split_once('\n').map_or_else(|| said.clone(), |(_, problems)| problems.trim_start().to_owned())
}
