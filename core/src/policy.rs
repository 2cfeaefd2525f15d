//! Policies: pure state machines. No clock, no tokio, no I/O; time and randomness are arguments.
