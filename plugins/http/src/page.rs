//! A page: an address and the document found there.

use url::Url;

use crate::dom::{self, Dom, Refused};
use crate::work_budget::WorkBudget;

/// A page that does not change.
#[derive(Debug)]
pub(crate) struct Page {
    url: Url,
    base: Url,
    dom: Dom,
}

impl Page {
    /// Parses the document at `url`.
    pub(crate) fn parse(url: Url, html: &str, work: &WorkBudget) -> Result<Self, Refused> {
        let dom = dom::parse(html, work)?;
        let own = dom.first("base").and_then(|base| base.attribute("href"));
        let base = own.and_then(|own| url.join(own).ok()).filter(|base| !base.cannot_be_a_base());
        Ok(Self { base: base.unwrap_or_else(|| url.clone()), url, dom })
    }

    /// The page's address, after redirects.
    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    /// The base URL of the page's links.
    pub(crate) const fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) const fn dom(&self) -> &Dom {
        &self.dom
    }
}
