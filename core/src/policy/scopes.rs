//! [`Scopes`]: a breaker for each browser, proxy and host, one for the machine, and the last fuse.
//!
//! An attempt names the scopes it will use and gets [`BreakerPermits`] of all of them or of none: first every breaker is
//! asked, then every permit is taken, so a refusal by the last never costs a probe of the first. When the attempt has
//! ended, [`Scopes::record`] passes to each breaker the verdict of [`blame`](crate::policy::blame) on its scope.
//!
//! Memory is bounded: each kind keeps its most recently used keys ([`ScopesConfig::max_hosts`] and
//! [`ScopesConfig::max_keys`]). A key that is being refused is being asked for, hence recent: what falls out at the far
//! end is not visited any more. A breaker that was forgotten and made again shares no permits with its predecessor.

mod config;
mod lru;
mod profile;
mod scope;

pub use self::config::ScopesConfig;
use self::lru::{LruBreakers, LruPermit};
pub use self::profile::{BreakerPolicy, BreakerProfile, BreakerSettings};
pub use self::scope::Scope;
use crate::policy::blame::AttemptOutcome;
use crate::policy::breaker::{Change, Refused, State};
use crate::policy::window::Verdict;
use crate::time::Moment;

/// One permit of each breaker that an attempt passes. They must come back through [`Scopes::record`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "permits that are not recorded leave half-open breakers waiting for their probes"]
pub struct BreakerPermits(Vec<(Scope, LruPermit)>);

/// The scope whose breaker refuses; if several do, the one that refuses longest.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{scope}: {refused}")]
pub struct Blocked {
    /// Which.
    pub scope: Scope,
    /// Why, and until when.
    pub refused: Refused,
}

/// Changes of state, each announced once.
pub(crate) type Changes = Vec<(Scope, Change)>;

/// All breakers of a fleet.
#[derive(Debug, Clone)]
pub struct Scopes {
    /// One for each [`Part`](crate::policy::blame::Part), in the order of their declaration.
    kinds: [LruBreakers; 5],
    trips: u64,
}

impl Scopes {
    /// No breaker has seen anything yet.
    #[must_use]
    pub fn new(config: ScopesConfig) -> Self {
        Self { kinds: Self::kinds(config), trips: 0 }
    }

    /// Replaces the rules: every breaker starts again, closed. Permits of the old breakers have no effect any more.
    pub fn reconfigure(&mut self, config: ScopesConfig) {
        for (kind, anew) in self.kinds.iter_mut().zip(Self::kinds(config)) {
            kind.clear_for(anew);
        }
    }

    fn kinds(config: ScopesConfig) -> [LruBreakers; 5] {
        let ScopesConfig { browser, proxy, host, global, fuse, max_keys, max_hosts, endpoint: _ } = config;
        [
            LruBreakers::new(browser, max_keys),
            LruBreakers::new(proxy, max_keys),
            LruBreakers::new(host, max_hosts),
            LruBreakers::new(global, 1),
            LruBreakers::new(fuse, 1),
        ]
    }

    /// Takes a permit of every breaker of `scopes`, or none.
    pub fn try_acquire(
        &mut self,
        now: Moment,
        scopes: &[Scope],
        rng: &mut fastrand::Rng,
    ) -> (Result<BreakerPermits, Blocked>, Changes) {
        let mut changes = Changes::new();
        for scope in scopes {
            let change = self.kind_mut(scope).touch(scope).on_timeout(now);
            self.announce(&mut changes, scope, change);
        }
        if let Some(blocked) = self.blocked(now, scopes) {
            return (Err(blocked), changes);
        }
        let mut permits = Vec::with_capacity(scopes.len());
        for scope in scopes {
            match self.kind_mut(scope).acquire(now, scope, rng) {
                Ok(permit) => permits.push((scope.clone(), permit)),
                // Happens only if a scope was named twice and its single probe was taken: the other permits go back.
                Err(refused) => {
                    let permits = BreakerPermits(permits);
                    changes.extend(self.record(now, permits, AttemptOutcome::Dropped, rng));
                    return (Err(Blocked { scope: scope.clone(), refused }), changes);
                }
            }
        }
        (Ok(BreakerPermits(permits)), changes)
    }

    /// Which of `scopes` would refuse at `now`, if any: the one that refuses longest.
    #[must_use]
    pub(crate) fn blocked(&self, now: Moment, scopes: &[Scope]) -> Option<Blocked> {
        let refusals = scopes.iter().filter_map(|scope| {
            let refused = self.kind(scope).get(scope)?.refusal(now)?;
            Some(Blocked { scope: scope.clone(), refused })
        });
        refusals.max_by_key(|blocked| blocked.refused.until())
    }

    /// Takes the permits of an attempt back and records at each breaker the verdict that follows from the attempt's outcome.
    #[must_use = "changes are announced only once"]
    pub fn record(
        &mut self,
        now: Moment,
        permits: BreakerPermits,
        outcome: AttemptOutcome,
        rng: &mut fastrand::Rng,
    ) -> Changes {
        let mut changes = Changes::new();
        for (scope, permit) in permits.0 {
            let verdict = outcome.verdict(scope.part());
            let change = self.kind_mut(&scope).record(now, &scope, permit, verdict, rng);
            self.announce(&mut changes, &scope, change);
        }
        changes
    }

    /// Counts an event outside of any attempt, such as the death of a browser. An open breaker ignores it.
    #[must_use = "changes are announced only once"]
    pub fn note(&mut self, now: Moment, scope: &Scope, verdict: Verdict, rng: &mut fastrand::Rng) -> Changes {
        let mut changes = Changes::new();
        let breaker = self.kind_mut(scope).touch(scope);
        let answer = breaker.try_acquire(now, rng);
        let change = answer.permit.ok().and_then(|permit| breaker.record(now, permit, verdict, rng));
        self.announce(&mut changes, scope, answer.change);
        self.announce(&mut changes, scope, change);
        changes
    }

    /// Drops what is known of a scope that no longer exists, such as a browser that was replaced.
    pub fn forget(&mut self, scope: &Scope) {
        self.kind_mut(scope).forget(scope);
    }

    /// Makes every change that the passing of time has brought. Nothing depends on it but the announcements: a breaker
    /// that is asked makes its own. Walks all breakers; once a second is often enough.
    #[must_use = "changes are announced only once"]
    pub(crate) fn on_timeout(&mut self, now: Moment) -> Changes {
        self.kinds.iter_mut().flat_map(|kind| kind.on_timeout(now)).collect()
    }

    /// The state of a scope at `now`; `None` if nothing is known of it, which is as good as closed.
    #[must_use]
    pub fn state(&self, now: Moment, scope: &Scope) -> Option<State> {
        self.kind(scope).get(scope).map(|breaker| breaker.state(now))
    }

    /// How often any breaker has opened.
    #[must_use]
    pub(crate) const fn trips(&self) -> u64 {
        self.trips
    }

    fn announce(&mut self, changes: &mut Changes, scope: &Scope, change: Option<Change>) {
        self.trips += u64::from(matches!(change, Some(Change::Opened { .. })));
        changes.extend(change.map(|change| (scope.clone(), change)));
    }

    fn kind(&self, scope: &Scope) -> &LruBreakers {
        &self.kinds[scope.part() as usize]
    }

    fn kind_mut(&mut self, scope: &Scope) -> &mut LruBreakers {
        &mut self.kinds[scope.part() as usize]
    }
}

#[cfg(test)]
mod tests;
