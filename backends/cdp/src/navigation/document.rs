//! The state of a page's document, as the page reports it.

use chromiumoxide_types::{Command, Method, MethodId};
use plimsoll_core::page::navigation::Ready;
use plimsoll_core::step::LoadState;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::page_events::{Progress, Reached};

/// The address of every error page; the address does not show the kind of error.
const ERROR_PAGE: &str = "chrome-error://";
/// The document that a page has before its first one is received.
const NO_DOCUMENT: &str = "about:blank";

/// One question for all values: the state, the address, the status, and the number of resources that have arrived.
/// Unlike a step's script it does not count as a user gesture, which would allow popups. A page that has replaced what is
/// asked answers nothing, or something bounded.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ask {
    expression: &'static str,
    return_by_value: bool,
    /// The world, unless it is the page's.
    #[serde(skip_serializing_if = "Option::is_none")]
    context_id: Option<i64>,
}

impl Ask {
    /// The cheap question, without the number of resources.
    pub(super) const STATE: Self = Self {
        expression: "(()=>{try{return{ready:Object.getOwnPropertyDescriptor(Document.prototype,'readyState')\
                     .get.call(document),url:location.href.slice(0,65536),\
                     status:+(performance.getEntriesByType('navigation')[0]?.responseStatus??0),resources:0}\
                     }catch{}})()",
        return_by_value: true,
        context_id: None,
    };
    /// With the number of resources, which takes longer the more resources there are.
    pub(super) const RESOURCES: Self = Self {
        expression: "(()=>{try{return{ready:Object.getOwnPropertyDescriptor(Document.prototype,'readyState')\
                     .get.call(document),url:location.href.slice(0,65536),\
                     status:+(performance.getEntriesByType('navigation')[0]?.responseStatus??0),\
                     resources:+performance.getEntriesByType('resource').length}}catch{}})()",
        return_by_value: true,
        context_id: None,
    };

    /// The same question, in this world.
    pub(super) const fn in_world(self, world: i64) -> Self {
        Self { context_id: Some(world), ..self }
    }
}

impl Method for Ask {
    fn identifier(&self) -> MethodId {
        "Runtime.evaluate".into()
    }
}

impl Command for Ask {
    type Response = Answer;
}

/// The answer; empty when a script of the page made the question fail.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    result: Remote,
}

#[derive(Debug, Deserialize)]
struct Remote {
    value: Option<Box<RawValue>>,
}

impl Answer {
    /// The document in the answer, if it is valid. A page may have replaced what was asked.
    pub(super) fn document(self) -> Option<Document> {
        serde_json::from_str(self.result.value?.get()).ok()
    }
}

/// The document of a page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Document {
    ready: Ready,
    /// Its address.
    pub(super) url: String,
    /// 0 for none.
    status: u16,
    /// The number of resources that have arrived, if it was asked for.
    resources: u64,
}

/// How the page got its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The page was created with its address; the result of that navigation is unknown.
    Created,
    /// The browser executed `Page.navigate` and reported success.
    Navigated,
}

/// What a document means for a navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has loaded far enough.
    There,
    /// The server has not answered yet.
    NoResponse,
    /// It has not loaded far enough yet.
    Loading,
    /// It is the browser's own error page.
    Error,
    /// The navigation is over and there is no document: a download, or an answer without content.
    Nothing,
    /// Loading has stopped before the document was complete.
    Cut,
}

impl Document {
    /// The HTTP status.
    pub(super) fn status(&self) -> Option<u16> {
        (self.status != 0).then_some(self.status)
    }

    /// A value that changes when something arrives.
    pub(super) fn arrivals(&self) -> (u64, String) {
        (self.resources, self.url.clone())
    }

    /// The meaning of this document; whether it is idle is measured over time. `progress` is older than the document.
    pub(super) fn judge(
        &self,
        asked: &str,
        wanted: LoadState,
        origin: Origin,
        progress: Progress,
    ) -> Verdict {
        if self.url.starts_with(ERROR_PAGE) {
            return Verdict::Error;
        }
        if origin == Origin::Created && self.url == NO_DOCUMENT && asked != NO_DOCUMENT {
            return if progress.stopped { Verdict::Nothing } else { Verdict::NoResponse };
        }
        if self.ready >= Ready::needed(wanted) {
            return Verdict::There;
        }
        let cut = self.ready == Ready::Loading && progress.stopped && progress.reached < Reached::Loaded;
        if cut { Verdict::Cut } else { Verdict::Loading }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(ready: Ready, url: &str) -> Document {
        Document { ready, url: url.to_owned(), status: 200, resources: 0 }
    }

    const RUNNING: Progress = Progress { reached: Reached::Nothing, stopped: false, status: None };
    const STOPPED: Progress = Progress { stopped: true, ..RUNNING };

    #[test]
    fn each_load_state_needs_its_own_readiness() {
        let judge =
            |ready, wanted| document(ready, "http://a/").judge("http://a/", wanted, Origin::Created, RUNNING);
        for (wanted, enough, too_little) in [
            (LoadState::Dom, Ready::Interactive, Ready::Loading),
            (LoadState::Load, Ready::Complete, Ready::Interactive),
            (LoadState::Idle, Ready::Complete, Ready::Interactive),
        ] {
            assert_eq!(judge(enough, wanted), Verdict::There);
            assert_eq!(judge(too_little, wanted), Verdict::Loading);
        }
        assert_eq!(judge(Ready::Loading, LoadState::Commit), Verdict::There);
    }

    #[test]
    fn a_blank_page_is_no_arrival_unless_it_was_asked_for() {
        let blank = document(Ready::Complete, "about:blank");
        let judge = |asked, origin, progress| blank.judge(asked, LoadState::Load, origin, progress);
        assert_eq!(judge("http://a/", Origin::Created, RUNNING), Verdict::NoResponse);
        assert_eq!(judge("http://a/", Origin::Created, STOPPED), Verdict::Nothing);
        assert_eq!(judge("about:blank", Origin::Created, RUNNING), Verdict::There);
        assert_eq!(
            judge("http://a/", Origin::Navigated, RUNNING),
            Verdict::There,
            "the page went there itself"
        );
    }

    #[test]
    fn a_document_that_stops_in_the_middle_is_cut_off() {
        let half = document(Ready::Loading, "http://a/");
        let judge = |wanted, progress| half.judge("http://a/", wanted, Origin::Navigated, progress);
        assert_eq!(judge(LoadState::Load, STOPPED), Verdict::Cut);
        assert_eq!(judge(LoadState::Load, RUNNING), Verdict::Loading);
        assert_eq!(judge(LoadState::Commit, STOPPED), Verdict::There);
        let rewritten = Progress { reached: Reached::Loaded, ..STOPPED };
        assert_eq!(judge(LoadState::Load, rewritten), Verdict::Loading, "by a script, after it had loaded");
    }

    #[test]
    fn an_error_page_is_known_by_its_address() {
        let error = document(Ready::Complete, "chrome-error://chromewebdata/");
        assert_eq!(error.judge("http://a/", LoadState::Load, Origin::Navigated, STOPPED), Verdict::Error);
    }
}
