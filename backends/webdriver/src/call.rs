//! How a call to a remote end can fail, and the only place that maps each failure to its meaning.
//!
//! Most failures carry a W3C error code. A failure without a code (a refused connection, a proxy's HTML page, a missing
//! answer) is a failure of the endpoint. Steps distinguish three kinds ([`PageError`]): the document is gone or a
//! dialog interrupted the command, so the page may be asked again; the page did not answer in time, so it may be asked
//! again; or it is a [`Fault`] and the step is over.

use std::error::Error;
use std::time::Duration;

use fantoccini::error::CmdError;
use plimsoll_core::duration::rounded;
use plimsoll_core::outcome::{FailureClass, Fault, with_causes};
use plimsoll_core::page::PageError;
use serde_json::Value;

use crate::wire;

/// The maximum length of the excerpt from an answer that is not WebDriver.
const EXCERPT: usize = 200;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer came in time.
    #[error("no answer to `{call}` within {:?}", rounded(*after))]
    Timeout {
        /// The command.
        call: String,
        /// The time that the call was given.
        after: Duration,
    },
    /// The connection could not be made, or broke.
    #[error("`{call}` did not reach the remote end: {why}")]
    Broken {
        /// The command.
        call: String,
        /// The network error.
        why: String,
    },
    /// The answer is longer than [`wire::LONGEST`], and was not read.
    #[error("the answer to `{call}` is too large: at most {} MiB are read", wire::LONGEST >> 20)]
    TooLarge {
        /// The command.
        call: String,
    },
    /// The answer is not a WebDriver answer.
    #[error("the answer to `{call}` is no WebDriver: {excerpt:?}")]
    NotWebDriver {
        /// The command.
        call: String,
        /// The beginning of the answer.
        excerpt: String,
    },
    /// The remote end refused.
    #[error("`{call}` failed: {message}")]
    Refused {
        /// The command.
        call: String,
        /// Its code.
        code: Code,
        /// Its message.
        message: String,
    },
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// The error codes that are distinguished.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[$doc])* $name,)+
            /// Any other code.
            Other,
        }

        impl Code {
            /// The code with this name.
            pub(crate) fn parse(text: &str) -> Self {
                match text { $($text => Self::$name,)+ _ => Self::Other }
            }
        }
    };
}

codes! {
    /// The session does not exist any more: its browser or its node ended.
    InvalidSessionId = "invalid session id",
    /// The page closed itself.
    NoSuchWindow = "no such window",
    /// No session could be created.
    SessionNotCreated = "session not created",
    /// A navigation took too long, or replaced the document that a script ran in.
    Timeout = "timeout",
    /// A script took too long, or its page is too busy to run it.
    ScriptTimeout = "script timeout",
    /// A script threw.
    JavascriptError = "javascript error",
    /// A dialog was open; it is closed now.
    UnexpectedAlertOpen = "unexpected alert open",
    /// A script's document was replaced. Not a code of the standard either.
    Unloaded = "document unloaded",
    /// A frame was removed during the command.
    NoSuchFrame = "no such frame",
    /// An element was removed during the command.
    StaleElement = "stale element reference",
    /// Chromium's renderer crashed. Not a code of the standard.
    TabCrashed = "tab crashed",
    /// The certificate is not trusted.
    InsecureCertificate = "insecure certificate",
    /// The command has an invalid argument.
    InvalidArgument = "invalid argument",
    /// A cookie of another site.
    InvalidCookieDomain = "invalid cookie domain",
    /// A cookie that the browser does not accept.
    UnableToSetCookie = "unable to set cookie",
    /// The pointer would leave the window.
    OutOfBounds = "move target out of bounds",
    /// The command does not exist.
    UnknownCommand = "unknown command",
    /// The command does not have this method.
    UnknownMethod = "unknown method",
    /// The remote end does not support it.
    UnsupportedOperation = "unsupported operation",
}

