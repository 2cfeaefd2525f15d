//! [`Scopes`]: one breaker for each browser, endpoint, proxy and host, one for the machine, and the last fuse.
//!
//! An attempt names the scopes it will use and gets one [`Passage`] for all of them or none: first every breaker is
//! asked, then every permit is taken, so a refusal by the last never costs a probe of the first. When the attempt has
//! ended, [`Scopes::record`] tells each scope what [`blame`](crate::policy::blame) says of it.
//!
//! Memory is bounded: each kind keeps its most recently used keys ([`ScopesConfig::max_hosts`] and
//! [`ScopesConfig::max_keys`]). A key that is being refused is being asked for, hence recent: what falls out at the far
//! end is what nobody visits. A breaker that was forgotten and made again shares no permits with its predecessor.
//!
//! Endpoints are special: refusing all of them would turn a bad hour into an outage. [`Scopes::usable`] keeps at least
//! half of them in service, the least bad ones first, and the last one always.

mod config;
mod shelf;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use self::config::ScopesConfig;
use self::shelf::{Shelf, ShelfPermit};
use crate::id::BrowserId;
use crate::policy::blame::{News, Part};
use crate::policy::breaker::{Change, Refused, State};
use crate::policy::window::Verdict;
use crate::time::Moment;

/// What a breaker watches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One browser process.
    Browser(BrowserId),
    /// What makes browsers, by its address or name.
    Endpoint(Arc<str>),
    /// A proxy, as `host:port`; never with its credentials, which would end up in logs.
    Proxy(Arc<str>),
    /// A site, as `host:port`.
    Host(Arc<str>),
    /// The machine and this program.
    Global,
    /// The incident's counter.
    Fuse,
}

impl Scope {
    /// Its kind.
    #[must_use]
    pub const fn part(&self) -> Part {
        match self {
            Self::Browser(_) => Part::Browser,
            Self::Endpoint(_) => Part::Endpoint,
            Self::Proxy(_) => Part::Proxy,
            Self::Host(_) => Part::Host,
            Self::Global => Part::Global,
            Self::Fuse => Part::Fuse,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Browser(id) => id.fmt(f),
            Self::Endpoint(name) => write!(f, "endpoint {name}"),
            Self::Proxy(name) => write!(f, "proxy {name}"),
            Self::Host(name) => write!(f, "host {name}"),
            Self::Global => f.write_str("global"),
            Self::Fuse => f.write_str("fuse"),
        }
    }
}

/// The right to make one attempt that uses several scopes. It must come back through [`Scopes::record`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a passage that is not recorded leaves half-open breakers waiting for its probes"]
pub struct Passage(Vec<(Scope, ShelfPermit)>);

/// A scope that lets nothing through now: of all that refuse, the one that will do so longest.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{scope}: {refused}")]
pub struct Blocked {
    /// Which.
    pub scope: Scope,
    /// Why, and until when.
    pub refused: Refused,
}

/// Changes of state, each announced once.
pub type Changes = Vec<(Scope, Change)>;

/// How an endpoint comes to be usable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its breaker lets calls through: ask for its scope as usual.
    Well,
    /// Its breaker refuses, but too few endpoints are left. Leave its scope out of the passage: what it does under
    /// duress is no evidence, and its probes will find out when it is well.
    LeastBad,
}

/// All breakers of a fleet.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// One shelf per [`Part`], in the order of [`Part::ALL`].
    shelves: [Shelf; 6],
    trips: u64,
}

impl Scopes {
    /// No breaker has seen anything yet.
    #[must_use]
    pub fn new(config: ScopesConfig) -> Self {
        Self { shelves: Self::shelves(config), trips: 0 }
    }

    /// Takes over new rules: every breaker begins anew, closed. What is still on its way is of breakers that are gone.
    pub fn reconfigure(&mut self, config: ScopesConfig) {
        for (shelf, anew) in self.shelves.iter_mut().zip(Self::shelves(config)) {
            shelf.clear_for(anew);
        }
    }

    fn shelves(config: ScopesConfig) -> [Shelf; 6] {
        let ScopesConfig { browser, endpoint, proxy, host, global, fuse, max_keys, max_hosts } = config;
        [
            Shelf::new(browser, max_keys),
            Shelf::new(endpoint, max_keys),
            Shelf::new(proxy, max_keys),
            Shelf::new(host, max_hosts),
            Shelf::new(global, 1),
            Shelf::new(fuse, 1),
        ]
    }

    /// Asks for the right to make one attempt that uses all of `scopes`.
    pub fn try_acquire(
        &mut self,
        now: Moment,
        scopes: &[Scope],
        rng: &mut fastrand::Rng,
    ) -> (Result<Passage, Blocked>, Changes) {
        let mut changes = Changes::new();
        for scope in scopes {
            let change = self.shelf_mut(scope).touch(scope).on_timeout(now);
            self.announce(&mut changes, scope, change);
        }
        if let Some(blocked) = self.blocked(now, scopes) {
            return (Err(blocked), changes);
        }
        let mut permits = Vec::with_capacity(scopes.len());
        for scope in scopes {
            match self.shelf_mut(scope).acquire(now, scope, rng) {
                Ok(permit) => permits.push((scope.clone(), permit)),
                // Only if a scope was named twice and its single probe is out: what was taken goes back.
                Err(refused) => {
                    let passage = Passage(permits);
                    changes.extend(self.record(now, passage, News::Dropped, rng));
                    return (Err(Blocked { scope: scope.clone(), refused }), changes);
                }
            }
        }
        (Ok(Passage(permits)), changes)
    }

