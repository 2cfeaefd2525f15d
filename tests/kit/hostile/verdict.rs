//! What an attack came to: the attacker's end, its siblings', and every deviation from what is promised.

use std::fmt;
use std::time::Duration;

use plimsoll_check::nasty_site::attacks::Attack;
use serde_json::Value;

/// Healthy jobs beside each attack.
pub const SIBLINGS: usize = 10;
/// The program's own memory at its peak, whatever pages do.
const MOST_KIB: u64 = 200 << 10;
/// What an attempt may take beyond its deadline on a busy machine, its context's end and the wait for another try included.
const OVERSHOOT: Duration = Duration::from_secs(3);

/// What a run left to judge.
pub(super) struct Left {
    /// The lines of `results.jsonl`.
    pub(super) results: Vec<Value>,
    /// `report.json`; null when the program wrote none.
    pub(super) report: Value,
    /// The peak memory of the program, in KiB.
    pub(super) peak_kib: u64,
    /// How often siblings opened their first page.
    pub(super) openings: u64,
    /// Profiles and processes that outlived the program.
    pub(super) remains: Vec<String>,
}

/// How one attack ended.
#[derive(Debug)]
pub struct Ended {
    /// How the attacking job ended: `succeeded`, or the class of its failure; with its attempts and its time.
    pub attacker: String,
    /// Siblings that succeeded.
    pub siblings: usize,
    /// The program's peak memory, in KiB.
    pub peak_kib: u64,
    /// What is not as promised. None when all is well.
    pub deviations: Vec<String>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32} {:>2}/{SIBLINGS} {:>4} MiB", self.attacker, self.siblings, self.peak_kib >> 10)?;
        self.deviations.iter().try_for_each(|deviation| write!(f, "\n    {deviation}"))
    }
}

pub(super) fn judged(attack: &Attack, deadline: Duration, left: &Left) -> Ended {
    let (attackers, siblings): (Vec<_>, Vec<_>) =
        left.results.iter().partition(|line| line["id"] == "attacker");
    let well = |line: &&&Value| line["outcome"] == "succeeded";
    let mut deviations: Vec<String> =
        siblings.iter().filter(|line| !well(line)).map(|line| format!("a sibling: {}", told(line))).collect();
    let attacker = match attackers[..] {
        [line] => {
            deviations.extend(wrong_end(attack, deadline, line));
            let ms = line["ms"].as_u64().unwrap_or_default();
            format!("{} x{} {:.1} s", end(line), line["attempts"], Duration::from_millis(ms).as_secs_f64())
        }
        _ => "no result".to_owned(),
    };
    let mut expect = |what: &str, found: u64, wanted: bool| {
        if !wanted {
            deviations.push(format!("{what}: {found}"));
        }
    };
    let results = left.results.len() as u64;
    expect("results", results, results == SIBLINGS as u64 + 1);
    // An attempt that does not count opened the first page all the same.
    expect("attempts of all siblings", left.openings, left.openings == SIBLINGS as u64);
    for key in ["lost", "task_panics"] {
        let count = left.report[key].as_u64().unwrap_or(u64::MAX);
        expect(key, count, count == 0);
    }
    expect("peak memory in KiB", left.peak_kib, left.peak_kib <= MOST_KIB);
    deviations.extend(left.remains.iter().map(|what| format!("left over: {what}")));
    let siblings = siblings.iter().filter(well).count();
    Ended { attacker, siblings, peak_kib: left.peak_kib, deviations }
}

/// `succeeded`, or why not.
fn end(line: &Value) -> &str {
    line["class"].as_str().or_else(|| line["outcome"].as_str()).unwrap_or("?")
}

/// What a line says about a failure.
fn told(line: &Value) -> String {
    format!("{} at {}: {:.300}", end(line), line["stage"], line["message"].to_string())
}

/// What is wrong with the end of the attacker in `line`.
fn wrong_end(attack: &Attack, deadline: Duration, line: &Value) -> Option<String> {
    let attempts = line["attempts"].as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or(1);
    let took = Duration::from_millis(line["ms"].as_u64().unwrap_or(u64::MAX));
    if !attack.ends().any(|allowed| allowed == end(line)) {
        return Some(format!("the attacker: {}", told(line)));
    }
    (took > (deadline + OVERSHOOT) * attempts.max(1)).then(|| format!("the attacker took {took:?}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn left() -> Left {
        let line =
            |id: &str| json!({"id": id, "outcome": "succeeded", "class": null, "attempts": 1, "ms": 9});
        let siblings = (0..SIBLINGS).map(|n| line(&n.to_string()));
        let attacker =
            json!({"id": "attacker", "outcome": "failed", "class": "timeout", "attempts": 1, "ms": 5100});
        Left {
            results: siblings.chain([attacker]).collect(),
            report: json!({"lost": 0, "task_panics": 0}),
            peak_kib: 60 << 10,
            openings: SIBLINGS as u64,
            remains: Vec::new(),
        }
    }

    fn deviations(change: impl FnOnce(&mut Left)) -> usize {
        let attack = Attack::all().into_iter().find(|attack| attack.ends().eq(["timeout"])).expect("a loop");
        let mut left = left();
        change(&mut left);
        judged(&attack, Duration::from_secs(5), &left).deviations.len()
    }

    #[test]
    fn every_promise_that_is_broken_is_a_deviation() {
        assert_eq!(deviations(|_| ()), 0);
        let breaks: [fn(&mut Left); 9] = [
            |left| left.results[3]["outcome"] = json!("failed"),
            |left| left.results[SIBLINGS]["class"] = json!("browser_crash"),
            |left| left.results[SIBLINGS]["ms"] = json!(9000),
            |left| drop(left.results.remove(0)),
            |left| left.report["lost"] = json!(1),
            |left| left.report["task_panics"] = Value::Null,
            |left| left.peak_kib = 201 << 10,
            |left| left.openings += 1,
            |left| left.remains.push("a process".to_owned()),
        ];
        for (n, broken) in breaks.into_iter().enumerate() {
            assert_eq!(deviations(broken), 1, "{n}");
        }
    }
}
