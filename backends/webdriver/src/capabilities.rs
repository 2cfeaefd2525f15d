//! The capabilities that are requested for a new session. Pure.
//!
//! Every session is requested not to wait for pages (`pageLoadStrategy: none`): the page itself is asked how far it has
//! loaded ([`crate::navigation`]). A remote end that waits accepts no other command meanwhile, not even the session's
//! end, and may wait for pages that no step has requested; and a session has one strategy, but its steps may need
//! several.
//!
//! The remote end answers a dialog as soon as a command meets it, and reports it, so no dialog can block a job.
//!
//! The capabilities from the settings are merged last, object by object, so they override the others.

use std::path::Path;

use plimsoll_core::page::LOOK;
use plimsoll_core::proxy::{Proxy, ProxyScheme};
use plimsoll_host::browser::BrowserKind;
use plimsoll_host::sandbox::Sandbox;
use plimsoll_host::shared_memory::SharedMemory;
use serde_json::{Map, Value, json};

use crate::settings::{Family, WebDriverSettings};

/// The arguments for Chromium besides those of chromedriver. As in the CDP driver: quiet, closed, never in the
/// background, cheap.
const CHROMIUM_ARGS: [&str; 12] = [
    "--mute-audio",
    "--hide-scrollbars",
    "--disable-quic",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--no-pings",
    "--disable-breakpad",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-gpu",
    "--num-raster-threads=1",
];

/// The directory for downloads: no file can be created there, so downloads fail.
const NOWHERE: &str = "/dev/null/refused";

/// The capabilities that are requested for every session of a driver.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SessionCapabilities {
    capabilities: Map<String, Value>,
    family: Family,
}

/// Where the browser of a session runs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// On this machine, with this browser.
    Local {
        /// The browser.
        binary: &'a Path,
        /// The kind of the browser, for Chromium.
        kind: Option<BrowserKind>,
        /// Where the browser keeps shared memory.
        shared_memory: SharedMemory,
    },
    /// At a remote end, with the path of the browser there, if it is set.
    Remote(Option<&'a Path>),
}

impl SessionCapabilities {
    /// The capabilities of sessions at this place.
    pub(crate) fn new(settings: &WebDriverSettings, place: Place<'_>) -> Self {
        let mut capabilities = Map::from_iter([
            ("pageLoadStrategy".to_owned(), json!("none")),
            ("timeouts".to_owned(), json!({ "script": LOOK.as_millis() as u64, "implicit": 0 })),
            (
                "unhandledPromptBehavior".to_owned(),
                json!({
                    "alert": "accept and notify",
                    "confirm": "dismiss and notify",
                    "prompt": "dismiss and notify",
                    "beforeUnload": "accept",
                }),
            ),
        ]);
        let (name, own) = match settings.family {
            Family::Chromium => ("chrome", chromium(settings, place)),
            Family::Firefox => ("firefox", firefox(settings, place)),
        };
        capabilities.insert("browserName".to_owned(), json!(name));
        capabilities.extend(own);
        merge(&mut capabilities, &settings.capabilities);
        Self { capabilities, family: settings.family }
    }

    /// The capabilities as they are sent for a session with this proxy.
    pub(crate) fn capabilities(&self, proxy: Option<&Proxy>) -> Map<String, Value> {
        let mut capabilities = self.capabilities.clone();
        if let Some(proxy) = proxy {
            let own = match self.family {
                Family::Chromium => chromium_proxy(proxy),
                Family::Firefox => firefox_proxy(proxy),
            };
            merge(&mut capabilities, &own);
        }
        capabilities
    }
}

fn chromium(settings: &WebDriverSettings, place: Place<'_>) -> Map<String, Value> {
    let mut args: Vec<String> = CHROMIUM_ARGS.map(str::to_owned).into();
    args.push(format!("--window-size={},{}", settings.window.width, settings.window.height));
    let mut options = Map::new();
    match place {
        Place::Local { binary, kind, shared_memory } => {
            let shell = kind == Some(BrowserKind::HeadlessShell);
            args.push(if shell { "--headless" } else { "--headless=new" }.to_owned());
            // No open port, and the browser ends with its chromedriver, for whatever reason that ended.
            args.push("--remote-debugging-pipe".to_owned());
            if shared_memory == SharedMemory::TemporaryDir {
                args.push("--disable-dev-shm-usage".to_owned());
            }
            options.insert("binary".to_owned(), json!(binary));
        }
        Place::Remote(binary) => {
            args.push("--headless=new".to_owned());
            options.extend(binary.map(|binary| ("binary".to_owned(), json!(binary))));
        }
    }
    if settings.sandbox == Sandbox::Off {
        args.push("--no-sandbox".to_owned());
    }
    args.extend(settings.extra_args.iter().cloned());
    options.insert("args".to_owned(), json!(args));
    // Only the page's events: dialogs, popups, downloads, and how far it has loaded.
    options.insert("perfLoggingPrefs".to_owned(), json!({ "enableNetwork": false, "enablePage": true }));
    Map::from_iter([
        ("goog:chromeOptions".to_owned(), Value::Object(options)),
        ("goog:loggingPrefs".to_owned(), json!({ "performance": "ALL" })),
    ])
}

