//! [`Turn`]: what one client did in one round, at one width.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use crate::cost::Cost;
use crate::options::{Protocol, Variant};
use crate::results::Results;

/// A client.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    Bare(Protocol),
    Contender,
    Plimsoll(Variant),
}

/// One client's turn.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) flight: NonZeroU32,
    /// The index of the client.
    pub(crate) client: usize,
    pub(crate) cost: Cost,
    pub(crate) results: Results,
    /// The bare client's counts of messages, or Plimsoll's report.
    pub(crate) told: Value,
}

impl Client {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Bare(_) => "floor",
            Self::Contender => "chromiumoxide",
            Self::Plimsoll(variant) => &variant.name,
        }
    }
}

/// Jobs in each second of `time`.
pub(crate) fn rate(jobs: u32, time: Duration) -> f64 {
    f64::from(jobs) / time.as_secs_f64()
}
