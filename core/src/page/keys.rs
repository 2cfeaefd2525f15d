//! Keys by name: the events of each key of a US keyboard, and chords (`Control+A`).
//!
//! Key names are the values of DOM's `KeyboardEvent.key`. A character that is not on a US keyboard has no key and is
//! inserted as text.

/// The data of one key press while its modifiers are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// `KeyboardEvent.key`.
    pub name: &'static str,
    /// `KeyboardEvent.code`.
    pub code: &'static str,
    /// The Windows virtual key code, which Chromium's editing uses.
    pub virtual_code: u16,
    /// The text that the key types.
    pub text: Option<&'static str>,
}

/// `Delete`, which empties a selection.
pub const DELETE: Key = named("Delete", 46);
/// `End`, which moves the caret after the text of a field.
pub const END: Key = named("End", 35);

/// A key that is held while another is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Modifier {
    /// `Alt`.
    Alt,
    /// `Control`.
    Control,
    /// `Meta`.
    Meta,
    /// `Shift`.
    Shift,
}

/// A key and the modifiers that are held while it is pressed, in the order in which they are pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chord {
    /// The modifiers.
    pub held: Vec<Modifier>,
    /// The key.
    pub key: Key,
}

/// One input of a keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stroke {
    /// A key or a chord.
    Keys(Chord),
    /// A character without a key, which is inserted as text.
    Text(char),
}

/// A text that names no key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no key; write a character, a name of KeyboardEvent.key such as Enter, Tab, ArrowDown or F5, or a chord \
     of Control, Shift, Alt and Meta with one of them, such as Control+A"
)]
pub struct UnknownKey(String);

impl Stroke {
    /// Parses `Enter`, `a`, `Control+A`, `Shift++`.
    ///
    /// # Errors
    /// If a name is unknown.
    pub fn parse(text: &str) -> Result<Self, UnknownKey> {
        let unknown = || UnknownKey(text.to_owned());
        // If nothing follows the last `+`, that `+` is a key and not a separator.
        let (held, last) = match text.strip_suffix('+') {
            Some("") => ("", "+"),
            Some(before) => (before.strip_suffix('+').ok_or_else(unknown)?, "+"),
            None => text.rsplit_once('+').unwrap_or(("", text)),
        };
        let held: Option<Vec<_>> =
            held.split('+').filter(|name| !name.is_empty()).map(Modifier::find).collect();
        let held = held.ok_or_else(unknown)?;

        let mut characters = last.chars();
        let key = match (characters.next(), characters.next()) {
            (Some(character), None) => match Self::of(character) {
                Self::Keys(Chord { key, .. }) => key,
                text if held.is_empty() => return Ok(text),
                Self::Text(_) => return Err(unknown()),
            },
            _ => NAMED.into_iter().find(|key| key.name == last).ok_or_else(unknown)?,
        };
        Ok(Self::Keys(Chord { key: key.with(&held), held }))
    }

    /// Returns the input that types this character.
    #[must_use]
    pub fn of(character: char) -> Self {
        let name = if character == '\n' { '\r' } else { character };
        let types = |key: &Key| key.text.is_some_and(|text| text.chars().eq([name]));
        let tab = (character == '\t').then(|| named("Tab", 9));
        let found = tab.or_else(|| NAMED.into_iter().find(types)).or_else(|| printable().find(types));
        found.map_or(Self::Text(character), |key| Self::Keys(Chord::from(key)))
    }
}

impl From<Key> for Chord {
    /// A chord of this key without modifiers.
    fn from(key: Key) -> Self {
        Self { held: Vec::new(), key }
    }
}

impl Key {
    /// The same key while modifiers are held: Shift selects its other character, and a command key types nothing.
    fn with(self, held: &[Modifier]) -> Self {
        if held.is_empty() {
            return self;
        }
        let shifted = held.contains(&Modifier::Shift);
        let mut faces = printable().filter(|face| face.code == self.code);
        let face = if shifted { faces.nth(1) } else { faces.next() };
        let key = face.unwrap_or(self);
        let command = held.iter().any(|modifier| *modifier != Modifier::Shift);
        Self { text: key.text.filter(|_| !command), ..key }
    }

    /// `KeyboardEvent.location`: 1 for the left key of a pair.
    pub fn location(self) -> i64 {
        i64::from(self.code.ends_with("Left") && self.code != "ArrowLeft" && self.code != "BracketLeft")
    }
}

impl Modifier {
    const ALL: [Self; 4] = [Self::Alt, Self::Control, Self::Meta, Self::Shift];

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|modifier| modifier.key().name == name)
    }

    /// The modifier's bit in the protocol's `modifiers` field.
    pub const fn mask(self) -> i64 {
        match self {
            Self::Alt => 1,
            Self::Control => 2,
            Self::Meta => 4,
            Self::Shift => 8,
        }
    }

    /// The key of this modifier: the left key of the pair.
    pub const fn key(self) -> Key {
        match self {
            Self::Alt => Key { code: "AltLeft", ..named("Alt", 18) },
            Self::Control => Key { code: "ControlLeft", ..named("Control", 17) },
            Self::Meta => Key { code: "MetaLeft", ..named("Meta", 91) },
            Self::Shift => Key { code: "ShiftLeft", ..named("Shift", 16) },
        }
    }
}

/// A key that types nothing and has the same `code` as its name.
const fn named(name: &'static str, virtual_code: u16) -> Key {
    Key { name, code: name, virtual_code, text: None }
}

