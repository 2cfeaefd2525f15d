//! Compares the program with the documentation of jobs and settings, and with the list of settings that change live.

mod docs;
mod live;
mod reference;
