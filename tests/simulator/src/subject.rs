//! [`Subject`]: the machine under test, the production [`Dispatch`]; and, when asked, a planted bug around it.

use plimsoll_core::policy::dispatch::{Action, Dispatch, DispatchConfig};
use plimsoll_core::time::Moment;

use crate::news::News;
use crate::plant::{Plant, Planted};

/// The production policies, told what happens.
#[derive(Debug)]
pub struct Subject {
    dispatch: Dispatch,
    planted: Option<Planted>,
}

impl Subject {
    /// A fleet with these rules; a planted bug may break some of them.
    #[must_use]
    pub fn new(rules: &DispatchConfig, seed: u64, plant: Option<Plant>) -> Self {
        let rules = plant.map_or_else(|| rules.clone(), |plant| plant.bend(rules));
        Self { dispatch: Dispatch::new(rules, seed), planted: plant.map(Planted::new) }
    }

    /// Tells it the news; returns what it decides.
    pub fn tell(&mut self, now: Moment, news: News, answer: &mut Vec<Action>) {
        let Some(planted) = &mut self.planted else {
            self.dispatch.handle(now, news.event(now));
            answer.extend(std::iter::from_fn(|| self.dispatch.next_action()));
            return;
        };
        planted.hear(news);
        while let Some(heard) = planted.next() {
            self.dispatch.handle(now, heard.event(now));
            while let Some(action) = self.dispatch.next_action() {
                planted.say(action, answer);
            }
        }
    }

    /// The machine itself, to look at.
    #[must_use]
    pub const fn dispatch(&self) -> &Dispatch {
        &self.dispatch
    }
}
