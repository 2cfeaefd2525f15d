//! Numbers for Plimsoll's metrics: [`Counters`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::host::HostRef;

/// Counters of this driver, kept by Plimsoll. Copies count into the same ones. They end up in `report.json`, at `counters`.
#[derive(Debug, Clone)]
pub struct Counters(Keeper);

#[derive(Debug, Clone)]
enum Keeper {
    Plimsoll(HostRef),
    Memory(Arc<Mutex<BTreeMap<&'static str, u64>>>),
}

impl Counters {
    pub(crate) const fn new(host: HostRef) -> Self {
        Self(Keeper::Plimsoll(host))
    }

    /// Counters that are kept in memory, for a driver's unit tests.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Keeper::Memory(Arc::default()))
    }

    /// Adds `delta` to the counter `name`: a fixed, dotted name such as `http.requests`, never one made of data.
    pub fn add(&self, name: &'static str, delta: u64) {
        match &self.0 {
            Keeper::Plimsoll(host) => host.count(name, delta),
            Keeper::Memory(counts) => {
                let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
                let count = counts.entry(name).or_default();
                *count = count.saturating_add(delta);
            }
        }
    }

    /// The value of a counter in memory; `None` when it was never counted, or when Plimsoll keeps it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<u64> {
        match &self.0 {
            Keeper::Plimsoll(_) => None,
            Keeper::Memory(counts) => {
                counts.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_count_into_the_same_counters_in_memory() {
        let counters = Counters::in_memory();
        counters.clone().add("a.b", 2);
        counters.add("a.b", 3);
        assert_eq!((counters.value("a.b"), counters.value("c")), (Some(5), None));
    }
}
