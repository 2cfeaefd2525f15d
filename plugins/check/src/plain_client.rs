//! A minimal HTTP client for tests of the sites: one request per connection, read to its end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::site::Site;

/// No answer of a healthy site takes this long.
const DEADLINE: Duration = Duration::from_secs(10);

/// A parsed response.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The status line and the headers, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Gets `path` from `site`.
///
/// # Panics
/// When the site does not answer; the other functions too.
pub fn get(site: &Site, path: &str) -> Answer {
    get_with(site, path, "")
}

/// Gets `path` with further header lines, each ended by CRLF.
pub fn get_with(site: &Site, path: &str, headers: &str) -> Answer {
    exchange(
        site,
        &format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", site.addr),
    )
}

/// Posts `body` as a form to `path`.
pub fn post(site: &Site, path: &str, body: &str) -> Answer {
    let length = body.len();
    exchange(
        site,
        &format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}",
            site.addr
        ),
    )
}

/// Sends `request` as it is and leaves the connection open.
pub fn send(site: &Site, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(site.addr).expect("site accepts");
    stream.set_read_timeout(Some(DEADLINE)).expect("timeout is not zero");
    stream.write_all(request.as_bytes()).expect("site reads");
    stream
}

/// All bytes until the end of the connection; a reset counts as an end.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(e) if e.kind() != std::io::ErrorKind::ConnectionReset => {
            panic!("no end within {DEADLINE:?}: {e}")
        }
        _ => bytes,
    }
}

/// Waits until `holds`, and panics after `patience`.
#[expect(clippy::disallowed_methods, reason = "a real server on a real thread has no virtual time")]
pub fn until(what: &str, patience: Duration, holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < patience, "not within {patience:?}: {what}");
        std::thread::yield_now();
    }
}

fn exchange(site: &Site, request: &str) -> Answer {
    let bytes = read_to_end(&mut send(site, request));
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status line has a status");
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}
