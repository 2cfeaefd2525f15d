//! [`Guard`]: the condition of an `if` or a loop, judged now, without waiting.

use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::plain::Plain;
use crate::shorthand::{self, Shorthand};
use crate::step::{ElementState, Expect, Step};

/// A condition over conditions of the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Guard {
    /// This `expect`, which looks once, succeeds.
    Holds(Plain),
    /// The condition does not hold.
    Not(Box<Self>),
    /// Every condition holds.
    All(Vec<Self>),
    /// At least one condition holds.
    Any(Vec<Self>),
}

impl Guard {
    /// Whether the condition holds, when the answers `known` were given to its first questions; or its next question.
    /// Nothing is asked whose answer does not matter.
    ///
    /// # Errors
    /// The next question.
    pub(super) fn judge<'g>(&'g self, known: &mut impl Iterator<Item = bool>) -> Result<bool, &'g Plain> {
        match self {
            Self::Holds(expect) => known.next().ok_or(expect),
            Self::Not(guard) => guard.judge(known).map(|held| !held),
            Self::All(guards) => decided(guards, false, known),
            Self::Any(guards) => decided(guards, true, known),
        }
    }

    /// Calls `see` with each `expect`.
    pub fn visit<'g>(&'g self, see: &mut impl FnMut(&'g Plain)) {
        match self {
            Self::Holds(expect) => see(expect),
            Self::Not(guard) => guard.visit(see),
            Self::All(guards) | Self::Any(guards) => guards.iter().for_each(|guard| guard.visit(see)),
        }
    }
}

/// The verdict of a list of which the first verdict that is `decisive` decides.
fn decided<'g>(
    guards: &'g [Guard],
    decisive: bool,
    known: &mut impl Iterator<Item = bool>,
) -> Result<bool, &'g Plain> {
    for guard in guards {
        if guard.judge(known)? == decisive {
            return Ok(decisive);
        }
    }
    Ok(!decisive)
}

impl<'de> Deserialize<'de> for Guard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        shorthand::deserialize::<Long, D>(deserializer).map(|Long(guard)| guard)
    }
}

/// A condition that is read through its short form. The newtype keeps [`Guard`]'s own `Deserialize` out of the recursion.
#[derive(Deserialize)]
#[serde(try_from = "GuardKeys")]
struct Long(Guard);

impl Shorthand for Long {
    const EXPECTING: &'static str =
        "a CSS selector, or a condition such as {\"text\": ...} or {\"not\": ...}";

    fn from_short(text: &str) -> Result<Self, String> {
        let keys = GuardKeys { selector: Some(text.to_owned()), ..GuardKeys::default() };
        Self::try_from(keys).map_err(ToOwned::to_owned)
    }
}

/// The keys of a condition in the job file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardKeys {
    selector: Option<String>,
    state: Option<ElementState>,
    count: Option<usize>,
    text: Option<String>,
    title: Option<String>,
    url: Option<String>,
    function: Option<String>,
    not: Option<Box<Guard>>,
    all: Option<Vec<Guard>>,
    any: Option<Vec<Guard>>,
}

impl TryFrom<GuardKeys> for Long {
    type Error = &'static str;

    fn try_from(keys: GuardKeys) -> Result<Self, Self::Error> {
        const RULE: &str = "a condition has one of `text`, `title`, `url`, `function`, `not`, `all`, `any`, or a \
            `selector` with at most one of `text`, `state`, `count`";
        let GuardKeys { selector, state, count, text, title, url, function, not, all, any } = keys;
        let asks = selector.is_some() || [&text, &title, &url, &function].iter().any(|key| key.is_some());
        let is_bare = !asks && state.is_none() && count.is_none();
        let guard = match (not, all, any) {
            (Some(not), None, None) if is_bare => Guard::Not(not),
            (None, Some(all), None) if is_bare && !all.is_empty() => Guard::All(all),
            (None, None, Some(any)) if is_bare && !any.is_empty() => Guard::Any(any),
            (None, None, None) => {
                let keys = json!({
                    "selector": selector, "state": state, "count": count, "text": text, "title": title, "url": url,
                    "function": function, "timeout": "0s",
                });
                let expect = Expect::deserialize(keys).map_err(|_| RULE)?;
                Guard::Holds(Plain::written(Step::Expect(expect)))
            }
            _ => return Err(RULE),
        };
        Ok(Self(guard))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn guard(json: Value) -> Result<Guard, String> {
        serde_json::from_value(json).map_err(|why| why.to_string())
    }

    #[test]
    fn a_condition_is_written_with_the_words_of_expect() {
        assert_eq!(guard(json!("#a")), guard(json!({"selector": "#a", "state": "visible"})));
        let Ok(Guard::Holds(plain)) = guard(json!({"selector": "#a", "count": 2})) else {
            panic!("an expect")
        };
        let written = json!({"expect": {"selector": "#a", "count": 2, "timeout": "0s"}});
        assert_eq!(Ok(plain.step().clone()), serde_json::from_value(written).map_err(|why| why.to_string()));
        for wrong in [
            json!({}),
            json!({"text": "a", "url": "b"}),
            json!({"not": "#a", "text": "b"}),
            json!({"all": []}),
            json!({"state": "hidden"}),
            json!({"not": "#a", "state": "hidden"}),
        ] {
            assert!(guard(wrong.clone()).is_err_and(|why| why.contains("a condition has one of")), "{wrong}");
        }
        assert!(guard(json!({"not": {"txt": "a"}})).is_err_and(|why| why.contains("unknown field `txt`")));
    }

    #[test]
    fn nothing_is_asked_whose_answer_does_not_matter() {
        let guard = guard(json!({"any": [{"all": ["#a", {"not": "#b"}]}, "#c"]})).expect("a condition");
        let judged = |known: &[bool]| {
            guard.judge(&mut known.iter().copied()).map_err(|asked| {
                serde_json::to_value(asked.step()).expect("plain data")["expect"]["selector"].clone()
            })
        };
        assert_eq!(judged(&[]), Err(json!("#a")));
        assert_eq!(judged(&[true]), Err(json!("#b")));
        assert_eq!(judged(&[true, false]), Ok(true));
        assert_eq!(judged(&[false]), Err(json!("#c")));
        assert_eq!((judged(&[false, true]), judged(&[true, true, false])), (Ok(true), Ok(false)));
    }
}
