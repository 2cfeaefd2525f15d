//! Form controls as the document defines them: their values, and whether they are checked or disabled.

use crate::dom::ElementRef;

/// Elements that can be disabled.
const CONTROLS: [&str; 7] = ["button", "input", "select", "textarea", "optgroup", "option", "fieldset"];

/// The value of an `<input>`, a `<textarea>` or a `<select>`; `None` for other elements.
pub(crate) fn value(element: ElementRef<'_>) -> Option<String> {
    if element.is("input") {
        let otherwise = if can_be_ticked(element) { "on" } else { "" };
        return Some(element.attribute("value").unwrap_or(otherwise).to_owned());
    }
    if element.is("textarea") {
        return Some(element.text());
    }
    element.is("select").then(|| chosen(element).map(option_value).unwrap_or_default())
}

fn option_value(option: ElementRef<'_>) -> String {
    let label = || option.text().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    option.attribute("value").map_or_else(label, str::to_owned)
}

/// The selected option of a `<select>`: the last with `selected` or, in a drop-down list, the first that is not
/// disabled.
fn chosen(select: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let options = || {
        let groups = select.children().flat_map(|child| {
            let inside = child.is("optgroup").then(|| child.children());
            std::iter::once(child).chain(inside.into_iter().flatten())
        });
        groups.filter(|child| child.is("option"))
    };
    let mut said = options().filter(|option| option.attribute("selected").is_some());
    if select.attribute("multiple").is_some() {
        return said.next();
    }
    let drops_down = select.attribute("size").and_then(|size| size.parse().ok()).unwrap_or(1) <= 1;
    said.next_back().or_else(|| options().find(|option| drops_down && !is_disabled(*option)))
}

fn can_be_ticked(input: ElementRef<'_>) -> bool {
    let kind = input.attribute("type").unwrap_or_default();
    kind.eq_ignore_ascii_case("checkbox") || kind.eq_ignore_ascii_case("radio")
}

/// Whether a box is checked or an option is selected.
pub(crate) fn is_checked(element: ElementRef<'_>) -> bool {
    if element.is("input") {
        return can_be_ticked(element) && element.attribute("checked").is_some();
    }
    if !element.is("option") {
        return false;
    }
    let select = std::iter::successors(element.parent(), |up| up.parent()).find(|up| up.is("select"));
    match select.filter(|select| select.attribute("multiple").is_none()) {
        Some(select) => chosen(select) == Some(element),
        None => element.attribute("selected").is_some(),
    }
}

/// Whether this element can be disabled.
pub(crate) fn can_be_disabled(element: ElementRef<'_>) -> bool {
    CONTROLS.iter().any(|name| element.is(name))
}

/// Whether the element is disabled, by itself or by an ancestor.
pub(crate) fn is_disabled(element: ElementRef<'_>) -> bool {
    if !can_be_disabled(element) {
        return false;
    }
    if element.attribute("disabled").is_some() {
        return true;
    }
    if element.is("option") {
        return element.parent().is_some_and(|up| up.is("optgroup") && up.attribute("disabled").is_some());
    }
    if element.is("optgroup") {
        return false;
    }
    // A disabled <fieldset> disables all its content except that of its first <legend>.
    let mut inside = element;
    while let Some(up) = inside.parent() {
        let legend = inside.is("legend") && up.children().find(|child| child.is("legend")) == Some(inside);
        if up.is("fieldset") && up.attribute("disabled").is_some() && !legend {
            return true;
        }
        inside = up;
    }
    false
}
