//! CSS selectors, which choose the elements of a job's steps.
//!
//! Selectors level 4, as far as a document without a browser allows: types, `#id`, `.class`, `[attribute]` with its
//! operators, the four combinators, lists, `:is` `:where` `:not` `:has`, the `:nth-*` family, `:empty` `:root` `:scope`
//! `:link` `:checked` `:disabled` `:enabled`. Other features (`:hover`, `::before`, namespaces) are *unsupported*, not
//! invalid: another driver may support them.
//!
//! This is our own code because the maintained crates for it (`scraper`, `dom_query`, `kuchikiki`) use `selectors`
//! and `cssparser`, whose licence, the MPL, is not allowed here (`deny.toml`).

mod matching;
mod parse;

use std::fmt;

use plimsoll_core::outcome::{FailureClass, Fault};

pub(crate) use matching::Finder;

/// A list of alternatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Complex>);

/// Compounds joined by combinators, from right to left: the element itself first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Complex {
    subject: Compound,
    rest: Vec<(Combinator, Compound)>,
}

/// The conditions on one element.
type Compound = Vec<Simple>;

/// The relation of the left element to the right element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Combinator {
    /// ` `: ancestor.
    Ancestor,
    /// `>`: parent.
    Parent,
    /// `+`: previous sibling.
    Previous,
    /// `~`: earlier sibling.
    Before,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Simple {
    Any,
    /// Compared without regard to case.
    Type(String),
    Id(String),
    Class(String),
    Attribute(Attribute),
    Is(Selector),
    Not(Selector),
    /// Relative selectors: the leading combinator and what comes after it.
    Has(Vec<(Combinator, Complex)>),
    Nth(Nth),
    Empty,
    Root,
    Scope,
    Link,
    Checked,
    Disabled,
    Enabled,
}

/// `[name operator "value" case]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    name: String,
    test: Option<(Operator, String)>,
    case: Case,
}

/// The comparison of an attribute's value with the value in the selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equals,
    HasWord,
    HasPrefixWord,
    Begins,
    Ends,
    Contains,
}

/// Whether case matters in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    /// As HTML defines for this attribute.
    Usual,
    Ignored,
}

/// The `step`-th elements from `first` on, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nth {
    step: i32,
    first: i32,
    from: End,
    among: Among,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    All,
    SameType,
}

/// Why a selector cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SelectorError {
    /// The text is not valid CSS.
    #[error("`{selector}` is not a valid selector: {why}")]
    Invalid {
        /// The selector.
        selector: String,
        /// The reason.
        why: String,
    },
    /// The selector needs a feature that this driver does not support.
    #[error("`{selector}`: the http driver does not know {what}; run the job with a browser")]
    Unsupported {
        /// The selector.
        selector: String,
        /// The unsupported feature.
        what: String,
    },
}

impl From<SelectorError> for Fault {
    fn from(error: SelectorError) -> Self {
        let class = match error {
            SelectorError::Invalid { .. } => FailureClass::Script,
            SelectorError::Unsupported { .. } => FailureClass::Unsupported,
        };
        Self::persistent(class, error.to_string())
    }
}

impl Selector {
    /// Parses a selector.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        parse::selector(text)
    }
}

impl fmt::Display for Combinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ancestor => " ",
            Self::Parent => ">",
            Self::Previous => "+",
            Self::Before => "~",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;
    use crate::dom::{Dom, ElementRef, parse};
    use crate::work_budget::WorkBudget;
    use plimsoll_core::runtime::budget::Budget;

    /// A page, selectors, and the ids of what they select there or, if they are not valid, `null`: measured with
    /// Chromium 156.
    #[derive(Deserialize)]
    struct Measured {
        page: String,
        everywhere: Vec<(String, Option<Vec<String>>)>,
        inside: Vec<(String, String, Option<Vec<String>>)>,
    }

    fn measured() -> Measured {
        serde_json::from_str(include_str!("../tests/measured/selectors.json")).expect("a table")
    }

    fn work() -> WorkBudget {
        WorkBudget::new(Budget::start(Duration::from_secs(60)))
    }

    fn find<'a>(dom: &'a Dom, selector: &str, scope: Option<ElementRef<'a>>) -> Option<Vec<ElementRef<'a>>> {
        let selector = Selector::parse(selector).ok()?;
        Some(Finder::new(dom).find(&selector, scope, usize::MAX, &mut work()).expect("time enough"))
    }

    fn ids(found: Option<Vec<ElementRef<'_>>>) -> Option<Vec<String>> {
        let id =
            |element: ElementRef<'_>| element.attribute("id").unwrap_or_else(|| element.name()).to_owned();
        found.map(|found| found.into_iter().map(id).collect())
    }

    #[test]
    fn selectors_find_what_they_find_in_chromium() {
        let Measured { page, everywhere, inside } = measured();
        let dom = parse(&format!("<!doctype html>{page}"), &work()).expect("a document");
        let mut wrong = Vec::new();
        let everywhere = everywhere.into_iter().map(|(selector, wanted)| (None, selector, wanted));
        let inside = inside.into_iter().map(|(scope, selector, wanted)| (Some(scope), selector, wanted));
        for (scope, selector, wanted) in everywhere.chain(inside) {
            let within = scope.as_ref().and_then(|scope| find(&dom, scope, None)?.first().copied());
            let found = ids(find(&dom, &selector, within));
            if found != wanted {
                wrong.push(format!("{scope:?} {selector}\n  Chromium: {wanted:?}\n  here:     {found:?}"));
            }
        }
        assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn what_only_a_browser_can_tell_is_unsupported_and_not_wrong() {
        for selector in ["a:hover", "::before", "svg|a", "*|a", "li:nth-child(2 of .x)", ":lang(en)"] {
            let fault = Fault::from(Selector::parse(selector).expect_err(selector));
            assert_eq!(fault.class, FailureClass::Unsupported, "{fault}");
        }
        let fault = Fault::from(Selector::parse("p >").expect_err("it ends too early"));
        assert_eq!(fault.class, FailureClass::Script, "{fault}");
        for endless in [":not(".repeat(10_000), "li~".repeat(100_000), "a,".repeat(100_000)] {
            assert!(matches!(Selector::parse(&endless), Err(SelectorError::Invalid { .. })));
        }
    }

    #[test]
    fn ids_and_classes_lose_their_case_in_quirks_mode() {
        let dom = parse("<p id=A class='Big x'>", &work()).expect("a document");
        assert_eq!(find(&dom, "#a.big", None).map(|found| found.len()), Some(1));
    }

    #[test]
    fn a_long_selector_on_a_deep_page_ends() {
        let deep = "<div><i>".repeat(200);
        let dom = parse(&format!("<!doctype html>{deep}"), &work()).expect("a document");
        let long = format!("{}b", "div i ".repeat(40));
        assert_eq!(find(&dom, &long, None).map(|found| found.len()), Some(0));
        let long = format!("b {}i", "div > i ".repeat(40));
        assert_eq!(find(&dom, &long, None).map(|found| found.len()), Some(0));
    }
}
