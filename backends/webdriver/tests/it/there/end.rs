//! A simulated remote end that behaves as a test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use plimsoll_core::runtime::supervisor::Supervisor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

/// The length of a huge answer in bytes.
const HUGE: usize = 100 << 20;

/// The answer to one request.
pub(crate) enum Reply {
    /// This status and JSON.
    Json(u16, Value),
    /// This status and a page; a redirection leads to an address without a server.
    Html(u16),
    /// This status and an empty body.
    Empty(u16),
    /// This JSON, twice.
    Twice(Value),
    /// Half of an answer, then the end of the connection.
    Cut,
    /// JSON of [`HUGE`] bytes.
    Huge,
    /// Bytes without end.
    Flood,
    /// No answer, ever.
    Never,
    /// The socket of a browser that closes itself or a page on command; the flag is then set.
    Browser(Arc<AtomicBool>),
    /// A session with this id, once the test releases it.
    Late(&'static str, Arc<Notify>),
}

/// A request that was received.
struct Asked {
    what: String,
    authorized: bool,
}

/// The answer by method and path.
pub(crate) type Script = dyn Fn(&str, &str) -> Reply + Send + Sync;

/// A remote end.
pub(crate) struct End {
    addr: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    supervisor: Supervisor,
}

impl End {
    /// Answers by `script`; a status request succeeds unless the script contains another answer.
    pub(crate) async fn answering(script: impl Fn(&str, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (addr, supervisor) = (listener.local_addr().expect("bound"), Supervisor::root());
        let (asked, script): (Arc<Mutex<Vec<Asked>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
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

    /// With a name and a password.
    pub(crate) fn url_of_ada(&self) -> String {
        format!("http://ada:sec%2Fret@{}", self.addr)
    }

    /// How often this was requested, as in "DELETE /session/1".
    pub(crate) fn asked(&self, what: &str) -> usize {
        self.asked.lock().expect("not poisoned").iter().filter(|asked| asked.what == what).count()
    }

    /// The number of requests without a user name.
    pub(crate) fn unauthorized(&self) -> usize {
        self.asked.lock().expect("not poisoned").iter().filter(|asked| !asked.authorized).count()
    }

    /// Waits until this was requested.
    pub(crate) async fn until_asked(&self, what: &str) {
        for _ in 0..1000 {
            if self.asked(what) > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never asked {what}");
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.supervisor.cancel();
    }
}

async fn talk(mut stream: TcpStream, script: Arc<Script>, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut bytes = Vec::new();
    loop {
        let Some((method, path, length)) = request(&mut stream, &mut bytes).await else { return };
        let asked_with: Vec<u8> = bytes.drain(..length).collect();
        let authorized =
            String::from_utf8_lossy(&asked_with).to_lowercase().contains("\r\nauthorization: basic ");
        asked.lock().expect("not poisoned").push(Asked { what: format!("{method} {path}"), authorized });
        let reply = script(&method, &path);
        let (status, kind, body) = match reply {
            Reply::Json(status, value) => (status, "application/json", value.to_string()),
            Reply::Empty(status) => (status, "application/json", String::new()),
            Reply::Twice(value) => {
                let body = value.to_string();
                let once = format!("{}{body}", head(200, "application/json", body.len()));
                if stream.write_all(once.repeat(2).as_bytes()).await.is_err() {
                    return;
                }
                continue;
            }
            Reply::Cut => {
                let half = format!("{}{{\"value\":", head(200, "application/json", 1000));
                drop(stream.write_all(half.as_bytes()).await);
                return;
            }
            Reply::Huge => {
                let mut more = stream.write_all(head(200, "application/json", HUGE).as_bytes()).await;
                more = more.and(stream.write_all(b"{\"value\":\"").await);
                for _ in 0..HUGE >> 16 {
                    more = more.and(stream.write_all(&[b'x'; 1 << 16]).await);
                }
                return;
            }
            Reply::Html(status) => (status, "text/html", "<html><h1>Bad gateway</h1></html>".to_owned()),
            Reply::Late(id, told) => {
                told.notified().await;
                (200, "application/json", session(id).to_string())
            }
            Reply::Browser(closed) => return browser(stream, &asked_with, &closed).await,
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
        let head = head(status, kind, body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Simulates a browser's socket.
async fn browser(mut stream: TcpStream, asked: &[u8], closed: &AtomicBool) {
    let asked = String::from_utf8_lossy(asked).into_owned();
    let key = asked.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a handshake");
    let accept = derive_accept_key(key.trim().as_bytes());
    let head = format!(
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("it waits for this");
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        let told: Value = serde_json::from_slice(&message.into_data()).expect("a command");
        let method = told["method"].as_str().expect("a method");
        closed.store(method == "Browser.close" || method == "browsingContext.close", Ordering::Relaxed);
        let answer = json!({ "id": told["id"], "result": { "contexts": [{ "context": "page" }] } });
        for said in [json!({ "method": "an.event" }), answer] {
            drop(socket.send(Message::text(said.to_string())).await);
        }
    }
}

fn head(status: u16, kind: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    )
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

/// An answer that refuses a request.
pub(crate) fn refusal(status: u16, error: &str) -> Reply {
    Reply::Json(status, json!({ "value": { "error": error, "message": "no", "stacktrace": "" } }))
}

/// A grid's status with this number of slots, and the number of them that others occupy.
pub(crate) fn grid(slots: usize, taken: usize) -> Reply {
    let slot =
        |at| json!({ "session": (at < taken).then_some("x"), "stereotype": { "browserName": "chrome" } });
    let slots: Vec<_> = (0..slots).map(slot).collect();
    let node = json!({ "availability": "UP", "maxSessions": slots.len(), "slots": slots });
    Reply::Json(200, json!({ "value": { "ready": true, "nodes": [node] } }))
}

/// The answers of a remote end that works.
pub(crate) fn well(method: &str, path: &str) -> Reply {
    match (method, path) {
        ("GET", "/status") => Reply::Json(200, json!({ "value": { "ready": true, "message": "" } })),
        ("POST", "/session") => Reply::Json(200, session("1")),
        _ => Reply::Json(200, json!({ "value": null })),
    }
}
