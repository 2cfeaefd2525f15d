//! Faults that several parts of the driver report.

use plimsoll_core::outcome::{FailureClass, Fault};

/// The fault of a job that needs a browser; `what` is the step or setting that needs it.
pub(crate) fn unsupported(what: &str) -> Fault {
    let message = format!("{what} needs a browser; run the job with `cdp` or `webdriver`");
    Fault::persistent(FailureClass::Unsupported, message)
}

/// The fault of a call to a browser that was closed.
pub(crate) fn closed() -> Fault {
    Fault::transient(FailureClass::BrowserCrash, "the browser was closed")
}
