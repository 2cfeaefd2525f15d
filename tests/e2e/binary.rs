//! Where the binary is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary under test: `PLIMSOLL_BIN`, or the one beside this test, which is built first.
pub(crate) fn path() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("PLIMSOLL_BIN").map_or_else(built, PathBuf::from))
}

#[expect(clippy::disallowed_methods, reason = "cargo ends by itself and is waited for")]
fn built() -> PathBuf {
    // target/<profile>/deps/<this test>
    let this = std::env::current_exe().expect("this test is a file");
    let profile = this.ancestors().nth(2).expect("cargo's layout");
    let target = profile.parent().expect("cargo's layout");
    let name = match profile.file_name().and_then(|name| name.to_str()).expect("a plain name") {
        "debug" => "dev",
        other => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let build = Command::new(cargo)
        .args(["build", "--quiet", "--package", "plimsoll-cli", "--bin", "plimsoll", "--profile", name])
        .arg("--target-dir")
        .arg(target)
        .status();
    assert!(build.expect("cargo is there").success(), "the binary could not be built");
    profile.join("plimsoll")
}
