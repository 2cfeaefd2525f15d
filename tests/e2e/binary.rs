//! Where the binary and the examples are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Set by `cargo xtask test` when it runs every test: the programs were built with this test then, and with the same
/// features of their dependencies. Building them for themselves would build half of the workspace a second time.
const BUILT: &str = "PLIMSOLL_BUILT";

/// The binary under test: `PLIMSOLL_BIN`, or the one beside this test, which is built first.
pub(crate) fn path() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    let built = || built(&["--package", "plimsoll-cli", "--bin", "plimsoll"]).join("plimsoll");
    BINARY.get_or_init(|| std::env::var_os("PLIMSOLL_BIN").map_or_else(built, PathBuf::from))
}

/// An example of the engine, which is built first.
pub(crate) fn example(name: &str) -> PathBuf {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    EXAMPLES.get_or_init(|| built(&["--package", "plimsoll", "--examples"]).join("examples")).join(name)
}

/// Builds `what` in the profile of this test, unless it was built with it, and returns the directory with the results.
#[expect(clippy::disallowed_methods, reason = "cargo ends by itself and is waited for")]
fn built(what: &[&str]) -> PathBuf {
    // target/<profile>/deps/<this test>
    let this = std::env::current_exe().expect("this test is a file");
    let profile = this.ancestors().nth(2).expect("cargo's layout");
    if std::env::var_os(BUILT).is_some() {
        return profile.to_owned();
    }
    let target = profile.parent().expect("cargo's layout");
    let name = match profile.file_name().and_then(|name| name.to_str()).expect("a plain name") {
        "debug" => "dev",
        other => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let build = Command::new(cargo)
        .args(["build", "--quiet", "--profile", name])
        .args(what)
        .arg("--target-dir")
        .arg(target)
        .status();
    assert!(build.expect("cargo is there").success(), "{what:?} could not be built");
    profile.to_owned()
}
