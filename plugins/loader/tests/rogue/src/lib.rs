//! A driver library that misbehaves on request, for the loader's tests.
//!
//! Its settings name the behaviour at each place: `{"open": "panic"}`. The script of a step `evaluate` does the same;
//! the values are in `whim`. Behaviour that the SDK prevents (answering twice, or never) is in `edge`.

mod edge;
mod raw;
mod whim;

use std::sync::Arc;
use std::time::Duration;

use plimsoll_plugin::step::Step;
use plimsoll_plugin::{
    Browser, BrowserEnd, BrowserId, Capabilities, Capability, CloseError, Context, Driver, Fault, Incidents,
    OpenRequest, Opening, Page, Start, StepOutput, Trim, async_trait,
};

use crate::whim::Whims;

struct Rogue(Whims);

impl Rogue {
    fn new(start: Start) -> Result<Self, String> {
        let whims = Whims::new(start)?;
        whims.follow_now("start").map_err(|fault| fault.message)?;
        Ok(Self(whims))
    }
}

#[async_trait]
impl Driver for Rogue {
    fn name(&self) -> &str {
        "rogue"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::from_iter([Capability::Evaluate, Capability::Screenshot])
    }

    async fn launch(&self, id: BrowserId, _: Duration) -> Result<Arc<dyn Browser>, Fault> {
        tracing::info!(%id, "launching");
        self.0.follow("launch").await?;
        Ok(Arc::new(RogueBrowser(self.0.clone())))
    }
}

struct RogueBrowser(Whims);

#[async_trait]
impl Browser for RogueBrowser {
    fn open(&self, _: OpenRequest, _: Duration) -> Box<dyn Opening> {
        Box::new(RogueOpening(self.0.clone()))
    }

    async fn ended(&self) -> BrowserEnd {
        match self.0.follow("ended").await {
            Ok(()) => std::future::pending().await,
            Err(fault) => BrowserEnd::Died(fault.message),
        }
    }

    async fn close(&self) -> Result<(), CloseError> {
        self.0.follow("close_browser").await.map_err(|fault| CloseError(fault.message))?;
        self.0.count("rogue.browsers_closed");
        Ok(())
    }

    async fn trim(&self, _: Trim) {
        let _done = self.0.follow("trim").await;
        self.0.count("rogue.trimmed");
    }
}

struct RogueOpening(Whims);

#[async_trait]
impl Opening for RogueOpening {
    async fn ready(&mut self) -> Result<Box<dyn Context>, Fault> {
        self.0.count("rogue.opened");
        self.0.follow("open").await?;
        Ok(Box::new(RogueContext { whims: self.0.clone(), incidents: Incidents::default() }))
    }

    async fn abandon(self: Box<Self>) -> Result<(), CloseError> {
        self.0.follow("abandon").await.map_err(|fault| CloseError(fault.message))?;
        self.0.count("rogue.abandoned");
        Ok(())
    }
}

struct RogueContext {
    whims: Whims,
    incidents: Incidents,
}

#[async_trait]
impl Context for RogueContext {
    async fn perform(&mut self, step: &Step, _: Duration) -> Result<StepOutput, Fault> {
        self.incidents.dialogs += 1;
        match step {
            Step::Evaluate(evaluate) => match evaluate.script.strip_suffix(" and answer") {
                Some(whim) => {
                    self.whims.carry_out(whim).await?;
                    Ok(StepOutput::named(&evaluate.name, ().into()))
                }
                None => self.whims.carry_out(&evaluate.script).await,
            },
            Step::Goto(goto) => Ok(StepOutput::Page(Page { url: goto.url.to_string(), status: Some(200) })),
            _ => Ok(StepOutput::Done),
        }
    }

    fn incidents(&self) -> Incidents {
        self.incidents
    }

    async fn close(self: Box<Self>) -> Result<(), CloseError> {
        self.whims.follow("close_context").await.map_err(|fault| CloseError(fault.message))?;
        self.whims.count("rogue.closed");
        Ok(())
    }
}
