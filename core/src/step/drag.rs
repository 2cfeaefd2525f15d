//! The step that drags an element.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::duration;

/// Drag an element to another element, or by a distance.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "DragKeys", into = "DragKeys")]
pub struct Drag {
    /// CSS selector of the element to drag; the first match is used.
    pub from: String,
    /// Where the pointer is released.
    pub target: DragTarget,
    /// How long the two elements may take to become ready; the rest of the attempt by default.
    pub timeout: Option<Duration>,
}

/// The end of a `drag`.
#[derive(Debug, Clone, PartialEq)]
pub enum DragTarget {
    /// The element that matches this CSS selector.
    Selector(String),
    /// This distance from the start, in CSS pixels: right, then down. Both numbers are finite.
    By(f64, f64),
}

/// The keys of a `drag` in the job file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DragKeys {
    from: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<(f64, f64)>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    timeout: Option<Duration>,
}

impl TryFrom<DragKeys> for Drag {
    type Error = &'static str;

    fn try_from(DragKeys { from, to, by, timeout }: DragKeys) -> Result<Self, Self::Error> {
        let target = match (to, by) {
            (Some(selector), None) => DragTarget::Selector(selector),
            (None, Some((x, y))) if x.is_finite() && y.is_finite() => DragTarget::By(x, y),
            (None, Some(_)) => return Err("`by` of a drag needs two finite numbers"),
            _ => return Err("drag needs exactly one of `to`, `by`"),
        };
        Ok(Self { from, target, timeout })
    }
}

impl From<Drag> for DragKeys {
    fn from(Drag { from, target, timeout }: Drag) -> Self {
        let (to, by) = match target {
            DragTarget::Selector(selector) => (Some(selector), None),
            DragTarget::By(x, y) => (None, Some((x, y))),
        };
        Self { from, to, by, timeout }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drag_has_one_end() {
        let drag = |json: &str| serde_json::from_str::<Drag>(json).map_err(|why| why.to_string());
        let by = Drag { from: "#a".into(), target: DragTarget::By(-1.5, 2.0), timeout: None };
        assert_eq!(drag(r##"{"from":"#a","by":[-1.5,2]}"##), Ok(by));
        for wrong in [r##"{"from":"#a"}"##, r##"{"from":"#a","to":"#b","by":[1,2]}"##] {
            assert!(drag(wrong).is_err_and(|why| why.contains("exactly one of `to`, `by`")), "{wrong}");
        }
        let endless = DragKeys { from: "#a".into(), to: None, by: Some((f64::NAN, 0.0)), timeout: None };
        assert_eq!(Drag::try_from(endless), Err("`by` of a drag needs two finite numbers"));
    }
}
