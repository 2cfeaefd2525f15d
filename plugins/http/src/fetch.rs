//! Fetches a page over HTTP: sends requests, follows redirects, receives and decompresses the body.
//!
//! ```text
//!   request ──► answer ── 301 302 303 307 308 ──► request          each with the cookies of its own address
//!                 └── any other ──► body, bounded, unpacked ──► Received
//! ```
//!
//! Only `http` and `https` are supported, also after a redirect. A job's headers that identify the user are not sent
//! to another site after a redirect.

mod body;
mod fault;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use hyper::rt::Executor;
use hyper::{Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioTimer;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::runtime::supervisor::Supervisor;
use rustls::ClientConfig;
use tokio::time::timeout;
use url::Url;

use crate::cookies::Jar;
use crate::settings::HttpSettings;
use plimsoll_core::runtime::budget::Budget;

/// How long an idle connection is kept: most servers keep it for five seconds or more.
const IDLE: Duration = Duration::from_secs(4);
/// The greatest number of idle connections to one host.
const IDLE_PER_HOST: usize = 32;
/// The `Accept` header of requests.
const READABLE: &str = "text/html,application/json;q=0.9,text/*;q=0.9,*/*;q=0.1";
/// Headers of the connection, which a job may not set.
const OURS: [HeaderName; 6] = [CONNECTION, CONTENT_LENGTH, HOST, TE, TRANSFER_ENCODING, UPGRADE];

/// Fetches pages over connections that its contexts share. A connection holds no state of a context: cookies and
/// headers belong to the request.
#[derive(Debug, Clone)]
pub(crate) struct Fetcher {
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    settings: Arc<HttpSettings>,
}

/// A page's bytes.
#[derive(Debug)]
pub(crate) struct Received {
    /// The address after all redirects.
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Tasks that the HTTP client spawns belong to the browser.
#[derive(Debug, Clone)]
struct Owned(Supervisor);

impl<F> Executor<F> for Owned
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, work: F) {
        drop(self.0.spawn("http connection", work));
    }
}

/// The state of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Response,
    Body,
}

impl Fetcher {
    /// A fetcher whose connections are tasks of `supervisor`.
    pub(crate) fn new(settings: &Arc<HttpSettings>, tls: &ClientConfig, supervisor: &Supervisor) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(Owned(supervisor.clone()))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client, settings: Arc::clone(settings) }
    }

    /// Fetches the page at `url` within `budget`; cookies are read from `jar` and stored there.
    pub(crate) async fn fetch(
        &self,
        url: Url,
        headers: &HeaderMap,
        jar: &mut Jar,
        budget: Budget,
    ) -> Result<Received, Fault> {
        let (asked, mut waiting) = (url.clone(), Waiting::Response);
        match timeout(budget.left(), self.follow(url, headers.clone(), jar, &mut waiting)).await {
            Ok(received) => received,
            Err(_) => {
                let whole = budget.whole();
                let message = match waiting {
                    Waiting::Response => format!("no response from {asked} within {whole:?}"),
                    Waiting::Body => format!("{asked} has answered but not ended within {whole:?}"),
                };
                Err(Fault::transient(FailureClass::Timeout, message))
            }
        }
    }

    async fn follow(
        &self,
        mut url: Url,
        mut headers: HeaderMap,
        jar: &mut Jar,
        waiting: &mut Waiting,
    ) -> Result<Received, Fault> {
        let asked = url.clone();
        for _ in 0..=self.settings.redirects {
            *waiting = Waiting::Response;
            let response = self.ask(&url, &headers, jar).await?;
            jar.keep(&url, response.headers());
            let Some(target) = redirect(&response) else {
                *waiting = Waiting::Body;
                let (parts, body) = response.into_parts();
                let body = body::receive(&url, &parts.headers, body, self.settings.max_body).await?;
                return Ok(Received { url, status: parts.status.as_u16(), headers: parts.headers, body });
            };
            let next = redirected(&url, &target)?;
            if next.origin() != url.origin() {
                for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                    headers.remove(secret);
                }
            }
            url = next;
        }
        Err(fault::persistent(
            &asked,
            &format!("it redirects in circles, or more than {} times", self.settings.redirects),
        ))
    }

    async fn ask(&self, url: &Url, headers: &HeaderMap, jar: &Jar) -> Result<Response<Incoming>, Fault> {
        if !url.username().is_empty() || url.password().is_some() {
            let message = format!(
                "{} has a name or password in it, which the http driver does not send; give the job an \
                 `Authorization` header",
                fault::bare(url)
            );
            return Err(Fault::persistent(FailureClass::Unsupported, message));
        }
        let uri = Uri::try_from(url.as_str()).map_err(|why| fault::persistent(url, &why.to_string()))?;
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri;
        let own = request.headers_mut();
        if let Ok(name) = HeaderValue::from_str(&self.settings.user_agent) {
            own.insert(USER_AGENT, name);
        }
        own.insert(ACCEPT, HeaderValue::from_static(READABLE));
        if let Some(cookies) = jar.header(url) {
            own.insert(COOKIE, cookies);
        }
        for (name, value) in headers {
            own.insert(name, value.clone());
        }
        own.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        self.client.request(request).await.map_err(|error| fault::of_request(url, &error))
    }
}

/// The target of a response's redirect, if it is one.
fn redirect(response: &Response<Incoming>) -> Option<String> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let target = response.headers().get(LOCATION).filter(|_| redirects)?;
    Some(String::from_utf8_lossy(target.as_bytes()).into_owned())
}

/// The address of `target` relative to `url`. The fragment is kept unless the target has its own.
fn redirected(url: &Url, target: &str) -> Result<Url, Fault> {
    let mut next = url.join(target).map_err(|why| {
        fault::persistent(url, &format!("it redirects to {target:?}, which is no URL ({why})"))
    })?;
    if !matches!(next.scheme(), "http" | "https") {
        let scheme = next.scheme();
        return Err(fault::persistent(
            url,
            &format!("it redirects to the scheme `{scheme}`; only http and https are followed"),
        ));
    }
    if next.fragment().is_none() {
        next.set_fragment(url.fragment());
    }
    Ok(next)
}

/// A job's headers, checked.
pub(crate) fn headers<'a>(
    written: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let Some((name, value)) = parsed.filter(|(name, _)| !OURS.contains(name)) else {
            let message =
                format!("the http driver does not accept the job's headers: `{name}` cannot be set so");
            return Err(Fault::persistent(FailureClass::Script, message));
        };
        headers.insert(name, value);
    }
    Ok(headers)
}
