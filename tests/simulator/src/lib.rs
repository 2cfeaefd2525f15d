//! The simulator: the production policies on virtual time, against a machine and browsers that misbehave on purpose.
//!
//! ```text
//!   seed ─► Scenario ─► Plan ─► World ──events─► Subject (the fleet's Dispatch) ──actions──┐
//!                                 ▲                │                                       │
//!                                 └────────────────┼───────────────────────────────────────┤
//!                                                  └──── both ────► Oracle: every invariant ┘
//! ```
//!
//! The seed decides a run completely: no clock, no threads, no hash maps with random order. Every failure is
//! reproducible, is reduced ([`shrink`]), and stays as a regression test.
//!
//! Read it in this order: [`scenario`] and [`plan`] (what a seed stands for), [`world`] (the machine), [`oracle`] (what must
//! hold), [`run`](mod@run) (one run), [`sweep`](mod@sweep) (many), [`mutation`] (planted bugs), [`control`] and
//! [`scale`] (figures).

// words
pub mod agenda;
mod dashed;
pub mod fault;
pub mod processor;
pub mod world_event;
// what a seed stands for
pub mod outcome_plan;
pub mod plan;
pub mod scenario;
// the two sides
pub mod subject;
pub mod world;
// judgement
pub mod journal;
pub mod oracle;
pub mod run;
// many runs
pub mod mutation;
pub mod report;
pub mod shrink;
pub mod sweep;
// figures
pub mod control;
pub mod scale;
