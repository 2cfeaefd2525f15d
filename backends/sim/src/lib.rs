//! The simulated driver (`--driver sim`): dry runs of job files without a browser, and a reliable driver for tests.
//!
//! Pages, values and pictures depend only on the job, so two runs give the same data. The deterministic simulator of
//! the scheduling policies is a separate crate, in `tests/simulator`.

pub mod chance;
pub mod digest;
pub mod driver;
