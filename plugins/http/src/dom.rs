//! A parsed document: access to its nodes, and serialisation as HTML.
//!
//! ```text
//!   text ──► parse, piece by piece ──► Dom ──► selector, rendered, extract, condition
//!                 │ too deep, too much, too late
//!                 └──► refused
//! ```
//!
//! The nodes are in one arena and hold no thread-bound data, so any thread can read a document.

mod build;

use std::io;

use ego_tree::{NodeRef, Tree, iter::Edge};
use html5ever::serialize::{HtmlSerializer, Serialize, SerializeOpts, Serializer, TraversalScope};
use html5ever::{QualName, ns};

pub(crate) use build::{Refused, parse};

/// A document.
#[derive(Debug)]
pub(crate) struct Dom {
    tree: Tree<Node>,
    /// Quirks mode: classes and ids are compared without regard to case.
    quirks: bool,
}

/// The kind of a node.
#[derive(Debug)]
pub(crate) enum Node {
    /// The root of all.
    Document,
    /// The content of a `<template>`; not part of the document.
    Contents,
    /// `<!doctype ...>`: name, public and system identifier.
    Doctype([Box<str>; 3]),
    Text(String),
    Comment(Box<str>),
    Element(Box<Element>),
}

#[derive(Debug)]
pub(crate) struct Element {
    name: QualName,
    attributes: Vec<(QualName, Box<str>)>,
    depth: u16,
}

/// An element at its place in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ElementRef<'a>(NodeRef<'a, Node>);

impl Dom {
    /// Whether classes and ids are compared without regard to case.
    pub(crate) const fn quirks(&self) -> bool {
        self.quirks
    }

    /// The document's node.
    pub(crate) fn document(&self) -> NodeRef<'_, Node> {
        self.tree.root()
    }

    /// The element at the root; the parser always makes one.
    pub(crate) fn root(&self) -> Option<ElementRef<'_>> {
        self.document().children().find_map(ElementRef::wrap)
    }

    /// `<body>` or, in its place, `<frameset>`.
    pub(crate) fn body(&self) -> Option<ElementRef<'_>> {
        self.root()?.children().find(|element| element.is("body") || element.is("frameset"))
    }

    /// The first HTML element of this name.
    pub(crate) fn first(&self, name: &str) -> Option<ElementRef<'_>> {
        elements_below(self.document()).find(|element| element.is(name))
    }

    /// The title as in `document.title`: white space collapsed.
    pub(crate) fn title(&self) -> String {
        let title = self.first("title").map(ElementRef::text).unwrap_or_default();
        title.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The whole document as HTML.
    pub(crate) fn html(&self) -> String {
        let doctype = self.document().children().find_map(|node| match node.value() {
            Node::Doctype(parts) => Some(parts),
            _ => None,
        });
        let doctype = match doctype {
            None => String::new(),
            Some([name, public, system]) => match (&**public, &**system) {
                ("", "") => format!("<!DOCTYPE {name}>\n"),
                ("", system) => format!("<!DOCTYPE {name} SYSTEM \"{system}\">\n"),
                (public, "") => format!("<!DOCTYPE {name} PUBLIC \"{public}\">\n"),
                (public, system) => format!("<!DOCTYPE {name} PUBLIC \"{public}\" \"{system}\">\n"),
            },
        };
        doctype + &self.root().map(|root| root.write(&TraversalScope::IncludeNode)).unwrap_or_default()
    }
}

