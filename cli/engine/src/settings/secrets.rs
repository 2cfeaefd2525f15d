//! `secrets`: where the secrets are that jobs name.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the secrets are that jobs name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsSettings {
    /// The directory in which the file `NAME`, of mode 0600, has the value of `{{secret:NAME}}` in a job, unless the
    /// environment variable `PLIMSOLL_SECRET_NAME` has it.
    #[schemars(example = &"/run/secrets")]
    pub dir: Option<PathBuf>,
}
