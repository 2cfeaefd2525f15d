//! One simulated browser: nothing but the news of its end.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use plimsoll_core::outcome::{FailureClass, Fault};
use plimsoll_core::port::{Browser, BrowserEnd, CloseError, Context, OpenRequest};
use plimsoll_core::runtime::supervisor::Supervisor;
use tokio::sync::watch;

use super::context::SimContext;
use super::luck::Luck;
use super::{SimSettings, pass};
use crate::chance::Chance;

/// A browser. Its contexts hold its [`Life`] too.
#[derive(Debug)]
pub(super) struct SimBrowser {
    settings: SimSettings,
    luck: Arc<Luck>,
    life: Arc<Life>,
}

/// Whether a browser lives, and how it ended.
#[derive(Debug)]
pub(super) struct Life {
    end: watch::Sender<Option<String>>,
    run: Supervisor,
}

impl SimBrowser {
    pub(super) fn new(settings: SimSettings, luck: Arc<Luck>, run: Supervisor) -> Self {
        Self { settings, luck, life: Arc::new(Life { end: watch::Sender::new(None), run }) }
    }
}

impl Life {
    /// Ends it; the first reason stays.
    pub(super) fn end(&self, how: &str) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert_with(|| how.to_owned());
            first
        });
    }

    /// Completes with its end.
    async fn ended(&self) -> String {
        let mut end = self.end.subscribe();
        tokio::select! {
            // Its sender is ours.
            Ok(end) = end.wait_for(Option::is_some) => end.clone().unwrap_or_default(),
            () = self.run.cancelled() => "the run is over".to_owned(),
        }
    }

    /// The outcome of `work`, unless the browser ends before.
    pub(super) async fn during<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        tokio::select! {
            biased;
            how = self.ended() => Err(Fault::transient(FailureClass::BrowserCrash, how)),
            outcome = work => outcome,
        }
    }
}

#[async_trait]
impl Browser for SimBrowser {
    async fn open(&self, request: OpenRequest, budget: Duration) -> Result<Box<dyn Context>, Fault> {
        let site = request.first.as_ref().map_or("", |goto| goto.url.as_str());
        let mut chance = Chance::of(self.settings.seed, &[2, super::invented::key(site)]);
        self.life
            .during(pass(&mut chance, self.settings.open, budget, "the creation of the context"))
            .await?;
        let luck = Arc::clone(&self.luck);
        Ok(Box::new(SimContext::new(self.settings, luck, Arc::clone(&self.life), request.setup)))
    }

    async fn ended(&self) -> BrowserEnd {
        BrowserEnd::Died(self.life.ended().await)
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.life.end("it was closed");
        Ok(())
    }
}