/// The elements below `node`, in document order; the contents of templates are not part of it.
pub(crate) fn elements_below(node: NodeRef<'_, Node>) -> impl Iterator<Item = ElementRef<'_>> {
    let mut outside: Option<NodeRef<'_, Node>> = None;
    node.traverse().skip(1).filter_map(move |edge| match (edge, outside) {
        (Edge::Open(node), None) if matches!(node.value(), Node::Contents) => {
            outside = Some(node);
            None
        }
        (Edge::Open(node), None) => ElementRef::wrap(node),
        (Edge::Close(node), Some(contents)) if node.id() == contents.id() => {
            outside = None;
            None
        }
        _ => None,
    })
}

impl<'a> ElementRef<'a> {
    /// `node`, if it is an element.
    pub(crate) fn wrap(node: NodeRef<'a, Node>) -> Option<Self> {
        matches!(node.value(), Node::Element(_)).then_some(Self(node))
    }

    /// Its place in the tree.
    pub(crate) const fn node(self) -> NodeRef<'a, Node> {
        self.0
    }

    fn element(self) -> &'a Element {
        match self.0.value() {
            Node::Element(element) => element,
            _ => unreachable!("`wrap` has looked"),
        }
    }

    /// Its name, without a namespace.
    pub(crate) fn name(self) -> &'a str {
        &self.element().name.local
    }

    /// Whether its namespace is HTML, not SVG or MathML.
    pub(crate) fn is_html(self) -> bool {
        self.element().name.ns == ns!(html)
    }

    /// Whether it is the HTML element of this name.
    pub(crate) fn is(self, name: &str) -> bool {
        self.is_html() && self.name() == name
    }

    /// The value of an attribute. The names of HTML's attributes are in lower case.
    pub(crate) fn attribute(self, name: &str) -> Option<&'a str> {
        let found = self.element().attributes.iter().find(|(own, _)| own.ns == ns!() && &*own.local == name);
        found.map(|(_, value)| &**value)
    }

    /// The value of an attribute whose name may be written in any case.
    pub(crate) fn attribute_of_any_case(self, name: &str) -> Option<&'a str> {
        let attributes = &self.element().attributes;
        attributes
            .iter()
            .find(|(own, _)| str::eq_ignore_ascii_case(&own.local, name))
            .map(|(_, value)| &**value)
    }

    /// The parent element.
    pub(crate) fn parent(self) -> Option<Self> {
        self.0.parent().and_then(Self::wrap)
    }

    /// The child elements.
    pub(crate) fn children(self) -> impl DoubleEndedIterator<Item = Self> {
        self.0.children().filter_map(Self::wrap)
    }

    /// The previous sibling element.
    pub(crate) fn previous(self) -> Option<Self> {
        self.0.prev_siblings().find_map(Self::wrap)
    }

    /// The next sibling element.
    pub(crate) fn next(self) -> Option<Self> {
        self.0.next_siblings().find_map(Self::wrap)
    }

    /// All text in the element, as it is written (`textContent`).
    pub(crate) fn text(self) -> String {
        let texts = self.0.descendants().filter_map(|node| match node.value() {
            Node::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The content as HTML.
    pub(crate) fn inner_html(self) -> String {
        self.write(&TraversalScope::ChildrenOnly(Some(self.element().name.clone())))
    }

    fn write(self, scope: &TraversalScope) -> String {
        let opts = SerializeOpts {
            // The content of <noscript> is text, as in a browser that runs scripts.
            scripting_enabled: true,
            traversal_scope: scope.clone(),
            create_missing_parent: false,
        };
        let mut serializer = HtmlSerializer::new(Vec::new(), opts);
        // A vector takes everything.
        drop(self.serialize(&mut serializer, scope.clone()));
        String::from_utf8(serializer.writer).unwrap_or_default()
    }
}

impl Serialize for ElementRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: &mut S, scope: TraversalScope) -> io::Result<()> {
        for edge in self.0.traverse() {
            let (Edge::Open(node) | Edge::Close(node)) = edge;
            if node.id() == self.0.id() && scope != TraversalScope::IncludeNode {
                continue;
            }
            match (&edge, node.value()) {
                (Edge::Open(_), Node::Text(text)) => serializer.write_text(text)?,
                (Edge::Open(_), Node::Comment(text)) => serializer.write_comment(text)?,
                (Edge::Open(_), Node::Element(element)) => {
                    let attributes = element.attributes.iter().map(|(name, value)| (name, &**value));
                    serializer.start_elem(element.name.clone(), attributes)?;
                }
                (Edge::Close(_), Node::Element(element)) => serializer.end_elem(element.name.clone())?,
                _ => {}
            }
        }
        Ok(())
    }
}
