//! A cookie as browsers report it. The DevTools protocol and WebDriver use nearly the same field names.

use serde::Deserialize;

use crate::step::{Cookie, SameSite};

/// A cookie as either protocol writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedCookie {
    name: String,
    value: String,
    domain: String,
    path: String,
    /// WebDriver calls this field `expiry` and omits it for a session cookie.
    #[serde(alias = "expiry")]
    expires: Option<f64>,
    #[serde(default)]
    http_only: bool,
    #[serde(default)]
    secure: bool,
    /// Only DevTools sends this field. If it is true, `expires` is meaningless.
    #[serde(default)]
    session: bool,
    same_site: Option<String>,
}

impl From<ReportedCookie> for Cookie {
    fn from(reported: ReportedCookie) -> Self {
        Self {
            name: reported.name,
            value: reported.value,
            url: None,
            domain: Some(reported.domain),
            path: Some(reported.path),
            expires: reported.expires.filter(|_| !reported.session),
            http_only: reported.http_only,
            secure: reported.secure,
            same_site: reported.same_site.and_then(|name| match name.as_str() {
                "Strict" => Some(SameSite::Strict),
                "Lax" => Some(SameSite::Lax),
                // Browsers accept `None` over TLS only. Firefox reports `None` also if the attribute is missing.
                "None" if reported.secure => Some(SameSite::None),
                _ => None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Cookie {
        serde_json::from_str::<ReportedCookie>(json).expect("a cookie").into()
    }

    #[test]
    fn only_a_secure_cookie_keeps_the_same_site_none() {
        let cookie = |secure| {
            read(&format!(
                r#"{{"name":"a","value":"b","domain":"h","path":"/","secure":{secure},"sameSite":"None"}}"#
            ))
        };
        assert_eq!(cookie(false).same_site, None);
        assert_eq!(cookie(true).same_site, Some(SameSite::None));
    }

    #[test]
    fn a_cookie_is_read_in_the_words_of_each_protocol() {
        let devtools = read(
            r#"{"name":"a","value":"b","domain":"h","path":"/","expires":-1,"session":true,"httpOnly":true,
                "secure":false,"sameSite":"Lax","size":2}"#,
        );
        assert_eq!((devtools.expires, devtools.http_only), (None, true));
        assert_eq!(devtools.same_site, Some(SameSite::Lax));
        let webdriver =
            read(r#"{"name":"a","value":"b","domain":"h","path":"/","expiry":12,"sameSite":"None"}"#);
        assert_eq!((webdriver.expires, webdriver.same_site), (Some(12.0), None));
    }
}
