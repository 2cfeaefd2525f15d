//! Finding driver libraries: by directory, and by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A file with the name of a driver library. Its content is not checked yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The name in settings: `demo-driver` for `libdemo_driver.so`, `http` for `libplimsoll_http.so`.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// The default directories, in the order of search: beside this program, where `cargo xtask plugin build` installs,
/// and the system's directory.
#[must_use]
pub fn default_dirs() -> Vec<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program
        .as_deref()
        .and_then(Path::parent)
        .into_iter()
        .flat_map(|dir| [dir.join("plugins"), dir.join("../plugins"), dir.join("../lib/plimsoll")]);
    beside.chain(["/usr/local/lib/plimsoll".into(), "/usr/lib/plimsoll".into()]).collect()
}

/// Every library in `dirs`, by name; if a name occurs twice, the earlier directory counts. A missing directory counts
/// as empty.
#[must_use]
pub fn discover<P: AsRef<Path>>(dirs: &[P]) -> Vec<Found> {
    let mut found = BTreeMap::new();
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(dir.as_ref()).ok()).flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_file()) {
        if let Some(name) = name_of(&path) {
            found.entry(name).or_insert(path);
        }
    }
    found.into_iter().map(|(name, path)| Found { name, path }).collect()
}

/// The name in settings of the library at `path`; `None` if the file is not named like a driver library.
#[must_use]
pub fn name_of(path: &Path) -> Option<String> {
    let stem = path.file_name()?.to_str()?.strip_prefix("lib")?.strip_suffix(".so")?;
    let name = stem.strip_prefix("plimsoll_").unwrap_or(stem).replace('_', "-");
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_called_by_its_crate() {
        let name = |path: &str| name_of(Path::new(path));
        assert_eq!(name("/x/libdemo_driver.so").as_deref(), Some("demo-driver"));
        assert_eq!(name("libplimsoll_http.so").as_deref(), Some("http"));
        for other in ["/", "lib.so", "libx.so.1", "x.so", "libx.rlib", "libplimsoll_.so"] {
            assert_eq!(name(other), None, "{other}");
        }
    }

    #[test]
    fn the_earlier_directory_wins() {
        let dirs = [tempfile::tempdir(), tempfile::tempdir()].map(|dir| dir.expect("a directory"));
        for (dir, file) in [(0, "liba.so"), (1, "liba.so"), (1, "libb.so"), (1, "README")] {
            fs::write(dirs[dir].path().join(file), "").expect("writable");
        }
        let places = [Path::new("/nowhere"), dirs[0].path(), dirs[1].path()];
        let expected = [("a", dirs[0].path().join("liba.so")), ("b", dirs[1].path().join("libb.so"))];
        let expected = expected.map(|(name, path)| Found { name: name.to_owned(), path });
        assert_eq!(discover(&places), expected);
    }
}
