//! A session that is open, and what is needed to end it.

use std::sync::Arc;

use plimsoll_host::network_service::NetworkWatch;

use crate::direct::{Direct, Opened};
use crate::endpoint::{Endpoint, SessionCount};
use crate::handle::BrowserHandle;
use crate::location::Location;
use crate::session::Session;
use crate::settings::Family;

/// The known data of an open session.
#[derive(Debug)]
pub(crate) struct OpenSession {
    pub(crate) session: Arc<Session>,
    /// The process id of its browser, if the driver reports it.
    pub(crate) process: Option<i32>,
    /// Notices the end of its browser's network service, if that is a Chromium on this machine.
    pub(crate) network: Option<NetworkWatch>,
    pub(crate) location: SessionLocation,
}

/// Where a session runs; at a remote end it is counted.
pub(crate) type SessionLocation = Location<SessionCount>;

impl SessionLocation {
    /// Its remote end, unless it runs on this machine.
    pub(crate) const fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        match self {
            Self::Local(_) => None,
            Self::Remote(count) => Some(&count.0),
        }
    }

    /// Requests beside those of the session.
    pub(crate) fn direct(&self) -> &Direct {
        match self {
            Self::Local(driver) => &driver.direct,
            Self::Remote(count) => &count.0.direct,
        }
    }
}

/// The process id of a session's browser, if its driver reports it.
pub(crate) fn process_id(opened: &Opened) -> Option<i32> {
    let capabilities = &opened.capabilities;
    let reported = capabilities.get("goog:processID").or_else(|| capabilities.get("moz:processID"))?;
    reported.as_i64().and_then(|pid| i32::try_from(pid).ok())
}

/// The watch over the network service of a session's browser, if that is a Chromium on this machine.
pub(crate) fn network_watch(
    link: &BrowserHandle,
    location: &SessionLocation,
    process: Option<i32>,
) -> Option<NetworkWatch> {
    match (location, link.family, process) {
        (Location::Local(_), Family::Chromium, Some(process)) => {
            Some(NetworkWatch::start(process, &link.supervisor))
        }
        _ => None,
    }
}
