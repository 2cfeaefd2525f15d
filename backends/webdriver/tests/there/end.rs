//! A remote end that behaves as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What is answered to one request.
pub(crate) enum Reply {
    /// This status and JSON.
    Json(u16, Value),
    /// This status and a page.
    Html(u16),
    /// Bytes without end.
    Flood,
    /// Nothing, ever.
    Never,
    /// A session with this id, once the test says so.
    Late(&'static str, Arc<Notify>),
}

/// What is answered, by method and path.
pub(crate) type Script = dyn Fn(&str, &str) -> Reply + Send + Sync;

/// A remote end.
pub(crate) struct End {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    supervisor: Supervisor,
}

impl End {
    /// Answers by `script`; a status is answered well unless the script says otherwise.
    pub(crate) async fn answering(script: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (addr, supervisor) = (listener.local_addr().expect("bound"), Supervisor::root());
        let (asked, script): (Arc<Mutex<Vec<String>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let (log, tasks) = (Arc::clone(&asked), supervisor.clone());
        drop(supervisor.spawn("fake remote end", async move {
            while let Ok((stream, _)) = listener.accept().await {
                let talk = talk(stream, Arc::clone(&script), Arc::clone(&log));
                drop(tasks.spawn("fake connection", talk));
            }
        }));
        Self { addr, asked, supervisor }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How often this was asked, as in "DELETE /session/1".
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.asked.lock().expect("not poisoned").iter().filter(|asked| *asked == what).count()
    }

    /// Waits until this was asked.
    pub(crate) async fn until_asked(&self, what: &str) {
        for _ in 0..1000 {
            if self.asked(what) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never asked {what}: {:?}", self.asked.lock());
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.supervisor.cancel();
    }
}

async fn talk(mut stream: TcpStream, script: Arc<Script>, asked: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    loop {
        let Some((method, path, length)) = request(&mut stream, &mut bytes).await else { return };
        bytes.drain(..length);
        asked.lock().expect("not poisoned").push(format!("{method} {path}"));
        let reply = script(&method, &path);
        let (status, kind, body) = match reply {
            Reply::Json(status, value) => (status, "application/json", value.to_string()),
            Reply::Html(status) => (status, "text/html", "<html><h1>Bad gateway</h1></html>".to_owned()),
            Reply::Late(id, told) => {
                told.notified().await;
                (200, "application/json", session(id).to_string())
            }
            Reply::Never => return std::future::pending().await,
            Reply::Flood => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"value\":\"";
                let mut more = stream.write_all(head.as_bytes()).await;
                while more.is_ok() {
                    more = stream.write_all(&[b'x'; 1 << 16]).await;
                }
                return;
            }
        };
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request: its method, its path, and how many of `bytes` it takes.
async fn request(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<(String, String, usize)> {
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0);
            if bytes.len() >= whole {
                let first = String::from_utf8_lossy(&bytes[..end]).lines().next()?.to_owned();
                let mut words = first.split(' ').map(str::to_owned);
                return Some((words.next()?, words.next()?, whole));
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(read) if read > 0 => bytes.extend(&more[..read]),
            _ => return None,
        }
    }
}

/// The answer that opens a session.
pub(crate) fn session(id: &str) -> Value {
    json!({ "value": { "sessionId": id, "capabilities": { "browserName": "chrome" } } })
}

/// An answer that refuses.
pub(crate) fn refusal(status: u16, error: &str) -> Reply {
    Reply::Json(status, json!({ "value": { "error": error, "message": "no", "stacktrace": "" } }))
}

/// What a remote end answers that works.
pub(crate) fn well(method: &str, path: &str) -> Reply {
    match (method, path) {
        ("GET", "/status") => Reply::Json(200, json!({ "value": { "ready": true, "message": "" } })),
        ("POST", "/session") => Reply::Json(200, session("1")),
        _ => Reply::Json(200, json!({ "value": null })),
    }
}
