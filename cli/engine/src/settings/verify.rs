//! Checks one layer by itself: keys that nothing reads, values of the wrong type, values out of range.
//!
//! Each mistake is removed from the layer and the rest is checked again, until no mistake is left.

use serde_json::{Map, Value};

use super::Settings;
use super::layer::Layer;
use super::mistake::{MOST_MISTAKES, Mistake};
use super::places::KeyOrValue;
use super::reference::{self, Key, KeyTree, Kind, declared, key_tree, meant, same_but_for_marks, variable};
use super::source::Source;
use crate::decode::{self, DecodeError, Mistake as Wrong, Segment, nearest};

/// What was wrong with a layer.
#[derive(Debug, Default)]
pub(super) struct Verified {
    /// Mistakes, and where in the layer they are.
    mistakes: Vec<(Option<(usize, usize)>, Mistake)>,
    /// The keys that were cut out of it.
    pub(super) cut: Vec<String>,
}

/// Cuts everything wrong out of `layer`.
pub(super) fn verify(layer: &mut Layer) -> Verified {
    let mut values = std::mem::take(&mut layer.values);
    let mut verified = Verified::default();
    let mut rejected = Vec::new();
    reject(&mut values, key_tree(), &mut Vec::new(), &mut rejected);
    for (path, why) in rejected {
        match why {
            Rejected::Unknown => {
                verified.add(layer, &keys(&path), KeyOrValue::Key, &unknown_key(&path, &layer.source));
            }
            Rejected::NoTable => {
                let message = format!("{} must be a table, not a list", path.join("."));
                verified.add(layer, &keys(&path), KeyOrValue::Value, &message);
            }
        }
    }
    let mut whole = reference::defaults();
    overlay(&mut whole, &values);
    while verified.mistakes.len() < MOST_MISTAKES {
        let Err(error) = decode::from_value::<Settings>(&whole) else { break };
        let (path, part) = place_of(&error);
        let key = dotted(&path);
        verified.add(layer, &path, part, &wrong_value(&error));
        restore(&mut whole, &key);
        if !remove(&mut values, &key) {
            break;
        }
    }
    for (name, key, value) in leaves(&values) {
        if let Some(index) = key.no_table(value) {
            let mut path = segments(&name);
            path.push(Segment::Index(index));
            verified.add(
                layer,
                &path,
                KeyOrValue::Value,
                &format!("{name}[{index}] must be a table, not a list"),
            );
        }
        if let Some(why) = key.out_of_range(value) {
            verified.add(layer, &segments(&name), KeyOrValue::Value, &format!("{name} {why}"));
        }
    }
    for key in &verified.cut {
        remove(&mut values, key);
    }
    layer.values = values;
    verified
}

impl Verified {
    fn add(&mut self, layer: &Layer, path: &[Segment], part: KeyOrValue, message: &str) {
        let position = layer.position(path, part);
        self.mistakes.push((position, Mistake::at(layer.place(path, part), message)));
        self.cut.push(dotted(path));
    }

    /// The mistakes, in the order of the layer.
    pub(super) fn mistakes(mut self) -> impl Iterator<Item = Mistake> {
        self.mistakes.sort_by_key(|(position, _)| *position);
        self.mistakes.into_iter().map(|(_, mistake)| mistake)
    }
}

/// Why something does not belong into the tree of keys.
enum Rejected {
    /// Nothing reads it.
    Unknown,
    /// A list where a table belongs. (Serde would take it for the table's values in the order of its fields.)
    NoTable,
}

/// Takes out of `values` what does not belong into the tree of keys, and lists it.
fn reject(
    values: &mut Value,
    tree: &KeyTree,
    path: &mut Vec<String>,
    rejected: &mut Vec<(Vec<String>, Rejected)>,
) {
    match (values, tree) {
        (Value::Object(entries), KeyTree::Table(..) | KeyTree::Named(_)) => entries.retain(|name, value| {
            path.push(name.clone());
            let known = tree.child(name);
            match known {
                Some(tree) => reject(value, tree, path, rejected),
                // For a file that holds no settings at all, the first mistakes are enough.
                None if rejected.len() <= MOST_MISTAKES => rejected.push((path.clone(), Rejected::Unknown)),
                None => {}
            }
            path.pop();
            known.is_some()
        }),
        (values @ Value::Array(_), KeyTree::Table(..) | KeyTree::Named(_)) => {
            rejected.push((path.clone(), Rejected::NoTable));
            *values = Value::Object(Map::new());
        }
        _ => {}
    }
}

