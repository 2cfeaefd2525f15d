//! `route`: which driver a job goes to, when there are several.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::outcome::FailureClass;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::problem::Problem;

/// Which driver a job goes to, when there are several. A job's own `driver` precedes all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RouteSettings {
    /// The driver of jobs that no rule matches; `driver.name` unless set.
    #[schemars(example = &"cdp")]
    pub default: Option<String>,
    /// Rules, each with a `match` (a URL with `*` for any characters) and a `driver`. The first rule that matches decides.
    #[schemars(example = &json!([{"match": "http://shop/*", "driver": "http"}]))]
    pub rules: Vec<RuleSettings>,
    /// Fall-backs: a job that a `driver` failed with one of these `classes` is tried again on the driver `to`.
    #[schemars(example = &json!([{"driver": "http", "classes": ["unsupported", "script"], "to": "cdp"}]))]
    pub fallback: Vec<FallbackSettings>,
    /// How many contexts of `limits.max_contexts` each driver may use, by its name. The default driver gets what the others
    /// leave, and at most its own share.
    #[schemars(example = &json!({"http": 50}))]
    pub share: BTreeMap<String, u32>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSettings {
    /// The URLs it is for; `*` stands for any characters.
    #[serde(rename = "match")]
    #[schemars(length(min = 1))]
    pub pattern: String,
    /// The driver they go to.
    pub driver: String,
}

/// A fall-back from one driver to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FallbackSettings {
    /// The driver that failed.
    pub driver: String,
    /// The classes of failure that lead on.
    #[schemars(length(min = 1))]
    pub classes: BTreeSet<FailureClass>,
    /// The driver that is tried then.
    pub to: String,
}

impl RouteSettings {
    /// Every driver that is named here, with the key that names it.
    pub(super) fn names(&self) -> impl Iterator<Item = (String, &str)> {
        let default = self.default.iter().map(|name| ("route.default".to_owned(), name.as_str()));
        let rules = self.rules.iter().enumerate();
        let rules = rules.map(|(n, rule)| (format!("route.rules[{n}].driver"), rule.driver.as_str()));
        let ways = self.fallback.iter().enumerate().flat_map(|(n, way)| {
            [("driver", &way.driver), ("to", &way.to)]
                .map(|(end, name)| (format!("route.fallback[{n}].{end}"), name.as_str()))
        });
        let shares = self.share.keys().map(|name| (format!("route.share.{name}"), name.as_str()));
        default.chain(rules).chain(ways).chain(shares)
    }

    /// What is wrong, where `default` is the driver of jobs that no rule matches.
    pub(super) fn problems(&self, default: &str, max_contexts: u32) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (n, rule) in self.rules.iter().enumerate().filter(|(_, rule)| rule.pattern.is_empty()) {
            let example = format!("empty, it matches nothing; write \"*\" to send all to `{}`", rule.driver);
            problems.push(Problem::of([format!("route.rules[{n}].match")], example));
        }
        for (n, way) in self.fallback.iter().enumerate() {
            if way.classes.is_empty() {
                let none = "empty, nothing leads on; name classes, as in [\"unsupported\"]";
                problems.push(Problem::of([format!("route.fallback[{n}].classes")], none));
            }
            if let Some(circle) = self.circle(way) {
                let message = format!("a circle, {circle}: a job would never end");
                problems.push(Problem::of([format!("route.fallback[{n}].to")], message));
            }
        }
        for (name, _) in self.share.iter().filter(|(_, share)| **share == 0) {
            let message = format!("with no context the driver `{name}` cannot run a job; give it 1 or more");
            problems.push(Problem::of([format!("route.share.{name}")], message));
        }
        let others = self.share.iter().filter(|(name, _)| *name != default);
        let shared: u64 = others.map(|(_, share)| u64::from(*share)).sum();
        if shared >= u64::from(max_contexts) {
            let message = format!(
                "shares of {shared} leave nothing of the {max_contexts} of limits.max_contexts to the default driver \
                 `{default}`"
            );
            problems.push(Problem::of(["route.share", "limits.max_contexts"], message));
        }
        problems
    }

    /// Lowers the shares as `limits.max_contexts` was lowered, from `written` to `fitted`. One context stays with each driver,
    /// the default among them; what goes beyond shrinks in proportion.
    pub fn lower_shares(&mut self, written: u32, fitted: u32) {
        let drivers = self.share.len() as u64 + 1;
        let [written, fitted] = [written, fitted].map(|total| u64::from(total).saturating_sub(drivers));
        for share in self.share.values_mut() {
            let beyond = u64::from(share.saturating_sub(1)) * fitted / written.max(1);
            *share = u32::try_from(beyond).unwrap_or(u32::MAX).saturating_add(1);
        }
    }

    /// The way from this fallback back to its own driver, if some class of failure can go all of it.
    fn circle(&self, first: &FallbackSettings) -> Option<String> {
        let mut classes = first.classes.clone();
        let mut way = vec![first.driver.as_str(), first.to.as_str()];
        while way.last() != way.first() {
            let here = way.last().copied();
            let next = self
                .fallback
                .iter()
                .find(|next| Some(next.driver.as_str()) == here && !next.classes.is_disjoint(&classes))?;
            classes = &classes & &next.classes;
            if way.len() > self.fallback.len() + 1 {
                return None;
            }
            way.push(&next.to);
        }
        Some(way.join(" → "))
    }
}
