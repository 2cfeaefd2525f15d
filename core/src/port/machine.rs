//! The ports to the machine and to whoever looks on.

use std::time::Duration;

use async_trait::async_trait;

use crate::policy::admission::Announcement;
use crate::policy::pressure::Reading;
use crate::time::Moment;
use crate::units::Bytes;

/// Reads the machine. Called once a second on a thread that may block.
#[async_trait]
pub trait Probe: Send {
    /// Reads every sensor. One that cannot be read is absent, never zero.
    fn read(&mut self, now: Moment) -> Reading;

    /// What all browsers together occupy, if that is known. A truthful figure is dear: the probe may spread its work
    /// over many calls and answer with the last whole one.
    fn browsers(&mut self, now: Moment) -> Option<Bytes>;

    /// Completes when the machine itself raises the alarm, so that the next reading need not wait for its turn. Never,
    /// where there is no such alarm.
    async fn alarm(&mut self) {
        std::future::pending::<()>().await;
    }
}

/// A probe that sees nothing: every policy falls back to what is safe blindly, and says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blindfold;

impl Probe for Blindfold {
    fn read(&mut self, _: Moment) -> Reading {
        Reading::default()
    }

    fn browsers(&mut self, _: Moment) -> Option<Bytes> {
        None
    }
}

/// Is told what changes, each change once, in order. Called from the fleet's loop: it must not block.
pub trait Observer: Send + Sync {
    /// Something changed.
    fn announced(&self, at: Moment, announcement: &Announcement);

    /// A context is there, so long after it was admitted.
    fn opened(&self, _took: Duration) {}
}

/// Looks away.
impl Observer for () {
    fn announced(&self, _: Moment, _: &Announcement) {}
}
