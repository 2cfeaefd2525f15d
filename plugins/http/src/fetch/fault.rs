//! Faults of fetching a page: their class, and whether they may pass.

use std::error::Error;
use std::io::{self, ErrorKind};

use plimsoll_core::outcome::{FailureClass, Fault};
use url::Url;

/// System errors of a connection that may work again in a moment.
const TRANSIENT: [ErrorKind; 11] = [
    ErrorKind::AddrNotAvailable,
    ErrorKind::BrokenPipe,
    ErrorKind::ConnectionAborted,
    ErrorKind::ConnectionRefused,
    ErrorKind::ConnectionReset,
    ErrorKind::HostUnreachable,
    ErrorKind::NetworkDown,
    ErrorKind::NetworkUnreachable,
    ErrorKind::NotConnected,
    ErrorKind::TimedOut,
    ErrorKind::UnexpectedEof,
];

/// An address without user name and password.
pub(super) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    // Both calls fail only for a URL without a host, which has no user name to remove.
    let _ = bare.set_password(None);
    let _ = bare.set_username("");
    bare
}

/// A fault that a retry would not change.
pub(super) fn persistent(url: &Url, why: &str) -> Fault {
    Fault::persistent(FailureClass::Navigation, format!("cannot open {}: {why}", bare(url)))
}

fn transient(url: &Url, why: &str) -> Fault {
    Fault::transient(FailureClass::Navigation, format!("cannot open {}: {why}", bare(url)))
}

/// The fault of a request without a response.
pub(super) fn of_request(url: &Url, error: &hyper_util::client::legacy::Error) -> Fault {
    let told = told(error);
    if let Some(why) = find::<rustls::Error>(error) {
        return persistent(url, &format!("its certificate or its TLS is not to be trusted: {why}"));
    }
    if let Some(io) = find::<io::Error>(error) {
        return match io.kind() {
            ErrorKind::ConnectionRefused => transient(url, "nothing listens there"),
            kind if TRANSIENT.contains(&kind) => transient(url, &told),
            // Errors of name resolution have no system error code.
            _ if error.is_connect() && io.raw_os_error().is_none() => persistent(url, "no such host"),
            // No file descriptor, memory or port is free: this passes.
            _ if error.is_connect() => transient(url, &told),
            _ => persistent(url, &told),
        };
    }
    match find::<hyper::Error>(error) {
        Some(hyper) if hyper.is_parse() => persistent(url, &format!("its answer is no HTTP: {told}")),
        Some(_) => transient(url, "the server hung up"),
        None => persistent(url, &told),
    }
}

/// The fault of a body that did not arrive completely.
pub(super) fn of_body(url: &Url, error: &hyper::Error) -> Fault {
    let message = format!("{} broke off: the server hung up before its end ({})", bare(url), told(error));
    Fault::transient(FailureClass::Navigation, message)
}

/// The first error of this type among the causes, also if it is wrapped in an `io::Error`.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), cause).find_map(|cause| cause.downcast_ref::<E>())
}

fn cause<'a>(&error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(io) => io.get_ref().map(|wrapped| wrapped as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// The error with its causes.
fn told(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<_> = std::iter::successors(Some(error), cause).map(ToString::to_string).collect();
    causes.join(": ")
}
