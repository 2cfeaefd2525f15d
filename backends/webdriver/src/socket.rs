//! Frees a session that is stuck, through its browser's socket, if a Selenium Grid forwards that.
//!
//! A driver executes a session's commands one after the other, its end included, so a page whose script never ends also
//! blocks the session's end. The browser itself still reacts. Chromium closes on a command of its DevTools socket, and
//! the session ends with it. Firefox does not end a WebDriver session through its BiDi socket, but it closes a page
//! there, even a busy one: the waiting command fails, and the session's end is processed. If a remote end forwards no
//! socket, the only choice is to wait.

use std::io::{self, ErrorKind};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::header::{AUTHORIZATION, HeaderValue};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tower_service::Service;
use url::Url;

use crate::wire::{BoundedStream, Connector};

/// The longest message that is read, in bytes: some contain the address of a page, which may contain the page itself.
const LONGEST: usize = 4 << 20;

/// Frees a session at the remote end `base` from the page that blocks it, within `deadline`.
///
/// # Errors
/// When there is no such socket, or it does not answer.
pub(crate) async fn free(
    base: &Url,
    authorization: Option<&HeaderValue>,
    session: &str,
    deadline: Duration,
) -> Result<(), Error> {
    let freeing = async {
        match Socket::open(base, authorization, session, "cdp").await {
            Ok(socket) => socket.close_browser().await,
            Err(_) => Socket::open(base, authorization, session, "bidi").await?.close_pages().await,
        }
    };
    timeout(deadline, freeing).await.unwrap_or_else(|_| Err(Error::Io(ErrorKind::TimedOut.into())))
}

/// A socket of a session's browser.
struct Socket {
    stream: WebSocketStream<BoundedStream>,
    last: u64,
}

impl Socket {
    async fn open(
        base: &Url,
        authorization: Option<&HeaderValue>,
        session: &str,
        protocol: &str,
    ) -> Result<Self, Error> {
        let mut request = address(base, session, protocol).as_str().into_client_request()?;
        let stream = Connector::default().call(request.uri().clone()).await?.into_inner();
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let bounds = WebSocketConfig::default().max_message_size(Some(LONGEST));
        let (stream, _) = client_async_with_config(request, stream, Some(bounds)).await?;
        Ok(Self { stream, last: 0 })
    }

    async fn close_browser(mut self) -> Result<(), Error> {
        self.send("Browser.close", json!({})).await?;
        // Its answer, or the end of the connection: both show that the command was received.
        let _heard = self.stream.next().await;
        Ok(())
    }

    async fn close_pages(mut self) -> Result<(), Error> {
        let tree = self.ask("browsingContext.getTree", json!({ "maxDepth": 0 })).await?;
        // Firefox does not close its last page. In the background: a foreground tab would wait for the blocked page.
        self.ask("browsingContext.create", json!({ "type": "tab", "background": true })).await?;
        for page in tree["result"]["contexts"].as_array().into_iter().flatten() {
            self.ask("browsingContext.close", json!({ "context": page["context"] })).await?;
        }
        Ok(())
    }

    async fn ask(&mut self, method: &str, params: Value) -> Result<Value, Error> {
        self.send(method, params).await?;
        while let Some(message) = self.stream.next().await {
            let answer: Value = serde_json::from_str(message?.to_text()?).map_err(io::Error::other)?;
            if answer["id"] == self.last {
                return Ok(answer);
            }
        }
        Err(Error::ConnectionClosed)
    }

    async fn send(&mut self, method: &str, params: Value) -> Result<(), Error> {
        self.last += 1;
        let command = json!({ "id": self.last, "method": method, "params": params });
        self.stream.send(Message::text(command.to_string())).await
    }
}

/// The address at the remote end. The host that the remote end itself reports may be reachable only from there.
fn address(base: &Url, session: &str, protocol: &str) -> Url {
    let mut url = base.clone();
    // This cannot fail: both schemes are web schemes.
    let _changed = url.set_scheme("ws");
    url.set_path(&format!("{}session/{session}/se/{protocol}", base.path()));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_the_session() {
        for (base, socket) in [
            ("http://grid:4444/", "ws://grid:4444/session/1/se/cdp"),
            ("http://grid/wd/hub/", "ws://grid/wd/hub/session/1/se/cdp"),
        ] {
            assert_eq!(address(&Url::parse(base).expect("a url"), "1", "cdp").as_str(), socket);
        }
    }
}
