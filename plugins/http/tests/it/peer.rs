//! A server that sends exactly the given bytes, also invalid ones.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Answers each request with the bytes for its path, and closes the connection.
pub(crate) struct Peer {
    addr: SocketAddr,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Serves the result of `answer` for a path.
    pub(crate) fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("its address");
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if told.load(Ordering::Relaxed) {
                    return;
                }
                // A client may close the connection first.
                drop(reply(stream, &answer));
            }
        });
        Self { addr, stopped, thread: Some(thread) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

fn reply(mut stream: TcpStream, answer: &impl Fn(&str) -> Vec<u8>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut bytes = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut bytes)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&bytes[..read]);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    stream.write_all(&answer(request.split(' ').nth(1).unwrap_or("/")))
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.addr));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the peer has not panicked");
        }
    }
}

/// An answer of status 200 with these header lines.
pub(crate) fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
