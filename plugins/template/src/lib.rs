//! The files of a new driver crate: [`NewDriver`].
//!
//! ```text
//!   name ──► checked ──┬─► in_workspace   for `plugins/` of this repository (`cargo xtask plugin new`)
//!                      └─► standalone     for a repository of its own (`plimsoll driver new`), with a workflow of GitHub
//!                             └──► write, into a directory that does not exist yet
//! ```
//!
//! Both kinds have the same driver with the same unit tests; only their manifests differ. A name that cargo, Plimsoll or
//! the file system could not take is refused before anything is written.

mod name;
mod write;

pub use name::{NameError, NewDriver};
pub use write::{NewFile, WriteError, write};

const SOURCE: &str = include_str!("text/lib.rs.in");
const FETCH: &str = include_str!("text/fetch.rs");

/// The crate that a standalone driver takes the interface from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sdk<'a> {
    /// crates.io, in the version of this program.
    Published,
    /// A directory on this machine: `plugins/sdk` of a checkout of Plimsoll.
    Directory(&'a str),
}

impl NewDriver {
    /// The files of a crate in `plugins/` of this repository, which inherits from the workspace.
    #[must_use]
    pub fn in_workspace(&self) -> Vec<NewFile> {
        vec![
            ("Cargo.toml", self.fill(include_str!("text/workspace.toml.in"))),
            ("src/lib.rs", self.fill(SOURCE)),
            ("src/fetch.rs", FETCH.to_owned()),
        ]
    }

    /// The files of a crate that stands in a repository of its own.
    #[must_use]
    pub fn standalone(&self, sdk: &Sdk<'_>) -> Vec<NewFile> {
        let version = env!("CARGO_PKG_VERSION");
        let sdk = match sdk {
            Sdk::Published => format!("\"{version}\""),
            Sdk::Directory(path) => format!("{{ version = \"{version}\", path = {} }}", quoted(path)),
        };
        let manifest = self.fill(include_str!("text/standalone.toml.in")).replace("{{sdk}}", &sdk);
        vec![
            ("Cargo.toml", manifest),
            ("src/lib.rs", self.fill(SOURCE)),
            ("src/fetch.rs", FETCH.to_owned()),
            ("README.md", self.fill(include_str!("text/README.md.in"))),
            (".gitignore", self.fill(include_str!("text/gitignore.in"))),
            (".github/workflows/ci.yml", self.fill(include_str!("text/ci.yml.in"))),
        ]
    }

    fn fill(&self, text: &str) -> String {
        text.replace("{{package}}", self.package())
            .replace("{{driver}}", self.driver())
            .replace("{{library}}", &self.library())
            .replace("{{version}}", env!("CARGO_PKG_VERSION"))
            .replace("{{rust}}", env!("CARGO_PKG_RUST_VERSION"))
            .replace("{{repository}}", env!("CARGO_PKG_REPOSITORY"))
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &[NewFile], path: &str) -> String {
        files.iter().find(|(name, _)| *name == path).expect("it is among the files").1.clone()
    }

    #[test]
    fn no_placeholder_is_left() {
        let new = NewDriver::parse("plimsoll-demo").expect("a good name");
        for (path, text) in [new.in_workspace(), new.standalone(&Sdk::Published)].concat() {
            // GitHub's own expressions would begin with a dollar.
            assert!(!text.contains("{{"), "{path}: {text}");
        }
    }

    #[test]
    fn both_kinds_hold_the_same_driver() {
        let new = NewDriver::parse("demo-driver").expect("a good name");
        let standalone = new.standalone(&Sdk::Published);
        assert_eq!(text(&standalone, "src/lib.rs"), text(&new.in_workspace(), "src/lib.rs"));
        assert!(
            text(&standalone, ".github/workflows/ci.yml")
                .contains("driver check target/release/libdemo_driver.so")
        );
    }

    #[test]
    fn a_standalone_crate_inherits_nothing_and_says_where_its_sdk_comes_from() {
        let new = NewDriver::parse("demo").expect("a good name");
        let manifest = |sdk: Sdk<'_>| text(&new.standalone(&sdk), "Cargo.toml");
        let version = env!("CARGO_PKG_VERSION");
        let published = manifest(Sdk::Published);
        assert!(published.contains(&format!("plimsoll-plugin = \"{version}\"\n")), "{published}");
        assert!(!published.contains("workspace = true"), "{published}");
        let local = manifest(Sdk::Directory("/a \"b\"/sdk"));
        let line = format!("plimsoll-plugin = {{ version = \"{version}\", path = \"/a \\\"b\\\"/sdk\" }}\n");
        assert!(local.contains(&line), "{local}");
    }
}
