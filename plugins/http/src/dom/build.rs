//! Parses text into a document.
//!
//! The parser's time grows with the square of the nesting depth, and a few bytes can make many nodes. So the parser
//! gets its input in small pieces and is stopped between two pieces when the document is too large or too deep, or
//! when the time is over.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};

use ego_tree::{NodeId, NodeMut, Tree};
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ParseOpts, QualName, parse_document};

use super::{Dom, Element, Node};
use crate::work_budget::{BudgetExceeded, WorkBudget};

/// Bytes that the parser gets at a time. It can make some hundred nodes of each byte if the document is deep.
const PIECE: usize = 1024;
/// The greatest nesting depth of elements; beyond it, browsers make siblings instead of children.
const DEEPEST: u16 = 512;
/// The greatest number of nodes. Measured: a process that reaches it peaks at 108 MB, with the text included.
const MOST_NODES: usize = 500_000;

/// Why a document was not built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Elements are nested too deeply.
    Deep,
    /// There are too many nodes.
    Many,
    /// The time was over.
    Late,
}

impl Refused {
    /// The reason as text.
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Deep => format!("its elements lie more than {DEEPEST} deep in each other"),
            Self::Many => format!("it has more than {MOST_NODES} elements and texts"),
            Self::Late => "it took too long to parse".to_owned(),
        }
    }
}

/// Parses a document as a browser does, without running scripts.
pub(crate) fn parse(mut html: &str, work: &WorkBudget) -> Result<Dom, Refused> {
    let mut parser = parse_document(Sink::default(), ParseOpts::default());
    while !html.is_empty() {
        let (piece, rest) = html.split_at(html.floor_char_boundary(PIECE));
        parser.process(StrTendril::from(piece));
        html = rest;
        parser.tokenizer.sink.sink.check()?;
        work.look().map_err(|_: BudgetExceeded| Refused::Late)?;
    }
    Ok(parser.finish())
}

/// The document that is being built.
struct Sink(RefCell<State>);

struct State {
    dom: Dom,
    deepest: u16,
}

impl Default for Sink {
    fn default() -> Self {
        let dom = Dom { tree: Tree::new(Node::Document), quirks: false };
        Self(RefCell::new(State { dom, deepest: 0 }))
    }
}

impl Sink {
    fn check(&self) -> Result<(), Refused> {
        let state = self.0.borrow();
        if state.deepest > DEEPEST {
            return Err(Refused::Deep);
        }
        if state.dom.tree.values().len() > MOST_NODES { Err(Refused::Many) } else { Ok(()) }
    }

    fn orphan(&self, node: Node) -> NodeId {
        self.0.borrow_mut().dom.tree.orphan(node).id()
    }
}

impl State {
    fn node(&mut self, id: NodeId) -> NodeMut<'_, Node> {
        self.dom.tree.get_mut(id).expect("the parser names only nodes it was given")
    }

    fn of_element<T>(&mut self, id: NodeId, act: impl FnOnce(&mut Element) -> T) -> Option<T> {
        match self.node(id).value() {
            Node::Element(element) => Some(act(element)),
            _ => None,
        }
    }

    /// The depth of a node. The descendants of a node that was moved are not counted again.
    fn depth(&mut self, id: NodeId) -> u16 {
        let holder = self.node(id).parent().map_or(id, |parent| parent.id());
        let own = self.of_element(id, |element| element.depth);
        own.or_else(|| self.of_element(holder, |template| template.depth)).unwrap_or(0)
    }

    fn settle(&mut self, child: NodeId, parent: NodeId) {
        let depth = self.depth(parent).saturating_add(1);
        if self.of_element(child, |element| element.depth = depth).is_some() {
            self.deepest = self.deepest.max(depth);
        }
    }
}

impl TreeSink for Sink {
    type Handle = NodeId;
    type Output = Dom;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Dom {
        self.0.into_inner().dom
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        self.0.borrow().dom.tree.root().id()
    }

    fn elem_name<'a>(&'a self, target: &NodeId) -> Ref<'a, QualName> {
        Ref::map(self.0.borrow(), |state| match state.dom.tree.get(*target).map(|node| node.value()) {
            Some(Node::Element(element)) => &element.name,
            _ => unreachable!("the parser asks for names of elements only"),
        })
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> NodeId {
        let attributes = attributes.into_iter().map(written).collect();
        let id = self.orphan(Node::Element(Box::new(Element { name, attributes, depth: 0 })));
        if flags.template {
            self.0.borrow_mut().node(id).append(Node::Contents);
        }
        id
    }

    fn create_comment(&self, text: StrTendril) -> NodeId {
        self.orphan(Node::Comment(text.as_ref().into()))
    }

    fn create_pi(&self, _: StrTendril, data: StrTendril) -> NodeId {
        self.orphan(Node::Comment(data.as_ref().into()))
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        let mut state = self.0.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => {
                state.node(*parent).append_id(child);
                state.settle(child, *parent);
            }
            NodeOrText::AppendText(text) => {
                let mut parent = state.node(*parent);
                if let Some(mut last) = parent.last_child()
                    && let Node::Text(before) = last.value()
                {
                    before.push_str(&text);
                    return;
                }
                parent.append(Node::Text(text.into()));
            }
        }
    }

    fn append_based_on_parent_node(&self, element: &NodeId, previous: &NodeId, child: NodeOrText<NodeId>) {
        let has_parent = self.0.borrow_mut().node(*element).parent().is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_before_sibling(&self, sibling: &NodeId, node: NodeOrText<NodeId>) {
        let mut state = self.0.borrow_mut();
        let Some(parent) = state.node(*sibling).parent().map(|parent| parent.id()) else { return };
        match node {
            NodeOrText::AppendNode(id) => {
                state.node(*sibling).insert_id_before(id);
                state.settle(id, parent);
            }
            NodeOrText::AppendText(text) => {
                let mut sibling = state.node(*sibling);
                if let Some(mut before) = sibling.prev_sibling()
                    && let Node::Text(before) = before.value()
                {
                    before.push_str(&text);
                    return;
                }
                sibling.insert_before(Node::Text(text.into()));
            }
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        let parts = [name, public, system].map(|part| part.as_ref().into());
        self.0.borrow_mut().dom.tree.root_mut().append(Node::Doctype(parts));
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        let mut state = self.0.borrow_mut();
        state.node(*target).first_child().map_or(*target, |contents| contents.id())
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.0.borrow_mut().dom.quirks = mode == QuirksMode::Quirks;
    }

    fn add_attrs_if_missing(&self, target: &NodeId, more: Vec<Attribute>) {
        let mut state = self.0.borrow_mut();
        state.of_element(*target, |element| {
            for attribute in more {
                if element.attributes.iter().all(|(name, _)| *name != attribute.name) {
                    element.attributes.push(written(attribute));
                }
            }
        });
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.0.borrow_mut().node(*target).detach();
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        self.0.borrow_mut().node(*new_parent).reparent_from_id_append(*node);
    }
}

fn written(attribute: Attribute) -> (QualName, Box<str>) {
    (attribute.name, attribute.value.as_ref().into())
}
