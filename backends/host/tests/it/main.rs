//! Real processes and directories, a real browser, and the sensors on copies of machines.
//! `out_of_descriptors` is a program of its own: it takes every descriptor of its process.

mod processes;
mod readings;
