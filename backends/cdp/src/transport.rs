//! The wire to one browser: DevTools messages as NUL-terminated JSON over a pair of byte streams.
//!
//! ```text
//!  Session::start ─► encode ─► bounded queue ─► writer task ─► fd 3  ┐
//!        │                                                           browser
//!  PendingCall ◄── pending table ◄── router ◄── reader task ◄── fd 4 ┘
//!  Session::next_event ◄── mailbox ◄──┘
//! ```
//!
//! A [`Connection`] owns two tasks. The reader splits frames, parses each envelope once and routes it: a reply to the
//! call that waits for it; an event to the mailbox of its session, if that session requested the method. The reader
//! never waits for a consumer, so a flood of events on one session cannot delay another session's replies. The writer
//! makes every write, so a caller that leaves cannot truncate a message.
//!
//! Failure paths:
//! - the browser ends: the end of file fails every pending call at once, and [`Connection::closed`] reports it;
//! - the browser stops reading or answering: calls end by their own deadline, and [`Connection::last_received`] shows
//!   the time of the last message;
//! - a session is detached: its pending calls fail at once with [`CallError::SessionGone`];
//! - a consumer is slow: its mailbox drops the oldest events, and the next event carries their number;
//! - a message is too long: it is skipped while it arrives, and costs its own call or event only;
//! - a message is malformed: it is counted, and the connection stays open.

mod call;
mod connection;
mod disconnect;
mod envelope;
mod frame;
mod limits;
mod mailbox;
mod pending;
pub mod pipe;
mod reader;
mod router;
mod routes;
mod session;
#[cfg(test)]
mod tests;
mod writer;

pub use call::{CallError, CallStage, PendingCall};
pub use connection::Connection;
pub use disconnect::Disconnect;
pub use limits::ConnectionLimits;
pub use mailbox::{Event, SessionEnd};
pub use router::Stats;
pub use session::Session;
