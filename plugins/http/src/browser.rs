//! The counterpart of a browser: a pool of connections that contexts share, and the owner of their tasks.
//!
//! Contexts share connections and TLS sessions but no state: cookies and headers belong to each request. A server can
//! see that several contexts come from one client, which their common address shows anyway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest, Opening, PlainOpening};
use plimsoll_core::runtime::supervisor::Supervisor;
use rustls::ClientConfig;
use tokio::time::timeout;

use crate::context::HttpContext;
use crate::fault::closed;
use crate::fetch::Fetcher;
use crate::settings::HttpSettings;

/// The time that tasks get to end: the parsing of a page stops only before its next piece.
const ENDING: Duration = Duration::from_secs(5);

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct HttpBrowser {
    fetcher: Fetcher,
    supervisor: Supervisor,
}

impl HttpBrowser {
    /// A pool whose connections are tasks of `supervisor` and end with it.
    pub(crate) fn new(settings: &Arc<HttpSettings>, tls: &ClientConfig, supervisor: Supervisor) -> Self {
        Self { fetcher: Fetcher::new(settings, tls, &supervisor), supervisor }
    }
}

#[async_trait]
impl Browser for HttpBrowser {
    fn open(&self, request: OpenRequest, _: Duration) -> Box<dyn Opening> {
        let (fetcher, supervisor) = (self.fetcher.clone(), self.supervisor.clone());
        PlainOpening::of(async move {
            if supervisor.is_cancelled() {
                return Err(closed());
            }
            Ok(Box::new(HttpContext::open(fetcher, supervisor, &request)?) as Box<dyn Context>)
        })
    }

    async fn ended(&self) -> BrowserEnd {
        // There is no process that could end by itself.
        self.supervisor.cancelled().await;
        BrowserEnd::Died("it was closed".to_owned())
    }

    async fn close(&self) -> Result<(), CloseError> {
        let ended = timeout(ENDING, self.supervisor.stop()).await;
        ended.map_err(|_| CloseError(format!("its connections have not ended after {ENDING:?}")))
    }
}
