//! [`History`]: how a run went over time, in bounded memory whatever its length.
//!
//! Each point stands for several consecutive samples. When there are too many points, pairs of points are merged, and
//! from then on a point stands for twice as many samples. A point keeps the highest value of each gauge, so that peaks
//! stay visible, and the latest value of each counter. The first sample always has its own point.

use std::time::Duration;

use plimsoll_core::units::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

/// The most points: more than a chart can show apart.
const MAX_POINTS: usize = 600;

/// The state of a run at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sample {
    /// The time since the run began.
    pub at: Duration,
    /// Contexts that hold a permit.
    pub active: u32,
    /// Contexts among them that are being created.
    pub creating: u32,
    /// The limit on active contexts, if it is known.
    pub limit: Option<u32>,
    /// The limit on contexts in creation, if it is known.
    pub creation_limit: Option<u32>,
    /// Jobs that wait for admission.
    pub queued: u64,
    /// Jobs that ended, with any outcome.
    pub done: u64,
    /// Jobs among them that failed.
    pub failed: u64,
    /// Memory that the browsers use; `None` when it cannot be read.
    pub memory: Option<Bytes>,
    /// Browsers that run.
    pub browsers: u32,
}

impl Sample {
    /// Merges this sample and a `later` sample into one point.
    fn with(self, later: Self) -> Self {
        Self {
            at: later.at,
            active: self.active.max(later.active),
            creating: self.creating.max(later.creating),
            limit: later.limit.or(self.limit),
            creation_limit: later.creation_limit.or(self.creation_limit),
            queued: self.queued.max(later.queued),
            done: later.done,
            failed: later.failed,
            memory: self.memory.max(later.memory),
            browsers: self.browsers.max(later.browsers),
        }
    }
}

/// Samples of a whole run, merged into at most 600 points.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    points: Vec<Sample>,
    /// The number of samples in a full point; a power of two.
    per_point: u64,
    /// The number of samples in the last point so far.
    in_last: u64,
}

impl Default for History {
    fn default() -> Self {
        Self { points: Vec::new(), per_point: 1, in_last: 0 }
    }
}

impl History {
    /// Adds a sample that is later than all before it.
    pub fn push(&mut self, sample: Sample) {
        if let Some(last) = self.points.last_mut()
            && self.in_last < self.per_point
        {
            *last = last.with(sample);
            self.in_last += 1;
            return;
        }
        if self.points.len() == MAX_POINTS {
            self.halve();
            return self.push(sample);
        }
        self.points.push(sample);
        // The first point is full at once, so that the first sample has its own point.
        self.in_last = if self.points.len() == 1 { self.per_point } else { 1 };
    }

    /// The points, in order of time.
    #[must_use]
    pub fn points(&self) -> &[Sample] {
        &self.points
    }

    fn halve(&mut self) {
        let Some((&first, rest)) = self.points.split_first() else { return };
        // An odd point remains at the end and is half full.
        let is_odd = !rest.len().is_multiple_of(2);
        let pairs = rest.chunks(2).map(|pair| pair.iter().copied().reduce(Sample::with).unwrap_or_default());
        self.points = std::iter::once(first).chain(pairs).collect();
        self.in_last = if is_odd { self.per_point } else { self.per_point * 2 };
        self.per_point *= 2;
    }
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut curves = serializer.serialize_map(None)?;
        let mut curve = |name: &str, value: &dyn Fn(&Sample) -> Value| {
            curves.serialize_entry(name, &self.points.iter().map(value).collect::<Vec<_>>())
        };
        curve("at_s", &|p| super::seconds(p.at).into())?;
        curve("active", &|p| p.active.into())?;
        curve("creating", &|p| p.creating.into())?;
        curve("limit", &|p| p.limit.into())?;
        curve("creation_limit", &|p| p.creation_limit.into())?;
        curve("queued", &|p| p.queued.into())?;
        curve("done", &|p| p.done.into())?;
        curve("failed", &|p| p.failed.into())?;
        curve("memory_bytes", &|p| p.memory.map(|memory| memory.0).into())?;
        curve("browsers", &|p| p.browsers.into())?;
        curves.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn history(samples: &[Sample]) -> History {
        let mut history = History::default();
        samples.iter().for_each(|&sample| history.push(sample));
        history
    }

    fn samples(gauges: &[(u32, Option<u64>)]) -> Vec<Sample> {
        let sample = |(n, &(active, memory)): (u64, &(u32, Option<u64>))| Sample {
            at: Duration::from_millis(n * 250),
            active,
            queued: u64::from(active) * 3,
            done: n,
            memory: memory.map(Bytes),
            ..Sample::default()
        };
        (0..).zip(gauges).map(sample).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_stays_bounded_and_keeps_ends_and_peaks(
            gauges in prop::collection::vec((0u32..500, prop::option::of(0u64..1_000_000)), 1..6000),
        ) {
            let samples = samples(&gauges);
            let history = history(&samples);
            let points = history.points();
            prop_assert!(points.len() <= MAX_POINTS);
            prop_assert!(samples.len() <= MAX_POINTS || points.len() >= MAX_POINTS / 2);
            prop_assert_eq!(points.first(), samples.first());
            prop_assert_eq!(points.last().map(|p| (p.at, p.done)), samples.last().map(|s| (s.at, s.done)));
            // Each point is the highest of exactly the samples since the point before.
            let mut from = 0;
            for point in points {
                let upto = samples.iter().position(|s| s.at == point.at).expect("a point has its last sample's time") + 1;
                let bucket = &samples[from..upto];
                prop_assert!(!bucket.is_empty());
                prop_assert_eq!(Some(point.active), bucket.iter().map(|s| s.active).max());
                prop_assert_eq!(Some(point.memory), bucket.iter().map(|s| s.memory).max());
                from = upto;
            }
            prop_assert_eq!(from, samples.len());
        }
    }

    #[test]
    fn points_stay_evenly_spaced_over_a_long_run() {
        let history = history(&samples(&vec![(1, None); 100_000]));
        let times: Vec<_> = history.points().iter().map(|p| p.at).collect();
        let steps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let (last, full) = steps.split_last().expect("there are many");
        assert!(full.iter().all(|step| *step == full[0]), "{full:?}");
        assert!(*last <= full[0]);
    }

    #[test]
    fn all_curves_have_one_length() {
        let value = serde_json::to_value(history(&samples(&[(1, None), (2, Some(5))]))).expect("plain data");
        assert_eq!(value["at_s"], serde_json::json!([0.0, 0.25]));
        assert_eq!(value["memory_bytes"], serde_json::json!([null, 5]));
        let lengths =
            value.as_object().expect("an object").values().map(|curve| curve.as_array().map(Vec::len));
        assert!(lengths.into_iter().all(|length| length == Some(2)));
    }
}
