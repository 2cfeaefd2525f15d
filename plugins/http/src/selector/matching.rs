//! Finds the elements that a [`Selector`] matches.
//!
//! A selector is matched from right to left. A failure of the left part states where another try could succeed: if no
//! ancestor was left to try, no other start will match. So a long selector on a deep page is not tried in every
//! combination. The steps are counted in a [`WorkBudget`].

use std::collections::HashMap;

use ego_tree::NodeId;

use super::{Among, Attribute, Case, Combinator, Complex, Compound, End, Nth, Operator, Selector, Simple};
use crate::dom::{Dom, ElementRef, Node, elements_below};
use crate::form;
use crate::work_budget::{BudgetExceeded, WorkBudget};

/// HTML attributes whose values are compared without regard to case.
const CASELESS: [&str; 46] = [
    "accept",
    "accept-charset",
    "align",
    "alink",
    "axis",
    "bgcolor",
    "charset",
    "checked",
    "clear",
    "codetype",
    "color",
    "compact",
    "declare",
    "defer",
    "dir",
    "direction",
    "disabled",
    "enctype",
    "face",
    "frame",
    "hreflang",
    "http-equiv",
    "lang",
    "language",
    "link",
    "media",
    "method",
    "multiple",
    "nohref",
    "noresize",
    "noshade",
    "nowrap",
    "readonly",
    "rel",
    "rev",
    "rules",
    "scope",
    "scrolling",
    "selected",
    "shape",
    "target",
    "text",
    "type",
    "valign",
    "valuetype",
    "vlink",
];

/// Finds elements of one document.
pub(crate) struct Finder<'a> {
    dom: &'a Dom,
    /// An element's position among its siblings and their number, and the same among siblings of its type.
    places: HashMap<NodeId, [(i32, i32); 2]>,
}

/// How a match from right to left ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Yes,
    /// An earlier sibling or an ancestor may match.
    NotThis,
    /// No sibling will match, but an ancestor may.
    NotBeside,
    /// No other element will match.
    Never,
}

impl<'a> Finder<'a> {
    pub(crate) fn new(dom: &'a Dom) -> Self {
        Self { dom, places: HashMap::new() }
    }

