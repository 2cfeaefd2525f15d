//! The memory of results between a step that brought data and the store that recorded it.
//!
//! Pages decide how much data there is, so it has two bounds: one for the data of a job in sum, and one for all results of
//! a fleet that are not recorded yet. A job with little data is not affected by the second: the jobs that need most of the
//! memory wait for it, by a retry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value};

use crate::outcome::{FailureClass, Fault};
use crate::units::Bytes;

/// The maximum of a job's data in sum, in bytes of memory.
const LONGEST_DATA: usize = 32 << 20;
/// The maximum of all results that are not recorded yet, in bytes of memory.
const MOST_IN_FLIGHT: usize = 128 << 20;
/// The data of a job up to this number of bytes is not counted in the fleet's sum.
const SMALL: usize = 256 << 10;

/// The memory that the results of a fleet take.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResultMemory(Arc<AtomicUsize>);

/// The data of one attempt. Its memory is given back when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held {
    memory: ResultMemory,
    bytes: usize,
}

impl ResultMemory {
    /// Nothing yet, for one attempt.
    pub(crate) fn hold(&self) -> Held {
        Held { memory: self.clone(), bytes: 0 }
    }
}

impl Held {
    /// Adds a step's data to that of the steps before.
    ///
    /// # Errors
    /// When the job's data, or that of all jobs together, becomes too large. Nothing is added then.
    pub(crate) fn add(
        &mut self,
        data: &mut Map<String, Value>,
        added: Map<String, Value>,
    ) -> Result<(), Fault> {
        let replaced: usize = added
            .keys()
            .filter_map(|name| data.get_key_value(name))
            .map(|(name, value)| entry(name, value))
            .sum();
        let size: usize = added.iter().map(|(name, value)| entry(name, value)).sum();
        self.grow(replaced, size)?;
        data.extend(added);
        Ok(())
    }

    /// Appends a step's data to the lists of the same names: a list entry by entry, any other value as one entry.
    ///
    /// # Errors
    /// As [`Held::add`], and when a name has a value that is no list. Nothing is appended then.
    pub(crate) fn append(
        &mut self,
        data: &mut Map<String, Value>,
        added: Map<String, Value>,
    ) -> Result<(), Fault> {
        if let Some(name) = added.keys().find(|name| data.get(*name).is_some_and(|value| !value.is_array())) {
            let message = format!("`{name}` in the job's data is no list, so nothing can be appended to it");
            return Err(Fault::persistent(FailureClass::Script, message));
        }
        let size = |(name, value): (&String, &Value)| {
            // What counts twice is a list around the entries, which is small.
            if data.contains_key(name) { weight(value) } else { entry(name, value) + size_of::<Value>() }
        };
        self.grow(0, added.iter().map(size).sum())?;
        for (name, value) in added {
            let entries = if let Value::Array(entries) = value { entries } else { vec![value] };
            if let Some(Value::Array(list)) = data.get_mut(&name) {
                list.extend(entries);
            } else {
                data.insert(name, Value::Array(entries));
            }
        }
        Ok(())
    }

    /// Counts what is added, without what is replaced by it.
    fn grow(&mut self, replaced: usize, size: usize) -> Result<(), Fault> {
        let sum = self.bytes.saturating_sub(replaced) + size;
        if sum > LONGEST_DATA {
            let [sum, size, limit] = [sum, size, LONGEST_DATA].map(|bytes| Bytes(bytes as u64));
            let message = format!(
                "the job's data is too large: {sum} with the {size} of this step, and at most {limit} is kept"
            );
            return Err(Fault::persistent(FailureClass::Script, message));
        }
        let (before, after) = (counted(self.bytes), counted(sum));
        let total = &self.memory.0;
        let in_flight = total.fetch_add(after, Ordering::Relaxed) + after - before;
        total.fetch_sub(before, Ordering::Relaxed);
        if after > before && in_flight > MOST_IN_FLIGHT {
            total.fetch_add(before, Ordering::Relaxed);
            total.fetch_sub(after, Ordering::Relaxed);
            let [in_flight, limit] = [in_flight, MOST_IN_FLIGHT].map(|bytes| Bytes(bytes as u64));
            let message =
                format!("the results that are not recorded yet would take {in_flight}, and may take {limit}");
            return Err(Fault::transient(FailureClass::Overload, message));
        }
        self.bytes = sum;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(counted(self.bytes), Ordering::Relaxed);
    }
}

