//! The way around a session that is stuck: the DevTools socket of its browser, as a Selenium Grid passes it on.
//!
//! A driver carries out a session's commands one after the other, its end included, so a page whose script never ends
//! keeps its session from ending too. The browser itself still listens: told to close by its socket, it takes the session
//! along. A remote end that passes no socket on, and Firefox, leave nothing but patience.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::header::{AUTHORIZATION, HeaderValue};
use tokio::time::timeout;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tower_service::Service;
use url::Url;

use crate::wire::Plug;

/// The longest message that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// Closes the browser of a session at the remote end `base`, within `deadline`.
///
/// # Errors
/// When there is no such socket, or nobody answers there.
pub(crate) async fn close_browser(
    base: &Url,
    authorization: Option<&HeaderValue>,
    session: &str,
    deadline: Duration,
) -> Result<(), Error> {
    let closing = async {
        let mut request = socket_of(base, session).as_str().into_client_request()?;
        let line = Plug::default().call(request.uri().clone()).await?.into_inner();
        if let Some(authorization) = authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let bounds = WebSocketConfig::default().max_message_size(Some(LONGEST));
        let (mut socket, _) = client_async_with_config(request, line, Some(bounds)).await?;
        socket.send(Message::text(r#"{"id":1,"method":"Browser.close"}"#)).await?;
        // Its answer, or the end of the connection: either way it was heard.
        let _heard = socket.next().await;
        Ok(())
    };
    timeout(deadline, closing).await.unwrap_or_else(|_| Err(Error::Io(std::io::ErrorKind::TimedOut.into())))
}

/// Where the remote end passes it on, whatever host the remote end itself names: that may be one that only it can reach.
fn socket_of(base: &Url, session: &str) -> Url {
    let mut url = base.clone();
    // It cannot fail: both schemes are of the web.
    let _changed = url.set_scheme("ws");
    url.set_path(&format!("{}session/{session}/se/cdp", base.path()));
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
            assert_eq!(socket_of(&Url::parse(base).expect("a url"), "1").as_str(), socket);
        }
    }
}
