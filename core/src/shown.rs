//! How foreign text is shown: in messages, results, logs and on terminals.
//!
//! ```text
//!   text of a file, a flag, a page ─► without users of URLs ─► without characters that control a terminal ─► output
//! ```
//!
//! Every output of the program passes through these functions. They accept any text, and a text that passes twice
//! stays the same.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The mark that stands for a secret.
pub const REDACTED: &str = "(redacted)";

/// What separates a scheme from the rest of a URL.
const MARK: &str = "://";

/// Parts of names that are given to secrets. Too many are better than too few: what is not shown costs little.
const SECRET_NAMES: [&str; 15] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "auth",
    "bearer",
    "credential",
    "cookie",
    "jwt",
    "apikey",
    "accesskey",
    "privatekey",
];

/// `text` without the user and password of any URL in it.
#[must_use]
pub fn without_users(text: &str) -> Cow<'_, str> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(MARK) {
        shown += before;
        shown += MARK;
        let end = after.find(['/', '?', '#', '\\']).unwrap_or(after.len());
        let end = after.find(char::is_whitespace).unwrap_or(after.len()).min(end);
        rest = match after[..end].rfind('@') {
            Some(at) => {
                shown += REDACTED;
                &after[at..]
            }
            None => after,
        };
    }
    Cow::Owned(shown + rest)
}

/// Whether a value under this name is taken for a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    // Grids have accounts with a `key`. Only the end of a name counts, because `keyboard` is no secret.
    plain.ends_with("key") || SECRET_NAMES.iter().any(|secret| plain.contains(secret))
}

/// A text that should have been a URL, without anything in it that may be a user or a password. The text keeps no rule
/// of URLs, so more of it is removed than [`without_users`] removes: everything before its last `@`, and a port that is
/// no number.
#[must_use]
pub(crate) fn wrong_url(text: &str) -> String {
    let (scheme, rest) = text.split_once(MARK).map_or(("", text), |(scheme, rest)| (scheme, rest));
    if let Some((before, after)) = text.rsplit_once('@') {
        let known = before.split_once(MARK).map(|(scheme, _)| format!("{scheme}{MARK}"));
        return format!("{}{REDACTED}@{after}", known.unwrap_or_default());
    }
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.starts_with('[') && !port.is_empty() && port.parse::<u16>().is_err() => {
            let mark = if scheme.is_empty() { "" } else { MARK };
            format!("{scheme}{mark}{host}:{REDACTED}")
        }
        _ => text.to_owned(),
    }
}

/// `text` with every character that controls a terminal, reorders text or is invisible in JSON's notation (`\u001b`).
/// Line ends and tabs stay. A JSON document stays the same document, since such characters stand in its texts only.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.bytes().all(is_plain) || !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if !is_hidden(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a text cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    Cow::Owned(shown)
}

/// As [`printable`], on one line: line ends are escaped too.
#[must_use]
pub fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n")
}

/// A foreign text as a part of one line, cut after `longest` characters.
#[must_use]
pub fn excerpt(text: &str, longest: usize) -> String {
    let text = without_users(text);
    match text.char_indices().nth(longest) {
        Some((end, _)) => one_line(&text[..end]) + "…",
        None => one_line(&text),
    }
}

/// Whether a character controls a terminal, reorders the text around it, or has no picture.
fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        _ => {
            character.is_control()
                || matches!(
                    character,
                    '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                    | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                    | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
                )
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn users_vanish_from_urls_and_nothing_else_does() {
        for (text, shown) in [
            ("http://host:1/a@b", "http://host:1/a@b"),
            ("http://u:canary@host:1/", "http://(redacted)@host:1/"),
            ("http://u:can@ary@host", "http://(redacted)@host"),
            ("--proxy=socks5://u:canary@h --x=ftp://h", "--proxy=socks5://(redacted)@h --x=ftp://h"),
            ("a@b, no URL", "a@b, no URL"),
            ("://", "://"),
        ] {
            assert_eq!(without_users(text), shown);
        }
    }

    #[test]
    fn a_wrong_url_shows_nothing_that_may_be_a_password() {
        for (text, shown) in [
            ("example.com", "example.com"),
            ("ftp://host:21/a", "ftp://host:21/a"),
            ("http://u:can/ary@host/x", "http://(redacted)@host/x"),
            ("http://u:can#a@ry@host", "http://(redacted)@host"),
            ("u:canary@host", "(redacted)@host"),
            ("//u:canary@host", "(redacted)@host"),
            ("http://u:canary", "http://u:(redacted)"),
            ("http://u:72618394", "http://u:(redacted)"),
            ("u:canary/x", "u:(redacted)"),
            ("http://[::1", "http://[::1"),
        ] {
            assert_eq!(wrong_url(text), shown);
        }
    }

    #[test]
    fn no_character_reaches_a_terminal_unseen() {
        assert_eq!(printable("plain\ttext\nÄ 船 ⚓"), "plain\ttext\nÄ 船 ⚓");
        assert_eq!(printable("\u{1b}[2J\r\0\u{7f}\u{9b}2J"), "\\u001b[2J\\u000d\\u0000\\u007f\\u009b2J");
        assert_eq!(
            printable("a\u{202e}b\u{200b}c\u{feff}\u{e0041}"),
            "a\\u202eb\\u200bc\\ufeff\\udb40\\udc41"
        );
        assert_eq!(one_line("a\nb"), "a\\nb");
        assert_eq!(excerpt("http://u:canary@h/\u{1b}xyz", 21), "http://(redacted)@h/\\u001b…");
    }

    proptest! {
        #[test]
        fn no_user_survives(before in "[ -~]{0,20}", user in "[a-z:@%]{1,20}", after in "(/[ -~]{0,10})?") {
            let text = format!("{before} http://{user}canary@host{after}");
            let shown = without_users(&text);
            prop_assert!(!shown.contains("canary"), "{shown}");
            prop_assert_eq!(without_users(&shown), shown.clone(), "showing twice changes nothing");
        }

        #[test]
        fn a_document_stays_the_same_document(text in "(\\PC|[\0-\u{9f}\u{200b}-\u{202e}\u{e0000}-\u{e0fff}]){0,20}") {
            let value = Value::from(text);
            let shown = serde_json::to_string(&value).expect("a text");
            let shown = printable(&shown);
            prop_assert!(!shown.chars().any(is_hidden), "{shown}");
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).ok(), Some(value));
            prop_assert_eq!(printable(&shown), shown.clone(), "showing twice changes nothing");
        }
    }

    #[test]
    fn names_of_secrets_are_known_in_each_spelling() {
        for name in ["accessKey", "access_key_id", "private-key", "key", "Cookie", "Proxy-Authorization"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["username", "keyboard", "bypass", "browserName", "n"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
