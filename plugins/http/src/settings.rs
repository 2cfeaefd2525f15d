//! The driver's settings, as they stand below `[driver.plugin.http.config]`.

use hyper::header::HeaderValue;
use plimsoll_core::units::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// How pages are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// What the driver calls itself in every request; by default Plimsoll's name and version, and that it is this driver.
    pub user_agent: String,
    /// The greatest size of a page's body after decompression, in bytes; 16 MiB by default.
    pub max_body: Bytes,
    /// The greatest number of redirects to one page; 20 by default, as in browsers.
    pub redirects: u32,
}

impl Default for HttpSettings {
    fn default() -> Self {
        let user_agent = concat!("Plimsoll/", env!("CARGO_PKG_VERSION"), " (+http driver)").to_owned();
        Self { user_agent, max_body: Bytes::mib(16), redirects: 20 }
    }
}

/// Why settings are not valid.
#[derive(Debug, thiserror::Error)]
pub enum HttpSettingsError {
    /// A key is unknown or its value of another type.
    #[error("settings of the http driver: {0}")]
    Shape(String),
    /// The value cannot be sent in a header.
    #[error("`user_agent` has characters that a header cannot carry; use printable ASCII")]
    UserAgent,
    /// The limit on a page's size is outside its useful range.
    #[error("`max_body` is {0}; give pages 1 KiB to 256 MiB")]
    MaxBody(Bytes),
    /// The limit on redirects is too high.
    #[error("`redirects` is {0}; at most 100 are followed")]
    Redirects(u32),
}

impl HttpSettings {
    /// Reads settings as a plugin gets them; `null` means no settings.
    ///
    /// # Errors
    /// When a key is unknown, or its value cannot be used.
    pub fn read(config: Value) -> Result<Self, HttpSettingsError> {
        if config.is_null() {
            return Ok(Self::default());
        }
        let settings = serde_json::from_value::<Self>(config);
        let settings = settings.map_err(|why| HttpSettingsError::Shape(why.to_string()))?;
        HeaderValue::from_str(&settings.user_agent).map_err(|_| HttpSettingsError::UserAgent)?;
        if !(Bytes::kib(1)..=Bytes::mib(256)).contains(&settings.max_body) {
            return Err(HttpSettingsError::MaxBody(settings.max_body));
        }
        if settings.redirects > 100 {
            return Err(HttpSettingsError::Redirects(settings.redirects));
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_used_is_refused_with_its_remedy() {
        assert_eq!(HttpSettings::read(Value::Null).ok(), Some(HttpSettings::default()));
        assert_eq!(HttpSettings::read(json!({"redirects": 3})).map(|s| s.redirects).ok(), Some(3));
        for (config, words) in [
            (json!({"max_bodi": 1}), "unknown field `max_bodi`"),
            (json!({"max_body": "many"}), "invalid type"),
            (json!({"max_body": 10}), "1 KiB to 256 MiB"),
            (json!({"redirects": 101}), "at most 100"),
            (json!({"user_agent": "a\nb"}), "printable ASCII"),
        ] {
            let error = HttpSettings::read(config).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
