//! The selectors of a step, and of which kind they are.

use crate::step::{
    Capture, Check, Click, Drag, DragTarget, Expect, Expectation, Extract, Field, Fill, Hover, Press,
    Screenshot, Scroll, ScrollTarget, Select, Step, Type, Upload, WaitFor, WaitTarget,
};

/// The kinds of selectors beside CSS, as they begin.
const KINDS: [&str; 8] = ["css=", "text=", "role=", "label=", "placeholder=", "testid=", "xpath=", "nth="];

/// Defines a function that calls `see` with each selector of a step: once for reading, once for changing. The fields of
/// records are looked up inside each record, so their selectors are not among them.
macro_rules! each_selector {
    ($(#[$doc:meta])* $name:ident, $step:ty, $selector:ty, $values:ident) => {
        $(#[$doc])*
        pub(crate) fn $name<'s>(step: $step, see: &mut impl FnMut($selector)) {
            match step {
                Step::Click(Click { selector, .. })
                | Step::Fill(Fill { selector, .. })
                | Step::Type(Type { selector, .. })
                | Step::Press(Press { selector: Some(selector), .. })
                | Step::Select(Select { selector, .. })
                | Step::Check(Check { selector, .. })
                | Step::Uncheck(Check { selector, .. })
                | Step::Hover(Hover { selector, .. })
                | Step::Upload(Upload { selector, .. })
                | Step::Scroll(Scroll { to: ScrollTarget::Selector(selector), .. })
                | Step::Screenshot(Screenshot { of: Capture::Element(selector), .. })
                | Step::WaitFor(WaitFor { target: WaitTarget::Selector(selector, _), .. })
                | Step::Expect(Expect {
                    that:
                        Expectation::Element(selector, _)
                        | Expectation::ElementText(selector, _)
                        | Expectation::Count(selector, _),
                    ..
                }) => see(selector),
                Step::Drag(Drag { from, target, .. }) => {
                    see(from);
                    if let DragTarget::Selector(selector) = target {
                        see(selector);
                    }
                }
                Step::Extract(Extract { fields }) => fields.$values().for_each(|field| match field {
                    Field::One { selector, .. }
                    | Field::All { selector, .. }
                    | Field::Records { selector, .. } => see(selector),
                }),
                Step::Press(Press { selector: None, .. })
                | Step::Scroll(Scroll { to: ScrollTarget::Top | ScrollTarget::Bottom | ScrollTarget::By(..), .. })
                | Step::Screenshot(Screenshot { of: Capture::Page | Capture::Full, .. })
                | Step::WaitFor(WaitFor {
                    target:
                        WaitTarget::Load(_) | WaitTarget::Text(_) | WaitTarget::Url(_) | WaitTarget::Function(_),
                    ..
                })
                | Step::Expect(Expect {
                    that:
                        Expectation::Text(_)
                        | Expectation::Title(_)
                        | Expectation::Url(_)
                        | Expectation::Function(_),
                    ..
                })
                | Step::Goto(_)
                | Step::Evaluate(_)
                | Step::Content(_)
                | Step::Pdf(_)
                | Step::GetCookies(_)
                | Step::SetCookies(_)
                | Step::SetViewport(_) => {}
            }
        }
    };
}

each_selector! {
    /// Calls `see` with each selector of a step.
    each_selector, &'s Step, &'s String, values
}
each_selector! {
    /// Calls `see` with each selector of a step, which it may change.
    each_selector_mut, &'s mut Step, &'s mut String, values_mut
}

/// Whether a selector of the step is more than CSS.
pub(crate) fn has_locator(step: &Step) -> bool {
    let mut has =
        matches!(step, Step::Extract(Extract { fields }) if fields.values().any(has_locator_inside));
    each_selector(step, &mut |selector| has |= is_locator(selector));
    has
}

/// Whether a selector of a record's own fields is more than CSS.
fn has_locator_inside(field: &Field) -> bool {
    let Field::Records { fields, .. } = field else { return false };
    fields.values().any(|field| {
        let (Field::One { selector, .. } | Field::All { selector, .. } | Field::Records { selector, .. }) =
            field;
        is_locator(selector) || has_locator_inside(field)
    })
}

/// Whether a selector is more than CSS: another kind, or several that are joined.
fn is_locator(selector: &str) -> bool {
    let selector = selector.trim_start();
    let is_path = selector.trim_start_matches('(').starts_with("//") || selector.starts_with("..");
    KINDS.iter().any(|kind| selector.starts_with(kind)) || is_path || selector.contains(" >> ")
}
