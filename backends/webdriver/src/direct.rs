//! The driver's own requests to a remote end, beside those of a session: its status, new sessions, and their deletion.
//!
//! fantoccini requests a session without a deadline and hides the result of its deletion; and a session that is stuck
//! in one command accepts no other. So these three requests use a client of this crate: each has a deadline, dropping
//! it cancels it, and every answer is read. If the remote end needs a password, a session's commands use this client
//! too ([`crate::session`]).

use std::error::Error;
use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::rt::Executor;
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use percent_encoding::percent_decode_str;
use plimsoll_core::runtime::supervisor::Supervisor;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use url::Url;

use crate::call::{CallError, Code};
use crate::settings::Remote;
use crate::socket;
use crate::wire::{self, Connector};

/// The longest answer to a request without a session, in bytes: more than the status of a grid of a thousand nodes.
const LONGEST: usize = 8 << 20;
/// The longest time for freeing a session that is stuck.
const FREEING: Duration = Duration::from_secs(2);

/// The driver's own requests to one remote end.
#[derive(Debug)]
pub(crate) struct Direct {
    client: Client<Connector, Full<Bytes>>,
    connections: ConnectionTasks,
    /// Ends with a slash; contains no name and password.
    base: Url,
    authorization: Option<HeaderValue>,
    /// The longest answer that is read, in bytes.
    longest: usize,
}

/// Runs the connections as tasks of a supervisor. They are not cancelled with the run, because sessions are deleted
/// after its cancellation; a connection ends when its client is dropped, when it is cut, and after seconds without a
/// request ([`crate::wire`]).
#[derive(Debug, Clone)]
struct ConnectionTasks(Supervisor);

impl<F> Executor<F> for ConnectionTasks
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, connection: F) {
        drop(self.0.spawn_graceful("http connection", connection));
    }
}

/// A session that was opened.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Opened {
    /// Its id.
    pub(crate) session_id: String,
    /// Its actual capabilities.
    pub(crate) capabilities: Map<String, Value>,
}

impl Direct {
    /// Requests to the remote end `remote`, over connections that belong to `supervisor`. A name and password in its
    /// address are sent in a header.
    pub(crate) fn new(remote: &Remote, supervisor: &Supervisor) -> Self {
        let base = remote.url();
        let connections = ConnectionTasks(supervisor.child());
        let authorization = (!base.username().is_empty() || base.password().is_some()).then(|| {
            // A URL contains them percent-encoded; the header does not.
            let plain = |part: &str| percent_decode_str(part).collect::<Vec<u8>>();
            let pair = [plain(base.username()), plain(base.password().unwrap_or_default())].join(&b':');
            let mut header = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
            header.set_sensitive(true);
            Some(header)
        });
        Self {
            client: Client::builder(connections.clone()).build(Connector::default()),
            connections,
            base: remote.without_password(),
            authorization: authorization.flatten(),
            longest: LONGEST,
        }
    }

    /// Requests to the same remote end over separate connections, with the answer limit of a session.
    pub(crate) fn by(&self, connector: Connector) -> Self {
        Self {
            client: Client::builder(self.connections.clone()).build(connector),
            connections: self.connections.clone(),
            base: self.base.clone(),
            authorization: self.authorization.clone(),
            longest: usize::try_from(wire::LONGEST).unwrap_or(usize::MAX),
        }
    }

    /// The remote end's address, without a name and password; ends with a slash.
    pub(crate) const fn base(&self) -> &Url {
        &self.base
    }

    /// Whether requests contain a name and password.
    pub(crate) const fn is_authorized(&self) -> bool {
        self.authorization.is_some()
    }

    /// The remote end's status.
    pub(crate) async fn status(&self, deadline: Duration) -> Result<Value, CallError> {
        self.exchange("status", Method::GET, "status", None, deadline).await
    }

    /// Opens a session. Dropping this before the answer may leave a session at the remote end whose id is unknown.
    pub(crate) async fn open(
        &self,
        capabilities: &Map<String, Value>,
        deadline: Duration,
    ) -> Result<Opened, CallError> {
        let body = json!({ "capabilities": { "alwaysMatch": capabilities, "firstMatch": [{}] } });
        let body = body.to_string();
        let answer = self.exchange("session", Method::POST, "session", Some(body), deadline).await?;
        let text = answer.to_string();
        serde_json::from_value(answer).map_err(|_| CallError::not_web_driver("session".to_owned(), &text))
    }

