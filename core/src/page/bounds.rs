//! The bounds of what is brought back from a page.
//!
//! The page measures first (`bounds.js`), so a page that has too much of something costs its browser and its siblings
//! nothing. A page can also replace the functions that measure, so what arrives is measured again here.

use serde::de::{DeserializeOwned, Error as _};

use super::surrogates::well_formed;

/// The maximum length of the JSON text that a script may return, in bytes. Results are kept in memory.
pub const LONGEST_VALUE: usize = 16 << 20;
/// The maximum number of values in such a text: a value of one character takes 32 bytes in memory, and more in a map.
const MOST_VALUES: usize = 500_000;

/// The declarations that scripts of ours use to stay within the bounds.
pub(super) const BOUNDS: &str = include_str!("bounds.js");
/// The declaration of `written`, which writes a value as JSON text. It uses [`BOUNDS`].
pub(super) const WRITTEN: &str = include_str!("json.js");

/// Parses JSON text that a page wrote. Half a surrogate pair becomes the replacement character.
///
/// # Errors
/// When the text is not JSON, is longer than [`LONGEST_VALUE`], has too many values, or does not have the shape of `T`.
pub fn read<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    if json.len() > LONGEST_VALUE {
        let message = format!("too large: {} bytes, and at most {LONGEST_VALUE} are kept", json.len());
        return Err(serde_json::Error::custom(message));
    }
    let values = values(json);
    if values > MOST_VALUES {
        let message = format!("too large: {values} values, and at most {MOST_VALUES} are kept");
        return Err(serde_json::Error::custom(message));
    }
    serde_json::from_str(&well_formed(json))
}

/// The number of values in a JSON text, or slightly more.
fn values(json: &str) -> usize {
    let (mut values, mut in_text, mut bytes) = (1, false, json.bytes());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if in_text => drop(bytes.next()),
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_a_page_wrote_is_bounded_in_bytes_and_in_values() {
        let kept = |text: &str| read::<Value>(text).map(drop).map_err(|why| why.to_string());
        let text = |length: usize| format!("\"{}\"", ",".repeat(length));
        assert_eq!(kept(&text(LONGEST_VALUE - 2)), Ok(()), "a text is one value, whatever is in it");
        let refused = kept(&text(LONGEST_VALUE - 1)).expect_err("one byte more");
        assert!(refused.contains("16777217 bytes"), "{refused}");
        let list = |length: usize| format!("[{}0]", "0,".repeat(length - 1));
        assert_eq!(kept(&list(MOST_VALUES - 1)), Ok(()));
        let refused = kept(&list(MOST_VALUES)).expect_err("the list itself is a value too");
        assert!(refused.contains("500001 values"), "{refused}");
        assert_eq!(values(r#"{"a\",\"b": [",", 1]}"#), 4);
    }
}
