//! `plimsoll driver new`: makes a driver crate for a repository of its own.

use std::path::PathBuf;

use plimsoll_template::{NewDriver, Sdk, WriteError};

use crate::args::NewDriverArgs;
use crate::failure::{Exit, Failure};
use crate::progress::say;

/// Makes the crate.
///
/// # Errors
/// When the name is not valid, or the crate could not be written.
pub fn new(args: &NewDriverArgs) -> Result<Exit, Failure> {
    let new = NewDriver::parse(&args.name).map_err(Failure::usage)?;
    let dir = args.dir.clone().unwrap_or_else(|| PathBuf::from(new.package()));
    let sdk = args.sdk.as_deref().map(std::fs::canonicalize).transpose();
    let sdk = sdk.map_err(|why| Failure::usage(format!("--sdk: {why}")))?;
    if sdk.as_ref().is_some_and(|sdk| !sdk.join("Cargo.toml").is_file()) {
        return Err(Failure::usage(
            "--sdk: there is no crate; name the directory `plugins/sdk` of a checkout",
        ));
    }
    let sdk = sdk.map(|sdk| sdk.to_string_lossy().into_owned());
    let files = new.standalone(&sdk.as_deref().map_or(Sdk::Published, Sdk::Directory));
    plimsoll_template::write(&files, &dir).map_err(|error| match error {
        WriteError::Exists(_) => Failure::usage(error),
        WriteError::File { .. } => Failure::environment(error),
    })?;
    let (dir, library) = (dir.display(), new.library());
    say(&format!(
        "made {dir}; next: cd {dir} && cargo build --release && plimsoll driver check target/release/lib{library}.so"
    ));
    Ok(Exit::Success)
}
