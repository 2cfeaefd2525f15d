//! What stands for a browser: a pool of connections that contexts share, as one owner of tasks.
//!
//! Contexts share connections, and TLS sessions with them, but no state: cookies and headers go with each request. What
//! a server can see is that several contexts come from one client, which it sees by their address anyway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest};
use plimsoll_core::runtime::supervisor::Supervisor;
use rustls::ClientConfig;
use tokio::time::timeout;

use crate::context::HttpContext;
use crate::fault::closed;
use crate::fetch::Fetcher;
use crate::settings::HttpSettings;

/// How long tasks may take to end: a page that is being parsed is not stopped before its next piece.
const ENDING: Duration = Duration::from_secs(5);

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct HttpBrowser {
    fetcher: Fetcher,
    supervisor: Supervisor,
}

impl HttpBrowser {
    /// A pool whose connections are tasks of `supervisor`, and end with it.
    pub(crate) fn new(settings: &Arc<HttpSettings>, tls: &ClientConfig, supervisor: Supervisor) -> Self {
        Self { fetcher: Fetcher::new(settings, tls, &supervisor), supervisor }
    }
}

#[async_trait]
impl Browser for HttpBrowser {
    async fn open(&self, request: OpenRequest, _: Duration) -> Result<Box<dyn Context>, Fault> {
        if self.supervisor.is_cancelled() {
            return Err(closed());
        }
        let context = HttpContext::open(self.fetcher.clone(), self.supervisor.clone(), &request)?;
        Ok(Box::new(context))
    }

    async fn ended(&self) -> BrowserEnd {
        // It has no process that could die by itself.
        self.supervisor.cancelled().await;
        BrowserEnd::Died("it was closed".to_owned())
    }

    async fn close(&self) -> Result<(), CloseError> {
        let ended = timeout(ENDING, self.supervisor.stop()).await;
        ended.map_err(|_| CloseError(format!("its connections have not ended after {ENDING:?}")))
    }
}
