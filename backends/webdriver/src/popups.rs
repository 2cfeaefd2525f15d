//! Closes the windows that a page has opened.

use std::sync::atomic::{AtomicU32, Ordering};

use plimsoll_core::runtime::budget::Budget;
use serde_json::{Value, json};

use crate::call::CallError;
use crate::session::Session;
use crate::settings::Family;

/// Counts the popups of one session that were closed.
#[derive(Debug, Default)]
pub(crate) struct Popups(AtomicU32);

impl Popups {
    /// Popups closed so far.
    pub(crate) fn closed(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Closes every window but `own`.
    pub(crate) async fn close(
        &self,
        session: &Session,
        family: Family,
        own: &str,
        budget: Budget,
    ) -> Result<(), CallError> {
        let handles: Vec<String> = session.get("window/handles", budget.left()).await?;
        let popups: Vec<&String> = handles.iter().filter(|handle| *handle != own).collect();
        for popup in &popups {
            match family {
                Family::Chromium => {
                    let close = json!({ "targetId": popup });
                    session.devtools::<Value>("Target.closeTarget", close, budget.left()).await?;
                }
                Family::Firefox => {
                    session.post::<Value>("window", &json!({ "handle": popup }), budget.left()).await?;
                    session.delete::<Value>("window", budget.left()).await?;
                }
            }
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        if family == Family::Firefox && !popups.is_empty() {
            session.post::<Value>("window", &json!({ "handle": own }), budget.left()).await?;
        }
        Ok(())
    }
}
