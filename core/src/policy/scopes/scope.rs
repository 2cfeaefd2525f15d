//! [`Scope`]: what a breaker watches.

use std::fmt;
use std::sync::Arc;

use crate::id::BrowserId;
use crate::policy::blame::Part;

/// What a breaker watches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One browser process.
    Browser(BrowserId),
    /// A proxy, as `host:port`; never with its credentials, which would end up in logs.
    Proxy(Arc<str>),
    /// A site, as `host:port`.
    Host(Arc<str>),
    /// The machine and this program.
    Global,
    /// The incident's counter.
    Fuse,
}

impl Scope {
    /// Its kind.
    #[must_use]
    pub(crate) const fn part(&self) -> Part {
        match self {
            Self::Browser(_) => Part::Browser,
            Self::Proxy(_) => Part::Proxy,
            Self::Host(_) => Part::Host,
            Self::Global => Part::Global,
            Self::Fuse => Part::Fuse,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Browser(id) => id.fmt(f),
            Self::Proxy(name) => write!(f, "proxy {name}"),
            Self::Host(name) => write!(f, "host {name}"),
            Self::Global => f.write_str("global"),
            Self::Fuse => f.write_str("fuse"),
        }
    }
}
