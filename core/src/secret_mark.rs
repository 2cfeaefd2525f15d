//! The mark that stands for a secret in the texts of a job, from its file to the attempt that needs the value.
//!
//! ```text
//!   {{secret:NAME}} ─► marked(NAME) in the job ─► replaced in the copy of one attempt
//!                                            └──► shown in outputs as {{secret:NAME}}
//! ```
//!
//! The mark has characters that Unicode keeps free for such uses, so no other text of a job is taken for it. In a URL the
//! mark is percent-encoded, and so is the value that replaces it there.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const OPEN: &str = "\u{fdd0}";
const CLOSE: &str = "\u{fdd1}";
const OPEN_IN_URL: &str = "%EF%B7%90";
const CLOSE_IN_URL: &str = "%EF%B7%91";
/// What has no meaning in a URL is not encoded (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The longest name of a secret.
const LONGEST: usize = 64;

/// Whether a text can be the name of a secret: letters, digits and `_`, as in the name of an environment variable.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The mark of the secret with this name.
#[must_use]
pub fn marked(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// How many marks `text` has, or beginnings of marks.
#[must_use]
pub fn count(text: &str) -> usize {
    text.matches(OPEN).count() + text.matches(OPEN_IN_URL).count()
}

/// `text` with each mark as people write it.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if count(text) == 0 {
        return Cow::Borrowed(text);
    }
    let written = |name: &str| Some(Cow::Owned(format!("{{{{secret:{name}}}}}")));
    let plain = each(text, OPEN, CLOSE, written);
    Cow::Owned(each(&plain, OPEN_IN_URL, CLOSE_IN_URL, written))
}

/// `text` with each mark replaced by the value of `value` for its name. A name without a value stays.
pub(crate) fn replaced<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let plain = each(text, OPEN, CLOSE, |name| value(name).map(Cow::Borrowed));
    each(&plain, OPEN_IN_URL, CLOSE_IN_URL, |name| {
        value(name).map(|value| Cow::Owned(percent_encoded(value)))
    })
}

/// A text as a part of a URL: everything but letters, digits and `-._~` is encoded.
pub(crate) fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// `text` with `with` in place of each name between `open` and `close`.
fn each<'v>(text: &str, open: &str, close: &str, with: impl Fn(&str) -> Option<Cow<'v, str>>) -> String {
    let (mut done, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(open) {
        done += before;
        let found = after.split_once(close).filter(|(name, _)| is_name(name));
        match found.and_then(|(name, after)| Some((with(name)?, after))) {
            Some((value, after)) => {
                done += &value;
                rest = after;
            }
            None => {
                done += open;
                rest = after;
            }
        }
    }
    done + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_replaced_once_and_shown_as_it_was_written() {
        let value = |name: &str| match name {
            "A" => Some("x y\u{fdd0}B\u{fdd1}"),
            "B" => Some("never"),
            _ => None,
        };
        let text = format!("1{}2{}3", marked("A"), marked("C"));
        assert_eq!(replaced(&text, value), format!("1x y{}2{}3", marked("B"), marked("C")));
        assert_eq!(shown(&text), "1{{secret:A}}2{{secret:C}}3");
        assert_eq!(shown("plain"), "plain");
        let url = "http://u:%EF%B7%90A%EF%B7%91@h/%EF%B7%90%EF%B7%91";
        assert_eq!(shown(url), "http://u:{{secret:A}}@h/%EF%B7%90%EF%B7%91");
        let half = |name: &str| (name == "A").then_some("p@ss/w%rd ü");
        assert_eq!(replaced("http://u:%EF%B7%90A%EF%B7%91@h/", half), "http://u:p%40ss%2Fw%25rd%20%C3%BC@h/");
        assert_eq!((count(url), count(&text), count("%EF%B7%80")), (2, 2, 0));
        assert!(is_name("a_B9") && !is_name("") && !is_name("a-b") && !is_name(&"x".repeat(65)));
    }
}
