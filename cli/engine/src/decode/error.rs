//! [`DecodeError`]: why a value does not decode, and at which place in it, in words for the author of the value.

use std::fmt;

use plimsoll_core::shown::without_users;
use serde::de::{Error, Expected, Unexpected};

/// One step on the way from the whole value to the part that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// The value of a key, or the content of an enum's variant.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// A key that does not exist.
    UnknownKey {
        /// What was written.
        key: String,
        /// The keys or names that exist.
        known: &'static [&'static str],
    },
    /// An unknown name of a step, or of one of a fixed set of values.
    UnknownName {
        /// What was written.
        name: String,
        /// The keys or names that exist.
        known: &'static [&'static str],
    },
    /// A required key is missing.
    MissingKey(&'static str),
    /// Something of the wrong type, or out of range.
    Mismatch {
        /// What was written.
        found: String,
        /// What is expected there.
        expected: String,
    },
    /// A list of the wrong length.
    Length {
        /// How many entries were written.
        found: usize,
        /// What is expected there.
        expected: String,
    },
    /// The message of the type's own check of the value.
    Refused(String),
}

/// A [`Mistake`] and its place, such as `steps[2].fill`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The path from the wrong part outwards; [`DecodeError::path`] returns it in reading order.
    inside_out: Vec<Segment>,
    /// What is wrong there.
    pub mistake: Mistake,
}

impl DecodeError {
    /// The path to the wrong part; it is empty when the whole value is wrong. For an unknown or missing key, the path
    /// leads to the map that has or lacks the key.
    pub fn path(&self) -> impl DoubleEndedIterator<Item = &Segment> {
        self.inside_out.iter().rev()
    }

    /// The same mistake, with the surrounding list or map added to its path.
    pub(crate) fn within(mut self, segment: impl FnOnce() -> Segment) -> Self {
        self.inside_out.push(segment());
        self
    }

    /// Replaces the type's own name for what is expected here with `expected`, unless the mistake is in a part of it.
    pub(super) fn expecting(mut self, words: impl FnOnce() -> String) -> Self {
        if let (true, Mistake::Mismatch { expected, .. }) = (self.inside_out.is_empty(), &mut self.mistake) {
            *expected = words();
        }
        self
    }

    /// The same mistake, with only the type of the value that was found.
    #[must_use]
    pub(crate) fn without_the_value(mut self) -> Self {
        match &mut self.mistake {
            Mistake::Mismatch { found, .. } if found.starts_with("the text") => *found = "a text".to_owned(),
            Mistake::Mismatch { found, .. } if found.starts_with("the number") => {
                *found = "a number".to_owned();
            }
            Mistake::UnknownName { name, .. } => *name = "…".to_owned(),
            _ => {}
        }
        self
    }

    /// The same mistake in the keys of a job, without the values of keys that may hold a secret.
    #[must_use]
    pub(crate) fn without_secrets(self) -> Self {
        /// Headers, cookies and addresses, and the texts that are typed into pages.
        const QUIET: [&str; 8] =
            ["headers", "cookies", "set_cookies", "proxy", "url", "goto", "fill", "type"];
        let error = self.with_plain_names();
        let is_quiet =
            error.path().any(|segment| matches!(segment, Segment::Key(key) if QUIET.contains(&key.as_str())));
        if is_quiet { error.without_the_value() } else { error }
    }

    /// The same mistake, with only the beginnings of keys and names that are not plain: a header's value that was
    /// written into its name is not repeated.
    fn with_plain_names(mut self) -> Self {
        let keys = self.inside_out.iter_mut().filter_map(|segment| match segment {
            Segment::Key(key) => Some(key),
            Segment::Index(_) => None,
        });
        keys.for_each(|key| *key = plain_name(key));
        if let Mistake::UnknownKey { key: name, .. } | Mistake::UnknownName { name, .. } = &mut self.mistake {
            *name = plain_name(name);
        }
        self
    }

    /// Whether the whole is an entry of a list of steps.
    fn is_a_step(&self) -> bool {
        const LISTS: [&str; 7] = ["steps", "then", "else", "repeat", "do", "try", "catch"];
        let keys: Vec<&Segment> = self.inside_out.iter().skip(1).take(2).collect();
        let is = |at: usize, names: &[&str]| matches!(keys.get(at), Some(Segment::Key(key)) if names.contains(&key.as_str()));
        matches!(self.inside_out.first(), Some(Segment::Index(_)))
            && (is(0, &LISTS) || is(1, &["procedures"]))
    }

