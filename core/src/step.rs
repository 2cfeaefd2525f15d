//! The steps of a script job, named as in Playwright and WebDriver.
//!
//! A step is data. Drivers carry steps out, and every driver keeps these rules:
//!
//! * An *action* (`click`, `fill`, `type`, `press`, `select`, `check`, `hover`, `drag`, `upload`) waits until its element
//!   is ready: attached, visible, stable, enabled and, for the pointer, not covered by another element.
//! * A *wait* (`wait_for`) and an *assertion* (`expect`) poll until they hold or their time is up; a wait that
//!   fails is a `timeout`, an assertion that fails is an `assertion`.
//! * The time of a step is limited by its own `timeout`, if present, and by the rest of the attempt's time.
//! * *Dialogs* are answered at once (`alert` accepted, `confirm` and `prompt` dismissed, leaving a page allowed),
//!   *downloads* are refused, *popups* are closed as soon as they open. They cannot block a job; each is
//!   counted in the job's result.

mod action;
mod capture;
mod drag;
mod extract;
mod wait;

use serde::{Deserialize, Serialize};
use url::Url;

pub use action::{Check, Click, Fill, Hover, MouseButton, Press, Scroll, ScrollTarget, Select, Type, Upload};
pub use capture::{
    Capture, Content, Cookie, Evaluate, GetCookies, ImageFormat, Pdf, SameSite, Screenshot, Viewport,
};
pub use drag::{Drag, DragTarget};
pub use extract::{Extract, Field, Take};
pub use wait::{ElementState, Expect, Expectation, LoadState, WaitFor, WaitTarget};

use crate::shorthand::{self, Shorthand};
use crate::shown::{without_users, wrong_url};

