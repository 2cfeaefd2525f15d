//! Fonts that browsers find. Their `HOME` is the profile directory, so fonts in a user's home do not count.

use std::fs;
use std::path::{Path, PathBuf};

/// The directories that fontconfig searches by default.
const PLACES: [&str; 2] = ["usr/share/fonts", "usr/local/share/fonts"];
const SUFFIXES: [&str; 5] = ["ttf", "otf", "ttc", "pfb", "woff2"];
/// The most directories and files that are counted; a desktop has thousands, and an exact count is not needed.
const MOST: usize = 20_000;

/// Font files below the usual places of the system whose files begin at `root`.
pub(super) fn count(root: &Path) -> usize {
    let mut waiting: Vec<PathBuf> = PLACES.iter().map(|place| root.join(place)).collect();
    let (mut fonts, mut looked) = (0, 0);
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
            looked += 1;
            if looked > MOST {
                return fonts;
            }
            let path = entry.path();
            let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
            } else if suffix.is_some_and(|suffix| SUFFIXES.contains(&suffix.as_str())) {
                fonts += 1;
            }
        }
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fonts_are_found_in_depth_and_links_lead_nowhere() {
        let root = tempfile::tempdir().expect("a directory");
        assert_eq!(count(root.path()), 0, "no directory, no fonts");
        let dir = root.path().join(PLACES[0]).join("truetype/dejavu");
        fs::create_dir_all(&dir).expect("writable");
        for name in ["Sans.ttf", "Mono.OTF", "fonts.dir", "ttf"] {
            fs::write(dir.join(name), "").expect("writable");
        }
        std::os::unix::fs::symlink(root.path(), dir.join("loop")).expect("writable");
        assert_eq!(count(root.path()), 2);
    }
}
