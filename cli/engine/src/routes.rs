//! [`Routes`]: which driver a job goes to, and which driver is next when the job fails there.
//!
//! ```text
//!   the job's own `driver` ─► first rule whose pattern matches its URL ─► the default
//!   failed(class) on one driver ─► the fall-back for that driver and class, unless the job has been there
//! ```
//!
//! A job that names its driver is pinned to it: it neither follows rules nor falls back. When a driver cannot do what a
//! job needs and its failures of class `unsupported` fall back, the job goes to the fall-back at once. This module is
//! pure: it maps a job to a driver.

use plimsoll_core::capability::Capabilities;
use plimsoll_core::job::Job;
use plimsoll_core::outcome::FailureClass;
use wildmatch::WildMatch;

use crate::settings::Settings;

/// Where jobs go.
#[derive(Debug, Clone)]
pub struct Routes {
    drivers: Vec<String>,
    /// What each driver can do: everything, until [`Routes::set_capabilities`] is called.
    capabilities: Vec<Capabilities>,
    rules: Vec<(WildMatch, DriverIndex)>,
    fallbacks: Vec<Fallback>,
}

/// A driver's place in [`Routes::drivers`]; 0 is the default.
pub type DriverIndex = usize;

/// A rule by which a job that failed on one driver goes to another.
#[derive(Debug, Clone)]
struct Fallback {
    from: DriverIndex,
    classes: Vec<FailureClass>,
    to: DriverIndex,
}

impl Routes {
    /// Routes every job to one driver.
    #[must_use]
    pub fn to(default: &str) -> Self {
        let (drivers, capabilities) = (vec![default.to_owned()], vec![Capabilities::all()]);
        Self { drivers, capabilities, rules: Vec::new(), fallbacks: Vec::new() }
    }

    /// The routes that the settings describe.
    #[must_use]
    pub fn drawn(settings: &Settings) -> Self {
        Self::drawn_to(settings.default_driver(), settings)
    }

    /// The routes that the settings describe, with another default driver.
    #[must_use]
    pub fn drawn_to(default: &str, settings: &Settings) -> Self {
        let route = &settings.route;
        let mut routes = Self::to(default);
        for rule in &route.rules {
            routes.add_rule(&rule.pattern, &rule.driver);
        }
        for way in &route.fallback {
            routes.add_fallback(&way.driver, way.classes.iter().copied().collect(), &way.to);
        }
        routes
    }

    /// Adds a rule after the existing rules: URLs that match `pattern` (`*` for anything, `?` for one character) go to
    /// `driver`.
    pub fn add_rule(&mut self, pattern: &str, driver: &str) {
        let driver = self.add(driver);
        self.rules.push((WildMatch::new(pattern), driver));
    }

    /// Adds a fall-back: jobs that fail on `from` with one of `classes` go to `to`.
    pub fn add_fallback(&mut self, from: &str, classes: Vec<FailureClass>, to: &str) {
        let (from, to) = (self.add(from), self.add(to));
        self.fallbacks.push(Fallback { from, classes, to });
    }

    /// Adds a driver unless it is known already, and returns its place.
    pub fn add(&mut self, driver: &str) -> DriverIndex {
        self.drivers.iter().position(|known| known == driver).unwrap_or_else(|| {
            self.drivers.push(driver.to_owned());
            self.capabilities.push(Capabilities::all());
            self.drivers.len() - 1
        })
    }

    /// Every driver that a job may go to, the default first.
    #[must_use]
    pub fn drivers(&self) -> &[String] {
        &self.drivers
    }

    /// Sets what a driver can do.
    pub fn set_capabilities(&mut self, driver: DriverIndex, capabilities: Capabilities) {
        self.capabilities[driver] = capabilities;
    }

    /// The driver for a job. The driver can do what the job needs, unless no driver can. A job that names an unknown driver
    /// goes to the default driver; call [`Routes::add`] first.
    #[must_use]
    pub fn choose(&self, job: &Job) -> DriverIndex {
        if let Some(named) = &job.driver {
            return self.drivers.iter().position(|known| known == named).unwrap_or_default();
        }
        let url = job.first_page().map(ToString::to_string).unwrap_or_default();
        let rule = self.rules.iter().find(|(pattern, _)| pattern.matches(&url));
        let mut driver = rule.map_or(0, |(_, driver)| *driver);
        // Each driver is tried at most once, because fall-backs may form a cycle.
        for _ in 0..self.drivers.len() {
            match self.fallback(job, driver, FailureClass::Unsupported) {
                Some(next) if !self.lacks(driver, job).is_empty() => driver = next,
                _ => break,
            }
        }
        driver
    }

