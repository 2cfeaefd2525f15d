//! [`Subject`]: the state machine under test, the production [`Dispatch`], with a planted bug around it on request.

use plimsoll_core::policy::{Action, Dispatch, DispatchConfig};
use plimsoll_core::time::Moment;

use crate::mutation::{Mutant, Mutation};
use crate::world_event::WorldEvent;

/// The production policies, which handle the events of the simulated world.
#[derive(Debug)]
pub struct Subject {
    dispatch: Dispatch,
    mutant: Option<Mutant>,
}

impl Subject {
    /// A fleet with these rules; a planted bug may break some of them.
    #[must_use]
    pub fn new(rules: &DispatchConfig, seed: u64, mutation: Option<Mutation>) -> Self {
        let rules = mutation.map_or_else(|| rules.clone(), |mutation| mutation.bend(rules));
        Self { dispatch: Dispatch::new(rules, seed), mutant: mutation.map(Mutant::new) }
    }

    /// Passes an event to the fleet; appends the actions that follow to `answer`.
    pub fn handle(&mut self, now: Moment, event: WorldEvent, answer: &mut Vec<Action>) {
        let Some(mutant) = &mut self.mutant else {
            self.dispatch.handle(now, event.event(now));
            answer.extend(std::iter::from_fn(|| self.dispatch.next_action()));
            return;
        };
        mutant.observe(event);
        while let Some(event) = mutant.next() {
            self.dispatch.handle(now, event.event(now));
            while let Some(action) = self.dispatch.next_action() {
                mutant.observe_action(action, answer);
            }
        }
    }

    /// The fleet itself, for checks.
    #[must_use]
    pub const fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }
}
