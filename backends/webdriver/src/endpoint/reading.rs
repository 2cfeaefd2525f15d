//! A remote end's status: what a grid says of its nodes and their slots.

use serde::Deserialize;
use serde_json::Value;

use crate::settings::Family;

/// What a remote end says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// For a grid: slots for the browser, on nodes that are up.
    pub(crate) slots: Option<u32>,
    /// For a grid: how many of them are occupied, by whomever.
    pub(crate) occupied: u32,
}

impl Reading {
    /// What a status says of the browser's slots.
    pub(crate) fn of(status: &Value, family: Family) -> Self {
        let nodes = status.get("nodes").and_then(|nodes| Vec::<Node>::deserialize(nodes).ok());
        let Some(nodes) = nodes else { return Self { slots: None, occupied: 0 } };
        let up = nodes.iter().filter(|node| node.availability == "UP");
        let (mut slots, mut occupied) = (0, 0);
        for node in up {
            let fitting = node.slots.iter().filter(|slot| slot.fits(family));
            slots += u32::try_from(fitting.clone().count()).unwrap_or(u32::MAX).min(node.max_sessions);
            occupied += u32::try_from(fitting.filter(|slot| slot.session.is_some()).count()).unwrap_or(0);
        }
        Self { slots: Some(slots), occupied }
    }
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
        assert_eq!(Reading::of(&status, Family::Chromium), Reading { slots: Some(3), occupied: 1 });
        assert_eq!(Reading::of(&status, Family::Firefox), Reading { slots: Some(1), occupied: 0 });
        let lone = json!({"ready": true, "message": "geckodriver"});
        assert_eq!(Reading::of(&lone, Family::Firefox), Reading { slots: None, occupied: 0 });
    }
}
