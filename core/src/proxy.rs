//! The proxy of a context: [`Proxy`].
//!
//! ```json
//! {"proxy": "http://proxy.example:3128"}
//! {"proxy": {"server": "socks5://127.0.0.1:1080", "bypass": ["intranet.example", "*.local.example"]}}
//! ```
//!
//! Every request of the context goes through its proxy, requests to this machine's own addresses included; only the hosts in
//! `bypass` are reached directly. The proxy resolves names. Credentials are not supported, since neither Chromium nor
//! WebDriver accepts them before a page asks for them.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::shorthand::Shorthand;

/// A proxy, and the hosts that bypass it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The address of the proxy.
    pub server: ProxyServer,
    /// Hosts that are reached without it.
    #[serde(default)]
    pub bypass: Vec<Bypass>,
}

/// The address of a proxy, with its protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyServer {
    /// The protocol.
    pub scheme: ProxyScheme,
    /// The host; an IPv6 address is in brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// The protocol of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    /// HTTP, with `CONNECT` for encrypted connections.
    Http,
    /// SOCKS 5; the proxy resolves names.
    Socks5,
}

/// A host that is reached directly: a name, an address, or `*.` and a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Bypass(String);

/// The reason why a text is not a proxy. No variant repeats the text: it may contain a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The text is not a URL, or has more than a host and a port.
    #[error("a proxy is written as in \"http://proxy.example:3128\" or \"socks5://127.0.0.1:1080\"")]
    Malformed,
    /// The URL has a user name or a password.
    #[error("a proxy's name and password are not supported; let the proxy know this machine by its address")]
    Credentials,
    /// An entry of `bypass` is not a host.
    #[error("a `bypass` is a host: a name, an address, or `*.` and a domain")]
    Bypass,
}

impl Proxy {
    /// The bypass list in Chromium's syntax. It switches off Chromium's own exception for the addresses of this
    /// machine.
    #[must_use]
    pub fn chromium_bypass(&self) -> String {
        let hosts = self.bypass.iter().map(Bypass::as_str);
        ["<-loopback>"].into_iter().chain(hosts).collect::<Vec<_>>().join(";")
    }

    /// The host and port, which identify a proxy.
    #[must_use]
    pub fn site(&self) -> String {
        format!("{}:{}", self.server.host, self.server.port)
    }
}

impl ProxyServer {
    /// Reads a proxy's address.
    ///
    /// # Errors
    /// See [`ProxyError`].
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let text = text.trim();
        // A parser of URLs leaves tabs and line ends out without a word.
        if text.contains(char::is_control) {
            return Err(ProxyError::Malformed);
        }
        let url = Url::parse(text).map_err(|_| ProxyError::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ProxyError::Credentials);
        }
        let (scheme, usual) = match url.scheme() {
            "http" => (ProxyScheme::Http, 80),
            "socks5" => (ProxyScheme::Socks5, 1080),
            _ => return Err(ProxyError::Malformed),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(ProxyError::Malformed)?.to_owned();
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(ProxyError::Malformed);
        }
        Ok(Self { scheme, host, port: url.port().unwrap_or(usual) })
    }
}

impl Bypass {
    /// Reads a host.
    ///
    /// # Errors
    /// [`ProxyError::Bypass`].
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        // No character that ends a list entry or that a browser reads as a rule.
        let is_host = |host: &str| {
            let mut characters = host.chars();
            !host.is_empty()
                && characters.all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))
        };
        let host = text.trim();
        is_host(host.strip_prefix("*.").unwrap_or(host))
            .then(|| Self(host.to_owned()))
            .ok_or(ProxyError::Bypass)
    }

    /// In the format in which users write it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            ProxyScheme::Http => "http",
            ProxyScheme::Socks5 => "socks5",
        };
        write!(f, "{scheme}://{}:{}", self.host, self.port)
    }
}

impl Shorthand for Proxy {
    const EXPECTING: &'static str = "the address of a proxy, or a map with `server` and `bypass`";

    fn from_short(text: &str) -> Result<Self, String> {
        let server = ProxyServer::parse(text).map_err(|error| error.to_string())?;
        Ok(Self { server, bypass: Vec::new() })
    }
}

impl Serialize for ProxyServer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProxyServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Bypass {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_scheme_a_host_and_a_port() {
        for (written, read) in [
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("HTTP://Proxy.Example/", "http://proxy.example:80"),
            (" socks5://127.0.0.1 ", "socks5://127.0.0.1:1080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let server = ProxyServer::parse(written).expect(written);
            assert_eq!(server.to_string(), read);
            assert_eq!(ProxyServer::parse(read), Ok(server));
        }
        for refused in [
            "proxy.example:3128",
            "https://a",
            "socks4://a:1",
            "http://a/b",
            "http://a?b",
            "http://",
            "",
            "direct",
            "http://a\tb:1",
        ] {
            assert_eq!(ProxyServer::parse(refused), Err(ProxyError::Malformed), "{refused}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for refused in ["http://ada:canary@proxy:1", "http://canary@proxy:1", "socks5://:canary@proxy"] {
            assert_eq!(ProxyServer::parse(refused), Err(ProxyError::Credentials));
        }
        let error =
            serde_json::from_str::<Proxy>(r#"{"server":"http://ada:canary@a b"}"#).expect_err("no URL");
        assert!(!error.to_string().contains("canary"), "{error}");
    }

    #[test]
    fn a_bypass_is_a_host_and_no_rule_of_a_browser_s_own() {
        for host in ["localhost", "*.example.com", "10.0.0.1", "[::1]", "bücher.example", "a.example:8080"] {
            assert_eq!(Bypass::parse(host).map(|bypass| bypass.0), Ok(host.to_owned()));
        }
        for refused in ["", "*", "*.", "<local>", "a;b", "a,b", "a b", "http://a", "a/24"] {
            assert_eq!(Bypass::parse(refused), Err(ProxyError::Bypass), "{refused}");
        }
    }

    #[test]
    fn what_is_written_for_a_plugin_is_read_by_it() {
        let proxy = r#"{"server":"socks5://a:1080","bypass":["*.b"]}"#;
        let read: Proxy = serde_json::from_str(proxy).expect("the documented form");
        assert_eq!(serde_json::to_string(&read).expect("plain data"), proxy);
        assert_eq!(read.site(), "a:1080");
    }
}
