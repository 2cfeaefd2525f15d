//! The reference of settings: every key with its meaning, its default and its range, derived from the types.
//!
//! ```text
//!  types + their docs ─► schemars ─► JSON Schema ─┬─► config schema
//!  their defaults ────────────────────────────────┴─► KeyTree ─► unknown keys, ranges, hints, explain, the manual
//! ```
//!
//! A key is written once, as a field with a comment. The order of keys is that of the fields.

use std::fmt;
use std::sync::OnceLock;

use plimsoll_core::quantity::{share, size, span};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Settings;
use crate::decode::{self, Mistake, nearest};

/// What stands for a name that the user chooses.
pub const ANY_NAME: &str = "NAME";

/// Bounds that go without saying.
const UNITS_OWN: [&str; 6] = ["0s", "365days", "0B", "1024TiB", "0%", "100%"];

/// The tree of keys.
#[derive(Debug)]
pub enum KeyTree {
    /// Keys under a key, and what the table is about.
    Table(Vec<(&'static str, Self)>, String),
    /// Under a key, names that the user chooses, each with the same keys below it.
    Named(Box<Self>),
    /// A key with a value.
    Key(Box<Key>),
}

/// A key that has a value.
#[derive(Debug)]
pub struct Key {
    /// Dotted, as in `limits.max_contexts`.
    pub name: String,
    /// What it means.
    pub doc: String,
    /// Its default; null when there is none.
    pub default: Value,
    /// A value it could have, if the default shows none.
    pub example: Option<Value>,
    /// Whether its value may hold a secret and so stands in no message.
    pub is_quiet: bool,
    pub(super) kind: Kind,
    least: Option<Value>,
    most: Option<Value>,
}

/// What a value is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Switch,
    Whole,
    Number,
    Span,
    Size,
    Share,
    OneOf(Vec<String>),
    Address,
    Secret,
    Text,
    Table,
    ListOf(Box<Self>),
}

/// The tree of all keys.
#[must_use]
pub fn key_tree() -> &'static KeyTree {
    static TREE: OnceLock<KeyTree> = OnceLock::new();
    TREE.get_or_init(|| KeyTree::grow(&schema(), &mut Vec::new()))
}

/// The JSON Schema (draft 2020-12) of a settings file.
#[must_use]
pub fn schema() -> Value {
    let generator =
        SchemaSettings::draft2020_12().with(|with| with.inline_subschemas = true).into_generator();
    let mut schema = generator.into_root_schema_for::<Settings>().to_value();
    settle(&mut schema, &defaults());
    schema
}

/// The defaults, as plain data.
pub(super) fn defaults() -> Value {
    serde_json::to_value(Settings::default()).unwrap_or_default()
}

/// Every key has a default, so none is required, and the default is that of the place, not of the type; and a settings
/// file knows no null.
fn settle(schema: &mut Value, default: &Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &mut types[..] {
            let only = only.take();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(names) = schema.get_mut("additionalProperties").filter(|names| names.is_object()) {
        let named = names.get("default").cloned().unwrap_or_default();
        settle(names, &named);
    }
    let is_table = schema.contains_key("properties");
    if is_table {
        schema.remove("required");
    }
    for (name, property) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten()
    {
        let own = property.get("default").cloned().unwrap_or_default();
        settle(property, default.get(name).unwrap_or(&own));
    }
    if is_table || default.is_null() {
        schema.remove("default");
    } else {
        schema.insert("default".to_owned(), default.clone());
    }
}

impl KeyTree {
    fn grow(schema: &Value, path: &mut Vec<String>) -> Self {
        let names_here = declared(path);
        let mut below = |name: &str, schema: &Value| {
            path.push(name.to_owned());
            let tree = Self::grow(schema, path);
            path.pop();
            tree
        };
        let names = schema.get("additionalProperties").filter(|names| names.get("properties").is_some());
        match (schema.get("properties"), names) {
            (Some(properties), _) => {
                let children = names_here.iter().filter_map(|name| Some((*name, properties.get(name)?)));
                let children = children.map(|(name, schema)| (name, below(name, schema)));
                Self::Table(children.collect(), description(schema))
            }
            (None, Some(names)) => Self::Named(Box::new(below(ANY_NAME, names))),
            (None, None) => Self::Key(Box::new(Key::read(schema, path.join(".")))),
        }
    }

    /// What stands under `name`.
    #[must_use]
    pub fn child(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Table(children, _) => {
                children.iter().find(|(known, _)| *known == name).map(|(_, child)| child)
            }
            Self::Named(each) => Some(each),
            Self::Key(_) => None,
        }
    }

    /// The key that `path` names, or that holds what it names (an entry of a list, a key of a free table).
    pub fn key<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<&Key> {
        let mut path = path.into_iter();
        let mut here = self;
        loop {
            match here {
                Self::Key(key) => return Some(key),
                _ => here = here.child(path.next()?)?,
            }
        }
    }

    /// Every key with a value, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<&Key> {
        match self {
            Self::Table(children, _) => children.iter().flat_map(|(_, child)| child.keys()).collect(),
            Self::Named(each) => each.keys(),
            Self::Key(key) => vec![key],
        }
    }
}

