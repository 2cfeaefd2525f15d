//! Responses that repeat the request: headers, cookies, a posted form.

use std::collections::BTreeMap;

use axum::extract::{Form, Path, Query};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};

/// One address of each kind, for the index.
pub(super) const EXAMPLES: [&str; 5] =
    ["/cookies", "/cookies/set/berth/seven", "/headers", "/sandboxed", "/shown?html=<p>Ahoy"];

pub(super) fn routes() -> Router {
    Router::new()
        .route("/cookies", get(cookies))
        .route("/cookies/set/{name}/{value}", get(set_cookie))
        .route("/headers", get(headers))
        .route("/form-posted", post(form_posted))
        .route("/shown", get(shown))
        .route("/sandboxed", get(sandboxed))
}

/// A page with the query's `html` as its body, so that a test can write its page where it uses it.
async fn shown(Query(query): Query<BTreeMap<String, String>>) -> Html<String> {
    let body = query.get("html").map_or("", String::as_str);
    Html(format!("<!doctype html><meta charset=utf-8><title>Shown</title>{body}"))
}

/// A page whose policy lets no script run.
async fn sandboxed() -> impl IntoResponse {
    let page = "<!doctype html><title>Sandboxed</title><h1>Sandboxed</h1><input id=i>\
        <details><summary>More</summary><p id=inside>inside</p></details><p id=low style='margin-top: 3000px'>low";
    ([(header::CONTENT_SECURITY_POLICY, "sandbox")], Html(page))
}

/// The `Cookie` header as it came, in `#out`; `none` without one.
async fn cookies(headers: HeaderMap) -> Html<String> {
    let sent =
        headers.get(header::COOKIE).map_or_else(|| "none".into(), |c| String::from_utf8_lossy(c.as_bytes()));
    Html(format!("<!doctype html><title>Cookies</title><pre id=out>{}</pre>", escaped(&sent)))
}

/// Sets a cookie for the whole site.
async fn set_cookie(Path((name, value)): Path<(String, String)>) -> Response {
    match HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age=3600")) {
        Ok(cookie) => {
            let page = format!("<!doctype html><title>Cookie set</title><p id=out>{}</p>", escaped(&name));
            ([(header::SET_COOKIE, cookie)], Html(page)).into_response()
        }
        Err(_) => (StatusCode::BAD_REQUEST, "not a cookie").into_response(),
    }
}

/// The request's headers as one JSON object; a header sent twice shows its last value.
async fn headers(headers: HeaderMap) -> Json<BTreeMap<String, String>> {
    let pairs = headers.iter();
    Json(pairs.map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect())
}

/// Shows a greeting with the value of the posted field `name`.
async fn form_posted(Form(fields): Form<BTreeMap<String, String>>) -> Html<String> {
    let name = escaped(fields.get("name").map_or("stranger", String::as_str));
    Html(format!("<!doctype html><title>Thanks</title><p id=out>Thank you, {name}</p>"))
}

/// `text`, escaped for HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use crate::nasty_site::serve;
    use crate::plain_client;
    use crate::site::LOOPBACK;

    #[test]
    fn headers_and_cookies_come_back() {
        let site = serve(LOOPBACK).unwrap();
        let headers = plain_client::get_with(&site, "/headers", "X-Berth: 7\r\n").body;
        let headers: serde_json::Value = serde_json::from_str(&headers).unwrap();
        assert_eq!(headers["x-berth"], "7");
        let cookies = plain_client::get_with(&site, "/cookies", "Cookie: a=1; b=<2>\r\n").body;
        assert!(cookies.contains("a=1; b=&lt;2&gt;"), "{cookies}");
        assert!(plain_client::get(&site, "/cookies").body.contains(">none<"));
        let set = plain_client::get(&site, "/cookies/set/berth/seven").head;
        assert!(set.contains("set-cookie: berth=seven; path=/"), "{set}");
        assert_eq!(plain_client::get(&site, "/cookies/set/a/b%0d%0aX:1").status, 400, "no header splitting");
    }

    #[test]
    fn a_page_is_shown_as_it_was_written() {
        let site = serve(LOOPBACK).unwrap();
        let page = plain_client::get(&site, "/shown?html=%3Cp+id%3Da%3EGr%C3%BC%C3%9Fe").body;
        assert!(page.ends_with("<title>Shown</title><p id=a>Grüße"), "{page}");
    }

    #[test]
    fn a_posted_form_is_answered_by_name() {
        let site = serve(LOOPBACK).unwrap();
        let page = plain_client::post(&site, "/form-posted", "name=Ada+%3Cb%3E").body;
        assert!(page.contains("Thank you, Ada &lt;b&gt;"), "{page}");
    }
}
