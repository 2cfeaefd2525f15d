//! What is written about jobs and settings, against the program.

mod docs;
mod reference;
