//! A context does not find what another context stored, earlier or at the same time.

use serde_json::{Value, json};

use crate::case::cases;
use crate::rig::Rig;
use crate::tab::Tab;

cases![
    no_cookie_is_found_in_another_context,
    no_storage_is_found_in_another_context,
    no_cached_page_is_found_in_another_context,
    no_service_worker_answers_in_another_context,
    no_permission_is_granted_from_the_start,
    a_context_keeps_what_it_has,
];

async fn no_cookie_is_found_in_another_context(rig: &Rig) {
    let first = rig.fresh("/cookies/set/berth/seven").await;
    let mut beside = rig.fresh("/cookies").await;
    assert_eq!(beside.text("#out").await, "none");
    first.close().await;
    let mut after = rig.fresh("/cookies").await;
    assert_eq!(after.text("#out").await, "none");
}

async fn a_context_keeps_what_it_has(rig: &Rig) {
    let mut tab = rig.fresh("/cookies/set/berth/seven").await;
    tab.go("/cookies").await.expect("a page");
    assert_eq!(tab.text("#out").await, "berth=seven");
}

async fn no_storage_is_found_in_another_context(rig: &Rig) {
    rig.needs_scripts();
    let nothing = json!({"cookie": "", "local": [], "session": [], "caches": [], "indexed": [], "name": ""});
    let mut first = rig.fresh("/storage").await;
    assert_eq!(stored(&mut first).await, nothing);
    let mut beside = rig.fresh("/storage").await;
    assert_eq!(stored(&mut beside).await, nothing);
    first.go("/storage").await.expect("a page");
    assert_ne!(stored(&mut first).await, nothing, "it kept its own");
    first.close().await;
    let mut after = rig.fresh("/storage").await;
    assert_eq!(stored(&mut after).await, nothing);
}

/// What the page found on arrival, before it stored a value in each place.
async fn stored(tab: &mut Tab<'_>) -> Value {
    tab.does(json!({"wait_for": {"text": "{"}})).await;
    serde_json::from_str(&tab.text("#out").await).expect("JSON")
}

async fn no_cached_page_is_found_in_another_context(rig: &Rig) {
    let mut first = rig.fresh("/cached").await;
    let kept = first.text("#out").await;
    let again = "fetch('/cached').then(answer => answer.text()).then(text => text.match(/\\d+(?=<)/)[0])";
    assert_eq!(first.js(again).await, kept.as_str(), "it may be kept, and is");
    let mut beside = rig.fresh("/cached").await;
    assert_ne!(beside.text("#out").await, kept);
}

async fn no_service_worker_answers_in_another_context(rig: &Rig) {
    rig.needs_scripts();
    let mut first = rig.fresh("/worker").await;
    first.does(json!({"wait_for": {"text": "hired"}})).await;
    first.go("/worker/answer").await.expect("a page");
    assert_eq!(first.text("#out").await, "from the worker");
    let mut beside = rig.fresh("/worker/answer").await;
    assert_eq!(beside.text("#out").await, "from the server");
}

async fn no_permission_is_granted_from_the_start(rig: &Rig) {
    let mut tab = rig.fresh("/nested").await;
    let asked = "Promise.all(['geolocation', 'notifications', 'persistent-storage'].map(name => navigator.permissions.query({ name }).then(answer => answer.state)))";
    let states = tab.js(asked).await;
    let states = states.as_array().expect("a list");
    assert!(states.len() == 3 && !states.contains(&json!("granted")), "{states:?}");
}
