//! The ports to the machine and to the observer of a fleet.

use std::time::Duration;

use async_trait::async_trait;

use crate::policy::admission::Announcement;
use crate::policy::pressure::Reading;
use crate::time::Moment;
use crate::units::Bytes;

/// Reads the machine. It is called once a second, on a thread that may block.
#[async_trait]
pub trait Probe: Send {
    /// Reads every sensor. The value of a sensor that cannot be read is absent, never zero.
    fn read(&mut self, now: Moment) -> Reading;

    /// The memory of all browsers together, if known. An exact figure is expensive: the probe may spread the work over
    /// many calls and return the last complete figure.
    fn browsers(&mut self, now: Moment) -> Option<Bytes>;

    /// Completes when the machine raises an alarm, so that the next reading is taken at once. It never completes if the
    /// machine has no alarm.
    async fn alarm(&mut self) {
        std::future::pending::<()>().await;
    }
}

/// A probe without sensors: every policy uses and reports its safe fallback.
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

/// Receives each change of the fleet once, in order. It is called from the fleet's loop and must not block.
pub trait Observer: Send + Sync {
    /// A change of the fleet.
    fn announced(&self, at: Moment, announcement: &Announcement);

    /// A context was opened; `_took` is the time since admission.
    fn opened(&self, _took: Duration) {}
}

/// An observer that ignores everything.
impl Observer for () {
    fn announced(&self, _: Moment, _: &Announcement) {}
}
