//! Counts the requests for each path, in bounded memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The greatest number of paths that are counted separately; a site has a few dozen paths.
const MAX_PATHS: usize = 4096;

/// Counts requests by path. Further paths count in the total only.
#[derive(Debug, Default)]
pub(crate) struct Hits(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_path: HashMap<String, u64>,
    total: u64,
}

impl Hits {
    /// Counts a request for `path`.
    pub(crate) fn count(&self, path: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total += 1;
        if let Some(hits) = counts.by_path.get_mut(path) {
            *hits += 1;
        } else if counts.by_path.len() < MAX_PATHS {
            counts.by_path.insert(path.to_owned(), 1);
        }
    }

    /// Requests for `path` so far.
    pub(crate) fn of(&self, path: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_path.get(path).copied().unwrap_or(0)
    }

    /// Requests so far, whatever their path.
    pub(crate) fn total(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_beyond_the_bound_still_count_in_the_total() {
        let hits = Hits::default();
        for n in 0..=MAX_PATHS {
            hits.count(&n.to_string());
        }
        hits.count("0");
        assert_eq!((hits.of("0"), hits.of(&MAX_PATHS.to_string())), (2, 0));
        assert_eq!(hits.total(), MAX_PATHS as u64 + 2);
        assert_eq!(hits.0.lock().unwrap().by_path.len(), MAX_PATHS);
    }
}
