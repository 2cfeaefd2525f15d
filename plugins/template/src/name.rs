//! The name of a new driver: [`NewDriver`].

/// A driver crate that does not exist yet, with a name that is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDriver {
    package: String,
}

/// The reason why a name is not valid for a driver crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a valid name for a driver: {why}")]
pub struct NameError {
    /// The name.
    pub name: String,
    /// The rule that it breaks.
    pub why: &'static str,
}

/// The longest name, in bytes. The names of files and settings are made from it.
const LONGEST: usize = 64;
/// Drivers that Plimsoll has, which a library of the same name would hide or never be found behind.
const DRIVERS: [&str; 4] = ["cdp", "webdriver", "sim", "http"];
/// Names that cargo refuses or cannot build beside its own files, and crates that every program links.
const CARGO: [&str; 10] =
    ["alloc", "build", "core", "deps", "examples", "incremental", "proc-macro", "proc_macro", "std", "test"];
/// Rust's words, which cannot be the name of a crate.
#[rustfmt::skip]
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

impl NewDriver {
    /// Checks a name.
    ///
    /// # Errors
    /// When a crate, a library or a driver cannot have this name.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let new = Self { package: name.to_owned() };
        match new.objection() {
            None => Ok(new),
            Some(why) => Err(NameError { name: name.chars().take(LONGEST).collect(), why }),
        }
    }

    /// The name of the package.
    #[must_use]
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The name that selects the driver in the settings: Plimsoll takes it from the library's file name.
    #[must_use]
    pub fn driver(&self) -> &str {
        self.package.strip_prefix("plimsoll-").unwrap_or(&self.package)
    }

    /// The name of the library: `libNAME.so`.
    #[must_use]
    pub fn library(&self) -> String {
        self.package.replace('-', "_")
    }

    /// Whether a crate of this name would be confused with the package `other`: cargo tells packages apart by their
    /// names, and libraries by their names with `_` for `-`.
    #[must_use]
    pub fn is_confused_with(&self, other: &str) -> bool {
        self.library() == other.replace('-', "_")
    }

    fn objection(&self) -> Option<&'static str> {
        let (name, driver) = (self.package(), self.driver());
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let begins = |name: &str| name.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins(name) || !begins(driver) || !name.chars().all(plain) || name.ends_with('-') {
            Some("it must begin with a lower-case letter and hold only lower-case letters, digits and `-`")
        } else if name.len() > LONGEST {
            Some("it must have at most 64 characters")
        } else if DRIVERS.contains(&driver) {
            Some("Plimsoll has a driver of this name")
        } else if CARGO.contains(&name) || KEYWORDS.contains(&name) {
            Some("it is a word of Rust's or cargo's own")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_valid_for_a_crate_or_a_setting_are_refused() {
        for good in ["demo", "demo-driver", "d2", "plimsoll-demo"] {
            assert!(NewDriver::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in [
            "",
            "Demo",
            "2d",
            "a_b",
            "a b",
            "../x",
            "-a",
            "a-",
            "é",
            "cdp",
            "http",
            "plimsoll-http",
            "plimsoll-",
            "plimsoll-2",
            "fn",
            "core",
            "test",
            &long,
        ] {
            assert!(NewDriver::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_driver_is_called_by_its_library() {
        let new = NewDriver::parse("plimsoll-my-driver").expect("a good name");
        assert_eq!((new.driver(), new.library().as_str()), ("my-driver", "plimsoll_my_driver"));
        assert!(new.is_confused_with("plimsoll-my-driver") && new.is_confused_with("plimsoll_my_driver"));
        assert!(!new.is_confused_with("my-driver"));
    }
}
