//! [`Diagnosis`]: the findings and the verdict; `--json` prints its serialized form.

use plimsoll_core::policy::{Sensed, Tally};
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::{Constraint, Resource};
use serde::Serialize;

use super::checks;
use super::facts::Facts;
use super::finding::{Finding, State};

/// The whole result of `plimsoll doctor`.
#[derive(Debug, Serialize)]
pub(super) struct Diagnosis {
    pub(super) verdict: State,
    pub(super) driver: String,
    pub(super) capacity: Carries,
    pub(super) findings: Vec<Finding>,
    pub(super) machine: MachineSeen,
}

/// The capacity of the machine.
#[derive(Debug, Serialize)]
pub(super) struct Carries {
    pub(super) contexts: Option<u64>,
    pub(super) asked: u32,
    pub(super) contexts_per_browser: u32,
    pub(super) binding: Option<Bound>,
    pub(super) constraints: Vec<Bound>,
    pub(super) jobs_per_s: f64,
}

/// One constraint.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Bound {
    pub(super) resource: &'static str,
    pub(super) scope: Scope,
    pub(super) contexts: u64,
    pub(super) room: u64,
    pub(super) need_per_context: u64,
    pub(super) source: &'static str,
    #[serde(skip)]
    pub(super) kind: Resource,
}

/// What a constraint bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    /// All contexts of a run.
    Run,
    /// The contexts of one browser.
    Browser,
}

/// The readings of the machine's sensors.
#[derive(Debug, Serialize)]
pub(super) struct MachineSeen {
    cores: usize,
    memory: Option<Used>,
    threads: Option<Used>,
    descriptors: Option<Used>,
    disk: Option<Space>,
    inodes: Option<Used>,
    shared_memory: Option<Space>,
}

#[derive(Debug, Serialize)]
struct Used {
    used: u64,
    limit: u64,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct Space {
    free: Bytes,
    total: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'static str>,
}

impl Diagnosis {
    /// The diagnosis of these facts.
    pub(super) fn of(facts: &Facts) -> Self {
        let findings = checks::findings(facts);
        let verdict = findings.iter().map(|finding| finding.state).max().unwrap_or(State::Good);
        let reading = &facts.reading;
        let machine = MachineSeen {
            cores: facts.cores,
            memory: reading.memory.map(|seen| Used {
                used: seen.value.used.0,
                limit: seen.value.limit.0,
                source: seen.source,
            }),
            threads: reading.pids.map(used),
            descriptors: reading.fds.map(used),
            disk: reading.disk.map(|seen| Space {
                free: seen.value.free,
                total: seen.value.total,
                source: Some(seen.source),
            }),
            inodes: reading.inodes.map(used),
            shared_memory: facts.shared_memory.map(|disk| Space {
                free: disk.free,
                total: disk.total,
                source: None,
            }),
        };
        Self { verdict, driver: facts.driver.clone(), capacity: Carries::of(facts), findings, machine }
    }
}

impl Carries {
    fn of(facts: &Facts) -> Self {
        let line = &facts.capacity;
        let together = line.together.iter().map(|limit| bound(limit, Scope::Run));
        let constraints: Vec<Bound> =
            together.chain(line.in_a_browser.iter().map(|limit| bound(limit, Scope::Browser))).collect();
        let binding = constraints.iter().find(|bound| bound.scope == Scope::Run).cloned();
        let fits = binding.as_ref().map(|bound| bound.contexts);
        Self {
            // When no browser can start, the other limits do not count.
            contexts: if line.refusal.is_some() { Some(0) } else { fits },
            asked: facts.asked,
            contexts_per_browser: facts.contexts_per_browser,
            binding,
            constraints,
            jobs_per_s: (line.jobs_per_second * 10.0).round() / 10.0,
        }
    }
}

fn bound(limit: &Constraint, scope: Scope) -> Bound {
    Bound {
        resource: match limit.resource {
            Resource::Memory => "memory",
            Resource::Threads => "threads",
            Resource::Descriptors => "descriptors",
        },
        scope,
        contexts: limit.contexts(),
        room: limit.room,
        need_per_context: limit.need_per_context,
        source: limit.source,
        kind: limit.resource,
    }
}

fn used(seen: Sensed<Tally>) -> Used {
    Used { used: seen.value.used, limit: seen.value.limit, source: seen.source }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::sample::{self, CASES};
    use super::*;

    /// Every path that leads to a value, those of an array's members once.
    fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
        let members: Vec<(String, &Value)> = match value {
            Value::Object(map) => map.iter().map(|(key, value)| (format!("{at}.{key}"), value)).collect(),
            Value::Array(list) => list.first().map(|value| (format!("{at}[]"), value)).into_iter().collect(),
            _ => return found.push(at.trim_start_matches('.').to_owned()),
        };
        members.iter().for_each(|(at, value)| paths(value, at, found));
    }

    #[test]
    fn the_keys_that_scripts_rest_on_stay() {
        let value = serde_json::to_value(Diagnosis::of(&sample::facts())).expect("plain data");
        let mut found = Vec::new();
        paths(&value, "", &mut found);
        let bound = ["contexts", "need_per_context", "resource", "room", "scope", "source"];
        let used = ["limit", "source", "used"];
        let of = |at: &str, keys: &[&str]| keys.iter().map(|key| format!("{at}.{key}")).collect::<Vec<_>>();
        let expected = [
            of("capacity", &["asked"]),
            of("capacity.binding", &bound),
            of("capacity.constraints[]", &bound),
            of("capacity", &["contexts", "contexts_per_browser", "jobs_per_s"]),
            vec!["driver".to_owned()],
            of("findings[]", &["detail", "remedy", "state", "what"]),
            of("machine", &["cores"]),
            of("machine.descriptors", &used),
            of("machine.disk", &["free", "source", "total"]),
            of("machine", &["inodes"]),
            of("machine.memory", &used),
            of("machine.shared_memory", &["free", "total"]),
            of("machine.threads", &used),
            vec!["verdict".to_owned()],
        ];
        assert_eq!(found, expected.concat());
        assert_eq!(value["verdict"], "good");
        assert_eq!(
            value["capacity"]["binding"],
            json!({"resource": "memory", "scope": "run", "contexts": 562, "room": 18_871_851_417_u64,
                "need_per_context": 33_554_432, "source": "/proc/meminfo"})
        );
    }

    #[test]
    fn the_verdict_is_the_worst_finding() {
        for (change, what, state, ..) in CASES {
            assert_eq!(Diagnosis::of(&sample::changed(*change)).verdict, *state, "{what}");
        }
    }

    #[test]
    fn where_no_browser_can_start_no_context_fits() {
        let cramped = CASES.iter().filter(|(_, what, state, ..)| {
            *state == State::Missing && ["open files", "threads", "memory"].contains(what)
        });
        let contexts = cramped.map(|(change, ..)| Diagnosis::of(&sample::changed(*change)).capacity.contexts);
        assert_eq!(contexts.collect::<Vec<_>>(), [Some(0); 3]);
    }
}
