//! The limits on the memory of one connection.

use plimsoll_core::units::Bytes;

/// The maximum that one connection may hold in memory.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionLimits {
    /// The longest message that is accepted from the browser. A longer message is skipped while it arrives: a reply then
    /// fails its call, and an event arrives without its parameters. The default, 64 MiB, is above any usual screenshot
    /// or PDF.
    pub frame: Bytes,
    /// The longest command. Chromium disconnects a client that sends more than 100 MiB, with every context of that
    /// browser; the default is 16 MiB.
    pub command: Bytes,
    /// Commands that may wait for the writer; further callers wait, within their deadlines.
    pub queued_commands: usize,
    /// Events that may wait in one session; beyond this number the oldest events are dropped and counted.
    pub queued_events: usize,
    /// Memory those events may take.
    pub queued_event_bytes: Bytes,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            frame: Bytes::mib(64),
            command: Bytes::mib(16),
            queued_commands: 256,
            queued_events: 1024,
            queued_event_bytes: Bytes::mib(16),
        }
    }
}
