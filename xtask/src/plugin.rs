//! `cargo xtask plugin new NAME` makes a driver crate from a template, in `plugins/NAME`. `cargo xtask plugin build` builds
//! every driver crate in `plugins/` for release and installs the libraries where `plimsoll` looks for them.
//!
//! A driver crate is a crate whose manifest asks for a `cdylib`. A library is replaced by a rename, so a running program
//! keeps the file that it has loaded.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::program::{ProgramError, cargo, root, run as run_program, target};

/// Why a plugin could not be made or built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    /// The arguments are not a command.
    #[error("write `cargo xtask plugin new NAME` or `cargo xtask plugin build`")]
    Usage,
    /// The name is not valid for a driver crate.
    #[error("`{name}` is not a valid name for a driver: {why}")]
    Name { name: String, why: &'static str },
    /// The directory exists already.
    #[error("{} exists already; choose another name, or remove it", .0.display())]
    Exists(PathBuf),
    /// There is no driver crate.
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
/// Names of built-in drivers, and of crates that are not drivers.
const TAKEN: [&str; 6] = ["cdp", "webdriver", "sim", "abi", "sdk", "loader"];

pub(crate) fn run(args: &[String]) -> Result<(), PluginError> {
    match args {
        [command, name] if command == "new" => new(name),
        [command] if command == "build" => build(),
        _ => Err(PluginError::Usage),
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

/// Why a name is not valid for a driver.
fn objection(name: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(plain) || name.ends_with('-')
    {
        return Some(
            "it must begin with a lower-case letter and hold only lower-case letters, digits and `-`",
        );
    }
    TAKEN.contains(&name).then_some("the name is reserved")
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

/// The package's name, if its manifest requests a `cdylib`.
fn driver_package(manifest: &str) -> Option<&str> {
    let makes_library =
        manifest.lines().any(|line| line.starts_with("crate-type") && line.contains("\"cdylib\""));
    let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    name.filter(|_| makes_library)
}

/// Makes a directory that only its owner can write to; the loader refuses libraries in any other.
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
    fn names_that_are_not_valid_for_a_crate_or_a_setting_are_refused() {
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