impl Code {
    /// Whether the code may mean that the browser rejects a value from the job. chromedriver has no code of its own for
    /// a refusal of the DevTools protocol.
    pub(crate) const fn is_of_the_job(self) -> bool {
        matches!(
            self,
            Self::InvalidArgument | Self::InvalidCookieDomain | Self::UnableToSetCookie | Self::Other
        )
    }
}

impl CallError {
    /// Converts fantoccini's error.
    pub(crate) fn of(call: &str, error: CmdError) -> Self {
        let call = call.to_owned();
        match error {
            CmdError::Standard(error) => Self::refused(call, &error.error(), &error.message),
            // A code that fantoccini does not know, unchanged.
            CmdError::NotW3C(Value::String(code)) => {
                Self::Refused { call, code: Code::parse(&code), message: code }
            }
            CmdError::NotW3C(other) => Self::not_web_driver(call, &other.to_string()),
            CmdError::NotJson(text) => Self::not_web_driver(call, &text),
            CmdError::Json(why) => Self::not_web_driver(call, &why.to_string()),
            CmdError::Failed(why) => Self::broken(call, &why),
            CmdError::FailedC(why) => Self::broken(call, &why),
            CmdError::Lost(why) => Self::broken(call, &why),
            error => Self::Broken { call, why: error.to_string() },
        }
    }

    /// The error of a connection. Ours break when an answer is too long.
    pub(crate) fn broken(call: String, why: &(dyn Error + 'static)) -> Self {
        let mut cause = Some(why);
        while let Some(why) = cause {
            if wire::is_too_long(why) {
                return Self::TooLarge { call };
            }
            cause = why.source();
        }
        Self::Broken { call, why: with_causes(why) }
    }

    /// An error of the remote end, with its code as text.
    pub(crate) fn refused(call: String, error: &str, message: &str) -> Self {
        // Further lines contain versions and addresses.
        let message = message.lines().next().unwrap_or_default().to_owned();
        let code = Code::parse(error);
        let code = if document_is_gone(code, &message) { Code::Unloaded } else { code };
        Self::Refused { call, code, message }
    }

    /// An answer that is not WebDriver.
    pub(crate) fn not_web_driver(call: String, text: &str) -> Self {
        let excerpt = text[..text.floor_char_boundary(EXCERPT)].to_owned();
        Self::NotWebDriver { call, excerpt }
    }

    /// The remote end's code, if it sent one.
    pub(crate) const fn code(&self) -> Option<Code> {
        if let Self::Refused { code, .. } = self { Some(*code) } else { None }
    }
}

/// Whether Firefox reports that the document of a script was replaced. It has no code of its own for this, only the
/// code of a script error and these words; no other code in the crate compares the text of an error.
fn document_is_gone(code: Code, message: &str) -> bool {
    const WORDS: [&str; 2] = ["Document was unloaded", "[Exception... \"Component returned failure code"];
    code == Code::JavascriptError && WORDS.iter().any(|words| message.starts_with(words))
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        use FailureClass::{BrowserCrash, Navigation, PageCrash, Script, Timeout, Unsupported};
        let message = error.to_string();
        let Some(code) = error.code() else {
            return match error {
                CallError::Timeout { .. } => Self::transient(Timeout, message),
                CallError::TooLarge { .. } => Self::persistent(Script, message),
                _ => Self::transient(BrowserCrash, message),
            };
        };
        match code {
            Code::InvalidSessionId | Code::SessionNotCreated => Self::transient(BrowserCrash, message),
            Code::NoSuchWindow => Self::persistent(Script, "the page closed itself"),
            Code::TabCrashed => Self::transient(PageCrash, "the page's renderer process died"),
            Code::Timeout | Code::ScriptTimeout => Self::transient(Timeout, message),
            Code::InsecureCertificate => Self::persistent(Navigation, message),
            Code::JavascriptError
            | Code::InvalidArgument
            | Code::InvalidCookieDomain
            | Code::UnableToSetCookie
            | Code::OutOfBounds => Self::persistent(Script, message),
            Code::UnknownCommand | Code::UnknownMethod | Code::UnsupportedOperation => {
                Self::persistent(Unsupported, message)
            }
            Code::Unloaded
            | Code::UnexpectedAlertOpen
            | Code::NoSuchFrame
            | Code::StaleElement
            | Code::Other => Self::transient(Script, message),
        }
    }
}

