//! Receives what a library sends: [`Sink`]. In this process it completes calls and writes the log; in a child it sends
//! frames to the parent.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use plimsoll_plugin_abi::{Buf, level};
use tracing::Level;

/// Bytes from a library: its own buffer, or bytes that a process sent.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// Freed by the library.
    Theirs(Buf),
    /// Allocated by this program.
    Ours(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Theirs(buf) => buf,
            Self::Ours(bytes) => bytes,
        }
    }
}

impl Bytes {
    /// The bytes in this program's own memory.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Theirs(buf) => buf.to_vec(),
            Self::Ours(bytes) => bytes,
        }
    }
}

/// An answer to a call.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u32,
    pub(crate) head: Bytes,
    pub(crate) body: Bytes,
}

/// Receives answers, log lines and counters of a library. Called from any thread; it must not block for long.
pub(crate) trait Sink: Send + Sync {
    /// A call was answered.
    fn complete(&self, call: u64, reply: Reply);
    /// A log line.
    fn log(&self, level: u32, target: &str, message: &str);
    /// An amount was added to a counter.
    fn count(&self, name: &str, delta: u64);
}

/// The greatest number of a library's counters; more are ignored.
const MAX_COUNTERS: usize = 64;
/// The greatest length of a counter's name.
const MAX_NAME: usize = 64;

/// Writes the log lines of a library to our log, and keeps its counters.
#[derive(Debug)]
pub(crate) struct PluginLog {
    name: String,
    counters: Mutex<BTreeMap<String, u64>>,
}

impl PluginLog {
    pub(crate) fn new(name: String) -> Self {
        Self { name, counters: Mutex::default() }
    }

    /// Logs a line under the library's name.
    pub(crate) fn log(&self, level: u32, target: &str, message: &str) {
        let plugin = self.name.as_str();
        match level {
            level::ERROR => tracing::event!(Level::ERROR, plugin, "{target}: {message}"),
            level::WARN => tracing::event!(Level::WARN, plugin, "{target}: {message}"),
            level::INFO => tracing::event!(Level::INFO, plugin, "{target}: {message}"),
            level::DEBUG => tracing::event!(Level::DEBUG, plugin, "{target}: {message}"),
            _ => tracing::event!(Level::TRACE, plugin, "{target}: {message}"),
        }
    }

    /// Adds to a counter.
    pub(crate) fn count(&self, name: &str, delta: u64) {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = counters.get_mut(name) {
            *value = value.saturating_add(delta);
        } else if counters.len() < MAX_COUNTERS && name.len() <= MAX_NAME {
            counters.insert(name.to_owned(), delta);
        }
    }

    /// Every counter.
    pub(crate) fn counters(&self) -> BTreeMap<String, u64> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The most detailed level that our log accepts, as the number of the interface.
pub(crate) fn wanted_level() -> u32 {
    match tracing::level_filters::LevelFilter::current().into_level() {
        None => level::OFF,
        Some(Level::ERROR) => level::ERROR,
        Some(Level::WARN) => level::WARN,
        Some(Level::INFO) => level::INFO,
        Some(Level::DEBUG) => level::DEBUG,
        Some(Level::TRACE) => level::TRACE,
    }
}
