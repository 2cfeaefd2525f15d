//! Opens `report.html` in a browser: it renders without errors and shows how the run went.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};

use plimsoll_kit::nasty_site;
use plimsoll_kit::site::LOOPBACK;
use serde_json::json;

use crate::rig::Rig;

/// Records a page's errors, beginning before its first script.
const LISTENER: &str = "<script>window.complaints = [];\n\
    const complain = (...what) => complaints.push(what.join(' '));\n\
    addEventListener('error', e => complain(e.message), true);\n\
    addEventListener('unhandledrejection', e => complain(e.reason));\n\
    addEventListener('securitypolicyviolation', e => complain(e.violatedDirective, e.blockedURI));\n\
    console.error = console.warn = complain;</script>";

/// Answers every request with `page`, until the test process ends.
fn serve(page: String) -> SocketAddr {
    let listener = TcpListener::bind(LOOPBACK).expect("a port");
    let addr = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let head =
                BufReader::new(&connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            if head.count() > 0 {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
                // A disconnected browser is not a fault of the page.
                let _ = write!(connection, "{head}Content-Length: {}\r\n\r\n{page}", page.len());
            }
        }
    });
    addr
}

#[test]
fn a_report_draws_itself_without_complaint() {
    let (rig, site) = (Rig::new(), nasty_site::serve(LOOPBACK).expect("a port"));
    let good =
        (0..6).map(|n| json!({"id": format!("<b>{n}</b>"), "url": site.url("/alert"), "screenshot": "page"}));
    let bad = json!({"id": "</script><script>complain('injected')</script>", "url": site.url("/status/503")});
    rig.jobs(good.chain([bad]));
    rig.run(&["--concurrency", "3"]).expect(1);
    let page = std::fs::read_to_string(rig.path("out/report.html")).expect("a report was written");
    assert!(page.contains("<head>"));
    let addr = serve(page.replacen("<head>", &format!("<head>{LISTENER}"), 1));

    rig.jobs([json!({"id": "look", "url": format!("http://{addr}/"), "viewport": {"width": 1200, "height": 900}, "steps": [
        {"expect": {"selector": "#headline", "text": "6 of 7 jobs succeeded"}},
        {"evaluate": {"script": "complaints", "name": "complaints"}},
        {"extract": {
            "tiles": {"all": "#tiles dt"},
            "classes": "#classes",
            "slowest": {"all": "#slowest tr"},
            "pictures": {"all": "#pictures img", "attribute": "src"},
            "charts": {"all": "#charts svg", "attribute": "role"},
        }},
        {"screenshot": "full"},
    ]})]);
    let look = rig.run(&[]).expect(0).result("look");
    let data = &look["data"];
    assert_eq!(data["complaints"], json!([]));
    let length = |key: &str| data[key].as_array().map_or(0, Vec::len);
    assert!(length("tiles") >= 8 && length("charts") >= 1, "{data}");
    assert_eq!((length("slowest"), length("pictures")), (7, 6), "{data}");
    assert!(data["classes"].as_str().is_some_and(|classes| classes.contains("http_status")), "{data}");
    rig.assert_clean();
}