impl From<CallError> for PageError {
    fn from(error: CallError) -> Self {
        match error.code() {
            Some(
                Code::Timeout
                | Code::Unloaded
                | Code::UnexpectedAlertOpen
                | Code::NoSuchFrame
                | Code::StaleElement,
            ) => Self::Moved,
            Some(Code::ScriptTimeout) => Self::Silent(error.into()),
            None if matches!(error, CallError::Timeout { .. }) => Self::Silent(error.into()),
            _ => Self::Fault(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::outcome::Recurrence::{Persistent, Transient};

    fn refused(code: &str) -> CallError {
        CallError::Refused { call: String::new(), code: Code::parse(code), message: String::new() }
    }

    #[test]
    fn each_code_has_its_class() {
        use FailureClass::{BrowserCrash, PageCrash, Script, Timeout, Unsupported};
        for (code, class, recurrence) in [
            ("invalid session id", BrowserCrash, Transient),
            ("tab crashed", PageCrash, Transient),
            ("no such window", Script, Persistent),
            ("script timeout", Timeout, Transient),
            ("javascript error", Script, Persistent),
            ("unknown command", Unsupported, Persistent),
            ("unheard of", Script, Transient),
        ] {
            let fault = Fault::from(refused(code));
            assert_eq!((fault.class, fault.recurrence), (class, recurrence), "{code}");
        }
    }

    #[test]
    fn what_may_be_asked_again_is_told_from_what_may_not() {
        assert!(matches!(PageError::from(refused("timeout")), PageError::Moved));
        assert!(matches!(PageError::from(refused("unexpected alert open")), PageError::Moved));
        assert!(matches!(PageError::from(refused("script timeout")), PageError::Silent(_)));
        assert!(matches!(PageError::from(refused("tab crashed")), PageError::Fault(_)));
    }

    #[test]
    fn a_document_that_firefox_has_put_away_may_be_asked_again_and_a_script_s_error_may_not() {
        use fantoccini::error::{ErrorStatus, WebDriver};
        let said = |words: &str| {
            let error = WebDriver::new(ErrorStatus::JavascriptError, words.to_owned());
            PageError::from(CallError::of("execute/sync", CmdError::Standard(error)))
        };
        for words in [
            "Document was unloaded",
            "[Exception... \"Component returned failure code: 0x8007000e (NS_ERROR_OUT_OF_MEMORY)",
        ] {
            assert!(matches!(said(words), PageError::Moved), "{words}");
        }
        assert!(matches!(said("TypeError: a is null"), PageError::Fault(_)));
    }

    #[test]
    fn an_answer_that_is_too_long_is_not_the_browser_s_fault() {
        use std::io::{
            Error,
            ErrorKind::{BrokenPipe, FileTooLarge},
        };
        let fault = |kind| Fault::from(CallError::of("execute/sync", CmdError::Lost(Error::from(kind))));
        let (long, broken) = (fault(FileTooLarge), fault(BrokenPipe));
        assert_eq!((long.class, long.recurrence), (FailureClass::Script, Persistent), "{long}");
        assert!(long.message.contains("at most 64 MiB"), "{long}");
        assert_eq!((broken.class, broken.recurrence), (FailureClass::BrowserCrash, Transient));
    }

    #[test]
    fn a_page_of_html_is_told_by_its_beginning() {
        let html = format!("<html>é{}", "x".repeat(10_000));
        let error = CallError::of("status", CmdError::NotJson(html)).to_string();
        assert!(error.contains("<html>é") && error.len() < 400, "{error}");
        let crash = CallError::of("url", CmdError::NotW3C("tab crashed".into()));
        assert_eq!(crash.code(), Some(Code::TabCrashed));
    }
}