fn unknown_key(path: &[String], source: &Source) -> String {
    let Some((key, table)) = path.split_last() else { return String::new() };
    let known = declared(table);
    let error = DecodeError::from(Wrong::UnknownKey { key: key.clone(), known });
    let error = table.iter().rev().fold(error, |error, name| error.within(|| Segment::Key(name.clone())));
    let name = path.join(".");
    let meant = same_but_for_marks(&name).or_else(|| {
        let is_offered = nearest(key, known.iter().copied()).is_some();
        if is_offered { None } else { meant(&name) }
    });
    match (meant, source) {
        (Some(meant), Source::Environment(_)) => {
            format!("there is no setting `{name}`; did you mean {}?", variable(meant))
        }
        (Some(meant), _) => format!("there is no setting `{name}`; did you mean `{meant}`?"),
        (None, _) => error.to_string(),
    }
}

/// What is wrong with a value, without the value where it may hold a secret.
fn wrong_value(error: &DecodeError) -> String {
    let path: Vec<_> = error.path().cloned().collect();
    let key = key_tree().key(path.iter().map_while(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    }));
    match (key, &error.mistake) {
        (Some(key), Wrong::Mismatch { found, .. }) if matches!(key.kind, Kind::Whole | Kind::Number) => {
            format!("{} must be {}, not {found}", dotted(&path), key.allowed())
        }
        (Some(key), _) if !key.is_quiet => error.to_string(),
        _ => error.clone().without_the_value().to_string(),
    }
}

/// Where a decode error is, as settings are named.
fn place_of(error: &DecodeError) -> (Vec<Segment>, KeyOrValue) {
    let mut path: Vec<_> = error.path().cloned().collect();
    match &error.mistake {
        Wrong::UnknownKey { key, .. } => {
            path.push(Segment::Key(key.clone()));
            (path, KeyOrValue::Key)
        }
        Wrong::MissingKey(_) => (path, KeyOrValue::Key),
        _ => (path, KeyOrValue::Value),
    }
}

/// The key that a path leads to; of a list, the whole list.
fn dotted(path: &[Segment]) -> String {
    let outer = path.iter().map_while(|segment| match segment {
        Segment::Key(key) => Some(key.as_str()),
        Segment::Index(_) => None,
    });
    outer.collect::<Vec<_>>().join(".")
}

fn segments(name: &str) -> Vec<Segment> {
    name.split('.').map(|part| Segment::Key(part.to_owned())).collect()
}

fn keys(path: &[String]) -> Vec<Segment> {
    path.iter().cloned().map(Segment::Key).collect()
}

/// Lays `values` over `whole`: tables are joined, anything else is replaced.
pub(super) fn overlay(whole: &mut Value, values: &Value) {
    match (whole, values) {
        (Value::Object(whole), Value::Object(values)) if !values.is_empty() || !whole.is_empty() => {
            for (key, value) in values {
                overlay(whole.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (whole, values) => *whole = values.clone(),
    }
}

/// Puts the default back at a dotted key, or nothing where there is no default.
fn restore(whole: &mut Value, key: &str) {
    let default = key.split('.').try_fold(&reference::defaults(), |value, part| value.get(part)).cloned();
    if let Some((last, table)) = holder(whole, key) {
        match default {
            Some(default) => table.insert(last.to_owned(), default),
            None => table.remove(last),
        };
    }
}

/// Removes the value at a dotted key; says whether there was one.
fn remove(values: &mut Value, key: &str) -> bool {
    holder(values, key).is_some_and(|(last, table)| table.remove(last).is_some())
}

/// The table that holds a dotted key, and the key's last part.
fn holder<'v, 'k>(values: &'v mut Value, key: &'k str) -> Option<(&'k str, &'v mut Map<String, Value>)> {
    let (parents, last) = key.rsplit_once('.').map_or((None, key), |(parents, last)| (Some(parents), last));
    let mut parents = parents.into_iter().flat_map(|parents| parents.split('.'));
    let table = parents.try_fold(values, |value, part| value.get_mut(part))?;
    Some((last, table.as_object_mut()?))
}

/// Every key that has a value in `values`, by its name.
fn leaves(values: &Value) -> Vec<(String, &'static Key, &Value)> {
    fn gather<'v>(
        values: &'v Value,
        tree: &'static KeyTree,
        name: &str,
        found: &mut Vec<(String, &'static Key, &'v Value)>,
    ) {
        match (tree, values) {
            (KeyTree::Key(key), value) => found.push((name.to_owned(), key, value)),
            (_, Value::Object(entries)) => {
                for (part, value) in entries {
                    let name = if name.is_empty() { part.clone() } else { format!("{name}.{part}") };
                    if let Some(tree) = tree.child(part) {
                        gather(value, tree, &name, found);
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(values, key_tree(), "", &mut found);
    found
}
