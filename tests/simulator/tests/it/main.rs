//! The simulator on the shipped policies: seeds, planted bugs, the control law, and what it once found.

mod control;
mod regressions;
mod seeds;
