//! The random stream of each opening of a page: the first opening may fail and the second succeed, as with a retry.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::invented::key;
use crate::chance::Chance;

/// The maximum number of pages that are counted; each further page always counts as opened for the first time.
const MAX_PAGES: usize = 1 << 16;

/// Counts the openings of each page.
#[derive(Debug, Default)]
pub(super) struct Luck(Mutex<HashMap<u64, u64>>);

impl Luck {
    /// The random stream of the next opening of `url`.
    pub(super) fn next(&self, seed: u64, url: &str) -> Chance {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = turns.len() < MAX_PAGES;
        let turn = match turns.get_mut(&key(url)) {
            Some(turn) => {
                *turn += 1;
                *turn
            }
            None => {
                if room {
                    turns.insert(key(url), 0);
                }
                0
            }
        };
        Chance::of(seed, &[6, key(url), turn])
    }
}