fn firefox(settings: &WebDriverSettings, place: Place<'_>) -> Map<String, Value> {
    let mut args = vec!["-headless".to_owned()];
    args.extend(settings.extra_args.iter().cloned());
    let binary = match place {
        Place::Local { binary, .. } => Some(json!(binary)),
        Place::Remote(binary) => binary.map(|binary| json!(binary)),
    };
    let mut options = Map::from_iter([
        ("args".to_owned(), json!(args)),
        (
            "prefs".to_owned(),
            json!({
                "browser.download.folderList": 2,
                "browser.download.dir": NOWHERE,
                "browser.download.always_ask_before_handling_new_types": false,
                // No session is in the background.
                "dom.min_background_timeout_value": 4,
                // No process for a page that may never come. Measured with Firefox 153: a start takes a seventh less of a
                // processor.
                "dom.ipc.processPrelaunch.enabled": false,
                // Scrollbars would reduce the width of pages; the other driver's pages have none.
                "widget.gtk.overlay-scrollbars.enabled": true,
            }),
        ),
    ]);
    options.extend(binary.map(|binary| ("binary".to_owned(), binary)));
    if settings.sandbox == Sandbox::Off {
        options.insert("env".to_owned(), json!({ "MOZ_DISABLE_CONTENT_SANDBOX": "1" }));
    }
    let mut asked = Map::from_iter([("moz:firefoxOptions".to_owned(), Value::Object(options))]);
    if let Place::Remote(_) = place {
        // Frees a session that is stuck ([`crate::socket`]); on this machine its process can be killed.
        asked.insert("webSocketUrl".to_owned(), json!(true));
    }
    asked
}

/// Uses flags: the capability `proxy` cannot express requests to this machine's addresses, which Chromium would send
/// past the proxy.
fn chromium_proxy(proxy: &Proxy) -> Map<String, Value> {
    let server = format!("--proxy-server={}", proxy.server);
    let past = format!("--proxy-bypass-list={}", proxy.chromium_bypass());
    Map::from_iter([("goog:chromeOptions".to_owned(), json!({ "args": [server, past] }))])
}

fn firefox_proxy(proxy: &Proxy) -> Map<String, Value> {
    let site = proxy.site();
    let mut capability = match proxy.server.scheme {
        ProxyScheme::Http => json!({ "httpProxy": site, "sslProxy": site }),
        ProxyScheme::Socks5 => json!({ "socksProxy": site, "socksVersion": 5 }),
    };
    capability["proxyType"] = json!("manual");
    // In Firefox, a domain that includes its subdomains starts with a dot.
    let hosts = proxy.bypass.iter().map(|host| host.as_str().trim_start_matches('*'));
    capability["noProxy"] = hosts.collect();
    let prefs = json!({
        "network.proxy.allow_hijacking_localhost": true,
        "network.proxy.socks_remote_dns": true,
    });
    Map::from_iter([
        ("proxy".to_owned(), capability),
        ("moz:firefoxOptions".to_owned(), json!({ "prefs": prefs })),
    ])
}

/// Merges `above` into `below`, key by key: objects are merged, lists are appended, any other value is replaced.
fn merge(below: &mut Map<String, Value>, above: &Map<String, Value>) {
    for (key, value) in above {
        merge_value(below.entry(key).or_insert(Value::Null), value);
    }
}

