//! The cookies of a context: in Chromium all of them, in Firefox those of the page that is open.

use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::page::ReportedCookie;
use plimsoll_core::runtime::budget::Budget;
use plimsoll_core::step::{Cookie, SameSite};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::call::{CallError, Code};
use crate::settings::Family;
use crate::tab::Tab;

/// Every cookie that the browser reports.
pub(super) async fn get(tab: &Tab, budget: Budget) -> Result<Vec<Cookie>, Fault> {
    #[derive(Deserialize)]
    struct All {
        cookies: Vec<ReportedCookie>,
    }
    let found: Vec<ReportedCookie> = match tab.family() {
        Family::Chromium => {
            let all =
                tab.session().devtools::<All>("Network.getAllCookies", json!({}), budget.left()).await?;
            all.cookies
        }
        Family::Firefox => tab.session().get("cookie", budget.left()).await?,
    };
    Ok(found.into_iter().map(Into::into).collect())
}

/// Sets cookies in the context; `here` is the URL for a cookie that names no host.
pub(super) async fn set(
    tab: &Tab,
    cookies: &[Cookie],
    here: Option<&str>,
    budget: Budget,
) -> Result<(), Fault> {
    match tab.family() {
        Family::Chromium => store(tab, cookies, here, budget).await.map_err(refused),
        Family::Firefox => {
            for cookie in cookies {
                let body = json!({ "cookie": in_webdriver(cookie) });
                let added = tab.session().post::<Value>("cookie", &body, budget.left()).await;
                added.map_err(|error| match error.code() {
                    Some(Code::InvalidCookieDomain) => {
                        let message = format!(
                            "cookie `{}` is not for the page that is open; WebDriver sets no other in Firefox",
                            cookie.name
                        );
                        Fault::persistent(FailureClass::Script, message)
                    }
                    _ => refused(error),
                })?;
            }
            Ok(())
        }
    }
}

/// Stores cookies in Chromium; `here` is the URL for a cookie that names no host.
pub(crate) async fn store(
    tab: &Tab,
    cookies: &[Cookie],
    here: Option<&str>,
    budget: Budget,
) -> Result<(), CallError> {
    let params: Vec<Value> = cookies.iter().map(|cookie| in_devtools(cookie, here)).collect();
    let set = json!({ "cookies": params });
    tab.session().devtools::<Value>("Network.setCookies", set, budget.left()).await.map(drop)
}

/// A cookie that the browser refuses would be refused again.
fn refused(error: CallError) -> Fault {
    match error {
        CallError::Refused { code, message, .. } if code.is_of_the_job() => Fault::persistent(
            FailureClass::Script,
            format!("the browser does not accept the cookies: {message}"),
        ),
        error => error.into(),
    }
}

/// A cookie in the format of the DevTools protocol.
fn in_devtools(cookie: &Cookie, here: Option<&str>) -> Value {
    let url = cookie.url.as_deref().or_else(|| here.filter(|_| cookie.is_homeless()));
    let words = [
        ("name", Some(json!(cookie.name))),
        ("value", Some(json!(cookie.value))),
        ("url", url.map(|url| json!(url))),
        ("domain", cookie.domain.as_ref().map(|domain| json!(domain))),
        ("path", cookie.path.as_ref().map(|path| json!(path))),
        ("expires", cookie.expires.map(|expires| json!(expires))),
        ("secure", Some(json!(cookie.secure))),
        ("httpOnly", Some(json!(cookie.http_only))),
        ("sameSite", cookie.same_site.map(|same_site| json!(name(same_site)))),
    ];
    written(words)
}

/// A cookie in WebDriver's format. A URL is replaced by its host.
fn in_webdriver(cookie: &Cookie) -> Value {
    let url = cookie.url.as_deref().and_then(|url| url::Url::parse(url).ok());
    let host = url.as_ref().and_then(|url| url.host_str()).map(|host| json!(host));
    let words = [
        ("name", Some(json!(cookie.name))),
        ("value", Some(json!(cookie.value))),
        ("domain", cookie.domain.as_ref().map(|domain| json!(domain)).or(host)),
        ("path", cookie.path.as_ref().map(|path| json!(path))),
        ("expiry", cookie.expires.map(|expires| json!(expires.round() as i64))),
        ("secure", Some(json!(cookie.secure))),
        ("httpOnly", Some(json!(cookie.http_only))),
        // Firefox accepts `None` over TLS only.
        (
            "sameSite",
            cookie
                .same_site
                .filter(|same_site| *same_site != SameSite::None || cookie.secure)
                .map(|same_site| json!(name(same_site))),
        ),
    ];
    written(words)
}

fn written<const N: usize>(words: [(&str, Option<Value>); N]) -> Value {
    words
        .into_iter()
        .filter_map(|(word, value)| Some((word.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}

const fn name(same_site: SameSite) -> &'static str {
    match same_site {
        SameSite::Strict => "Strict",
        SameSite::Lax => "Lax",
        SameSite::None => "None",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_written_in_the_words_of_each_protocol() {
        let cookie = |json: &str| serde_json::from_str::<Cookie>(json).expect("a cookie");
        let berth = cookie(r#"{"name":"berth","value":"7","same_site":"lax","expires":12.4}"#);
        let devtools = in_devtools(&berth, Some("http://a/"));
        assert_eq!((&devtools["url"], &devtools["sameSite"]), (&json!("http://a/"), &json!("Lax")));
        let webdriver = in_webdriver(&berth);
        assert_eq!((&webdriver["expiry"], webdriver.get("domain")), (&json!(12), None));
        let elsewhere = cookie(r#"{"name":"a","value":"b","url":"http://far/x"}"#);
        assert_eq!(in_webdriver(&elsewhere)["domain"], "far");
        assert_eq!(in_devtools(&elsewhere, Some("http://a/"))["url"], "http://far/x");
    }
}
