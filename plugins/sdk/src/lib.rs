//! Everything that a driver library for Plimsoll needs: implement [`Driver`], [`Browser`], [`Opening`] and [`Context`], and
//! export them.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use plimsoll_plugin::{Browser, BrowserId, Capabilities, Driver, Fault, FailureClass, Start, async_trait};
//!
//! struct Demo;
//!
//! impl Demo {
//!     fn new(start: Start) -> Result<Self, Fault> {
//!         // The settings below `[driver.plugin.NAME.config]`, as JSON; an empty map when there are none.
//!         let _settings = start.config;
//!         Ok(Self)
//!     }
//! }
//!
//! #[async_trait]
//! impl Driver for Demo {
//!     fn name(&self) -> &str {
//!         "demo"
//!     }
//!
//!     fn capabilities(&self) -> Capabilities {
//!         Capabilities::default()
//!     }
//!
//!     async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
//!         Err(Fault::persistent(FailureClass::Unsupported, "a demo has no browsers"))
//!     }
//! }
//!
//! plimsoll_plugin::export_driver!(Demo::new);
//! # fn main() {}
//! ```
//!
//! The package is a `cdylib`: `[lib] crate-type = ["cdylib"]`. It is built by `cargo xtask plugin build`, and chosen by
//! `--driver NAME` or `[driver] name`. `docs/plugins.md` walks through it.
//!
//! # What Plimsoll provides
//!
//! * A tokio runtime of its own, with two threads named after the package. [`Driver`]'s futures run on it, and
//!   [`Start::supervisor`] spawns on it. Plimsoll's own runtime is another copy of tokio and cannot be used.
//! * Steps that need not wait are cheap: while a driver's steps begin quickly (64 in a row took less than 250 µs up to
//!   their first await), the next step begins on the caller's thread, within the library's runtime, and moves to the
//!   library's threads only if it must wait. After one slow step, all steps run on the library's threads until 64 in a row
//!   were quick again. So nothing may be kept in thread-locals.
//! * Cancellation: a call whose caller has left is dropped at its next await.
//! * Refusals: a job's setup or step that needs a capability which [`Driver::capabilities`] lacks is answered `unsupported`
//!   and never reaches the driver.
//! * Time: a step that is not done 100 ms after its budget is dropped at its next await and answered `timeout`.
//! * `tracing`: events go to Plimsoll's log, with the spans around them.
//! * [`Start::counters`]: numbers for Plimsoll's metrics; [`Counters::in_memory`] makes some for unit tests.
//!
//! # What a library must do
//!
//! * It never blocks a thread for long: a call that is not answered, and does not end after its cancellation, makes Plimsoll
//!   shut the whole library down.
//! * It answers each step with the output that the step owes: [`StepOutput::check`] says what is wrong with another one, and
//!   Plimsoll fails a job whose step got one (class `internal`).
//! * A context that was not opened, because that failed or was cancelled, leaves nothing once [`Opening::abandon`] has
//!   returned. [`PlainOpening`] suits contexts that are values in memory.
//! * A panic fails its call (class `internal`) and every later step of the same context, which can only be closed.
//! * It installs no signal handlers, never calls `std::process::exit`, and leaves standard output alone.
//! * It is built to unwind: `panic = "abort"` turns each panic into the end of its process.

mod answer;
mod call;
mod counters;
mod driver;
mod edge;
mod export;
mod forward;
mod host;
mod instance;
mod objects;
mod promptness;
mod start;

pub use async_trait::async_trait;
pub use plimsoll_core::capability::{Capabilities, Capability};
pub use plimsoll_core::id::BrowserId;
pub use plimsoll_core::outcome::{FailureClass, Fault, Recurrence};
pub use plimsoll_core::policy::Trim;
pub use plimsoll_core::port::{
    Artifact, ArtifactKind, Browser, BrowserEnd, CloseError, Context, Driver, Incidents, OpenRequest,
    Opening, Page, PlainOpening, StepOutput,
};
pub use plimsoll_core::runtime::clock::Clock;
pub use plimsoll_core::runtime::supervisor::{Supervisor, Task, TaskFailure};
pub use plimsoll_core::{job, step};

pub use counters::Counters;
pub use start::Start;

#[doc(hidden)]
pub use export::hidden;
