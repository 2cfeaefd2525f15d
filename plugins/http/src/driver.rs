//! The driver: its capabilities, and its "browsers", each of which is a pool of connections.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::capability::{Capabilities, Capability};
use plimsoll_core::id::BrowserId;
use plimsoll_core::outcome::Fault;
use plimsoll_core::port::{Browser, Driver};
use plimsoll_core::runtime::supervisor::Supervisor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::browser::HttpBrowser;
use crate::settings::{HttpSettings, HttpSettingsError};

/// The capabilities for pages that need no script.
const CAPABILITIES: [Capability; 10] = [
    Capability::WaitFor,
    Capability::Expect,
    Capability::Idle,
    Capability::Extract,
    Capability::Content,
    Capability::GetCookies,
    Capability::SetCookies,
    Capability::Headers,
    Capability::Cookies,
    Capability::Statuses,
];

/// Opens pages without a browser.
#[derive(Debug)]
pub struct HttpDriver {
    settings: Arc<HttpSettings>,
    tls: ClientConfig,
    supervisor: Supervisor,
}

/// Why the driver could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HttpDriverError {
    /// The settings are not valid for this driver.
    #[error(transparent)]
    Settings(#[from] HttpSettingsError),
    /// The cryptography library supports none of the TLS versions of this driver.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

impl HttpDriver {
    /// A driver whose tasks belong to `supervisor`. It trusts the certificates that this system trusts. If the system
    /// trusts none, a warning is logged and every `https` page fails.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: HttpSettings, supervisor: &Supervisor) -> Result<Self, HttpDriverError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (trusted, _) = roots.add_parsable_certificates(found.certs);
        if trusted == 0 {
            let errors = found.errors.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            tracing::warn!(%errors, "this system has no trusted certificates (Debian: install ca-certificates)");
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { settings: Arc::new(settings), tls, supervisor: supervisor.clone() })
    }
}

#[async_trait]
impl Driver for HttpDriver {
    fn name(&self) -> &str {
        "http"
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES.into_iter().collect()
    }

    async fn launch(&self, _: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        Ok(Arc::new(HttpBrowser::new(&self.settings, &self.tls, self.supervisor.child())))
    }
}
