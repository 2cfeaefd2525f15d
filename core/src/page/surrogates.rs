//! JavaScript allows strings with half a surrogate pair; JSON writes that half as an escape (`"\ud83d"`) that no reader
//! accepts. Each half becomes the replacement character, as in `String.prototype.toWellFormed`.

use std::borrow::Cow;

/// The same JSON text with every unpaired surrogate replaced.
pub(super) fn well_formed(json: &str) -> Cow<'_, str> {
    let mut repaired = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = json.as_bytes()[at..].iter().position(|byte| *byte == b'\\') {
        let escape = at + found;
        // An escaped character is skipped, so the second of two backslashes starts no escape.
        at = escape + 2;
        match unit(json, escape) {
            Some(0xd800..0xdc00) if matches!(unit(json, escape + 6), Some(0xdc00..0xe000)) => {
                at = escape + 12;
            }
            Some(0xd800..0xe000) => {
                repaired.push_str(&json[kept..escape]);
                repaired.push_str("\\ufffd");
                at = escape + 6;
                kept = at;
            }
            _ => {}
        }
        if at >= json.len() {
            break;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    repaired.push_str(&json[kept..]);
    Cow::Owned(repaired)
}

/// The code unit that is escaped at this position.
fn unit(json: &str, at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::bounds::read;
    use super::*;

    #[test]
    fn halves_are_replaced_and_pairs_are_kept() {
        for (text, value) in [
            (r#""a\ud83db""#, json!("a\u{fffd}b")),
            (r#""\ud83d\udea2""#, json!("🚢")),
            (r#""\udea2\ud83d""#, json!("\u{fffd}\u{fffd}")),
            (r#""\ud83d\ud83d\udea2""#, json!("\u{fffd}🚢")),
            (r#"{"\udea2":["\\ud83d","\\\ud83d"]}"#, json!({"\u{fffd}": ["\\ud83d", "\\\u{fffd}"]})),
        ] {
            assert_eq!(read::<Value>(text).expect(text), value, "{text}");
        }
        assert!(read::<Value>("\"\\").is_err());
    }

    proptest! {
        /// Any code units that JavaScript can hold, as its own `JSON.stringify` may write them.
        #[test]
        fn any_string_is_read_as_its_well_formed_self(units: Vec<u16>) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            let read: String = read(&format!("\"{escaped}\"")).expect("JSON");
            prop_assert_eq!(read, String::from_utf16_lossy(&units));
        }

        #[test]
        fn text_is_left_as_it_is(text: String) {
            let json = serde_json::to_string(&text).expect("text");
            prop_assert!(matches!(well_formed(&json), Cow::Borrowed(_)));
        }
    }
}
