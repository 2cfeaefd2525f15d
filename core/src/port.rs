//! The ports: what the core asks of the world.
//!
//! A [`Driver`] makes browsers, a [`Browser`] opens contexts, a [`Context`] carries out steps, and a [`Store`] is
//! where jobs come from and results go. A [`Probe`] reads the machine, an [`Observer`] is told what changes. All of them are called by owned tasks under deadlines; none is ever
//! called with a lock held.
//!
//! What a port must keep:
//!
//! * **Verified ends.** [`Context::close`] and [`Browser::close`] return only when the thing is *gone*, or with an
//!   error that says it is not. Capacity is given back on the strength of that.
//! * **Cancel safety.** The future of [`Browser::open`] or [`Context::perform`] may be dropped at any await; the
//!   next call made is `close`, and nothing may be left over after it.
//! * **One classification.** A [`Fault`](crate::outcome::Fault) carries its class from here; nobody above looks at texts.

pub mod call;
mod driver;
mod machine;
mod store;

pub use driver::{
    Browser, BrowserEnd, CloseError, Context, Driver, Incidents, OpenRequest, Page, StepOutput,
};
pub use machine::{Blindfold, Observer, Probe};
pub use store::{Artifact, ArtifactKind, JobRecord, Store, StoreError};
