//! What steps mean inside a page, whichever protocol a driver speaks: scripts, and the rules for waiting.
//!
//! ```text
//!   act, condition, extract, document ──► script ──► (a driver runs it) ──► Verdict ──► Polling: look again, or end
//! ```
//!
//! The page's side of a step is JavaScript. It reports a [`Verdict`]: ready, waiting, or refused. This module holds
//! those scripts, the names of keys, the meaning of network errors and the pauses between two looks, as text and pure
//! decisions. [`perform`](mod@crate::perform) carries the steps out. Because every driver shares both, a job finds the
//! same elements, waits for the same things and reads the same values with each of them.
//!
//! A driver that cannot bring an answer back reports a [`PageError`] or an [`EvaluateError`].

mod act;
mod bounds;
mod condition;
mod cookie;
mod document;
mod error;
mod expression;
mod extract;
pub mod keys;
pub mod navigation;
pub mod neterror;
mod polling;
mod script;
mod surrogates;

pub use act::Act;
pub use bounds::{LONGEST_VALUE, read};
pub use condition::{Condition, Test};
pub use cookie::ReportedCookie;
pub use document::{LOCATION, PIXEL_RATIO, content, scroll};
pub use error::{EvaluateError, PageError, delivered};
pub use expression::{Expression, Settled, Wanted};
pub use extract::extract;
pub use polling::{LOOK, Polling, Unmet};
pub use script::Verdict;
