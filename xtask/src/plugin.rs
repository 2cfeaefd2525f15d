//! `cargo xtask plugin new NAME` makes a driver crate from a template, in `plugins/NAME`. `cargo xtask plugin build` builds
//! every driver crate in `plugins/`, or the one that is named, for release and installs the libraries where `plimsoll`
//! looks for them. `cargo xtask plugin check NAME` builds one and runs `plimsoll driver check` on it.
//!
//! A driver crate is a crate whose manifest asks for a `cdylib`. A new crate must not have the name of a package that
//! cargo knows in this workspace, since cargo could no longer tell the two apart. A library is replaced by a rename, so a
//! running program keeps the file that it has loaded.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use plimsoll_template::{NameError, NewDriver, WriteError};
use serde_json::Value;

use crate::program::{ProgramError, cargo, output, root, run as run_program, target};

/// Why a plugin could not be made or built.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    /// The arguments are not a command.
    #[error(
        "write `cargo xtask plugin new NAME` or `cargo xtask plugin build [NAME]` or `cargo xtask plugin check NAME`"
    )]
    Usage,
    /// The name is not valid for a driver crate.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The name is that of a package of this workspace, or of one that it depends on.
    #[error("`{name}` is not a valid name for a driver: the workspace has the package `{package}` already")]
    Taken { name: String, package: String },
    /// The crate could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// There is no driver crate.
    #[error("no driver crate in plugins/; `cargo xtask plugin new NAME` makes one")]
    None,
    /// There is no driver crate of this name.
    #[error("no driver crate `{name}` in plugins/; there are: {}", known.join(", "))]
    Unknown { name: String, known: Vec<String> },
    /// cargo's list of packages could not be read.
    #[error("cannot read the output of `cargo metadata`: {0}")]
    Metadata(#[from] serde_json::Error),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// The build failed.
    #[error(transparent)]
    Build(#[from] ProgramError),
}

pub(crate) fn run(args: &[String]) -> Result<(), PluginError> {
    match args {
        [command, name] if command == "new" => new(name),
        [command] if command == "build" => build(&driver_packages()?),
        [command, name] if command == "build" => build(&[named(name, driver_packages()?)?]),
        [command, name] if command == "check" => check(&named(name, driver_packages()?)?),
        _ => Err(PluginError::Usage),
    }
}

/// Builds a driver and checks it; a check that fails ends with its exit code.
fn check(package: &str) -> Result<(), PluginError> {
    build(&[package.to_owned()])?;
    let library = library_dir().join(library_file(package));
    let program = ["run", "--quiet", "--release", "--package", "plimsoll-cli", "--bin", "plimsoll", "--"];
    let mut check = cargo(program);
    check.args(["driver", "check"]).arg(library);
    Ok(run_program(&mut check)?)
}

fn new(name: &str) -> Result<(), PluginError> {
    let new = NewDriver::parse(name)?;
    let metadata = output(&mut cargo(["metadata", "--format-version", "1"]))?;
    if let Some(package) = packages(&metadata)?.into_iter().find(|package| new.is_confused_with(package)) {
        return Err(PluginError::Taken { name: name.to_owned(), package });
    }
    plimsoll_template::write(&new.in_workspace(), &root().join("plugins").join(name))?;
    eprintln!("made plugins/{name}; next: cargo xtask plugin build {name}");
    Ok(())
}

/// The names of all packages in the output of `cargo metadata`: those of the workspace and those that it depends on.
fn packages(metadata: &[u8]) -> Result<Vec<String>, PluginError> {
    let metadata: Value = serde_json::from_slice(metadata)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    Ok(packages.filter_map(|package| package["name"].as_str()).map(str::to_owned).collect())
}

/// The driver package of this name.
fn named(name: &str, known: Vec<String>) -> Result<String, PluginError> {
    // `plugins/http` holds the package `plimsoll-http`.
    let is_meant = |package: &&String| *package == name || package.strip_prefix("plimsoll-") == Some(name);
    let found = known.iter().find(is_meant).cloned();
    found.ok_or_else(|| PluginError::Unknown { name: name.to_owned(), known })
}

fn build(packages: &[String]) -> Result<(), PluginError> {
    if packages.is_empty() {
        return Err(PluginError::None);
    }
    let named = packages.iter().flat_map(|package| ["--package", package.as_str()]);
    run_program(&mut cargo(["build", "--release"].into_iter().chain(named)))?;
    let dir = library_dir();
    make_dir(&dir)?;
    for package in packages {
        let file = library_file(package);
        let (built, laid) = (root().join(target()).join("release").join(&file), dir.join(&file));
        let fresh = dir.join(format!(".{file}.new"));
        fs::copy(&built, &fresh).map_err(at(&built))?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755)).map_err(at(&fresh))?;
        fs::rename(&fresh, &laid).map_err(at(&laid))?;
        eprintln!("built {}", laid.display());
    }
    Ok(())
}

/// Where `plimsoll` looks for libraries.
fn library_dir() -> PathBuf {
    root().join(target()).join("plugins")
}

/// The file name of a package's library.
fn library_file(package: &str) -> String {
    format!("lib{}.so", package.replace('-', "_"))
}

/// The packages of the driver crates, in the order of their directories.
fn driver_packages() -> Result<Vec<String>, PluginError> {
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

fn at(path: &Path) -> impl FnOnce(io::Error) -> PluginError {
    let path = path.to_owned();
    |source| PluginError::File { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driver_crates_are_known_by_what_they_build() {
        let new = NewDriver::parse("demo").expect("a good name").in_workspace();
        assert_eq!(driver_package(&new[0].1), Some("demo"));
        let packages = driver_packages().expect("there are plugins");
        assert!(packages.contains(&"plimsoll-http".to_owned()));
        assert!(!packages.contains(&"plimsoll-loader".to_owned()));
        assert_eq!(named("http", packages.clone()).ok(), Some("plimsoll-http".to_owned()));
        assert!(matches!(named("loader", packages), Err(PluginError::Unknown { .. })));
    }

    #[test]
    fn a_name_of_a_package_that_cargo_knows_is_refused() {
        for taken in ["tokio", "xtask", "plimsoll-plugin-abi", "serde-json"] {
            let made = new(taken);
            assert!(matches!(made, Err(PluginError::Taken { .. })), "{taken}: {made:?}");
        }
        assert!(matches!(new("cdp"), Err(PluginError::Name(_))));
        assert!(matches!(new("loader"), Err(PluginError::Write(WriteError::Exists(_)))));
    }
}
