//! Connections to a remote end with limits that hold for any behaviour of the remote end.
//!
//! fantoccini sets no deadline, no size limit and no end for its connections, but it accepts a connector. Ours
//!
//! * fail when they are not made within [`CONNECT`];
//! * break when an answer is longer than [`LONGEST`], before it is in memory;
//! * close by themselves after [`IDLE`] without a request: remote ends close idle connections too, and a request that
//!   is sent during such a close is lost;
//! * break when they are cut ([`Connector::cut`]): then no request waits for an answer any more.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::LengthLimitError;
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower_service::Service;

/// The longest time for making a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest answer in bytes: more than a screenshot of a whole page, 16 384 pixels long, in base64.
pub(crate) const LONGEST: u64 = 64 << 20;
/// A connection without a request is closed after this time; the shortest keep-alive time of a known driver is 5 seconds.
const IDLE: Duration = Duration::from_secs(3);

/// Makes connections; all of them end when it is cut.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connector {
    cut: CancellationToken,
}

impl Connector {
    /// Breaks every connection made by this connector and its copies, and makes no more.
    pub(crate) fn cut(&self) {
        self.cut.cancel();
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<BoundedStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let cut = self.cut.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let connecting = timeout(CONNECT, TcpStream::connect((host, uri.port_u16().unwrap_or(80))));
            let stream = cut.clone().run_until_cancelled_owned(connecting).await.ok_or_else(broken)??;
            let stream = stream?;
            stream.set_nodelay(true)?;
            let cut = Box::pin(cut.cancelled_owned());
            Ok(TokioIo::new(BoundedStream { stream, cut, asked: false, bytes: 0, idle: None }))
        })
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct BoundedStream {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    /// A request was sent, and no answer has started yet.
    asked: bool,
    /// Bytes received since the last request.
    bytes: u64,
    /// Runs while there is no request; the connection is closed when it fires.
    idle: Option<Pin<Box<Sleep>>>,
}

/// Whether this error itself means that an answer was longer than [`LONGEST`].
pub(crate) fn is_too_long(why: &(dyn Error + 'static)) -> bool {
    why.downcast_ref::<LengthLimitError>().is_some()
        || why.downcast_ref::<io::Error>().is_some_and(|why| why.kind() == io::ErrorKind::FileTooLarge)
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionAborted)
}

impl Connection for BoundedStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(broken()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                self.asked = false;
                self.idle = None;
                self.bytes += (buffer.filled().len() - before) as u64;
                let too_long = self.bytes > LONGEST;
                let end = if too_long { Err(io::Error::from(io::ErrorKind::FileTooLarge)) } else { Ok(()) };
                Poll::Ready(end)
            }
            // After an answer has started, a long pause means its end, or a remote end that has stalled.
            Poll::Pending if !self.asked => {
                let idle = self.idle.get_or_insert_with(|| Box::pin(sleep(IDLE)));
                idle.as_mut().poll(cx).map(Ok)
            }
            read => read,
        }
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(broken()));
        }
        (self.asked, self.bytes, self.idle) = (true, 0, None);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
