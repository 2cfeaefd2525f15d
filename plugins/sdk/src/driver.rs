//! The driver of one instance, from its construction to its drain, with its browsers and contexts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use plimsoll_core::capability::Capabilities;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::call::DriverMade;
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
    driver: OnceLock<Made>,
    draining: AtomicBool,
    pub(crate) browsers: Objects<Arc<dyn Browser>>,
    pub(crate) contexts: Objects<HeldContext>,
}

/// The driver with its capabilities, which do not change.
struct Made {
    driver: Box<dyn Driver>,
    capabilities: Capabilities,
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
    pub(crate) fn start(&self, config: Value) -> Result<DriverMade, Fault> {
        let start = Start {
            config,
            supervisor: self.supervisor.child(),
            clock: Clock::start(),
            counters: Counters::new(self.host),
        };
        let driver = (self.make)(start)?;
        let again = || Fault::persistent(FailureClass::Internal, "the driver was started twice");
        let capabilities = driver.capabilities();
        let made = DriverMade::new(driver.name(), &capabilities);
        self.driver.set(Made { driver, capabilities }).map_err(|_| again())?;
        Ok(made)
    }

    /// The driver, after it was made and before it is drained.
    pub(crate) fn driver(&self) -> Result<&dyn Driver, Fault> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Fault::transient(FailureClass::BrowserCrash, "the driver is being shut down"));
        }
        Ok(self.made()?.driver.as_ref())
    }

    /// Refuses what the driver has not declared, so that no driver needs refusals of its own.
    pub(crate) fn require(&self, needed: &Capabilities) -> Result<(), Fault> {
        let missing = self.made()?.capabilities.missing(needed);
        if missing.is_empty() {
            return Ok(());
        }
        let message = format!("the driver does not declare that it can do this: {missing}");
        Err(Fault::persistent(FailureClass::Unsupported, message))
    }

    fn made(&self) -> Result<&Made, Fault> {
        let none = || Fault::persistent(FailureClass::Internal, "the driver was not started");
        self.driver.get().ok_or_else(none)
    }

    /// Refuses every launch from now on.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
