//! Shared by the tests of stores: a job and its record.

use std::time::Duration;

use plimsoll_core::id::JobId;
use plimsoll_core::job::{Job, JobKeys};
use plimsoll_core::outcome::Outcome;
use plimsoll_core::port::{Incidents, JobRecord};
use serde_json::{Map, json};

/// A job that visits `url`, which is also its id.
pub(crate) fn job(url: &str) -> Job {
    let keys: JobKeys = serde_json::from_value(json!({ "url": url })).expect("a job");
    keys.into_job(|| JobId::try_from(url.to_owned()).expect("a plain id")).expect("a job that makes sense")
}

/// The record of a job that succeeded at its first attempt.
pub(crate) fn record(job: &Job) -> JobRecord {
    JobRecord {
        id: job.id.clone(),
        driver: "sim".into(),
        fell_back_from: Vec::new(),
        url: None,
        outcome: Outcome::Succeeded,
        attempts: 1,
        elapsed: Duration::from_millis(5),
        data: Map::new(),
        artifacts: Vec::new(),
        status: None,
        incidents: Incidents::default(),
    }
}
