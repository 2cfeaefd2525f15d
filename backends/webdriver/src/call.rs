//! How a call to a remote end can fail, and the one place that decides what each failure means.
//!
//! W3C error codes give most of it. A failure without a code (a refused connection, a proxy's page of HTML, an answer
//! that never comes) is a failure of the endpoint. Steps tell three kinds apart ([`PageError`]): the document went away,
//! or a dialog came between, so the page may be asked again; the page did not answer in time, so it may be asked again;
//! or it is a [`Fault`] and the step is over.

use std::time::Duration;

use fantoccini::error::CmdError;
use plimsoll_core::duration::rounded;
use plimsoll_core::outcome::{FailureClass, Fault, with_causes};
use plimsoll_core::page::PageError;
use serde_json::Value;

/// How much of an answer that is not WebDriver is told.
const EXCERPT: usize = 200;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// No answer came in time.
    #[error("no answer to `{call}` within {:?}", rounded(*after))]
    Timeout {
        /// What was called.
        call: String,
        /// The time it had.
        after: Duration,
    },
    /// The connection could not be made, or broke.
    #[error("`{call}` did not reach the remote end: {why}")]
    Broken {
        /// What was called.
        call: String,
        /// What the network said.
        why: String,
    },
    /// Something answered that does not speak WebDriver.
    #[error("the answer to `{call}` is no WebDriver: {excerpt:?}")]
    NotWebDriver {
        /// What was called.
        call: String,
        /// The beginning of what it said.
        excerpt: String,
    },
    /// The remote end refused.
    #[error("`{call}` failed: {message}")]
    Refused {
        /// What was called.
        call: String,
        /// Its code.
        code: Code,
        /// What it says.
        message: String,
    },
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// The error codes that are told apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($(#[$doc])* $name,)+
            /// Any other.
            Other,
        }

        impl Code {
            /// The code that is written so.
            pub(crate) fn parse(text: &str) -> Self {
                match text { $($text => Self::$name,)+ _ => Self::Other }
            }
        }
    };
}

codes! {
    /// The session is no more: its browser died, or the node it ran on.
    InvalidSessionId = "invalid session id",
    /// The page closed itself.
    NoSuchWindow = "no such window",
    /// No session.
    SessionNotCreated = "session not created",
    /// A navigation took too long, or replaced the document that a script ran in.
    Timeout = "timeout",
    /// A script took too long, or its page is too busy to run it.
    ScriptTimeout = "script timeout",
    /// A script threw.
    JavascriptError = "javascript error",
    /// A dialog was open; it is not any more.
    UnexpectedAlertOpen = "unexpected alert open",
    /// A script's document went away. No code of the standard either.
    Unloaded = "document unloaded",
    /// A frame went away in the middle.
    NoSuchFrame = "no such frame",
    /// An element went away in the middle.
    StaleElement = "stale element reference",
    /// Chromium's renderer died. No code of the standard.
    TabCrashed = "tab crashed",
    /// The certificate is not to be trusted.
    InsecureCertificate = "insecure certificate",
    /// Something in the command is wrong.
    InvalidArgument = "invalid argument",
    /// A cookie of another site.
    InvalidCookieDomain = "invalid cookie domain",
    /// A cookie that the browser does not take.
    UnableToSetCookie = "unable to set cookie",
    /// The pointer would leave the window.
    OutOfBounds = "move target out of bounds",
    /// There is no such command.
    UnknownCommand = "unknown command",
    /// Nor such a method of it.
    UnknownMethod = "unknown method",
    /// It cannot be carried out here.
    UnsupportedOperation = "unsupported operation",
}

impl Code {
    /// Whether it may say that what a job wants set is not accepted. chromedriver has no code of its own for what the
    /// DevTools protocol refuses.
    pub(crate) const fn is_of_the_job(self) -> bool {
        matches!(
            self,
            Self::InvalidArgument | Self::InvalidCookieDomain | Self::UnableToSetCookie | Self::Other
        )
    }
}

impl CallError {
    /// What fantoccini's error says.
    pub(crate) fn of(call: &str, error: CmdError) -> Self {
        let call = call.to_owned();
        match error {
            CmdError::Standard(error) => Self::refused(call, &error.error(), &error.message),
            // A code that fantoccini does not know, as it is.
            CmdError::NotW3C(Value::String(code)) => {
                Self::Refused { call, code: Code::parse(&code), message: code }
            }
            CmdError::NotW3C(other) => Self::not_web_driver(call, &other.to_string()),
            CmdError::NotJson(text) => Self::not_web_driver(call, &text),
            CmdError::Json(why) => Self::not_web_driver(call, &why.to_string()),
            CmdError::Failed(why) => Self::Broken { call, why: with_causes(&why) },
            CmdError::FailedC(why) => Self::Broken { call, why: with_causes(&why) },
            CmdError::Lost(why) => Self::Broken { call, why: with_causes(&why) },
            error => Self::Broken { call, why: error.to_string() },
        }
    }

    /// An error of the remote end's own, as it is written.
    pub(crate) fn refused(call: String, error: &str, message: &str) -> Self {
        // Further lines tell of versions and addresses.
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

    /// The remote end's code, if it gave one.
    pub(crate) const fn code(&self) -> Option<Code> {
        if let Self::Refused { code, .. } = self { Some(*code) } else { None }
    }
}

/// Whether Firefox says that the document a script ran in is no more. It has no code of its own for this, only a script
/// error's and these words; nothing else in the crate looks at an error's words.
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
    fn a_page_of_html_is_told_by_its_beginning() {
        let html = format!("<html>é{}", "x".repeat(10_000));
        let error = CallError::of("status", CmdError::NotJson(html)).to_string();
        assert!(error.contains("<html>é") && error.len() < 400, "{error}");
        let crash = CallError::of("url", CmdError::NotW3C("tab crashed".into()));
        assert_eq!(crash.code(), Some(Code::TabCrashed));
    }
}
