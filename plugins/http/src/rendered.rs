//! The text of an element as a browser would show it (`innerText`), without a browser.
//!
//! ```text
//!   nodes ──► what each one does to the lines ──► Lines: spaces collapsed, breaks joined ──► text
//! ```
//!
//! The rules are those of HTML with the default styles of browsers: blocks on lines of their own, blank lines between
//! paragraphs, tabs between cells, rows on lines. Of a page's own styles, only `hidden` and `display`, `visibility`
//! and `white-space` in a `style` attribute are used; style sheets are not read.

mod lines;

use crate::dom::{ElementRef, Node};
use crate::work_budget::{BudgetExceeded, WorkBudget};
use lines::Lines;

/// How an element affects the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Unseen,
    /// A block with at least this number of line breaks before and after it.
    Block(u8),
    /// An inline block.
    Box,
    /// A block that shows all its text in one line.
    Option,
    Letter,
    Break,
    Table,
    Rows,
    Row,
    Cell,
    Inline,
}

/// White space as in JavaScript's `trim`.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Collapses and trims white space, as conditions compare text.
pub(crate) fn plain(text: &str) -> String {
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

/// The text of an element as it is shown or, if the element is hidden, its text content.
pub(crate) fn text(element: ElementRef<'_>, work: &mut WorkBudget) -> Result<String, BudgetExceeded> {
    let is_unseen = |element: ElementRef<'_>| flow(element) == Flow::Unseen;
    if !element.is_html() || std::iter::successors(Some(element), |up| up.parent()).any(is_unseen) {
        work.step()?;
        return Ok(element.text());
    }
    let mut lines = Lines::new(keeps_space(element));
    let root = element.node();
    let mut next = root.first_child();
    while let Some(mut node) = next {
        work.step()?;
        let shown = match node.value() {
            Node::Text(text) => {
                if !has_no_place(node.parent().and_then(ElementRef::wrap)) {
                    lines.text(text);
                }
                false
            }
            Node::Element(_) => ElementRef::wrap(node).is_some_and(|element| open(element, &mut lines)),
            _ => false,
        };
        next = if shown { node.first_child() } else { None };
        if shown && next.is_none() {
            close(node, &mut lines);
        }
        while next.is_none() {
            next = node.next_sibling();
            if next.is_some() {
                break;
            }
            let Some(parent) = node.parent().filter(|parent| parent.id() != root.id()) else { break };
            close(parent, &mut lines);
            node = parent;
        }
    }
    Ok(lines.end())
}

/// Whether text is not shown here: between rows and cells of a table, in a drawing, or in a closed element.
fn has_no_place(parent: Option<ElementRef<'_>>) -> bool {
    parent.is_some_and(|parent| {
        let drawing = !parent.is_html() && matches!(parent.name(), "svg" | "g");
        let tabular = matches!(flow(parent), Flow::Table | Flow::Rows | Flow::Row);
        drawing || tabular || parent.is("select") || is_folded(parent)
    })
}

fn is_folded(element: ElementRef<'_>) -> bool {
    element.is("details") && element.attribute("open").is_none()
}

/// Begins an element; returns whether its content is shown.
fn open(element: ElementRef<'_>, lines: &mut Lines) -> bool {
    match flow(element) {
        Flow::Unseen => return false,
        Flow::Block(breaks) => lines.breaks(breaks),
        Flow::Table => lines.breaks(1),
        Flow::Box => lines.open_box(),
        Flow::Letter => {
            lines.letter();
            return false;
        }
        Flow::Break => {
            lines.line_break();
            return false;
        }
        Flow::Option => {
            lines.breaks(1);
            lines.text(&element.text().split_ascii_whitespace().collect::<Vec<_>>().join(" "));
            lines.breaks(1);
            return false;
        }
        Flow::Cell => lines.line_starts(),
        Flow::Rows | Flow::Row | Flow::Inline => {}
    }
    if keeps_space(element) {
        lines.keep_space();
    }
    true
}

fn close(node: ego_tree::NodeRef<'_, Node>, lines: &mut Lines) {
    let Some(element) = ElementRef::wrap(node) else { return };
    if keeps_space(element) {
        lines.collapse_space();
    }
    match flow(element) {
        Flow::Block(breaks) => lines.breaks(breaks),
        Flow::Table => lines.breaks(1),
        Flow::Box => lines.close_box(),
        Flow::Cell => {
            lines.line_starts();
            if element
                .node()
                .next_siblings()
                .filter_map(ElementRef::wrap)
                .any(|cell| flow(cell) == Flow::Cell)
            {
                lines.tab();
            }
        }
        Flow::Row => {
            lines.line_starts();
            if !is_last_row(element) {
                lines.new_line();
            }
        }
        Flow::Unseen | Flow::Letter | Flow::Break | Flow::Option | Flow::Rows | Flow::Inline => {}
    }
}

fn is_last_row(row: ElementRef<'_>) -> bool {
    let more = |element: ElementRef<'_>| {
        element.node().next_siblings().filter_map(ElementRef::wrap).any(|next| match flow(next) {
            Flow::Row => true,
            Flow::Rows => next.children().any(|row| flow(row) == Flow::Row),
            _ => false,
        })
    };
    !more(row) && !row.parent().is_some_and(|rows| flow(rows) == Flow::Rows && more(rows))
}

