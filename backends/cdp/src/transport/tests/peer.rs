//! A simulated browser at the other end of the connection: it answers as the test wants, or misbehaves.

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};

use plimsoll_core::runtime::clock::Clock;
use plimsoll_core::runtime::supervisor::Supervisor;

use crate::transport::{Connection, ConnectionLimits};

/// The capacity of each direction in bytes.
const WIRE: usize = 64 << 10;

/// A command that was received.
#[derive(Debug, Deserialize)]
pub(super) struct Received {
    pub(super) id: u32,
    pub(super) method: String,
    #[serde(rename = "sessionId")]
    pub(super) session: Option<String>,
    pub(super) params: Value,
}

/// The far end. Dropping it simulates the browser's end.
pub(super) struct Peer {
    reads: BufReader<DuplexStream>,
    writes: DuplexStream,
    /// Owner of the connection's tasks.
    pub(super) supervisor: Supervisor,
    pub(super) clock: Clock,
}

/// A connection and its peer.
pub(super) fn connect(limits: ConnectionLimits) -> (Connection, Peer) {
    let (ours_in, writes) = duplex(WIRE);
    let (ours_out, reads) = duplex(WIRE);
    let (supervisor, clock) = (Supervisor::root(), Clock::start());
    let connection = Connection::open(ours_in, ours_out, &supervisor, clock, limits);
    (connection, Peer { reads: BufReader::new(reads), writes, supervisor, clock })
}

impl Peer {
    /// The next command, which must be whole.
    pub(super) async fn receive(&mut self) -> Received {
        let mut frame = Vec::new();
        self.reads.read_until(0, &mut frame).await.expect("the wire is in memory");
        assert_eq!(frame.pop(), Some(0), "a command ends with NUL");
        serde_json::from_slice(&frame).expect("a command is JSON")
    }

    /// Completes when the connection's end of the wire is closed.
    pub(super) async fn hangs_up(&mut self) {
        let rest = self.reads.fill_buf().await.expect("the wire is in memory");
        assert!(rest.is_empty(), "nothing more was sent");
    }

    /// Sends bytes as they are.
    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.writes.write_all(bytes).await.expect("the connection reads");
    }

    /// Sends one message.
    pub(super) async fn send(&mut self, message: &Value) {
        self.send_bytes(format!("{message}\0").as_bytes()).await;
    }

    /// Answers a call.
    pub(super) async fn reply(&mut self, id: u32, result: Value) {
        self.send(&serde_json::json!({ "id": id, "result": result })).await;
    }

    /// Reports an event of a session.
    pub(super) async fn event(&mut self, session: &str, method: &str, params: Value) {
        self.send(&serde_json::json!({ "method": method, "params": params, "sessionId": session })).await;
    }

    /// Announces a session, or its end.
    pub(super) async fn target(&mut self, event: &str, session: &str) {
        let method = format!("Target.{event}");
        self.send(&serde_json::json!({ "method": method, "params": { "sessionId": session } })).await;
    }
}
