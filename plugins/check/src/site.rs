//! A running site: its address, its request counts, and its end.
//!
//! A site owns a thread with a single-threaded runtime. Dropping a [`Site`] stops the runtime and waits for its end:
//! afterwards the port and every connection are closed, also those with unfinished responses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::Listener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::hits::Hits;

/// Loopback, with a port that the system picks.
pub const LOOPBACK: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// A site that answers until it is dropped.
#[derive(Debug)]
#[must_use = "a site closes when it is dropped"]
pub struct Site {
    /// The site's address; the system picked the port if none was given.
    pub addr: SocketAddr,
    scheme: &'static str,
    hits: Arc<Hits>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    /// The address of `path` (which begins with `/`) on this site.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.addr)
    }

    /// Requests for exactly `path` so far, without its query. Only the first 4096 paths are counted.
    #[must_use]
    pub fn hits(&self, path: &str) -> u64 {
        self.hits.of(path)
    }

    /// Requests so far, whatever their path.
    #[must_use]
    pub fn total_hits(&self) -> u64 {
        self.hits.total()
    }

    /// Serves `pages` over plain HTTP at `addr`. A response without a `Cache-Control` gets `no-store`.
    ///
    /// # Errors
    /// When the address cannot be bound or the thread cannot be started.
    pub fn plain(addr: SocketAddr, pages: Router) -> io::Result<Self> {
        Self::start(addr, "http", pages, |listener| listener)
    }

    /// Serves `pages` at `addr` through the listener that `wrap` makes of the bound socket.
    pub(crate) fn start<L>(
        addr: SocketAddr,
        scheme: &'static str,
        pages: Router,
        wrap: impl FnOnce(tokio::net::TcpListener) -> L,
    ) -> io::Result<Self>
    where
        L: Listener<Addr = SocketAddr>,
    {
        let socket = TcpListener::bind(addr)?;
        socket.set_nonblocking(true)?;
        let addr = socket.local_addr()?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            wrap(tokio::net::TcpListener::from_std(socket)?)
        };

        let hits = Arc::new(Hits::default());
        let pages =
            pages.layer(middleware::from_fn_with_state(Arc::clone(&hits), count_and_discourage_storing));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(format!("site {addr}"))
            .spawn(move || answer_until(&runtime, listener, pages, stopped))?;
        Ok(Self { addr, scheme, hits, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has already printed its panic.
            let _ = thread.join();
        }
    }
}

/// Serves until `stopped` resolves. Every connection lives on `runtime` and ends when it is dropped.
fn answer_until<L>(runtime: &Runtime, listener: L, pages: Router, stopped: oneshot::Receiver<()>)
where
    L: Listener<Addr = SocketAddr>,
{
    runtime.spawn(async move { axum::serve(listener, pages).await });
    // An error says that the sender was dropped, which is the signal.
    let _ = runtime.block_on(stopped);
}

async fn count_and_discourage_storing(
    State(hits): State<Arc<Hits>>,
    request: Request,
    next: Next,
) -> Response {
    hits.count(request.uri().path());
    let mut response = next.run(request).await;
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    response
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use axum::routing::get;

    use super::*;
    use crate::plain_client;

    #[test]
    fn counts_by_path_and_forbids_storing() {
        let site = Site::plain(LOOPBACK, Router::new().route("/a", get(|| async { "a" }))).unwrap();
        let answer = plain_client::get(&site, "/a?x=1");
        plain_client::get(&site, "/gone");
        assert_eq!((answer.status, answer.body.as_str()), (200, "a"));
        assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
        assert_eq!((site.hits("/a"), site.hits("/gone"), site.total_hits()), (1, 1, 2));
    }

    #[test]
    fn dropping_closes_the_port_and_connections_that_still_wait() {
        let never = Router::new().route("/", get(std::future::pending::<()>));
        let site = Site::plain(LOOPBACK, never).unwrap();
        let addr = site.addr;
        let mut waiting = plain_client::send(&site, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        // Wait until the request has arrived: a connection in the backlog proves nothing.
        let patience = std::time::Duration::from_secs(10);
        plain_client::until("the request arrives", patience, || site.hits("/") == 1);
        drop(site);
        assert_eq!(plain_client::read_to_end(&mut waiting), b"", "the waiting connection is closed");
        assert!(TcpStream::connect(addr).is_err(), "the port is closed");
    }
}
