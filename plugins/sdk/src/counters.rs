//! Numbers for Plimsoll's metrics: [`Counters`].

use crate::host::HostRef;

/// Counters of this driver, kept by Plimsoll. Copies count into the same ones.
#[derive(Debug, Clone)]
pub struct Counters(HostRef);

impl Counters {
    pub(crate) const fn new(host: HostRef) -> Self {
        Self(host)
    }

    /// Adds `delta` to the counter `name`: a fixed, dotted name such as `http.requests`, never one made of data.
    pub fn add(&self, name: &'static str, delta: u64) {
        self.0.count(name, delta);
    }
}
