//! The interface between Plimsoll and a driver library: C layouts and numbers only.
//!
//! A library exports one symbol, [`SYMBOL`], a table of plain data ([`Declaration`]): its identity and four
//! functions. Plimsoll passes a table of its own ([`Host`]). All further communication is calls with numbers:
//!
//! ```text
//!   Plimsoll                                    library
//!   create(&Host) ───────────────────────────►  an instance, with a runtime of its own
//!   submit(instance, call 7, PERFORM, context 3, payload) ─►  returns soon
//!   complete(context, call 7, OK, head, body)  ◄─  from any thread, exactly once; or from within `submit`
//!   cancel(instance, call 8) ────────────────►  answers call 8 with CANCELLED, unless it is answered already
//!   destroy(instance) ───────────────────────►  ends the runtime; nothing is answered any more
//! ```
//!
//! * No function blocks, no panic leaves a function, and no answer comes before its `submit`. A library may carry a
//!   call out within `submit` if this does not delay other calls noticeably: Plimsoll holds no lock during `submit`.
//! * Payloads are JSON of the words in `plimsoll-core`'s `port::call`; only the content of an artifact travels raw,
//!   as the body of an answer.
//! * A [`Buf`] is freed by the function that it carries, so by the side that allocated it.
//! * A struct begins with its size and version, and new fields are only added at its end. A reader checks the size
//!   before it reads a later field. [`ABI_MAJOR`] changes only when that is not enough; libraries of another major
//!   version are refused.
//! * A library is never unloaded: its threads and thread-local destructors could still run.
//!
//! Nothing here depends on Rust's own layouts, so compilers, profiles and versions of other crates may differ.

mod buf;
mod table;

pub use buf::{Buf, outstanding};
pub use table::{Declaration, Functions, Host, InstancePtr, Text};

/// The name of the one symbol that a library exports: a static [`Declaration`].
pub const SYMBOL: &str = "PLIMSOLL_PLUGIN";
/// What a [`Declaration`] begins with.
pub const MAGIC: [u8; 8] = *b"PLIMSOLL";
/// Raised when an older side can no longer work with a newer one.
pub const ABI_MAJOR: u16 = 1;
/// Raised when a field was added at an end of a table, or when a side makes a new promise.
pub const ABI_MINOR: u16 = 1;

/// The operations of calls.
pub mod op {
    /// Makes the driver from its settings. The first call of an instance.
    pub const START: u32 = 1;
    /// Starts the browser with this number.
    pub const LAUNCH: u32 = 2;
    /// Completes when the browser with this number has ended.
    pub const ENDED: u32 = 3;
    /// Ends the browser with this number and all its contexts.
    pub const CLOSE_BROWSER: u32 = 4;
    /// Asks the browser with this number to release memory.
    pub const TRIM: u32 = 5;
    /// Opens the context with this number. Since version 1.1 an answer other than `OK` is followed by a
    /// [`CLOSE_CONTEXT`] with this number, which removes a partly made context.
    pub const OPEN: u32 = 6;
    /// Carries out a step in the context with this number.
    pub const PERFORM: u32 = 7;
    /// Ends the context with this number, also a partly made one; answered when it is verified gone.
    pub const CLOSE_CONTEXT: u32 = 8;
    /// Ends every browser and accepts no new ones; answered when all are gone.
    pub const DRAIN: u32 = 9;
}

/// The statuses of answers.
pub mod status {
    /// Done; the head holds the result, the body the bytes of an artifact.
    pub const OK: u32 = 0;
    /// Failed; the head is a `Fault` (or, for closings, the reason as text).
    pub const FAULT: u32 = 1;
    /// The library panicked; the head is the panic's text, as a JSON string.
    pub const PANICKED: u32 = 2;
    /// The call was cancelled before it was done.
    pub const CANCELLED: u32 = 3;
    /// The library does not know this operation: it is older than Plimsoll.
    pub const UNKNOWN: u32 = 4;
    /// The payload could not be read; the head is the reason, as a JSON string.
    pub const MALFORMED: u32 = 5;
    /// There is no browser or context with this number.
    pub const NO_SUCH_OBJECT: u32 = 6;
}

/// Levels of a log line, as small numbers.
pub mod level {
    /// No lines.
    pub const OFF: u32 = 0;
    /// Errors.
    pub const ERROR: u32 = 1;
    /// Warnings.
    pub const WARN: u32 = 2;
    /// Information.
    pub const INFO: u32 = 3;
    /// Details for debugging.
    pub const DEBUG: u32 = 4;
    /// Everything.
    pub const TRACE: u32 = 5;
}
