//! A simulated browser: it opens contexts until it ends.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest, Opening, PlainOpening};
use plimsoll_core::runtime::supervisor::Supervisor;

use super::context::SimContext;
use super::life::Life;
use super::luck::Luck;
use super::{SimSettings, pass};
use crate::chance::Chance;

/// A browser. Its contexts share its [`Life`].
#[derive(Debug)]
pub(super) struct SimBrowser {
    settings: SimSettings,
    luck: Arc<Luck>,
    life: Arc<Life>,
}

impl SimBrowser {
    pub(super) fn new(settings: SimSettings, luck: Arc<Luck>, run: Supervisor) -> Self {
        Self { settings, luck, life: Arc::new(Life::new(run)) }
    }
}

#[async_trait]
impl Browser for SimBrowser {
    fn open(&self, request: OpenRequest, budget: Duration) -> Box<dyn Opening> {
        let (settings, luck, life) = (self.settings, Arc::clone(&self.luck), Arc::clone(&self.life));
        PlainOpening::of(async move {
            let site = request.first.as_ref().map_or("", |goto| goto.url.as_str());
            let mut chance = Chance::of(settings.seed, &[2, super::invented::key(site)]);
            life.during(pass(&mut chance, settings.open, budget, "the creation of the context")).await?;
            Ok(Box::new(SimContext::new(settings, luck, life, request.setup)) as Box<dyn Context>)
        })
    }

    async fn ended(&self) -> BrowserEnd {
        BrowserEnd::Died(self.life.ended().await)
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.life.end("it was closed");
        Ok(())
    }
}
