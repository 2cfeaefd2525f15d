//! Opens pages over plain HTTP, with no more than that takes. Put what fetches or renders your pages in its place.
//!
//! What a page of a driver owes is here: redirects are followed, and what is no page (a download, an answer without content
//! or one that breaks off, a host that does not exist) is a fault that says whether a retry would fail again.

use plimsoll_plugin::{FailureClass, Fault, Page};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

/// Redirects that are followed, as many as browsers follow.
const REDIRECTS: usize = 20;
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 16 << 20;

/// Opens the page at `url`, or the page that its redirects lead to.
pub(crate) async fn open(url: &str) -> Result<Page, Fault> {
    if url == "about:blank" {
        return Ok(Page { url: url.to_owned(), status: None });
    }
    let mut url = url.to_owned();
    for _ in 0..=REDIRECTS {
        let answer = ask(&url).await?;
        match answer.header("location").filter(|_| (300..400).contains(&answer.status)) {
            Some(path) if path.starts_with('/') => url = format!("{}{path}", origin(&url)),
            Some(elsewhere) => url = elsewhere.to_owned(),
            None => return answer.into_page(url),
        }
    }
    Err(lasting(format!("{url} redirects without end")))
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    url[host..].find('/').map_or(url, |end| &url[..host + end])
}

/// Sends a request and reads the whole answer.
async fn ask(url: &str) -> Result<Answer, Fault> {
    let (host, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(|| lasting(format!("{url} cannot be opened: this driver has plain HTTP only")))?;
    let path = path.split('#').next().unwrap_or_default();
    let has_port = host.rsplit(':').next().is_some_and(|port| port.parse::<u16>().is_ok());
    let place = if has_port { host.to_owned() } else { format!("{host}:80") };
    let addresses = lookup_host(&place).await.map_err(|why| lasting(format!("{host}: {why}")))?;
    let addresses: Vec<_> = addresses.collect();

    let passing = |why: std::io::Error| {
        Fault::transient(FailureClass::Navigation, format!("{url} could not be opened: {why}"))
    };
    let mut stream = TcpStream::connect(&*addresses).await.map_err(passing)?;
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(passing)?;
    let mut bytes = Vec::new();
    stream.take(LONGEST).read_to_end(&mut bytes).await.map_err(passing)?;
    Answer::read(&bytes)
        .ok_or_else(|| Fault::transient(FailureClass::Navigation, format!("the answer of {url} broke off")))
}

/// A whole answer.
struct Answer {
    status: u16,
    head: String,
}

impl Answer {
    /// `None` when the end is missing.
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let (head, body) = (String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 2..]);
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let answer = Self { status, head };
        let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
        let is_whole = match length {
            // The body is read with the two bytes before it.
            Some(length) => body.len() >= length + 2,
            None => answer.header("transfer-encoding").is_none() || body.ends_with(b"\r\n0\r\n\r\n"),
        };
        is_whole.then_some(answer)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn into_page(self, url: String) -> Result<Page, Fault> {
        if self.status == 204 {
            return Err(lasting(format!("{url} has no content")));
        }
        if self.header("content-disposition").is_some_and(|how| how.starts_with("attachment")) {
            return Err(lasting(format!("{url} is a download")));
        }
        Ok(Page { url, status: Some(self.status) })
    }
}

/// A fault that a retry would meet again.
fn lasting(message: String) -> Fault {
    Fault::persistent(FailureClass::Navigation, message)
}