    fn place(&self) -> String {
        let mut place = String::new();
        for segment in self.path() {
            match segment {
                Segment::Index(index) => place += &format!("[{index}]"),
                Segment::Key(key) if !is_plain(key) => place += &format!("[{key:?}]"),
                Segment::Key(key) if place.is_empty() => place += key,
                Segment::Key(key) => place += &format!(".{key}"),
            }
        }
        place
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn plain_name(key: &str) -> String {
    let end = key.find(|c: char| !is_plain(c.encode_utf8(&mut [0; 4]))).unwrap_or(key.len());
    if end < key.len() { format!("{}…", &key[..end]) } else { key.to_owned() }
}

impl From<Mistake> for DecodeError {
    fn from(mistake: Mistake) -> Self {
        Self { inside_out: Vec::new(), mistake }
    }
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place();
        let within = if place.is_empty() { String::new() } else { format!(" in {place}") };
        let subject = if place.is_empty() { "the whole" } else { &place };
        match &self.mistake {
            Mistake::UnknownKey { key, known } => {
                write!(f, "unknown key `{key}`{within}{}", Hint { name: key, known })
            }
            Mistake::UnknownName { name, known } if self.is_a_step() => {
                write!(f, "unknown step `{name}`{within}{}", Hint { name, known })
            }
            Mistake::UnknownName { name, known } => {
                let of = if place.is_empty() { String::new() } else { format!(" for {place}") };
                write!(f, "unknown value `{name}`{of}{}", Hint { name, known })
            }
            Mistake::MissingKey(key) => write!(f, "missing key `{key}`{within}"),
            Mistake::Mismatch { found, expected } => write!(f, "{subject} must be {expected}, not {found}"),
            Mistake::Length { found, expected } => {
                write!(f, "{subject} has {found} entries instead of {expected}")
            }
            Mistake::Refused(why) if place.is_empty() => f.write_str(why),
            Mistake::Refused(why) => write!(f, "{place}: {why}"),
        }
    }
}

impl Error for DecodeError {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Mistake::Refused(why.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Mistake::Mismatch { found: describe(found), expected: expected.to_string() }.into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Mistake::Length { found, expected: expected.to_string() }.into()
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        Mistake::UnknownName { name: shorten(name), known }.into()
    }

    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Mistake::UnknownKey { key: key.to_owned(), known }.into()
    }

    fn missing_field(key: &'static str) -> Self {
        Mistake::MissingKey(key).into()
    }
}

fn shorten(text: &str) -> String {
    const LONGEST: usize = 40;
    // Before the cut, after which the user of a URL can no longer be recognised.
    let text = &*without_users(text);
    let is_long = text.chars().nth(LONGEST).is_some();
    if is_long { text.chars().take(LONGEST - 1).chain(['…']).collect() } else { text.to_owned() }
}

fn describe(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(number) => format!("the number {number}"),
        Unexpected::Signed(number) => format!("the number {number}"),
        Unexpected::Float(number) => format!("the number {number:?}"),
        Unexpected::Str(text) => format!("the text {:?}", shorten(text)),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a map".to_owned(),
        other => other.to_string(),
    }
}

/// `; did you mean `selector`? (known: selector, text, timeout)`. A long list of names is shown only when no name is
/// similar.
struct Hint<'a> {
    name: &'a str,
    known: &'static [&'static str],
}

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHORT: usize = 8;
        let meant = nearest(self.name, self.known.iter().copied());
        if let Some(meant) = meant {
            write!(f, "; did you mean `{meant}`?")?;
        }
        if self.known.is_empty() || (meant.is_some() && self.known.len() > SHORT) {
            return Ok(());
        }
        write!(f, " (known: {})", self.known.join(", "))
    }
}

/// The name in `known` that is most similar to `name`, if any is similar enough: at most two typing errors away (fewer in
/// a short name), or with the same beginning (`wait` for `wait_for`).
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    /// The Jaro-Winkler similarity above which names that differ by more than typing errors are offered.
    const ALIKE: f64 = 0.87;
    let name = name.to_lowercase();
    // Both measures take time proportional to the product of the lengths, and a long text is not a misspelt name.
    if name.len() > 64 {
        return None;
    }
    known
        .into_iter()
        .filter_map(|candidate| {
            let other = candidate.to_lowercase();
            let slips = strsim::damerau_levenshtein(&name, &other);
            let alike = strsim::jaro_winkler(&name, &other);
            let near = slips <= 2 && slips * 2 < name.chars().count().max(other.chars().count());
            (near || alike > ALIKE).then_some((alike, candidate))
        })
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_only_when_it_is_near() {
        let steps = [
            "goto", "wait_for", "click", "fill", "type", "press", "select", "check", "uncheck", "hover",
            "pdf",
        ];
        let cases = [
            ("clik", Some("click")),
            ("waitFor", Some("wait_for")),
            ("wait", Some("wait_for")),
            ("pfd", Some("pdf")),
            ("FILL", Some("fill")),
            ("selectr", Some("select")),
            ("id", None),
            ("x", None),
            ("", None),
            ("navigate", None),
        ];
        for (written, meant) in cases {
            assert_eq!(nearest(written, steps), meant, "{written}");
        }
        assert_eq!(nearest(&"c".repeat(1 << 20), steps), None);
    }
}
