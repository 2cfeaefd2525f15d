//! Runs the simulator on the shipped policies: seeds, planted bugs, the control law, and regressions.

mod control;
mod regressions;
mod seeds;
