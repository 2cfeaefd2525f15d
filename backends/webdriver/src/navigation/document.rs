//! The state of a page's document, as the page reports it. Pure, except for the question.

use plimsoll_core::page::navigation::Ready;
use plimsoll_core::port::Page;
use plimsoll_core::step::LoadState;
use serde::Deserialize;

/// The address of every error page of Chromium; it does not show the kind of error.
const CHROMIUM_ERROR: &str = "chrome-error://";
/// The addresses of Firefox's error pages, followed by `?e=` and the error.
const FIREFOX_ERRORS: [&str; 2] = ["about:neterror?", "about:certerror?"];
/// Blank documents: the first document of a session.
const BLANK: [&str; 2] = ["about:blank", "data:,"];

/// The document of a page.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Document {
    ready: Ready,
    /// The address in the address bar.
    url: String,
    /// Its real address: an error page has its own.
    uri: String,
    /// 0 for none.
    status: u16,
    /// Its start time, in milliseconds since the Unix epoch.
    began: f64,
    /// The number of resources that have arrived.
    resources: u64,
    /// Whether all listeners to its load event have returned, if that is known.
    heard: bool,
}

/// What a document means for a navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has loaded far enough.
    There,
    /// It is loaded, and listeners still run, or are blocked by a dialog that they opened.
    Heard,
    /// It is the previous document.
    Before,
    /// It has not loaded far enough yet.
    Loading,
    /// It is the browser's own error page; Firefox names the error.
    Error(Option<String>),
}

impl Document {
    /// The expression that reads the document's state. The named elements of a document hide what it has by their names.
    pub(super) const STATE: &str = "(of => ({ready: of('readyState'), url: location.href.slice(0, 65536), \
        uri: of('documentURI').slice(0, 65536), began: +performance.timeOrigin, \
        status: performance.getEntriesByType('navigation')[0]?.responseStatus ?? 0, \
        heard: (performance.getEntriesByType('navigation')[0]?.loadEventEnd ?? 1) > 0, \
        resources: performance.getEntriesByType('resource').length}))\
        (name => Object.getOwnPropertyDescriptor(Document.prototype, name).get.call(document))";

    /// Its meaning; whether it is idle is measured over time. `before` is the document that was there before the
    /// browser started to navigate.
    pub(super) fn judge(&self, before: Option<&Self>, asked: &str, wanted: LoadState) -> Verdict {
        if self.is_before(before, asked) {
            return Verdict::Before;
        }
        if self.uri.starts_with(CHROMIUM_ERROR) {
            return Verdict::Error(None);
        }
        if FIREFOX_ERRORS.iter().any(|page| self.uri.starts_with(page)) {
            return Verdict::Error(Some(self.firefox_error()));
        }
        let needed = Ready::needed(wanted);
        match self.ready {
            ready if ready < needed => Verdict::Loading,
            Ready::Complete if needed == Ready::Complete && !self.heard => Verdict::Heard,
            _ => Verdict::There,
        }
    }

    fn is_before(&self, before: Option<&Self>, asked: &str) -> bool {
        // A blank document may appear for a moment before the page.
        if BLANK.contains(&self.uri.as_str()) && self.uri != asked {
            return true;
        }
        let Some(before) = before else { return false };
        // A jump within a document does not replace it.
        let page = |url: &str| url.split('#').next().unwrap_or_default().to_owned();
        let jumped = asked.contains('#') && page(asked) == page(&before.url) && self.url == asked;
        self.began == before.began && page(&self.uri) == page(&before.uri) && !jumped
    }

    /// The value of `e` in an error page's address.
    fn firefox_error(&self) -> String {
        let query = self.uri.split_once('?').map_or("", |(_, query)| query);
        let value = query.split('&').find_map(|pair| pair.strip_prefix("e="));
        value.unwrap_or("unknown").to_owned()
    }

    /// A value that changes when something arrives.
    pub(super) fn arrivals(&self) -> (u64, String) {
        (self.resources, self.url.clone())
    }

    /// The document as the result of a navigation.
    pub(super) fn page(self) -> Page {
        // Other documents have a status that no server sent.
        let status = (self.status != 0 && self.url.starts_with("http")).then_some(self.status);
        Page { url: self.url, status }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(ready: Ready, url: &str, began: f64) -> Document {
        let (url, uri) = (url.to_owned(), url.to_owned());
        Document { ready, url, uri, status: 200, began, resources: 0, heard: true }
    }

    #[test]
    fn each_load_state_needs_its_own_readiness() {
        for (wanted, enough, too_little) in [
            (LoadState::Dom, Ready::Interactive, Ready::Loading),
            (LoadState::Load, Ready::Complete, Ready::Interactive),
            (LoadState::Idle, Ready::Complete, Ready::Interactive),
        ] {
            let judge = |ready| document(ready, "http://a/", 1.0).judge(None, "http://a/", wanted);
            assert_eq!((judge(enough), judge(too_little)), (Verdict::There, Verdict::Loading));
        }
    }

    #[test]
    fn listeners_are_waited_for_where_the_load_is() {
        let busy = Document { heard: false, ..document(Ready::Complete, "http://a/", 1.0) };
        assert_eq!(busy.judge(None, "http://a/", LoadState::Load), Verdict::Heard);
        assert_eq!(busy.judge(None, "http://a/", LoadState::Dom), Verdict::There);
    }

    #[test]
    fn a_document_is_told_from_the_one_before() {
        let before = document(Ready::Complete, "http://a/", 1.0);
        let judge = |url: &str, began, asked: &str| {
            document(Ready::Complete, url, began).judge(Some(&before), asked, LoadState::Load)
        };
        assert_eq!(judge("http://a/", 1.0, "http://b/"), Verdict::Before);
        assert_eq!(judge("http://b/", 2.0, "http://b/"), Verdict::There);
        assert_eq!(judge("http://a/", 2.0, "http://a/"), Verdict::There, "loaded again");
        assert_eq!(judge("http://a/#c", 1.0, "http://a/#c"), Verdict::There, "a jump within it");
        assert_eq!(judge("http://a/", 1.0, "http://a/#c"), Verdict::Before);
        let first = |url| document(Ready::Complete, url, 1.0).judge(None, "http://a/", LoadState::Load);
        assert_eq!((first("data:,"), first("http://a/x")), (Verdict::Before, Verdict::There));
        assert_eq!(judge("about:blank", 2.0, "http://b/"), Verdict::Before, "a process takes over");
        let blank = document(Ready::Complete, "about:blank", 1.0);
        assert_eq!(blank.judge(None, "about:blank", LoadState::Load), Verdict::There);
    }

    #[test]
    fn an_error_page_is_never_an_arrival() {
        let chromium = document(Ready::Complete, "chrome-error://chromewebdata/", 2.0);
        assert_eq!(chromium.judge(None, "http://a/", LoadState::Commit), Verdict::Error(None));
        let mut firefox = document(Ready::Interactive, "http://a/", 2.0);
        firefox.uri = "about:neterror?e=dnsNotFound&u=http%3A//a/&c=UTF-8".to_owned();
        let named = Verdict::Error(Some("dnsNotFound".to_owned()));
        assert_eq!(firefox.judge(None, "http://a/", LoadState::Commit), named);
    }
}
