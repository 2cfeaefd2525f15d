//! The simulated driver (`--driver sim`): dry runs of job files without a browser, and a well-behaved peer for tests.
//!
//! Pages, values and pictures are invented from the job alone, so that two runs give the same data. The deterministic
//! simulator of the scheduling policies is a crate of its own, in `tests/simulator`.

pub mod chance;
pub mod digest;
pub mod driver;