/// The names of the keys of the table at `path`, in the order of their fields: what serde would have accepted there.
pub(super) fn declared(path: &[String]) -> &'static [&'static str] {
    let nothing = Value::Object(Map::from_iter([(String::new(), Value::Null)]));
    let around = |value, name: &String| Value::Object(Map::from_iter([(name.clone(), value)]));
    let wrong = path.iter().rev().fold(nothing, around);
    match decode::from_value::<Settings>(&wrong).map_err(|error| error.mistake) {
        Err(Mistake::UnknownKey { known, .. }) => known,
        _ => &[],
    }
}

/// The key that was probably meant by one that is unknown: one near by, or the same name elsewhere.
#[must_use]
pub fn meant(unknown: &str) -> Option<&'static str> {
    let last = |key: &str| key.rsplit('.').next().map(str::to_owned);
    let keys = key_tree().keys();
    let names = || keys.iter().map(|key| key.name.as_str());
    let elsewhere = || names().find(|name| last(name) == last(unknown));
    nearest(unknown, names()).or_else(elsewhere)
}

/// The key that `unknown` is, but for dots, dashes and underscores.
pub(super) fn same_but_for_marks(unknown: &str) -> Option<&'static str> {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    let written = letters(unknown);
    key_tree().keys().into_iter().map(|key| key.name.as_str()).find(|name| letters(name) == written)
}

/// The environment variable that sets the key `name`.
pub(super) fn variable(name: &str) -> String {
    format!("PLIMSOLL_{}", name.to_uppercase().replace('.', "__"))
}

fn description(schema: &Value) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    // Comments are wrapped; a description is one line.
    text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ")
}

impl Key {
    fn read(schema: &Value, name: String) -> Self {
        let bound = |word: &str, plain: &str| schema.get(word).or_else(|| schema.get(plain)).cloned();
        let kind = Kind::read(schema);
        Self {
            doc: description(schema),
            default: schema.get("default").cloned().unwrap_or_default(),
            example: schema.get("examples").and_then(|examples| examples.get(0)).cloned(),
            is_quiet: kind.is_quiet() || holds_address(schema),
            least: bound("x-least", "minimum"),
            most: bound("x-most", "maximum"),
            kind,
            name,
        }
    }

