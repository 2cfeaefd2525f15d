//! [`LruBreakers`]: the breakers of one kind, the least recently used of which makes room for a new one.

use std::collections::BTreeMap;

use crate::policy::breaker::{Breaker, BreakerConfig, BreakerPermit, Change, Refused};
use crate::policy::scopes::scope::Scope;
use crate::policy::window::Verdict;
use crate::time::Moment;

/// A permit and the birth of the breaker that gave it: a breaker that was forgotten and made again counts its
/// generations from zero, and must not take its predecessor's permits for its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LruPermit {
    born: u64,
    permit: BreakerPermit,
}

/// Ordered maps, not hashed ones: a simulation walks them in the same order in every run.
#[derive(Debug, Clone)]
pub(super) struct LruBreakers {
    config: BreakerConfig,
    capacity: usize,
    breakers: BTreeMap<Scope, Placed>,
    by_use: BTreeMap<u64, Scope>,
    /// Numbers both uses and births.
    ticks: u64,
}

#[derive(Debug, Clone)]
struct Placed {
    breaker: Breaker,
    born: u64,
    used: u64,
}

impl LruBreakers {
    pub(super) const fn new(config: BreakerConfig, capacity: usize) -> Self {
        let capacity = if capacity == 0 { 1 } else { capacity };
        Self { config, capacity, breakers: BTreeMap::new(), by_use: BTreeMap::new(), ticks: 0 }
    }

    /// Takes over other rules, and forgets every breaker. Births go on counting: permits of breakers that are gone stay void.
    pub(super) fn clear_for(&mut self, anew: Self) {
        *self = Self { ticks: self.ticks, ..anew };
    }

    pub(super) fn get(&self, scope: &Scope) -> Option<&Breaker> {
        self.breakers.get(scope).map(|placed| &placed.breaker)
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Scope, &Breaker)> {
        self.breakers.iter().map(|(scope, placed)| (scope, &placed.breaker))
    }

    /// The breaker of `scope`, made if need be, and now the most recently used.
    pub(super) fn touch(&mut self, scope: &Scope) -> &mut Breaker {
        if !self.breakers.contains_key(scope) && self.breakers.len() >= self.capacity {
            self.drop_oldest();
        }
        self.ticks += 1;
        let tick = self.ticks;
        let placed = self.breakers.entry(scope.clone()).or_insert_with(|| Placed {
            breaker: Breaker::new(self.config.clone()),
            born: tick,
            used: tick,
        });
        self.by_use.remove(&placed.used);
        placed.used = tick;
        self.by_use.insert(tick, scope.clone());
        &mut placed.breaker
    }

    pub(super) fn acquire(
        &mut self,
        now: Moment,
        scope: &Scope,
        rng: &mut fastrand::Rng,
    ) -> Result<LruPermit, Refused> {
        let permit = self.touch(scope).try_acquire(now, rng).permit?;
        let born = self.breakers.get(scope).map_or(0, |placed| placed.born);
        Ok(LruPermit { born, permit })
    }

    pub(super) fn record(
        &mut self,
        now: Moment,
        scope: &Scope,
        permit: LruPermit,
        verdict: Verdict,
        rng: &mut fastrand::Rng,
    ) -> Option<Change> {
        let placed = self.breakers.get_mut(scope).filter(|placed| placed.born == permit.born)?;
        placed.breaker.record(now, permit.permit, verdict, rng)
    }

    pub(super) fn forget(&mut self, scope: &Scope) {
        if let Some(placed) = self.breakers.remove(scope) {
            self.by_use.remove(&placed.used);
        }
    }

    pub(super) fn on_timeout(&mut self, now: Moment) -> Vec<(Scope, Change)> {
        let change = |(scope, placed): (&Scope, &mut Placed)| {
            placed.breaker.on_timeout(now).map(|change| (scope.clone(), change))
        };
        self.breakers.iter_mut().filter_map(change).collect()
    }

    fn drop_oldest(&mut self) {
        if let Some((_, oldest)) = self.by_use.pop_first() {
            self.breakers.remove(&oldest);
        }
    }
}
