//! Whose turn it is: the first opening of a page may fail and the second succeed, as a retry would have it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::invented::key;
use crate::chance::Chance;

/// Pages that are told apart; beyond that, each further page is always at its first turn.
const MAX_PAGES: usize = 1 << 16;

/// Counts the openings of each page.
#[derive(Debug, Default)]
pub(super) struct Luck(Mutex<HashMap<u64, u64>>);

impl Luck {
    /// The luck of the next opening of `url`.
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
