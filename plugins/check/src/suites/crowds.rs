//! Pages that take the processor from their whole browser, and from everything else: one case at a time.

use serde_json::json;

use crate::case::cases;
use crate::rig::Rig;

cases![hundreds_of_spinning_workers_cost_their_own_page_only];

async fn hundreds_of_spinning_workers_cost_their_own_page_only(rig: &Rig) {
    let mut sibling = rig.fresh("/nested").await;
    // Its steps may fail and its page may die. It is closed and verified gone.
    let (tab, _) = rig.set_up("/crowd", json!({})).await;
    tab.close().await;
    assert_eq!(sibling.js("1 + 1").await, 2);
}