    /// Matches below `scope` (or in the whole document), in document order; at most `most`.
    pub(crate) fn find(
        &mut self,
        selector: &Selector,
        scope: Option<ElementRef<'a>>,
        most: usize,
        work: &mut WorkBudget,
    ) -> Result<Vec<ElementRef<'a>>, BudgetExceeded> {
        let below = scope.map_or_else(|| self.dom.document(), ElementRef::node);
        let mut found = Vec::new();
        for element in elements_below(below) {
            if self.is(element, selector, scope, work)? {
                found.push(element);
                if found.len() == most {
                    break;
                }
            }
        }
        Ok(found)
    }

    fn is(
        &mut self,
        element: ElementRef<'a>,
        selector: &Selector,
        scope: Option<ElementRef<'a>>,
        work: &mut WorkBudget,
    ) -> Result<bool, BudgetExceeded> {
        for complex in &selector.0 {
            if self.holds(element, &complex.subject, scope, work)?
                && self.rest_holds(element, &complex.rest, scope, work)? == Found::Yes
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the part of the selector to the left of `element` matches.
    fn rest_holds(
        &mut self,
        element: ElementRef<'a>,
        rest: &[(Combinator, Compound)],
        scope: Option<ElementRef<'a>>,
        work: &mut WorkBudget,
    ) -> Result<Found, BudgetExceeded> {
        let Some(((combinator, compound), rest)) = rest.split_first() else { return Ok(Found::Yes) };
        let beside = matches!(combinator, Combinator::Previous | Combinator::Before);
        let mut candidate = element;
        loop {
            let next = if beside { candidate.previous() } else { candidate.parent() };
            let Some(next) = next else { return Ok(if beside { Found::NotBeside } else { Found::Never }) };
            candidate = next;
            let mut found = Found::NotThis;
            if self.holds(candidate, compound, scope, work)? {
                found = self.rest_holds(candidate, rest, scope, work)?;
            }
            match (found, combinator) {
                (Found::Yes | Found::Never, _) | (_, Combinator::Previous) => return Ok(found),
                (_, Combinator::Parent) => return Ok(Found::NotBeside),
                (Found::NotBeside, Combinator::Before) => return Ok(found),
                (Found::NotThis | Found::NotBeside, Combinator::Ancestor | Combinator::Before) => {}
            }
        }
    }

    fn holds(
        &mut self,
        element: ElementRef<'a>,
        compound: &Compound,
        scope: Option<ElementRef<'a>>,
        work: &mut WorkBudget,
    ) -> Result<bool, BudgetExceeded> {
        work.step()?;
        for simple in compound {
            let holds = match simple {
                Simple::Any => true,
                Simple::Type(name) => element.name().eq_ignore_ascii_case(name),
                Simple::Id(id) => element.attribute("id").is_some_and(|own| self.same(own, id)),
                Simple::Class(class) => element
                    .attribute("class")
                    .is_some_and(|own| own.split_ascii_whitespace().any(|own| self.same(own, class))),
                Simple::Attribute(attribute) => has_attribute(element, attribute),
                Simple::Is(selector) => self.is(element, selector, scope, work)?,
                Simple::Not(selector) => !self.is(element, selector, scope, work)?,
                Simple::Has(relatives) => self.has(element, relatives, work)?,
                Simple::Nth(nth) => self.is_nth(element, *nth),
                // A template's content is not part of the document.
                Simple::Empty => element
                    .node()
                    .children()
                    .all(|child| matches!(child.value(), Node::Comment(_) | Node::Contents)),
                Simple::Root => self.dom.root() == Some(element),
                Simple::Scope => scope.or_else(|| self.dom.root()) == Some(element),
                Simple::Link => matches!(element.name(), "a" | "area") && element.attribute("href").is_some(),
                Simple::Checked => form::is_checked(element),
                Simple::Disabled => form::is_disabled(element),
                Simple::Enabled => form::can_be_disabled(element) && !form::is_disabled(element),
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compares ids and classes: case matters, except in quirks mode.
    fn same(&self, own: &str, wanted: &str) -> bool {
        own == wanted || (self.dom.quirks() && own.eq_ignore_ascii_case(wanted))
    }

    fn has(
        &mut self,
        element: ElementRef<'a>,
        relatives: &[(Combinator, Complex)],
        work: &mut WorkBudget,
    ) -> Result<bool, BudgetExceeded> {
        for (combinator, complex) in relatives {
            // The leftmost compound is anchored at the element by the leading combinator.
            let mut anchored = complex.clone();
            anchored.rest.push((*combinator, vec![Simple::Scope]));
            let selector = Selector(vec![anchored]);
            let beside = matches!(combinator, Combinator::Previous | Combinator::Before);
            let mut next = if beside { element.next() } else { None };
            if !beside {
                for below in elements_below(element.node()) {
                    if self.is(below, &selector, Some(element), work)? {
                        return Ok(true);
                    }
                }
            }
            while let Some(sibling) = next {
                if self.is(sibling, &selector, Some(element), work)? {
                    return Ok(true);
                }
                for below in elements_below(sibling.node()) {
                    if self.is(below, &selector, Some(element), work)? {
                        return Ok(true);
                    }
                }
                next = sibling.next();
            }
        }
        Ok(false)
    }

    fn is_nth(&mut self, element: ElementRef<'a>, nth: Nth) -> bool {
        if element.node().parent().is_none() {
            return false;
        }
        if !self.places.contains_key(&element.node().id()) {
            self.number_siblings(element);
        }
        let Some(places) = self.places.get(&element.node().id()) else { return false };
        let (place, count) = match nth.among {
            Among::All => places[0],
            Among::SameType => places[1],
        };
        let place = match nth.from {
            End::First => place,
            End::Last => count - place + 1,
        };
        let beyond = i64::from(place) - i64::from(nth.first);
        match i64::from(nth.step) {
            0 => beyond == 0,
            step => beyond % step == 0 && beyond / step >= 0,
        }
    }

    /// Numbers an element and all its siblings at once, so that a long list is not counted for each item.
    fn number_siblings(&mut self, element: ElementRef<'a>) {
        let Some(parent) = element.node().parent() else { return };
        let mut counts = HashMap::new();
        let siblings: Vec<_> = parent.children().filter_map(ElementRef::wrap).collect();
        let all = i32::try_from(siblings.len()).unwrap_or(i32::MAX);
        for (sibling, place) in siblings.iter().zip(1..) {
            let of_type = counts.entry((sibling.is_html(), sibling.name())).or_insert(0);
            *of_type += 1;
            self.places.insert(sibling.node().id(), [(place, all), (*of_type, 0)]);
        }
        for sibling in siblings {
            let count = counts.get(&(sibling.is_html(), sibling.name())).copied().unwrap_or_default();
            if let Some(places) = self.places.get_mut(&sibling.node().id()) {
                places[1].1 = count;
            }
        }
    }
}

fn has_attribute(element: ElementRef<'_>, Attribute { name, test, case }: &Attribute) -> bool {
    let (Some(own), Some((operator, wanted))) = (element.attribute_of_any_case(name), test) else {
        return test.is_none() && element.attribute_of_any_case(name).is_some();
    };
    let of_html = || element.is_html() && CASELESS.iter().any(|known| known.eq_ignore_ascii_case(name));
    if *case == Case::Ignored || of_html() {
        compare(&own.to_ascii_lowercase(), *operator, &wanted.to_ascii_lowercase())
    } else {
        compare(own, *operator, wanted)
    }
}

fn compare(own: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Equals => own == wanted,
        Operator::HasWord => own.split_ascii_whitespace().any(|word| word == wanted),
        Operator::HasPrefixWord => {
            own.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }
        // These three match nothing when the value is empty.
        Operator::Begins => !wanted.is_empty() && own.starts_with(wanted),
        Operator::Ends => !wanted.is_empty() && own.ends_with(wanted),
        Operator::Contains => !wanted.is_empty() && own.contains(wanted),
    }
}