/// The part of an attempt's data that counts in the fleet's sum.
const fn counted(bytes: usize) -> usize {
    bytes.saturating_sub(SMALL)
}

/// The memory of an entry of a map: its key, its value, and about as much again for the map.
fn entry(name: &str, value: &Value) -> usize {
    2 * size_of::<Value>() + name.len() + weight(value)
}

fn weight(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(weight).sum(),
            Value::Object(map) => map.iter().map(|(name, value)| entry(name, value)).sum(),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(name: &str, mib: usize) -> Map<String, Value> {
        Map::from_iter([(name.to_owned(), "x".repeat(mib << 20).into())])
    }

    #[test]
    fn a_job_s_data_is_bounded_in_sum_and_what_is_replaced_does_not_count() {
        let memory = ResultMemory::default();
        let (mut held, mut kept) = (memory.hold(), Map::new());
        for _ in 0..10 {
            assert_eq!(held.add(&mut kept, data("same", 15)), Ok(()));
        }
        assert_eq!(held.add(&mut kept, data("other", 15)), Ok(()));
        let fault = held.add(&mut kept, data("third", 15)).expect_err("45 MiB");
        assert!(fault.message.contains("45.0 MiB with the 15.0 MiB of this step"), "{fault}");
        assert!(kept.len() == 2 && held.bytes < 31 << 20, "nothing was added");
        drop(held);
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn lists_grow_by_what_is_appended_within_the_same_bound() {
        let memory = ResultMemory::default();
        let (mut held, mut kept) = (memory.hold(), Map::new());
        let row = |value: Value| Map::from_iter([("rows".to_owned(), value)]);
        for value in [Value::from("a"), vec!["b", "c"].into(), Value::Null] {
            assert_eq!(held.append(&mut kept, row(value)), Ok(()));
        }
        assert_eq!(kept["rows"], serde_json::json!(["a", "b", "c", null]));
        let many = || row(vec!["x".repeat(11 << 20)].into());
        assert_eq!((held.append(&mut kept, many()), held.append(&mut kept, many())), (Ok(()), Ok(())));
        let fault = held.append(&mut kept, many()).expect_err("33 MiB");
        assert!(fault.message.contains("too large"), "{fault}");
        assert_eq!(kept["rows"].as_array().map(Vec::len), Some(6), "nothing was added");
        assert_eq!(held.add(&mut kept, row("text".into())), Ok(()));
        let fault = held.append(&mut kept, row("b".into())).expect_err("no list");
        assert!(fault.message.contains("`rows` in the job's data is no list"), "{fault}");
        drop(held);
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn all_results_together_are_bounded_and_a_small_one_is_always_taken() {
        let memory = ResultMemory::default();
        let mut taken = Vec::new();
        let fault = loop {
            let (mut held, mut kept) = (memory.hold(), Map::new());
            match held.add(&mut kept, data("a", 15)) {
                Ok(()) => taken.push(held),
                Err(fault) => break fault,
            }
        };
        assert_eq!((taken.len(), fault.class), (8, FailureClass::Overload), "{fault}");
        let mut small = memory.hold();
        assert_eq!(small.add(&mut Map::new(), Map::from_iter([("a".to_owned(), "x".into())])), Ok(()));
        taken.pop();
        assert_eq!(memory.hold().add(&mut Map::new(), data("a", 15)), Ok(()), "one was recorded");
        drop(taken);
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }
}
