//! The driver of one instance, from its construction to its drain, with its browsers and contexts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::Value;

use crate::counters::Counters;
use crate::host::HostRef;
use crate::objects::{HeldContext, Objects};
use crate::start::{Make, Start};

/// See the module.
pub(crate) struct DriverState {
    host: HostRef,
    make: Make,
    /// Owns every task of the driver and every call.
    pub(crate) supervisor: Supervisor,
    driver: OnceLock<Box<dyn Driver>>,
    draining: AtomicBool,
    pub(crate) browsers: Objects<Arc<dyn Browser>>,
    pub(crate) contexts: Objects<HeldContext>,
}

impl DriverState {
    pub(crate) fn new(host: HostRef, make: Make) -> Self {
        Self {
            host,
            make,
            supervisor: Supervisor::root(),
            driver: OnceLock::new(),
            draining: AtomicBool::new(false),
            browsers: Objects::default(),
            contexts: Objects::default(),
        }
    }

    /// Makes the driver, once.
    pub(crate) fn start(&self, config: Value) -> Result<&dyn Driver, Fault> {
        let start = Start {
            config,
            supervisor: self.supervisor.child(),
            clock: Clock::start(),
            counters: Counters::new(self.host),
        };
        let driver = (self.make)(start)?;
        let again = || Fault::persistent(FailureClass::Internal, "the driver was started twice");
        self.driver.set(driver).map_err(|_| again())?;
        self.driver()
    }

    /// The driver, after it was made and before it is drained.
    pub(crate) fn driver(&self) -> Result<&dyn Driver, Fault> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Fault::transient(FailureClass::BrowserCrash, "the driver is being shut down"));
        }
        let none = || Fault::persistent(FailureClass::Internal, "the driver was not started");
        self.driver.get().map(AsRef::as_ref).ok_or_else(none)
    }

    /// Refuses every launch from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
