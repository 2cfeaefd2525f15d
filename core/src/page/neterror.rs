//! Maps the error codes of the browsers' network stacks to faults.
//!
//! The codes (`net::ERR_...` in Chromium, the `e` of `about:neterror?e=...` in Firefox) are names that have been stable
//! for a decade. Browsers report no other detail.

use crate::outcome::{FailureClass, Fault, Recurrence};

/// A server answered with an error status and no body.
pub const EMPTY_ERROR: &str = "net::ERR_HTTP_RESPONSE_CODE_FAILURE";
/// The navigation produced no document.
const ABORTED: &str = "net::ERR_ABORTED";

/// Codes, without their prefix, of transient errors.
const TRANSIENT: [&str; 18] = [
    "ADDRESS_UNREACHABLE",
    "CONNECTION_ABORTED",
    "CONNECTION_CLOSED",
    "CONNECTION_FAILED",
    "CONNECTION_REFUSED",
    "CONNECTION_RESET",
    "CONNECTION_TIMED_OUT",
    "CONTENT_LENGTH_MISMATCH",
    "DNS_TIMED_OUT",
    "EMPTY_RESPONSE",
    "HTTP2_PROTOCOL_ERROR",
    "INCOMPLETE_CHUNKED_ENCODING",
    "INSUFFICIENT_RESOURCES",
    "INTERNET_DISCONNECTED",
    "NETWORK_CHANGED",
    "NETWORK_IO_SUSPENDED",
    "SOCKET_NOT_CONNECTED",
    "TIMED_OUT",
];

/// Prefixes of the codes that mean a failure of the proxy.
const PROXY: [&str; 5] = ["PROXY_", "TUNNEL_", "SOCKS_", "MANDATORY_PROXY_", "NO_SUPPORTED_PROXIES"];
/// Proxy codes of persistent errors: a retry would fail in the same way.
const WRONG_PROXY: [&str; 3] = ["PROXY_AUTH_", "PROXY_CERTIFICATE_", "NO_SUPPORTED_PROXIES"];

/// The fault of a navigation to `url` that ended with `code`.
pub fn fault(url: &str, code: &str) -> Fault {
    if code == ABORTED {
        return no_document(url);
    }
    let name = code.strip_prefix("net::ERR_").unwrap_or(code);
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| name.starts_with(beginning));
    let (class, recurrence) = if begins(&WRONG_PROXY) {
        (FailureClass::Proxy, Recurrence::Persistent)
    } else if begins(&PROXY) {
        (FailureClass::Proxy, Recurrence::Transient)
    } else if TRANSIENT.contains(&name) {
        (FailureClass::Navigation, Recurrence::Transient)
    } else {
        (FailureClass::Navigation, Recurrence::Persistent)
    };
    let message = match explanation(name) {
        Some(explanation) => format!("cannot open {url}: {explanation} ({code})"),
        None => format!("cannot open {url}: {code}"),
    };
    Fault { class, recurrence, message }
}

/// The fault of a navigation to `url` that ended at Firefox's error page with this code.
pub fn firefox_fault(url: &str, code: &str) -> Fault {
    use Recurrence::{Persistent, Transient};
    let (class, recurrence, explanation) = match code {
        "connectionFailure" => (FailureClass::Navigation, Transient, Some("nothing listens there")),
        "netReset" => (FailureClass::Navigation, Transient, Some("the server hung up")),
        "netInterrupt" | "netOffline" | "netTimeout" => (FailureClass::Navigation, Transient, None),
        "proxyConnectFailure" | "proxyResolveFailure" => (FailureClass::Proxy, Transient, None),
        "dnsNotFound" => (FailureClass::Navigation, Persistent, Some("no such host")),
        "redirectLoop" => (FailureClass::Navigation, Persistent, Some("it redirects in circles")),
        "deniedPortAccess" => (FailureClass::Navigation, Persistent, Some("browsers refuse this port")),
        "nssBadCert" | "nssFailure2" => {
            (FailureClass::Navigation, Persistent, Some("its certificate is not to be trusted"))
        }
        _ => (FailureClass::Navigation, Persistent, None),
    };
    let message = match explanation {
        Some(explanation) => format!("cannot open {url}: {explanation} ({code})"),
        None => format!("cannot open {url}: {code}"),
    };
    Fault { class, recurrence, message }
}

/// The fault of a navigation to `url` that ended without a document.
pub fn no_document(url: &str) -> Fault {
    let message = format!(
        "{url} is no page: it is a download, its answer has no content, or it leads to an address that no page has, such as \
         mailto:"
    );
    Fault::persistent(FailureClass::Navigation, message)
}

/// The fault of a document whose server closed the connection before its end.
pub fn broke_off(url: &str) -> Fault {
    let message = format!("{url} broke off: the server hung up before its end, or its compression is broken");
    Fault::transient(FailureClass::Navigation, message)
}

/// The fault of a page that opened and then navigated to an error page.
pub fn went_on_to_error(url: &str) -> Fault {
    let message = format!("{url} went on to an address that cannot be opened");
    Fault::transient(FailureClass::Navigation, message)
}

/// Explains the commonest codes in plain words.
fn explanation(name: &str) -> Option<&'static str> {
    Some(match name {
        "NAME_NOT_RESOLVED" => "no such host",
        "CONNECTION_REFUSED" => "nothing listens there",
        "CONNECTION_RESET" | "CONNECTION_CLOSED" | "EMPTY_RESPONSE" => "the server hung up",
        "TOO_MANY_REDIRECTS" => "it redirects in circles",
        "UNSAFE_PORT" => "browsers refuse this port",
        _ if name.starts_with("CERT_") => "its certificate is not to be trusted",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_class_and_recurrence() {
        use FailureClass::{Navigation, Proxy};
        use Recurrence::{Persistent, Transient};
        for (code, class, recurrence) in [
            ("net::ERR_CONNECTION_REFUSED", Navigation, Transient),
            ("net::ERR_NAME_NOT_RESOLVED", Navigation, Persistent),
            ("net::ERR_TOO_MANY_REDIRECTS", Navigation, Persistent),
            ("net::ERR_CERT_AUTHORITY_INVALID", Navigation, Persistent),
            ("net::ERR_ABORTED", Navigation, Persistent),
            ("net::ERR_PROXY_CONNECTION_FAILED", Proxy, Transient),
            ("net::ERR_TUNNEL_CONNECTION_FAILED", Proxy, Transient),
            ("net::ERR_PROXY_AUTH_UNSUPPORTED", Proxy, Persistent),
            ("something unheard of", Navigation, Persistent),
        ] {
            let found = fault("http://a/", code);
            assert_eq!((found.class, found.recurrence), (class, recurrence), "{found}");
        }
        for (code, class, recurrence) in [
            ("connectionFailure", Navigation, Transient),
            ("dnsNotFound", Navigation, Persistent),
            ("proxyConnectFailure", Proxy, Transient),
            ("something unheard of", Navigation, Persistent),
        ] {
            let found = firefox_fault("http://a/", code);
            assert_eq!((found.class, found.recurrence), (class, recurrence), "{found}");
        }
    }
}