    /// The capabilities that a job needs and a driver lacks.
    #[must_use]
    pub fn lacks(&self, driver: DriverIndex, job: &Job) -> Capabilities {
        self.capabilities[driver].missing(&job.needs())
    }

    /// The driver that a job goes to next after it failed on `from` with `class`.
    #[must_use]
    pub fn fallback(&self, job: &Job, from: DriverIndex, class: FailureClass) -> Option<DriverIndex> {
        let fallbacks = self.fallbacks.iter().filter(|_| job.driver.is_none());
        fallbacks.into_iter().find(|f| f.from == from && f.classes.contains(&class)).map(|f| f.to)
    }

    /// The drivers from which jobs may still fall back to `to`, directly or through other drivers, when no new jobs come.
    #[must_use]
    pub fn upstream(&self, to: DriverIndex) -> Vec<DriverIndex> {
        let mut upstream = Vec::new();
        let mut reached = vec![to];
        while let Some(driver) = reached.pop() {
            for fallback in self.fallbacks.iter().filter(|f| f.to == driver && f.from != to) {
                if !upstream.contains(&fallback.from) {
                    upstream.push(fallback.from);
                    reached.push(fallback.from);
                }
            }
        }
        upstream
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_core::capability::Capability;
    use plimsoll_core::id::JobId;
    use plimsoll_core::job::JobKeys;

    use super::*;

    fn job(json: &str) -> Job {
        let keys: JobKeys = serde_json::from_str(json).expect("a job");
        keys.into_job(|| JobId::try_from("1".to_owned()).expect("a plain id"))
            .expect("a job that makes sense")
    }

    fn routes() -> Routes {
        let mut routes = Routes::to("cdp");
        routes.add_rule("*.pdf", "cdp");
        routes.add_rule("http://cheap/*", "http");
        routes.add_fallback("http", vec![FailureClass::Unsupported, FailureClass::Script], "cdp");
        routes
    }

    #[test]
    fn the_jobs_own_driver_comes_before_the_first_rule_that_matches() {
        let mut routes = routes();
        routes.add("sim");
        for (url, own, driver) in [
            ("http://cheap/a", None, "http"),
            ("http://cheap/a.pdf", None, "cdp"),
            ("http://dear/a", None, "cdp"),
            ("http://cheap/a", Some("sim"), "sim"),
            ("http://dear/a", Some("http"), "http"),
        ] {
            let job = job(&serde_json::json!({"url": url, "driver": own}).to_string());
            assert_eq!(routes.drivers()[routes.choose(&job)], driver, "{url} {own:?}");
        }
    }

    #[test]
    fn what_a_driver_cannot_do_goes_to_its_fallback_at_once() {
        let mut routes = routes();
        routes.set_capabilities(1, Capabilities::all().without(&[Capability::Pdf]));
        let printed = job(r#"{"url":"http://cheap/a","pdf":{}}"#);
        assert_eq!((routes.choose(&printed), routes.lacks(1, &printed).to_string()), (0, "pdf".to_owned()));
        let pinned = job(r#"{"url":"http://cheap/a","pdf":{},"driver":"http"}"#);
        assert_eq!(routes.choose(&pinned), 1);
        assert_eq!(routes.choose(&job(r#"{"url":"http://cheap/a"}"#)), 1);
    }

    #[test]
    fn a_job_falls_back_by_class_unless_it_is_pinned() {
        let (routes, free) = (routes(), job(r#"{"url":"http://cheap/a"}"#));
        let pinned = job(r#"{"url":"http://cheap/a","driver":"http"}"#);
        assert_eq!(routes.fallback(&free, 1, FailureClass::Script), Some(0));
        assert_eq!(routes.fallback(&free, 1, FailureClass::Timeout), None);
        assert_eq!(routes.fallback(&free, 0, FailureClass::Script), None);
        assert_eq!(routes.fallback(&pinned, 1, FailureClass::Script), None);
    }

    #[test]
    fn upstream_is_found_through_others_and_circles() {
        let mut routes = Routes::to("a");
        let class = || vec![FailureClass::Timeout];
        for (from, to) in [("c", "b"), ("b", "a"), ("a", "c")] {
            routes.add_fallback(from, class(), to);
        }
        let mut upstream = routes.upstream(0);
        upstream.sort_unstable();
        assert_eq!(upstream, [1, 2]);
        assert_eq!(Routes::to("a").upstream(0), [0; 0]);
    }
}
