//! What Plimsoll and a driver library agree on: C layouts and numbers, nothing else.
//!
//! A library exports one symbol, [`SYMBOL`], a table of plain data ([`Declaration`]): who it is, and four functions.
//! Plimsoll hands over a table of its own ([`Host`]). From then on everything is a call with a number:
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
//! * No function blocks, none lets a panic out, and nothing is answered before `submit` was called. A library may
//!   carry a call out within `submit`, as long as that takes no time that another call would miss: Plimsoll holds no
//!   lock meanwhile.
//! * Payloads are JSON of the words in `plimsoll-core`'s `port::call`; only the content of an artifact travels raw,
//!   as the body of an answer.
//! * A [`Buf`] is freed by the function that it carries, so by whoever made it.
//! * A struct begins with its size and version, and only ever grows at its end. Whoever reads a field that came later
//!   looks at the size first. [`ABI_MAJOR`] changes only when that is not enough; libraries of another major version
//!   are refused.
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
/// Raised when an older side could no longer understand a newer one.
pub const ABI_MAJOR: u16 = 1;
/// Raised when something was added at an end, or when a side began to promise more.
pub const ABI_MINOR: u16 = 1;

/// What is asked for.
pub mod op {
    /// Makes the driver from its settings. The first call of an instance.
    pub const START: u32 = 1;
    /// Starts the browser of this number.
    pub const LAUNCH: u32 = 2;
    /// Completes when the browser of this number has ended.
    pub const ENDED: u32 = 3;
    /// Ends the browser of this number, with all its contexts.
    pub const CLOSE_BROWSER: u32 = 4;
    /// Asks the browser of this number to give back memory.
    pub const TRIM: u32 = 5;
    /// Opens the context of this number. Since version 1.1 an answer other than `OK` is followed by a [`CLOSE_CONTEXT`] of
    /// this number, which removes what was half made.
    pub const OPEN: u32 = 6;
    /// Carries out a step in the context of this number.
    pub const PERFORM: u32 = 7;
    /// Ends the context of this number; answered when it, or what was half made of it, is verified gone.
    pub const CLOSE_CONTEXT: u32 = 8;
    /// Ends every browser and accepts no new ones; answered when all are gone.
    pub const DRAIN: u32 = 9;
}

/// How a call was answered.
pub mod status {
    /// As asked; the head says what came of it, the body holds the bytes of an artifact.
    pub const OK: u32 = 0;
    /// Not done; the head is a `Fault` (or, for closings, the reason as text).
    pub const FAULT: u32 = 1;
    /// The library panicked; the head is the panic's text, as a JSON string.
    pub const PANICKED: u32 = 2;
    /// The call was cancelled before it was done.
    pub const CANCELLED: u32 = 3;
    /// The library does not know this operation: it is older than Plimsoll.
    pub const UNKNOWN: u32 = 4;
    /// The payload could not be read; the head says why, as a JSON string.
    pub const MALFORMED: u32 = 5;
    /// There is no browser or context of this number.
    pub const NO_SUCH_OBJECT: u32 = 6;
}

/// Levels of a log line, as small numbers.
pub mod level {
    /// Nothing is wanted.
    pub const OFF: u32 = 0;
    /// Something failed.
    pub const ERROR: u32 = 1;
    /// Something is amiss.
    pub const WARN: u32 = 2;
    /// Something happened.
    pub const INFO: u32 = 3;
    /// For whoever looks for a fault.
    pub const DEBUG: u32 = 4;
    /// Everything.
    pub const TRACE: u32 = 5;
}
