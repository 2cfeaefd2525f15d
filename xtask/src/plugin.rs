//! `cargo xtask plugin new NAME`: a driver crate from a template, in `plugins/NAME`. `cargo xtask plugin build`: every
//! driver crate in `plugins/`, built for release and laid where `plimsoll` looks for libraries.
//!
//! A driver crate is one whose manifest asks for a `cdylib`. Libraries are replaced, never written over: one that is
//! loaded by a running program stays as it was.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Failure;
use crate::program::{ProgramError, cargo, root, run as run_program, target};

/// What could not be done for a plugin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    /// A crate cannot be called so.
    #[error("`{name}` is no name for a driver: {why}")]
    Name { name: String, why: &'static str },
    /// There is something already.
    #[error("{} is there already; choose another name, or remove it", .0.display())]
    Exists(PathBuf),
    /// There is nothing to build.
    #[error("no driver crate in plugins/; `cargo xtask plugin new NAME` makes one")]
    None,
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The build failed.
    #[error(transparent)]
    Build(#[from] ProgramError),
}

const MANIFEST: &str = include_str!("plugin/template/Cargo.toml.in");
const SOURCE: &str = include_str!("plugin/template/lib.rs.in");
/// Drivers that need no library, and the crates that are no drivers.
const TAKEN: [&str; 6] = ["cdp", "webdriver", "sim", "abi", "sdk", "loader"];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    match args {
        [command, name] if command == "new" => Ok(new(name)?),
        [command] if command == "build" => Ok(build()?),
        _ => Err(Failure::Usage(
            "write `cargo xtask plugin new NAME` or `cargo xtask plugin build`".to_owned(),
        )),
    }
}

fn new(name: &str) -> Result<(), PluginError> {
    if let Some(why) = objection(name) {
        return Err(PluginError::Name { name: name.to_owned(), why });
    }
    let dir = root().join("plugins").join(name);
    if dir.exists() {
        return Err(PluginError::Exists(dir));
    }
    write(&dir.join("Cargo.toml"), &MANIFEST.replace("{{name}}", name))?;
    write(&dir.join("src/lib.rs"), &SOURCE.replace("{{name}}", name))?;
    eprintln!("made plugins/{name}; next: cargo xtask plugin build");
    Ok(())
}

/// Why a driver cannot be called so.
fn objection(name: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) || name.ends_with('-')
    {
        return Some("it begins with a small letter, and small letters, digits and `-` follow");
    }
    TAKEN.contains(&name).then_some("it is taken")
}

fn build() -> Result<(), PluginError> {
    let packages = packages()?;
    if packages.is_empty() {
        return Err(PluginError::None);
    }
    let named = packages.iter().flat_map(|package| ["--package", package.as_str()]);
    run_program(&mut cargo(["build", "--release"].into_iter().chain(named)))?;
    let dir = root().join(target()).join("plugins");
    make_dir(&dir)?;
    for package in packages {
        let file = format!("lib{}.so", package.replace('-', "_"));
        let (built, laid) = (root().join(target()).join("release").join(&file), dir.join(&file));
        let fresh = dir.join(format!(".{file}.new"));
        fs::copy(&built, &fresh).map_err(at(&built))?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).map_err(at(&fresh))?;
        fs::rename(&fresh, &laid).map_err(at(&laid))?;
        eprintln!("built {}", laid.display());
    }
    Ok(())
}

/// The packages of the driver crates, in the order of their directories.
fn packages() -> Result<Vec<String>, PluginError> {
    let plugins = root().join("plugins");
    let mut manifests: Vec<_> = fs::read_dir(&plugins)
        .map_err(at(&plugins))?
        .flatten()
        .map(|entry| entry.path().join("Cargo.toml"))
        .filter(|manifest| manifest.is_file())
        .collect();
    manifests.sort();
    let read = |path: PathBuf| fs::read_to_string(&path).map_err(at(&path));
    let texts = manifests.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(texts.iter().filter_map(|text| driver_package(text)).map(str::to_owned).collect())
}

/// The package's name, if its manifest asks for a library that can be loaded.
fn driver_package(manifest: &str) -> Option<&str> {
    let makes_library =
        manifest.lines().any(|line| line.starts_with("crate-type") && line.contains("\"cdylib\""));
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.filter(|_| makes_library)
}

/// A directory in which only its owner can lay libraries, or the loader would refuse what lies there.
fn make_dir(dir: &Path) -> Result<(), PluginError> {
    fs::create_dir_all(dir).map_err(at(dir))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).map_err(at(dir))
}

fn write(path: &Path, text: &str) -> Result<(), PluginError> {
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(at(path))?;
    fs::write(path, text).map_err(at(path))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PluginError {
    let path = path.to_owned();
    |source| PluginError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_no_crate_or_setting_could_bear_are_refused() {
        for good in ["demo", "demo-driver", "d2"] {
            assert_eq!(objection(good), None, "{good}");
        }
        for bad in ["", "Demo", "2d", "a_b", "a b", "../x", "-a", "a-", "cdp", "sdk"] {
            assert!(objection(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn driver_crates_are_known_by_what_they_build() {
        assert_eq!(driver_package(&MANIFEST.replace("{{name}}", "demo")), Some("demo"));
        assert!(packages().expect("there are plugins").contains(&"plimsoll-http".to_owned()));
        assert!(!packages().expect("there are plugins").contains(&"plimsoll-loader".to_owned()));
    }
}
