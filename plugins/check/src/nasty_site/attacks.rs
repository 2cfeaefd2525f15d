//! Attacks: pages that want to cost others something, each with the job that meets it and the ways in which the job may end.
//!
//! ```text
//!   //: NAME [PATH] | STEPS | ENDS        in attacks/KIND.js; the lines below are the script of /attack/KIND/NAME
//! ```
//!
//! STEPS is a list as in a job, or `use` (some ordinary steps) or `wait` (a wait for what never comes). ENDS are the classes
//! that name what happened, or `succeeded`. An attack that is a response of the site names its PATH and has no script.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

/// The beginning of every page: what the scripts use.
const FRAME: &str = include_str!("attacks/frame.html");
/// The service worker that attacks install; its query says what it does.
const SERVICE: &str = include_str!("attacks/service.js");

/// The scripts of each kind of attack.
const KINDS: [(&str, &str); 9] = [
    ("memory", include_str!("attacks/memory.js")),
    ("answers", include_str!("attacks/answers.js")),
    ("exceptions", include_str!("attacks/exceptions.js")),
    ("loops", include_str!("attacks/loops.js")),
    ("workers", include_str!("attacks/workers.js")),
    ("windows", include_str!("attacks/windows.js")),
    ("floods", include_str!("attacks/floods.js")),
    ("graphics", include_str!("attacks/graphics.js")),
    ("traps", include_str!("attacks/traps.js")),
];

const MARK: &str = "//: ";

/// What stands for the address of the page in the steps.
const HERE: &str = "HERE";
/// Lets the page go on for a second, and asks it for a little of everything then.
const USE: &str = r##"[{"evaluate":"new Promise(done => setTimeout(() => done(1), 1000))"},{"extract":{"a":"#out"}},{"click":"#target"},{"screenshot":"page"},{"content":{}},{"get_cookies":{}}]"##;
const WAIT: &str = r##"[{"wait_for":"#never"}]"##;

/// One attack.
#[derive(Debug, Clone, Copy)]
pub struct Attack {
    /// What it attacks with: the name of a file.
    pub kind: &'static str,
    /// Its name, one of its kind.
    pub name: &'static str,
    /// The path of a response that is the attack; without one, the attack has a page of its own.
    response: Option<&'static str>,
    script: &'static str,
    steps: &'static str,
    ends: &'static str,
}

impl Attack {
    /// Every attack.
    ///
    /// # Panics
    /// When a file of attacks is not in the form that this module describes.
    #[must_use]
    pub fn all() -> Vec<Self> {
        KINDS
            .iter()
            .flat_map(|(kind, file)| file.split(MARK).skip(1).map(|text| Self::read(kind, text)))
            .collect()
    }

    /// The path of its page.
    #[must_use]
    pub fn path(&self) -> String {
        self.response.map_or_else(|| format!("/attack/{}/{}", self.kind, self.name), str::to_owned)
    }

    /// The steps of its job, as JSON, when the page has this address.
    #[must_use]
    pub fn steps(&self, address: &str) -> String {
        match self.steps {
            "use" => USE.to_owned(),
            "wait" => WAIT.to_owned(),
            steps => steps.replace(HERE, address),
        }
    }

    /// `succeeded` and the classes of failure that name what the attack does.
    pub fn ends(&self) -> impl Iterator<Item = &'static str> {
        self.ends.split_whitespace()
    }

    fn read(kind: &'static str, text: &'static str) -> Self {
        let (head, script) = text.split_once('\n').expect("a script below its head");
        let parts: Vec<_> = head.split(" | ").collect();
        let [who, steps, ends] = parts[..] else { panic!("an attack has three parts: {head}") };
        let (name, response) = who.split_once(' ').map_or((who, None), |(name, path)| (name, Some(path)));
        Self { kind, name, response, script, steps, ends }
    }

    fn page(&self) -> String {
        format!("{FRAME}{}</script>", self.script)
    }
}

pub(super) fn routes() -> Router {
    let service = get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], SERVICE) });
    let own = Attack::all().into_iter().filter(|attack| attack.response.is_none());
    own.fold(Router::new().route("/attack/service.js", service), |router, attack| {
        router.route(&attack.path(), get(move || async move { Html(attack.page()) }))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use plimsoll_core::outcome::FailureClass;
    use plimsoll_core::step::Step;

    use super::*;
    use crate::nasty_site::serve;
    use crate::plain_client;
    use crate::site::LOOPBACK;

    #[test]
    fn every_attack_has_a_page_and_steps_and_ends_that_exist() {
        let site = serve(LOOPBACK).unwrap();
        let attacks = Attack::all();
        assert!(attacks.len() >= 100, "{}", attacks.len());
        let paths: BTreeSet<_> = attacks.iter().map(|attack| (attack.kind, attack.name)).collect();
        assert_eq!(paths.len(), attacks.len(), "two attacks have one name");
        for attack in attacks {
            let steps: Result<Vec<Step>, _> = serde_json::from_str(&attack.steps("http://h/"));
            assert!(steps.is_ok(), "{attack:?}: {steps:?}");
            assert!(attack.ends().count() > 0, "{attack:?}");
            for end in attack.ends() {
                let known = end == "succeeded" || FailureClass::ALL.iter().any(|class| class.name() == end);
                assert!(known, "{attack:?}: {end}");
            }
            if attack.response.is_none() {
                assert_eq!(plain_client::get(&site, &attack.path()).status, 200, "{attack:?}");
            }
        }
    }
}
