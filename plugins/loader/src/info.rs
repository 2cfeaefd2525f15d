//! The description of a library and of its driver.

use std::path::PathBuf;

use plimsoll_core::capability::Capabilities;
use serde::{Deserialize, Serialize};

/// A library's own description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryInfo {
    /// The name of its package.
    pub name: String,
    /// The version of its package.
    pub version: String,
    /// The version of the interface it was built for: `major.minor`.
    pub abi: String,
    /// The version of the SDK it was built with.
    pub sdk: String,
    /// The compiler it was built with.
    pub rustc: String,
    /// The library's file.
    pub path: PathBuf,
}

/// A library, and the driver that was made from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginInfo {
    /// The library.
    #[serde(flatten)]
    pub library: LibraryInfo,
    /// The driver's own name.
    pub driver: String,
    /// The capabilities of its contexts.
    pub capabilities: Capabilities,
}