fn merge_value(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => merge(below, above),
        (Value::Array(below), Value::Array(above)) => below.extend(above.iter().cloned()),
        (below, above) => *below = above.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(json: &Value) -> WebDriverSettings {
        let capabilities = json.as_object().cloned().unwrap_or_default();
        WebDriverSettings { capabilities, ..WebDriverSettings::default() }
    }

    fn here(kind: BrowserKind) -> Place<'static> {
        Place::Local { binary: Path::new("/b"), kind: Some(kind), shared_memory: SharedMemory::DevShm }
    }

    fn args(wanted: &SessionCapabilities) -> Vec<&str> {
        let args = wanted.capabilities["goog:chromeOptions"]["args"].as_array().expect("a list");
        args.iter().filter_map(Value::as_str).collect()
    }

    #[test]
    fn the_settings_capabilities_are_merged_in_and_win() {
        let settings = settings(&json!({
            "pageLoadStrategy": "eager",
            "se:name": "mine",
            "goog:chromeOptions": { "args": ["--lang=fr"], "prefs": { "a": 1 } },
        }));
        let wanted = SessionCapabilities::new(&settings, here(BrowserKind::HeadlessShell));
        assert_eq!(
            (&wanted.capabilities["pageLoadStrategy"], &wanted.capabilities["se:name"]),
            (&json!("eager"), &json!("mine"))
        );
        assert_eq!(wanted.capabilities["goog:chromeOptions"]["binary"], "/b");
        assert_eq!(wanted.capabilities["goog:chromeOptions"]["prefs"]["a"], 1);
        assert_eq!(args(&wanted).last(), Some(&"--lang=fr"));
        assert!(args(&wanted).contains(&"--headless"));
    }

    #[test]
    fn a_session_s_proxy_is_told_in_each_browser_s_words() {
        let read = |json: &str| serde_json::from_str::<Proxy>(json).expect("a proxy");
        let http = read(r#"{"server":"http://p:3128","bypass":["a","*.b"]}"#);
        let wanted = SessionCapabilities::new(&settings(&json!({})), here(BrowserKind::HeadlessShell));
        let asked = wanted.capabilities(Some(&http));
        let args = asked["goog:chromeOptions"]["args"].as_array().expect("a list");
        assert_eq!(
            args[args.len() - 2..],
            ["--proxy-server=http://p:3128", "--proxy-bypass-list=<-loopback>;a;*.b"]
        );
        assert_eq!(wanted.capabilities(None), wanted.capabilities);

        let firefox = WebDriverSettings { family: Family::Firefox, ..WebDriverSettings::default() };
        let wanted = SessionCapabilities::new(&firefox, Place::Remote(None));
        let manual = json!({"proxyType": "manual", "httpProxy": "p:3128", "sslProxy": "p:3128", "noProxy": ["a", ".b"]});
        assert_eq!(wanted.capabilities(Some(&http))["proxy"], manual);
        let socks = wanted.capabilities(Some(&read(r#"{"server":"socks5://p"}"#)));
        assert_eq!(
            socks["proxy"],
            json!({"proxyType": "manual", "socksProxy": "p:1080", "socksVersion": 5, "noProxy": []})
        );
        assert_eq!(socks["moz:firefoxOptions"]["prefs"]["network.proxy.socks_remote_dns"], true);
    }

    #[test]
    fn a_remote_browser_is_asked_for_no_pipe_and_no_file_of_ours() {
        let settings = settings(&json!({}));
        let wanted = SessionCapabilities::new(&settings, Place::Remote(None));
        assert!(!args(&wanted).contains(&"--remote-debugging-pipe"));
        assert_eq!(wanted.capabilities["goog:chromeOptions"].get("binary"), None);
        let full = SessionCapabilities::new(&settings, here(BrowserKind::Chromium));
        assert!(args(&full).contains(&"--headless=new") && args(&full).contains(&"--remote-debugging-pipe"));
        assert!(!args(&full).contains(&"--no-sandbox"));
    }

    #[test]
    fn firefox_is_asked_in_its_own_words() {
        let settings = WebDriverSettings { family: Family::Firefox, ..WebDriverSettings::default() };
        let wanted = SessionCapabilities::new(
            &settings,
            Place::Local { binary: Path::new("/f"), kind: None, shared_memory: SharedMemory::DevShm },
        );
        assert_eq!(wanted.capabilities["browserName"], "firefox");
        assert_eq!(wanted.capabilities["moz:firefoxOptions"]["binary"], "/f");
        assert!(!wanted.capabilities.contains_key("goog:chromeOptions"));
        assert!(!wanted.capabilities.contains_key("webSocketUrl"));
        let there = SessionCapabilities::new(&settings, Place::Remote(None));
        assert_eq!(there.capabilities["webSocketUrl"], true);
    }
}