    /// Ends a session. A session that does not exist any more has ended.
    pub(crate) async fn delete(&self, session: &str, deadline: Duration) -> Result<(), CallError> {
        let path = format!("session/{session}");
        match self.exchange("session", Method::DELETE, &path, None, deadline).await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some(Code::InvalidSessionId) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether a session still answers. Any answer of the session counts; a driver that is stuck, or a node that is
    /// gone, sends none.
    pub(crate) async fn probe(&self, session: &str, deadline: Duration) -> Result<(), CallError> {
        let path = format!("session/{session}/timeouts");
        self.exchange("timeouts", Method::GET, &path, None, deadline).await.map(drop)
    }

    /// Ends a session, in slightly more than two times `patience`: a session that does not answer in time is stuck, and
    /// is freed through its browser's socket, if there is one.
    pub(crate) async fn end(&self, session: &str, patience: Duration) -> Result<(), CallError> {
        let stuck = match self.delete(session, patience).await {
            Err(error @ CallError::Timeout { .. }) => error,
            answered => return answered,
        };
        let freed = socket::free(&self.base, self.authorization.as_ref(), session, FREEING).await;
        if let Err(error) = freed {
            tracing::debug!(%error, "there is no way around a session that is stuck");
            return Err(stuck);
        }
        self.delete(session, patience).await
    }

    /// Sends a request to `path`, with the name `call` in errors, and reads its answer.
    pub(crate) async fn exchange(
        &self,
        call: &str,
        method: Method,
        path: &str,
        body: Option<String>,
        deadline: Duration,
    ) -> Result<Value, CallError> {
        let call = call.to_owned();
        match timeout(deadline, self.ask(&call, method, path, body)).await {
            Err(_) => Err(CallError::Timeout { call, after: deadline }),
            Ok(Err(error)) => Err(error),
            Ok(Ok((ok, bytes))) => read(call, ok, &bytes),
        }
    }

    /// Returns whether the request succeeded, and the answer.
    async fn ask(
        &self,
        call: &str,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(bool, Bytes), CallError> {
        let broken = |why: &(dyn Error + 'static)| CallError::broken(call.to_owned(), why);
        let url = self.base.join(path).map_err(|why| broken(&why))?;
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let mut sent = Bytes::new();
        if let Some(body) = body {
            // chromedriver accepts no other type, and no body without its length.
            request = request.header(CONTENT_TYPE, "application/json; charset=utf-8");
            sent = Bytes::from(body);
        }
        let request = request.body(Full::new(sent)).map_err(|why| broken(&why))?;
        let answer = self.client.request(request).await.map_err(|why| broken(&why))?;
        let ok = answer.status().is_success();
        let body = Limited::new(answer.into_body(), self.longest);
        let body = body.collect().await.map_err(|why| broken(why.as_ref()))?;
        Ok((ok, body.to_bytes()))
    }
}

/// The value of an answer, or the error in it.
fn read(call: String, ok: bool, bytes: &[u8]) -> Result<Value, CallError> {
    #[derive(Deserialize)]
    struct Answer {
        value: Value,
    }
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        #[serde(default)]
        message: String,
    }
    let parsed = serde_json::from_slice::<Answer>(bytes).map(|answer| answer.value);
    match parsed {
        Ok(value) if ok => Ok(value),
        Ok(value) => match serde_json::from_value::<Refusal>(value) {
            Ok(Refusal { error, message }) => Err(CallError::refused(call, &error, &message)),
            Err(_) => Err(CallError::not_web_driver(call, &String::from_utf8_lossy(bytes))),
        },
        Err(_) => Err(CallError::not_web_driver(call, &String::from_utf8_lossy(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::pin::pin;

    use futures_util::poll;

    use super::*;

    #[test]
    fn a_password_is_sent_as_it_is_and_not_as_a_url_holds_it() {
        let mut base = Url::parse("http://grid:4444/wd/hub/").expect("a url");
        base.set_username("ada@x").expect("it takes one");
        base.set_password(Some("aZ/9k==é %")).expect("it takes one");
        let remote = Remote::parse(base.as_str(), 1).expect("a remote end");
        let direct = Direct::new(&remote, &Supervisor::root());
        let header = direct.authorization.as_ref().expect("there is one").to_str().expect("text");
        let sent = STANDARD.decode(header.strip_prefix("Basic ").expect("basic")).expect("base64");
        assert_eq!(String::from_utf8(sent).as_deref(), Ok("ada@x:aZ/9k==é %"));
        assert_eq!(direct.base().as_str(), "http://grid:4444/wd/hub/");
        assert!(!format!("{direct:?}").contains(header), "headers are printed without it");
    }

    /// A remote end that answers each request and keeps its connection open.
    fn answering(supervisor: &Supervisor) -> Remote {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound");
        drop(supervisor.spawn_blocking("peer", move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut request = [0; 4096];
            while stream.read(&mut request).is_ok_and(|read| read > 0) {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"value\":null}";
                stream.write_all(answer).expect("open");
            }
        }));
        Remote::parse(&format!("http://{address}"), 1).expect("a remote end")
    }

    #[tokio::test]
    async fn its_connections_are_tasks_of_a_supervisor_and_end_with_their_client() {
        let (peers, supervisor) = (Supervisor::root(), Supervisor::root());
        let direct = Direct::new(&answering(&peers), &supervisor);
        // Sessions are deleted after a run was cancelled.
        supervisor.cancel();
        direct.status(Duration::from_secs(5)).await.expect("an answer");
        let connections = direct.connections.0.clone();
        let mut stopped = pin!(connections.stop());
        assert!(poll!(&mut stopped).is_pending(), "the connection is a task of the supervisor");
        drop(direct);
        timeout(Duration::from_secs(5), stopped).await.expect("it ends with its client");
    }

    #[test]
    fn an_answer_is_a_value_a_refusal_or_not_webdriver() {
        let read = |ok, text: &str| read("status".to_owned(), ok, text.as_bytes());
        assert_eq!(read(true, r#"{"value":{"ready":true}}"#).ok(), Some(json!({"ready": true})));
        let refusal = r#"{"value":{"error":"session not created","message":"full\nmore","stacktrace":""}}"#;
        let refused = read(false, refusal).expect_err("refused");
        assert_eq!(refused.to_string(), "`status` failed: full");
        for (ok, text) in [(true, "<html>"), (false, "{}"), (false, r#"{"value":null}"#), (true, "")] {
            assert!(matches!(read(ok, text), Err(CallError::NotWebDriver { .. })), "{text}");
        }
    }
}
