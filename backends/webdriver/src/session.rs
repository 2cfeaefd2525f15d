//! A session's commands, one at a time, each with a deadline.
//!
//! A command without an answer still runs at the remote end, and the next command queues behind it: such a session is
//! *busy* until an answer comes. A busy session may ignore a request to end.
//!
//! fantoccini sends the commands, except to a remote end that needs a password: fantoccini would send the password
//! percent-encoded, as in the URL, and would send none at the end of a session.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use fantoccini::Client;
use fantoccini::error::NewSessionError;
use fantoccini::wd::WebDriverCompatibleCommand;
use hyper::Method;
use plimsoll_core::page::LOOK;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;
use url::{ParseError, Url};

use crate::call::{CallError, Code};
use crate::direct::{Direct, Opened};
use crate::wire::Connector;

/// The extra time for an answer, beyond the limit that the remote end itself puts on a script.
const SLACK: Duration = Duration::from_secs(1);

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    carrier: Carrier,
    id: String,
    connector: Connector,
    /// A command was sent that has not been answered.
    busy: AtomicBool,
    /// The remote end's limit on scripts, in milliseconds.
    script_limit: AtomicU64,
    /// The number of dialogs that answers reported.
    dialogs: AtomicU32,
}

/// The client that sends the commands.
#[derive(Debug)]
enum Carrier {
    Fantoccini(Client),
    Ourselves(Box<Direct>),
}

/// A command of any kind.
#[derive(Debug, Clone)]
struct Command {
    method: Method,
    path: String,
    body: Option<String>,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (self.method.clone(), self.body.clone())
    }
}

impl Session {
    /// Attaches to a session that was opened at `end`, with [`LOOK`] as its limit on scripts.
    pub(crate) async fn attach(end: &Direct, opened: &Opened) -> Result<Self, CallError> {
        let (connector, id) = (Connector::default(), opened.session_id.clone());
        let carrier = if end.is_authorized() {
            Carrier::Ourselves(Box::new(end.by(connector.clone())))
        } else {
            let client = Client::with_existing_session(end.base().as_str(), &id, connector.clone()).await;
            let broken =
                |why: NewSessionError| CallError::Broken { call: "session".to_owned(), why: why.to_string() };
            Carrier::Fantoccini(client.map_err(broken)?)
        };
        let script_limit = AtomicU64::new(milliseconds(LOOK));
        Ok(Self {
            carrier,
            id,
            connector,
            busy: AtomicBool::new(false),
            script_limit,
            dialogs: AtomicU32::new(0),
        })
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether a command was sent that has not been answered.
    pub(crate) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// The number of dialogs that appeared during a command and were answered by rule.
    pub(crate) fn dialogs(&self) -> u32 {
        self.dialogs.load(Ordering::Relaxed)
    }

    /// Closes its connections: no command is sent any more, and no command waits.
    pub(crate) fn hang_up(&self) {
        self.connector.cut();
    }

    /// Sends a GET command.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        deadline: Duration,
    ) -> Result<T, CallError> {
        self.issue(&Command { method: Method::GET, path: path.to_owned(), body: None }, deadline).await
    }

    /// Sends a POST command.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
        deadline: Duration,
    ) -> Result<T, CallError> {
        let body = Some(body.to_string());
        self.issue(&Command { method: Method::POST, path: path.to_owned(), body }, deadline).await
    }

    /// Sends a DELETE command.
    pub(crate) async fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        deadline: Duration,
    ) -> Result<T, CallError> {
        self.issue(&Command { method: Method::DELETE, path: path.to_owned(), body: None }, deadline).await
    }

    /// Sends a command of the DevTools protocol, which chromedriver forwards.
    pub(crate) async fn devtools<T: DeserializeOwned>(
        &self,
        command: &str,
        params: Value,
        deadline: Duration,
    ) -> Result<T, CallError> {
        let body = json!({ "cmd": command, "params": params });
        self.post("goog/cdp/execute", &body, deadline).await
    }

    /// Runs the body of a function, awaits the promise it returns, and has the remote end stop it at `limit`. `None`
    /// when it returned nothing, as it does when a dialog interrupted it.
    pub(crate) async fn run<T: DeserializeOwned>(
        &self,
        script: &str,
        arguments: &Value,
        limit: Duration,
        deadline: Duration,
    ) -> Result<Option<T>, CallError> {
        let wanted = milliseconds(limit);
        if self.script_limit.load(Ordering::Relaxed) != wanted {
            self.post::<Value>("timeouts", &json!({ "script": wanted }), deadline).await?;
            self.script_limit.store(wanted, Ordering::Relaxed);
        }
        let body = json!({ "script": script, "args": arguments });
        match self.post("execute/sync", &body, deadline.min(limit + SLACK)).await {
            // Firefox shows its page about a crashed tab in its first process, where it runs no scripts.
            Err(CallError::Refused { call, code: Code::UnsupportedOperation, message }) => {
                Err(CallError::Refused { call, code: Code::TabCrashed, message })
            }
            answer => answer,
        }
    }

    /// Sends a command. A command that met a dialog was not executed, the dialog is closed: it is sent again.
    async fn issue<T: DeserializeOwned>(
        &self,
        command: &Command,
        deadline: Duration,
    ) -> Result<T, CallError> {
        let answering = async {
            loop {
                match self.carrier.carry(&self.id, command, deadline).await {
                    Err(error) if error.code() == Some(Code::UnexpectedAlertOpen) => {
                        self.dialogs.fetch_add(1, Ordering::Relaxed);
                    }
                    answer => return answer,
                }
            }
        };
        self.busy.store(true, Ordering::Relaxed);
        let Ok(answer) = timeout(deadline, answering).await else {
            return Err(CallError::Timeout { call: command.path.clone(), after: deadline });
        };
        self.busy.store(false, Ordering::Relaxed);
        serde_json::from_value(answer?)
            .map_err(|why| CallError::not_web_driver(command.path.clone(), &why.to_string()))
    }
}

impl Carrier {
    async fn carry(&self, session: &str, command: &Command, deadline: Duration) -> Result<Value, CallError> {
        match self {
            Self::Fantoccini(client) => {
                client.issue_cmd(command.clone()).await.map_err(|error| CallError::of(&command.path, error))
            }
            Self::Ourselves(direct) => {
                let Command { method, path, body } = command.clone();
                let whole = format!("session/{session}/{path}");
                direct.exchange(&path, method, &whole, body, deadline).await
            }
        }
    }
}

fn milliseconds(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1)
}
