//! `profiles`: where browsers keep their files.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where browsers keep their files.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileSettings {
    /// The directory under which profile directories are created and removed. Without it: a directory in the system's
    /// temporary directory.
    #[schemars(example = &"/var/tmp/plimsoll")]
    pub root: Option<PathBuf>,
}