    /// Which of `scopes` would refuse at `now`, if any: the one that refuses longest.
    #[must_use]
    pub fn blocked(&self, now: Moment, scopes: &[Scope]) -> Option<Blocked> {
        let refusals = scopes.iter().filter_map(|scope| {
            let refused = self.shelf(scope).get(scope)?.refusal(now)?;
            Some(Blocked { scope: scope.clone(), refused })
        });
        refusals.max_by_key(|blocked| blocked.refused.until())
    }

    /// Takes a passage back and tells each of its scopes what the attempt's end says of it.
    #[must_use = "changes are announced only once"]
    pub fn record(&mut self, now: Moment, passage: Passage, news: News, rng: &mut fastrand::Rng) -> Changes {
        let mut changes = Changes::new();
        for (scope, permit) in passage.0 {
            let verdict = news.verdict(scope.part());
            let change = self.shelf_mut(&scope).record(now, &scope, permit, verdict, rng);
            self.announce(&mut changes, &scope, change);
        }
        changes
    }

    /// Tells a scope something that was seen outside of any attempt: the death of a browser. An open breaker does not listen.
    #[must_use = "changes are announced only once"]
    pub fn note(&mut self, now: Moment, scope: &Scope, verdict: Verdict, rng: &mut fastrand::Rng) -> Changes {
        let mut changes = Changes::new();
        let breaker = self.shelf_mut(scope).touch(scope);
        let answer = breaker.try_acquire(now, rng);
        let change = answer.permit.ok().and_then(|permit| breaker.record(now, permit, verdict, rng));
        self.announce(&mut changes, scope, answer.change);
        self.announce(&mut changes, scope, change);
        changes
    }

    /// A scope asked to be left alone for `span` (`Retry-After`).
    #[must_use = "changes are announced only once"]
    pub fn hold(&mut self, now: Moment, scope: &Scope, span: Duration) -> Changes {
        let mut changes = Changes::new();
        let change = self.shelf_mut(scope).touch(scope).hold(now, span);
        self.announce(&mut changes, scope, change);
        changes
    }

    /// Closes a scope's breaker and forgets what it has seen.
    #[must_use = "changes are announced only once"]
    pub fn reset(&mut self, now: Moment, scope: &Scope) -> Changes {
        let change = self.shelf_mut(scope).get_mut(scope).and_then(|breaker| breaker.reset(now));
        change.map(|change| (scope.clone(), change)).into_iter().collect()
    }

    /// Drops what is known of a scope that no longer exists, such as a browser that was replaced.
    pub fn forget(&mut self, scope: &Scope) {
        self.shelf_mut(scope).forget(scope);
    }

    /// Makes every change that the passing of time has brought. Nothing depends on it but the announcements: a breaker
    /// that is asked makes its own. Walks all breakers; once a second is often enough.
    #[must_use = "changes are announced only once"]
    pub fn on_timeout(&mut self, now: Moment) -> Changes {
        self.shelves.iter_mut().flat_map(|shelf| shelf.on_timeout(now)).collect()
    }

    /// Which of `endpoints` may be used at `now`, in the order given. Never none, unless none were given.
    #[must_use]
    pub fn usable<'a>(&self, now: Moment, endpoints: &'a [Arc<str>]) -> Vec<(&'a Arc<str>, Standing)> {
        let badness = |name: &Arc<str>| {
            let scope = Scope::Endpoint(Arc::clone(name));
            let breaker = self.shelf(&scope).get(&scope)?;
            breaker.refusal(now).map(|refused| (breaker.streak(), refused.until()))
        };
        let mut bad: Vec<_> = endpoints.iter().filter_map(|name| Some((badness(name)?, name))).collect();
        bad.sort();
        let ejected: Vec<_> = bad.iter().rev().take(endpoints.len() / 2).map(|(_, name)| *name).collect();
        let standing = |name| if badness(name).is_some() { Standing::LeastBad } else { Standing::Well };
        let in_service = endpoints.iter().filter(|name| !ejected.contains(name));
        in_service.map(|name| (name, standing(name))).collect()
    }

    /// The state of a scope at `now`; `None` if nothing is known of it, which is as good as closed.
    #[must_use]
    pub fn state(&self, now: Moment, scope: &Scope) -> Option<State> {
        self.shelf(scope).get(scope).map(|breaker| breaker.state(now))
    }

    /// Every breaker that is not closed at `now`.
    pub fn troubled(&self, now: Moment) -> impl Iterator<Item = (&Scope, State)> {
        let all = self.shelves.iter().flat_map(Shelf::iter);
        all.map(move |(scope, breaker)| (scope, breaker.state(now)))
            .filter(|(_, state)| !matches!(state, State::Closed { .. }))
    }

    /// How often any breaker has opened.
    #[must_use]
    pub const fn trips(&self) -> u64 {
        self.trips
    }

    fn announce(&mut self, changes: &mut Changes, scope: &Scope, change: Option<Change>) {
        self.trips += u64::from(matches!(change, Some(Change::Opened { .. })));
        changes.extend(change.map(|change| (scope.clone(), change)));
    }

    fn shelf(&self, scope: &Scope) -> &Shelf {
        &self.shelves[scope.part() as usize]
    }

    fn shelf_mut(&mut self, scope: &Scope) -> &mut Shelf {
        &mut self.shelves[scope.part() as usize]
    }
}

#[cfg(test)]
mod tests;