fn flow(element: ElementRef<'_>) -> Flow {
    if is_hidden(element) {
        return Flow::Unseen;
    }
    let name = element.name();
    if !element.is_html() {
        return foreign_flow(name);
    }
    let flow = match name {
        "br" => Flow::Break,
        "p" => Flow::Block(2),
        "table" => Flow::Table,
        "thead" | "tbody" | "tfoot" => Flow::Rows,
        "tr" => Flow::Row,
        "td" | "th" => Flow::Cell,
        "button" | "select" => Flow::Box,
        "option" => Flow::Option,
        "canvas" | "embed" | "iframe" | "img" | "input" | "meter" | "object" | "progress" | "textarea"
        | "video" => Flow::Letter,
        "area" | "audio" | "base" | "basefont" | "datalist" | "frame" | "frameset" | "head" | "link"
        | "meta" | "noembed" | "noframes" | "noscript" | "param" | "rp" | "script" | "source" | "style"
        | "template" | "title" | "track" => return Flow::Unseen,
        "address" | "article" | "aside" | "blockquote" | "body" | "caption" | "center" | "dd" | "details"
        | "dialog" | "dir" | "div" | "dl" | "dt" | "fieldset" | "figcaption" | "figure" | "footer"
        | "form" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "header" | "hgroup" | "hr" | "html"
        | "legend" | "li" | "listing" | "main" | "menu" | "nav" | "ol" | "optgroup" | "plaintext" | "pre"
        | "search" | "section" | "summary" | "ul" | "xmp" => Flow::Block(1),
        _ => Flow::Inline,
    };
    match declared(element, "display") {
        Some("block" | "flex" | "grid" | "list-item") if flow == Flow::Inline => Flow::Block(1),
        Some("inline") if flow == Flow::Block(1) => Flow::Inline,
        Some("inline-block" | "inline-flex" | "inline-grid")
            if matches!(flow, Flow::Block(1) | Flow::Inline) =>
        {
            Flow::Box
        }
        _ => flow,
    }
}

/// SVG shows the text of its `<text>`, MathML puts each of its parts on a line.
fn foreign_flow(name: &str) -> Flow {
    match name {
        "svg" => Flow::Box,
        "text" | "foreignObject" | "mi" | "mn" | "mo" | "ms" | "mtext" => Flow::Block(1),
        "title" | "desc" | "defs" | "symbol" | "metadata" | "style" | "script" | "annotation" => Flow::Unseen,
        _ => Flow::Inline,
    }
}

fn is_hidden(element: ElementRef<'_>) -> bool {
    let unshown_in = |up: ElementRef<'_>| {
        (is_folded(up) && !element.is("summary"))
            || (up.is("select") && !element.is("option") && !element.is("optgroup"))
    };
    element.attribute("hidden").is_some()
        || (element.is("dialog") && element.attribute("open").is_none())
        || (element.is("input")
            && element.attribute("type").is_some_and(|t| t.eq_ignore_ascii_case("hidden")))
        || element.parent().is_some_and(unshown_in)
        || declared(element, "display") == Some("none")
        || declared(element, "visibility") == Some("hidden")
}

fn keeps_space(element: ElementRef<'_>) -> bool {
    match declared(element, "white-space") {
        Some("pre" | "pre-wrap" | "break-spaces") => true,
        Some(_) => false,
        None => ["listing", "plaintext", "pre", "xmp"].iter().any(|name| element.is(name)),
    }
}

/// The value of a property in the element's `style` attribute.
fn declared<'a>(element: ElementRef<'a>, property: &str) -> Option<&'a str> {
    let declarations = element.attribute("style")?.split(';').filter_map(|one| one.split_once(':'));
    let mut of_property = declarations.filter(|(name, _)| name.trim().eq_ignore_ascii_case(property));
    of_property.next_back().map(|(_, value)| value.split('!').next().unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dom::parse;
    use plimsoll_core::runtime::budget::Budget;

    /// Bodies and their `innerText`, measured with Chromium 156.
    const MEASURED: &str = include_str!("../tests/measured/text.json");

    #[test]
    fn text_is_what_chromium_shows() {
        let measured: Vec<(String, String)> = serde_json::from_str(MEASURED).expect("a table");
        let mut work = WorkBudget::new(Budget::start(Duration::from_secs(60)));
        let wrong: Vec<_> = measured
            .into_iter()
            .filter_map(|(body, shown)| {
                let dom = parse(&format!("<!doctype html><body>{body}"), &work).expect("a document");
                let found = text(dom.body().expect("a body"), &mut work).expect("time enough");
                (found != shown).then(|| format!("{body}\n  Chromium: {shown:?}\n  here:     {found:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn what_is_not_shown_gives_its_text_as_it_is_written() {
        let mut work = WorkBudget::new(Budget::start(Duration::from_secs(60)));
        let dom = parse("<title> a  b </title><p hidden>c  <b>d</b></p>", &work).expect("a document");
        for (name, written) in [("title", " a  b "), ("p", "c  d"), ("b", "d")] {
            let element = dom.first(name).expect(name);
            assert_eq!(text(element, &mut work).as_deref(), Ok(written), "{name}");
        }
    }

    #[test]
    fn trimming_is_javascripts() {
        assert_eq!(trim("\u{feff}\u{a0} a\u{85} \u{2028}"), "a\u{85}");
        assert_eq!(plain(" a\u{a0}\n b "), "a b");
    }
}