#[rustfmt::skip]
const NAMED: [Key; 36] = [
    Key { text: Some("\r"), ..named("Enter", 13) }, named("Tab", 9), named("Escape", 27), named("Backspace", 8), DELETE,
    Key { name: " ", code: "Space", virtual_code: 32, text: Some(" ") },
    named("ArrowLeft", 37), named("ArrowUp", 38), named("ArrowRight", 39), named("ArrowDown", 40),
    named("Home", 36), END, named("PageUp", 33), named("PageDown", 34), named("Insert", 45),
    named("CapsLock", 20), named("NumLock", 144), named("ScrollLock", 145), named("Pause", 19), named("ContextMenu", 93),
    Modifier::Alt.key(), Modifier::Control.key(), Modifier::Meta.key(), Modifier::Shift.key(),
    named("F1", 112), named("F2", 113), named("F3", 114), named("F4", 115), named("F5", 116), named("F6", 117),
    named("F7", 118), named("F8", 119), named("F9", 120), named("F10", 121), named("F11", 122), named("F12", 123),
];

/// `code`, virtual key code, the character without Shift and the character with Shift.
#[rustfmt::skip]
const PRINTABLE: [(&str, u16, [&str; 2]); 47] = [
    ("KeyA", 65, ["a", "A"]), ("KeyB", 66, ["b", "B"]), ("KeyC", 67, ["c", "C"]), ("KeyD", 68, ["d", "D"]),
    ("KeyE", 69, ["e", "E"]), ("KeyF", 70, ["f", "F"]), ("KeyG", 71, ["g", "G"]), ("KeyH", 72, ["h", "H"]),
    ("KeyI", 73, ["i", "I"]), ("KeyJ", 74, ["j", "J"]), ("KeyK", 75, ["k", "K"]), ("KeyL", 76, ["l", "L"]),
    ("KeyM", 77, ["m", "M"]), ("KeyN", 78, ["n", "N"]), ("KeyO", 79, ["o", "O"]), ("KeyP", 80, ["p", "P"]),
    ("KeyQ", 81, ["q", "Q"]), ("KeyR", 82, ["r", "R"]), ("KeyS", 83, ["s", "S"]), ("KeyT", 84, ["t", "T"]),
    ("KeyU", 85, ["u", "U"]), ("KeyV", 86, ["v", "V"]), ("KeyW", 87, ["w", "W"]), ("KeyX", 88, ["x", "X"]),
    ("KeyY", 89, ["y", "Y"]), ("KeyZ", 90, ["z", "Z"]),
    ("Digit1", 49, ["1", "!"]), ("Digit2", 50, ["2", "@"]), ("Digit3", 51, ["3", "#"]), ("Digit4", 52, ["4", "$"]),
    ("Digit5", 53, ["5", "%"]), ("Digit6", 54, ["6", "^"]), ("Digit7", 55, ["7", "&"]), ("Digit8", 56, ["8", "*"]),
    ("Digit9", 57, ["9", "("]), ("Digit0", 48, ["0", ")"]),
    ("Minus", 189, ["-", "_"]), ("Equal", 187, ["=", "+"]), ("BracketLeft", 219, ["[", "{"]),
    ("BracketRight", 221, ["]", "}"]), ("Backslash", 220, ["\\", "|"]), ("Semicolon", 186, [";", ":"]),
    ("Quote", 222, ["'", "\""]), ("Backquote", 192, ["`", "~"]), ("Comma", 188, [",", "<"]),
    ("Period", 190, [".", ">"]), ("Slash", 191, ["/", "?"]),
];

/// All printable keys: for each, the key without Shift and then with Shift.
fn printable() -> impl Iterator<Item = Key> {
    PRINTABLE.into_iter().flat_map(|(code, virtual_code, faces)| {
        faces.map(|face| Key { name: face, code, virtual_code, text: Some(face) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> (Vec<Modifier>, Key) {
        match Stroke::parse(text) {
            Ok(Stroke::Keys(Chord { held, key })) => (held, key),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_character_or_a_name_is_a_key() {
        for (text, name, code, types) in [
            ("a", "a", "KeyA", Some("a")),
            ("A", "A", "KeyA", Some("A")),
            ("+", "+", "Equal", Some("+")),
            (" ", " ", "Space", Some(" ")),
            ("Enter", "Enter", "Enter", Some("\r")),
            ("ArrowLeft", "ArrowLeft", "ArrowLeft", None),
            ("Shift", "Shift", "ShiftLeft", None),
        ] {
            let (held, key) = key(text);
            assert_eq!((held.len(), key.name, key.code, key.text), (0, name, code, types), "{text}");
        }
        assert_eq!(Stroke::parse("ß"), Ok(Stroke::Text('ß')));
        assert_eq!(Stroke::of('\n'), Stroke::Keys(key("Enter").1.into()));
        assert_eq!(Stroke::of('\t'), Stroke::Keys(key("Tab").1.into()));
    }

    #[test]
    fn modifiers_change_what_a_key_is_and_types() {
        for (text, held, name, types) in [
            ("Control+A", 1, "a", None),
            ("Control+Shift+a", 2, "A", None),
            ("Shift+1", 1, "!", Some("!")),
            ("Shift+a", 1, "A", Some("A")),
            ("Shift+Tab", 1, "Tab", None),
            ("Control++", 1, "=", None),
            ("Control+Enter", 1, "Enter", None),
            ("Shift+Enter", 1, "Enter", Some("\r")),
        ] {
            let (modifiers, key) = key(text);
            assert_eq!((modifiers.len(), key.name, key.text), (held, name, types), "{text}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "enter", "Control+", "Ctrl+A", "A+Control", "Control+ß", "Foo", "a+"] {
            assert!(Stroke::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_printable_character_of_ascii_has_its_key() {
        for character in (b' '..=b'~').map(char::from) {
            let Stroke::Keys(Chord { key, .. }) = Stroke::of(character) else {
                panic!("{character:?} has no key")
            };
            assert_eq!(key.text.map(str::to_owned), Some(character.to_string()));
        }
    }
}
