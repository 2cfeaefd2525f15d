//! Plimsoll as a library: it runs very many isolated browser contexts without overloading the machine.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use plimsoll::{Engine, Job};
//! let engine = Engine::builder().driver("sim").max_contexts(40).start().await?;
//! let page = engine.submit(Job::visit("https://example.com/")?.extract("title", "title"))?.await?;
//! println!("{:?}: {}", page.record.outcome, page.record.data["title"]);
//! engine.close().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The simulator runs with `.driver("sim")`; without it the engine drives Chromium. The engine reads the machine's
//! memory, processors, threads and disk, admits as many contexts as the machine can run, and removes what a killed run
//! left. `examples/` has a batch, a web service and a custom driver.
//!
//! 1. [`Engine`], [`EngineBuilder`], [`Job`], [`JobHandle`]: what a program uses; `submit`: why a job is refused.
//! 2. `settings`: what can be set, in layers; `error`: why an engine could not start.
//! 3. `decode`, `jobs`: job files, with errors that name the place; `named_secrets`: what they name and do not have.
//! 4. `compose`: makes drivers; `capacity`: how many contexts fit on this machine.
//! 5. `routes`, `required`: which driver a job goes to, and whether it can do it.
//! 6. `blocking_store`, `memory_store`, `job_router`, `fleets`: stores, and several drivers as one.

pub mod blocking_store;
pub mod capacity;
pub mod compose;
pub mod decode;
mod engine;
pub mod error;
mod fleets;
mod job;
mod job_router;
pub mod jobs;
mod memory_store;
pub mod named_secrets;
pub mod process_limits;
pub mod required;
pub mod routes;
pub mod settings;
mod submit;
mod toml_values;
#[cfg(test)]
mod trial;

pub use engine::{Ceilings, Engine, EngineBuilder, EngineEvent, PreparedEngine};
pub use error::EngineError;
pub use job::{Job, JobMistake};
pub use memory_store::{Finished, JobHandle, JobProgress};
pub use submit::{NotRun, Refusal, RunError, SubmitError};
