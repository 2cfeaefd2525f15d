//! The documentation of jobs and settings, and what changes live, against the program.

mod docs;
mod live;
mod reference;
