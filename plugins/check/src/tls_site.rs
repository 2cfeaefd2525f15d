//! An HTTPS site with a self-signed certificate: the handshake works, the check of the certificate fails.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

use crate::site::Site;

/// The time limit for a client's handshake, which delays other clients.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// Serves one page over TLS at `addr`, with a self-signed certificate for `localhost` and `127.0.0.1`.
///
/// # Errors
/// When the certificate cannot be made or the address cannot be bound.
pub fn serve(addr: SocketAddr) -> io::Result<Site> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let own = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    let tls = TlsAcceptor::from(Arc::new(config));

    let page = Html("<!doctype html><title>Unsigned</title><h1>You trusted a stranger</h1>");
    let pages = Router::new().route("/", get(move || async move { page }));
    Site::start(addr, "https", pages, |tcp| TlsListener { tcp, tls })
}

/// Accepts connections that complete a handshake; the others are dropped.
struct TlsListener {
    tcp: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = Listener::accept(&mut self.tcp).await;
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, self.tls.accept(stream)).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{CertificateError, ClientConfig, Error, RootCertStore};

    use super::*;
    use crate::site::LOOPBACK;

    #[test]
    fn a_client_sees_an_unknown_issuer_and_nothing_else_wrong() {
        let site = serve(LOOPBACK).unwrap();
        let config =
            ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let failure = runtime.block_on(async {
            let tcp = TcpStream::connect(site.addr).await.unwrap();
            let name = ServerName::try_from("localhost").unwrap();
            TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap_err()
        });
        let cause = failure.get_ref().and_then(|e| e.downcast_ref::<Error>());
        assert_eq!(cause, Some(&Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    }
}
