//! The cookies of one context.

use std::time::Duration;

use cookie_store::{CookieDomain, CookieError, CookieExpiration, CookieStore};
use hyper::HeaderMap;
use hyper::header::{HeaderValue, SET_COOKIE};
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::step::{Cookie, SameSite};
use url::Url;

/// The greatest length of a cookie's name and value together, as in browsers.
const LONGEST: usize = 4096;
/// The greatest number of cookies in a context; browsers keep some thousand.
const MOST: usize = 1000;

/// The last second of the year 9999, in seconds of the Unix epoch.
const LATEST: f64 = 253_402_300_799.0;

/// Cookies, kept and sent by the rules of RFC 6265. There is no list of public suffixes: a site may set a cookie for
/// all of `co.uk`, but the cookie stays within its context.
#[derive(Debug, Default)]
pub(crate) struct Jar(CookieStore);

impl Jar {
    /// Stores the cookies of a response from `url`. Invalid cookies are ignored, as in browsers.
    pub(crate) fn keep(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = String::from_utf8_lossy(header.as_bytes());
            let Ok(cookie) = cookie_store::Cookie::parse(text.into_owned(), url) else { continue };
            // A cookie must not cover a whole top-level domain.
            let anybodys = matches!(&cookie.domain, CookieDomain::Suffix(name) if !name.contains('.'))
                && !cookie.domain.host_is_identical(url);
            if !anybodys && cookie.name().len() + cookie.value().len() <= LONGEST && self.has_room() {
                // An expired cookie deletes the stored cookie; a refused cookie changes nothing.
                drop(self.0.insert(cookie, url));
            }
        }
    }

    /// The `Cookie` header of a request for `url`: longer paths first.
    pub(crate) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let mut cookies = self.0.matches(url);
        cookies.sort_by_key(|cookie| std::cmp::Reverse(String::from(&cookie.path).len()));
        let pairs: Vec<_> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        HeaderValue::from_bytes(pairs.join("; ").as_bytes()).ok().filter(|header| !header.is_empty())
    }

    /// The cookies of all hosts.
    pub(crate) fn all(&self) -> Vec<Cookie> {
        self.0.iter_unexpired().map(found).collect()
    }

    /// Sets cookies. A cookie with neither URL nor domain gets the host of `here`.
    pub(crate) fn set(&mut self, cookies: &[Cookie], here: Option<&Url>) -> Result<(), Fault> {
        for cookie in cookies {
            self.set_one(cookie, here).map_err(|why| {
                let message = format!("cookie `{}` cannot be set: {why}", cookie.name);
                Fault::persistent(FailureClass::Script, message)
            })?;
        }
        Ok(())
    }

    fn set_one(&mut self, cookie: &Cookie, here: Option<&Url>) -> Result<(), String> {
        let (url, header) = written(cookie, here)?;
        let mut made = cookie_store::Cookie::parse(header, &url).map_err(|why| why.to_string())?;
        if let (Some(expires), CookieExpiration::AtUtc(epoch)) = (cookie.expires, CookieExpiration::from(0)) {
            let since_epoch = Duration::try_from_secs_f64(expires.min(LATEST)).unwrap_or_default();
            made.expires = CookieExpiration::AtUtc(epoch + since_epoch);
        }
        if !self.has_room() {
            return Err(format!("there are {MOST} already"));
        }
        match self.0.insert(made, &url) {
            Ok(_) | Err(CookieError::Expired) => Ok(()),
            Err(why) => Err(why.to_string()),
        }
    }

    fn has_room(&self) -> bool {
        self.0.iter_any().count() < MOST
    }
}

/// A cookie as a header would set it, and the URL of that header's response. A domain with a leading dot covers all
/// hosts below it, a domain without it covers that host only, as in the DevTools protocol.
fn written(cookie: &Cookie, here: Option<&Url>) -> Result<(Url, String), String> {
    let Cookie { name, value, url, domain, path, .. } = cookie;
    let parts = [name, value].into_iter().chain(path).chain(domain);
    if name.is_empty() || name.contains('=') || parts.flat_map(|part| part.bytes()).any(ends_cookie) {
        return Err("a character in it would end it".to_owned());
    }
    if name.len() + value.len() > LONGEST {
        return Err(format!("its name and value are longer than {LONGEST} bytes"));
    }
    let all_below = domain.as_deref().and_then(|domain| domain.strip_prefix('.'));
    let from = match (url, all_below.or(domain.as_deref()), here) {
        (Some(url), _, _) => Url::parse(url).map_err(|why| format!("its url is no URL: {why}"))?,
        (None, Some(host), _) => {
            let scheme = if cookie.secure { "https" } else { "http" };
            Url::parse(&format!("{scheme}://{host}/"))
                .map_err(|why| format!("its domain is no host: {why}"))?
        }
        (None, None, Some(here)) => here.clone(),
        (None, None, None) => {
            return Err("it names no host and no page is open yet; give it a `url` or a `domain`".to_owned());
        }
    };
    let mut header = format!("{name}={value}");
    header += &all_below.map(|host| format!("; Domain={host}")).unwrap_or_default();
    header += &path.as_deref().map(|path| format!("; Path={path}")).unwrap_or_default();
    header += if cookie.secure { "; Secure" } else { "" };
    header += if cookie.http_only { "; HttpOnly" } else { "" };
    header += match cookie.same_site {
        Some(SameSite::Strict) => "; SameSite=Strict",
        Some(SameSite::Lax) => "; SameSite=Lax",
        Some(SameSite::None) => "; SameSite=None",
        None => "",
    };
    Ok((from, header))
}

const fn ends_cookie(byte: u8) -> bool {
    byte == b';' || byte.is_ascii_control()
}

fn found(cookie: &cookie_store::Cookie<'static>) -> Cookie {
    Cookie {
        name: cookie.name().to_owned(),
        value: cookie.value().to_owned(),
        url: None,
        domain: match &cookie.domain {
            CookieDomain::HostOnly(host) => Some(host.clone()),
            CookieDomain::Suffix(host) => Some(format!(".{host}")),
            CookieDomain::NotPresent | CookieDomain::Empty => None,
        },
        path: Some(String::from(&cookie.path)),
        expires: match cookie.expires {
            CookieExpiration::AtUtc(at) => Some(at.unix_timestamp() as f64),
            CookieExpiration::SessionEnd => None,
        },
        http_only: cookie.http_only().unwrap_or(false),
        secure: cookie.secure().unwrap_or(false),
        same_site: cookie.same_site().map(|same_site| {
            if same_site.is_strict() {
                SameSite::Strict
            } else if same_site.is_lax() {
                SameSite::Lax
            } else {
                SameSite::None
            }
        }),
    }
}
