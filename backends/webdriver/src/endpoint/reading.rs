//! A remote end's status: the nodes of a grid and their slots.

use serde::Deserialize;
use serde_json::Value;

use crate::settings::Family;

/// The slots in a remote end's status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// For a grid: slots for the browser on nodes that are up, minus those that cannot be used because of sessions of
    /// other browsers.
    pub(crate) slots: Option<u32>,
    /// For a grid: how many of these slots are occupied, by any client.
    pub(crate) occupied: u32,
    /// Whether it may provide the browser: `false` for a grid whose nodes, draining ones included, all lack it. A grid
    /// without nodes may get some later.
    pub(crate) offers: bool,
}

impl Reading {
    /// The browser's slots in `status`.
    pub(crate) fn of(status: &Value, family: Family) -> Self {
        let nodes = status.get("nodes").and_then(|nodes| Vec::<Node>::deserialize(nodes).ok());
        let Some(nodes) = nodes else { return Self { slots: None, occupied: 0, offers: true } };
        let offers =
            nodes.is_empty() || nodes.iter().flat_map(|node| &node.slots).any(|slot| slot.fits(family));
        let (mut slots, mut occupied) = (0_u32, 0_u32);
        for node in nodes.iter().filter(|node| node.availability == "UP") {
            let (fitting, others): (Vec<_>, Vec<_>) = node.slots.iter().partition(|slot| slot.fits(family));
            // A node counts the sessions of all browsers.
            let room = node.max_sessions.saturating_sub(count(others.iter().filter(|slot| slot.is_taken())));
            slots = slots.saturating_add(count(fitting.iter()).min(room));
            occupied = occupied.saturating_add(count(fitting.iter().filter(|slot| slot.is_taken())));
        }
        Self { slots: Some(slots), occupied, offers }
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Node {
    availability: String,
    #[serde(default = "unlimited")]
    max_sessions: u32,
    slots: Vec<Slot>,
}

const fn unlimited() -> u32 {
    u32::MAX
}

#[derive(Debug, Deserialize)]
struct Slot {
    session: Option<Value>,
    #[serde(default)]
    stereotype: Value,
}

impl Slot {
    const fn is_taken(&self) -> bool {
        self.session.is_some()
    }

    fn fits(&self, family: Family) -> bool {
        self.stereotype["browserName"].as_str().is_none_or(|name| family.is_called(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_grid_s_slots_are_those_of_its_nodes_that_are_up_and_have_the_browser() {
        let slot =
            |name: &str, session: Value| json!({"session": session, "stereotype": {"browserName": name}});
        let status = json!({"ready": true, "nodes": [
            {"availability": "UP", "maxSessions": 8, "slots": [
                slot("chrome", json!({"sessionId": "1"})), slot("chrome", Value::Null), slot("firefox", Value::Null)]},
            {"availability": "UP", "maxSessions": 1, "slots": [slot("chrome", Value::Null), slot("chrome", Value::Null)]},
            {"availability": "DRAINING", "maxSessions": 4, "slots": [slot("chrome", Value::Null)]},
        ]});
        let of = |status: &Value, family| {
            let Reading { slots, occupied, offers } = Reading::of(status, family);
            (slots, occupied, offers)
        };
        assert_eq!(of(&status, Family::Chromium), (Some(3), 1, true));
        assert_eq!(of(&status, Family::Firefox), (Some(1), 0, true));
        let lone = json!({"ready": true, "message": "geckodriver"});
        assert_eq!(of(&lone, Family::Firefox), (None, 0, true));
        let taken = || json!({"sessionId": "1"});
        let shared = json!({"nodes": [{"availability": "UP", "maxSessions": 2, "slots": [
            slot("firefox", taken()), slot("firefox", Value::Null), slot("chrome", Value::Null), slot("chrome", Value::Null)]}]});
        assert_eq!(of(&shared, Family::Chromium), (Some(1), 0, true), "one of its two sessions is Firefox's");
    }

    #[test]
    fn a_browser_is_offered_by_nodes_that_drain_and_by_those_to_come() {
        let node = |availability: &str| json!({"availability": availability, "maxSessions": 1, "slots": [{"session": null, "stereotype": {"browserName": "chrome"}}]});
        for (nodes, family, offers) in [
            (json!([]), Family::Chromium, true),
            (json!([node("DRAINING")]), Family::Chromium, true),
            (json!([node("UP")]), Family::Firefox, false),
        ] {
            let reading = Reading::of(&json!({"nodes": nodes}), family);
            assert_eq!((reading.offers, reading.slots.is_some()), (offers, true), "{nodes}");
        }
    }
}
