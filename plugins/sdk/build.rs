//! Records the compiler's version, which the library's table then states.
#![expect(
    clippy::disallowed_methods,
    reason = "a build script asks the compiler, whose process ends by itself"
)]

use std::process::Command;

fn main() {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version =
        Command::new(rustc).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=PLIMSOLL_RUSTC={}", version.trim());
}