    /// Whether it may be left unset.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.default.is_null()
    }

    /// The environment variable that sets it.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(&self.name)
    }

    /// What is allowed, as in `a whole number from 1 to 100000`.
    #[must_use]
    pub fn allowed(&self) -> String {
        format!("{}{}", self.kind, self.range())
    }

    /// What bounds it, as in ` from 1 to 100000`; empty where only its unit does.
    #[must_use]
    pub fn range(&self) -> String {
        let bound = |bound: &Option<Value>| {
            bound.as_ref().map(plain).filter(|text| !UNITS_OWN.contains(&text.as_str()))
        };
        match (bound(&self.least), bound(&self.most)) {
            (Some(least), Some(most)) => format!(" from {least} to {most}"),
            (Some(least), None) => format!(" of at least {least}"),
            (None, Some(most)) => format!(" of at most {most}"),
            (None, None) => String::new(),
        }
    }

    /// The number of the first entry of a list of tables that is a list itself, if any.
    pub(super) fn no_table(&self, value: &Value) -> Option<usize> {
        let is_of_tables = matches!(&self.kind, Kind::ListOf(item) if **item == Kind::Table);
        value.as_array().filter(|_| is_of_tables)?.iter().position(Value::is_array)
    }

    /// Why `value`, which is of the right type, is out of range; `None` when it is not.
    pub(super) fn out_of_range(&self, value: &Value) -> Option<String> {
        let amount = self.kind.amount(value)?;
        let beyond = |bound: &Option<Value>| bound.as_ref().and_then(|bound| self.kind.amount(bound));
        let (side, bound) = match (beyond(&self.least), beyond(&self.most)) {
            (Some(least), _) if amount < least => ("least", self.least.as_ref()?),
            (_, Some(most)) if amount > most => ("most", self.most.as_ref()?),
            _ => return None,
        };
        let found = if amount == 0.0 && self.kind == Kind::Span { "zero".to_owned() } else { plain(value) };
        let hint = match (&self.kind, value) {
            (Kind::Share, Value::Number(number)) => format!("; for {number} percent write \"{number}%\""),
            _ => String::new(),
        };
        Some(format!("is {found}; it must be at {side} {}{hint}", plain(bound)))
    }
}

/// Whether a value of this schema has an address somewhere in it.
fn holds_address(schema: &Value) -> bool {
    match schema {
        Value::Object(entries) => {
            entries.get("format").is_some_and(|format| format == "uri") || entries.values().any(holds_address)
        }
        Value::Array(items) => items.iter().any(holds_address),
        _ => false,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Kind {
    fn read(schema: &Value) -> Self {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let names = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if let Some(Value::Array(values)) = schema.get("enum") {
            return Self::OneOf(names(values));
        }
        if let Some(Value::Array(variants)) = schema.get("oneOf") {
            let values: Vec<_> =
                variants.iter().filter_map(|variant| variant.get("const").cloned()).collect();
            return Self::OneOf(names(&values));
        }
        match (text("x-unit"), text("format"), text("type")) {
            ("duration", ..) => Self::Span,
            ("size", ..) => Self::Size,
            ("share", ..) => Self::Share,
            (_, "password", _) => Self::Secret,
            (_, "uri", _) => Self::Address,
            (.., "boolean") => Self::Switch,
            (.., "integer") => Self::Whole,
            (.., "number") => Self::Number,
            (.., "array") => Self::ListOf(Box::new(schema.get("items").map_or(Self::Text, Self::read))),
            (.., "object") => Self::Table,
            _ => Self::Text,
        }
    }

    const fn is_quiet(&self) -> bool {
        matches!(self, Self::Secret | Self::Address | Self::Table)
    }

    /// The size of a value that has one.
    fn amount(&self, value: &Value) -> Option<f64> {
        let text = value.as_str();
        match self {
            Self::Span => text.and_then(span::parse).map(|span| span.as_secs_f64()),
            Self::Size => text.and_then(size::parse).map(|size| size.0 as f64),
            Self::Share => {
                value.as_f64().or_else(|| text.and_then(share::parse).map(plimsoll_core::units::Ratio::value))
            }
            Self::Whole | Self::Number => value.as_f64(),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("`true` or `false`"),
            Self::Whole => f.write_str("a whole number"),
            Self::Number => f.write_str("a number"),
            Self::Span => f.write_str("a duration"),
            Self::Size => f.write_str("an amount of memory"),
            Self::Share => f.write_str("a share"),
            Self::OneOf(names) => write!(f, "`{}`", names.join("`, `")),
            Self::Address => f.write_str("an HTTP address"),
            Self::Secret => f.write_str("a text"),
            Self::Text => f.write_str("a text"),
            Self::Table => f.write_str("a table"),
            Self::ListOf(item) => match &**item {
                Self::Text => f.write_str("a list of texts"),
                Self::Table => f.write_str("a list of tables"),
                item => write!(f, "a list of any of {item}"),
            },
        }
    }
}
