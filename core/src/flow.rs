//! Control flow: jobs whose steps branch, repeat and are used again.
//!
//! ```text
//!   job file ─► Statement ─► check: names, procedures, depth ─► Interpreter ─► one plain step after the other
//!                 ├─ Plain: a step, perhaps with {{data.NAME}} in its texts ─► filled ─► relative to an element
//!                 └─ if, repeat, for_each, try, use, append                            └─► a driver performs it
//! ```
//!
//! A driver sees plain steps only: a condition is an `expect` that looks once, and the elements of a `for_each` are read
//! by an `extract`. All that can be known before the run is checked there ([`check()`]); what cannot be known is bounded:
//! the turns of each loop, and the steps of an attempt ([`MOST_PERFORMED`]).

mod check;
mod fill;
mod guard;
mod interpreter;
mod keys;
mod plain;
mod relative;
mod statement;
mod text;

pub use check::{FlowError, FlowMistake, MOST_DEPTH, check};
pub use fill::{Caught, FillError, Values};
pub use guard::Guard;
pub use interpreter::{Answer, Call, Interpreter, MOST_PERFORMED, Purpose, Time};
pub use plain::Plain;
pub use relative::{counted, within};
pub use statement::{ForEach, If, Procedures, Repeat, Statement, Steps, Try, Turns};
pub use text::{Piece, Variable, parse, write};
