//! The ports: the interfaces that drivers, stores and readers of the machine implement.
//!
//! A [`Driver`] makes browsers, a [`Browser`] opens contexts, and a [`Context`] carries out steps. A [`Store`] gives jobs
//! and takes results, a [`Probe`] reads the machine, and an [`Observer`] receives what changes. The runtime calls all of
//! them from owned tasks, under deadlines, and never while it holds a lock.
//!
//! An implementation must keep four promises:
//!
//! * **Verified ends.** [`Context::close`], [`Opening::abandon`] and [`Browser::close`] return only when the thing is
//!   *gone*, or with an error that says that it is not. Capacity is given back on the strength of that.
//! * **Cancel safety.** The future of [`Opening::ready`] or [`Context::perform`] may be dropped at any await. The next
//!   call is `abandon` or `close`, and nothing may be left after it.
//! * **Outputs that are owed.** A step is answered by the output that it owes ([`StepOutput::check`]); any other output is
//!   a fault of class `internal`.
//! * **One classification.** A [`Fault`](crate::outcome::Fault) gets its class here; no caller inspects its text.

pub mod call;
mod driver;
mod machine;
mod opening;
mod output;
mod owed;
mod store;

pub use driver::{Browser, BrowserEnd, CloseError, Context, Driver, OpenRequest, Opening};
pub use machine::{Blindfold, Observer, Probe};
pub use opening::PlainOpening;
pub use output::{Artifact, ArtifactKind, Incidents, Page, StepOutput};
pub use owed::{LONGEST_ARTIFACT, LONGEST_DATA, WrongOutput};
pub use store::{JobRecord, Store, StoreError};
