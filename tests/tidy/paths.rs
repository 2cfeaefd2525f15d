//! The paths that README.md, ARCHITECTURE.md and CONTRIBUTING.md name exist.

use crate::files::{files, report, root};

const PAGES: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
/// A path begins with a folder of the repository.
const FOLDERS: [&str; 7] = ["core/", "backends/", "plugins/", "cli/", "tests/", "docs/", "xtask/"];

#[test]
fn every_path_in_the_documentation_exists() {
    let pages = files(|path| PAGES.contains(&path));
    let faults = pages.iter().flat_map(|(page, text)| {
        let paths = text.split('`').skip(1).step_by(2).filter(|word| is_path(word));
        let links = text.split("](").skip(1).filter_map(|link| link.split([')', '#']).next());
        let links = links.filter(|link| !link.is_empty() && !link.contains("://"));
        let missing = paths.chain(links).filter(|path| !root().join(path).exists());
        missing.map(move |path| format!("{page}: `{path}`")).collect::<Vec<_>>()
    });
    report("a reader follows these paths to find where things happen", faults);
}

/// A crate's own `tests/it/` is relative to the crate.
fn is_path(word: &str) -> bool {
    FOLDERS.iter().any(|folder| word.starts_with(folder))
        && !word.contains(' ')
        && !word.starts_with("tests/it")
}