/// One step. Written as a map with one key, the step's name: `{"click": "#send"}`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Open a page.
    Goto(#[serde(deserialize_with = "shorthand::deserialize")] Goto),
    /// Wait for a load state, a selector, a text, a URL or a function.
    WaitFor(#[serde(deserialize_with = "shorthand::deserialize")] WaitFor),
    /// Click an element.
    Click(#[serde(deserialize_with = "shorthand::deserialize")] Click),
    /// Replace the text of an input, a textarea or an editable element.
    Fill(Fill),
    /// Type text key by key.
    Type(Type),
    /// Press one key or a chord (`Control+A`).
    Press(#[serde(deserialize_with = "shorthand::deserialize")] Press),
    /// Choose options of a `<select>`.
    Select(Select),
    /// Tick a checkbox or radio button.
    Check(#[serde(deserialize_with = "shorthand::deserialize")] Check),
    /// Untick a checkbox.
    Uncheck(#[serde(deserialize_with = "shorthand::deserialize")] Check),
    /// Move the pointer over an element.
    Hover(#[serde(deserialize_with = "shorthand::deserialize")] Hover),
    /// Drag an element to another element, or by a distance.
    Drag(Drag),
    /// Scroll the page, or an element into view.
    Scroll(#[serde(deserialize_with = "shorthand::deserialize")] Scroll),
    /// Give files to a file input.
    Upload(Upload),
    /// Evaluate an expression in the page; a promise is awaited.
    Evaluate(#[serde(deserialize_with = "shorthand::deserialize")] Evaluate),
    /// Read fields out of the page into the job's data.
    Extract(Extract),
    /// Take a picture.
    Screenshot(#[serde(deserialize_with = "shorthand::deserialize")] Screenshot),
    /// Print the page.
    Pdf(Pdf),
    /// Keep the page's HTML in the job's data.
    Content(#[serde(deserialize_with = "shorthand::deserialize")] Content),
    /// Keep the context's cookies in the job's data.
    GetCookies(#[serde(deserialize_with = "shorthand::deserialize")] GetCookies),
    /// Set cookies in the context.
    SetCookies(Vec<Cookie>),
    /// Change the size of the viewport.
    SetViewport(Viewport),
    /// Assert something; if it does not come to hold, the job fails.
    Expect(Expect),
}

macro_rules! named {
    ($($kind:ident = $name:literal,)+) => {
        impl Step {
            /// The names of all steps, in the order of declaration.
            pub const NAMES: &[&str] = &[$($name),+];

            /// The step's name as it is written in a job.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$kind(_) => $name),+ }
            }
        }
    };
}

named! {
    Goto = "goto",
    WaitFor = "wait_for",
    Click = "click",
    Fill = "fill",
    Type = "type",
    Press = "press",
    Select = "select",
    Check = "check",
    Uncheck = "uncheck",
    Hover = "hover",
    Drag = "drag",
    Scroll = "scroll",
    Upload = "upload",
    Evaluate = "evaluate",
    Extract = "extract",
    Screenshot = "screenshot",
    Pdf = "pdf",
    Content = "content",
    GetCookies = "get_cookies",
    SetCookies = "set_cookies",
    SetViewport = "set_viewport",
    Expect = "expect",
}

/// Open a page and wait until it has loaded. Short: the URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Goto {
    /// The address.
    pub url: PageUrl,
    /// The load state to wait for; `load` by default.
    #[serde(default)]
    pub wait_until: LoadState,
}

impl Shorthand for Goto {
    const EXPECTING: &'static str = "a URL, or {\"url\": ..., \"wait_until\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self {
            url: PageUrl::parse(text).map_err(|why| why.to_string())?,
            wait_until: LoadState::default(),
        })
    }
}

/// A URL that a job may open: `http` or `https`, `about:blank`, or one of Chromium's fault pages
/// (`chrome://crash`, `chrome://kill`, `chrome://hang`), for tests of crashes. Shown, it lacks its user and password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PageUrl(Url);

/// The reason why a text is not a URL that a job may open. The text is kept without what may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageUrlError {
    /// The text is not a URL.
    #[error("`{text}` is no URL ({why}); write it with its scheme, as in \"http://example.com/page\"")]
    Malformed {
        /// The text.
        text: String,
        /// The parser's message.
        why: url::ParseError,
    },
    /// The URL has a scheme that is not allowed.
    #[error("`{text}` has the scheme `{scheme}`; only http and https pages can be opened")]
    Scheme {
        /// The text.
        text: String,
        /// The scheme.
        scheme: String,
    },
}

impl PageUrl {
    const FAULT_PAGES: [&'static str; 3] = ["crash", "kill", "hang"];

    /// Reads a URL as a browser does (WHATWG rules) and checks that it may be opened.
    ///
    /// # Errors
    /// When it is malformed or of a scheme that is not allowed.
    pub fn parse(text: &str) -> Result<Self, PageUrlError> {
        let malformed = |why| PageUrlError::Malformed { text: wrong_url(text), why };
        let url = Self(Url::parse(text.trim()).map_err(malformed)?);
        match url.0.scheme() {
            "http" | "https" => Ok(url),
            _ if url.is_fault_page() || url.as_str() == "about:blank" => Ok(url),
            // What looks like a scheme may be a user: `user:password@host`.
            _ if !text.contains("://") && text.contains('@') => {
                Err(malformed(url::ParseError::RelativeUrlWithoutBase))
            }
            scheme => Err(PageUrlError::Scheme { text: wrong_url(text), scheme: scheme.to_owned() }),
        }
    }

    /// Whether the URL is one of Chromium's fault pages.
    #[must_use]
    pub fn is_fault_page(&self) -> bool {
        self.0.scheme() == "chrome" && self.0.host_str().is_some_and(|host| Self::FAULT_PAGES.contains(&host))
    }

    /// The whole URL as text, normalised, with its user and password.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, an IPv6 address in brackets; `None` for pages without a host (`about:blank`).
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.0.host_str()
    }

    /// The port, or the scheme's own when the URL names none; `None` for pages without a port.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.0.port_or_known_default()
    }

    /// The path with its leading `/`, percent-encoded; the query is not part of it.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// What follows the `?`, percent-encoded.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// The host with its port, for breakers and budgets per site; `None` for pages without a host.
    #[must_use]
    pub fn site(&self) -> Option<String> {
        Some(format!("{}:{}", self.host()?, self.port()?))
    }
}

impl std::fmt::Display for PageUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&without_users(self.as_str()))
    }
}

impl std::fmt::Debug for PageUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Serialize for PageUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for PageUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_can_be_opened() {
        for allowed in ["http://a/", " https://a/b?c#d ", "about:blank", "chrome://crash", "HTTP://A/"] {
            assert!(PageUrl::parse(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "file:///etc/passwd",
            "javascript:1",
            "view-source:http://a",
            "chrome://settings",
            "ftp://a/",
            "ws://a",
        ] {
            assert!(matches!(PageUrl::parse(refused), Err(PageUrlError::Scheme { .. })), "{refused}");
        }
        assert!(matches!(PageUrl::parse("example.com"), Err(PageUrlError::Malformed { .. })));
    }

    #[test]
    fn the_parts_of_a_url_can_be_read() {
        for (url, host, port, path, query) in [
            ("http://a.b", Some("a.b"), Some(80), "/", None),
            ("https://a/x y?q=1#f", Some("a"), Some(443), "/x%20y", Some("q=1")),
            ("http://[::1]:8080/ü?", Some("[::1]"), Some(8080), "/%C3%BC", Some("")),
            ("about:blank", None, None, "blank", None),
        ] {
            let read = PageUrl::parse(url).expect("a page");
            assert_eq!(
                (read.host(), read.port(), read.path(), read.query()),
                (host, port, path, query),
                "{url}"
            );
        }
    }

    #[test]
    fn no_url_is_shown_with_its_password() {
        for text in [
            "http://u:canary@h/",
            "http:u:canary@h",
            "http:/u:canary@h",
            " HTTP:\\\\u:canary@h",
            "http://canary@h",
        ] {
            let url = PageUrl::parse(text).expect("a browser takes it");
            assert!(url.as_str().contains("canary"));
            let shown = format!("{url} {url:?}");
            assert!(!shown.contains("canary"), "{shown}");
        }
        for text in [
            "ftp://u:canary@h/",
            "u:canary@h",
            "//u:canary@h/",
            "http://u:can/canary@h",
            "http://u:canary",
            "u:canary",
        ] {
            let shown = PageUrl::parse(text).expect_err("no page").to_string();
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn a_step_is_written_short_or_long() {
        let step = |json: &str| serde_json::from_str::<Step>(json).map_err(|e| e.to_string());
        assert_eq!(step(r##"{"click":"#a"}"##), step(r##"{"click":{"selector":"#a"}}"##));
        assert!(
            step(r##"{"click":{"selektor":"#a"}}"##).is_err_and(|e| e.contains("unknown field `selektor`"))
        );
        assert!(step(r##"{"clik":"#a"}"##).is_err_and(|e| e.contains("unknown variant `clik`")));
        assert!(step(r#"{"goto":"ftp://x/"}"#).is_err_and(|e| e.contains("only http and https")));
    }
}
