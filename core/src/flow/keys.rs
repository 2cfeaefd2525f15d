//! Reads a [`Statement`] from a job file.
//!
//! A plain step is a map with one key, its name. Control flow is a map whose keys belong together: `if` with `then` and
//! `else`. The first key says which of the two it is.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{EnumAccessDeserializer, MapAccessDeserializer, StringDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess,
    VariantAccess, Visitor,
};

use super::guard::Guard;
use super::plain::{AnyGoto, Plain};
use super::relative::elements;
use super::statement::{ForEach, If, Repeat, Statement, Try, Turns};
use crate::step::{Extract, Step};

/// The bound of a loop that names none.
const AT_MOST: u32 = 1_000;
/// The largest bound of a loop.
const MOST_TURNS: u32 = 100_000;

/// The forms of control flow: the key that begins each, those that it needs, and those that it may have.
const FORMS: &[(&str, &[&str], &[&str])] = &[
    ("if", &["then"], &["else"]),
    ("repeat", &[], &["until", "while", "times", "at_most"]),
    ("for_each", &["do"], &["at_most"]),
    ("try", &["catch"], &[]),
    ("use", &[], &[]),
    ("append", &[], &[]),
];

/// The keys of [`FlowKeys`].
const FLOW: [&str; 14] = [
    "if", "then", "else", "repeat", "until", "while", "times", "at_most", "for_each", "do", "try", "catch",
    "use", "append",
];

/// The names of all steps, and the keys of control flow.
const ALL: [&str; Step::NAMES.len() + FLOW.len()] = {
    let mut all = [""; Step::NAMES.len() + FLOW.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < Step::NAMES.len() { Step::NAMES[at] } else { FLOW[at - Step::NAMES.len()] };
        at += 1;
    }
    all
};

/// The keys of control flow, of all forms together.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowKeys {
    r#if: Option<Guard>,
    then: Option<Vec<Statement>>,
    r#else: Option<Vec<Statement>>,
    repeat: Option<Vec<Statement>>,
    until: Option<Guard>,
    r#while: Option<Guard>,
    times: Option<u32>,
    at_most: Option<u32>,
    for_each: Option<String>,
    r#do: Option<Vec<Statement>>,
    r#try: Option<Vec<Statement>>,
    catch: Option<Vec<Statement>>,
    r#use: Option<String>,
    append: Option<Extract>,
}

impl FlowKeys {
    /// The keys that are written, in the order of [`FLOW`].
    fn written(&self) -> impl Iterator<Item = &'static str> {
        let is_written = [
            self.r#if.is_some(),
            self.then.is_some(),
            self.r#else.is_some(),
            self.repeat.is_some(),
            self.until.is_some(),
            self.r#while.is_some(),
            self.times.is_some(),
            self.at_most.is_some(),
            self.for_each.is_some(),
            self.r#do.is_some(),
            self.r#try.is_some(),
            self.catch.is_some(),
            self.r#use.is_some(),
            self.append.is_some(),
        ];
        FLOW.into_iter().zip(is_written).filter_map(|(key, is)| is.then_some(key))
    }

    /// Checks that the keys are those of one form, and that lists have steps and bounds are possible.
    fn check(&self) -> Result<(), String> {
        let written = || self.written();
        let mut forms = FORMS.iter().filter(|(form, ..)| written().any(|key| key == *form));
        let Some((form, needed, optional)) = forms.next() else {
            let form = |key| {
                FORMS.iter().find(|(_, needed, optional)| needed.contains(&key) || optional.contains(&key))
            };
            let lone = written().next().unwrap_or_default();
            let form = form(lone).map_or("", |(form, ..)| form);
            return Err(format!("`{lone}` stands beside `{form}`, which is missing"));
        };
        if let Some((other, ..)) = forms.next() {
            return Err(format!("split up `{form}` and `{other}`; each is a step of its own"));
        }
        if let Some(missing) = needed.iter().find(|key| !written().any(|written| written == **key)) {
            return Err(format!("`{form}` needs `{missing}` beside it"));
        }
        if let Some(other) =
            written().find(|key| key != form && !needed.contains(key) && !optional.contains(key))
        {
            return Err(format!("`{other}` does not go with `{form}`"));
        }
        let lists =
            [("then", &self.then), ("repeat", &self.repeat), ("do", &self.r#do), ("try", &self.r#try)];
        if let Some((key, _)) = lists.iter().find(|(_, list)| list.as_ref().is_some_and(Vec::is_empty)) {
            return Err(format!("`{key}` has no steps"));
        }
        for (key, bound) in [("times", self.times), ("at_most", self.at_most)] {
            if bound.is_some_and(|bound| !(1..=MOST_TURNS).contains(&bound)) {
                return Err(format!("`{key}` must be from 1 to {MOST_TURNS}"));
            }
        }
        Ok(())
    }
}

impl TryFrom<FlowKeys> for Statement {
    type Error = String;

    fn try_from(keys: FlowKeys) -> Result<Self, String> {
        keys.check()?;
        let bound = keys.at_most.unwrap_or(AT_MOST);
        let steps = |list: Option<Vec<Self>>| list.unwrap_or_default();
        Ok(if let Some(condition) = keys.r#if {
            Self::If(If { condition, then: steps(keys.then), otherwise: steps(keys.r#else) })
        } else if let Some(steps) = keys.repeat {
            let turns = match (keys.until, keys.r#while, keys.times, keys.at_most) {
                (Some(guard), None, None, _) => Turns::Until(guard, bound),
                (None, Some(guard), None, _) => Turns::While(guard, bound),
                (None, None, Some(times), None) => Turns::Times(times),
                _ => {
                    return Err(
                        "`repeat` needs one of `until`, `while` (each with `at_most`, if not 1000), `times`"
                            .to_owned(),
                    );
                }
            };
            Self::Repeat(Repeat { steps, turns })
        } else if let Some(selector) = keys.for_each {
            let elements = Plain::written(elements(selector));
            Self::ForEach(ForEach { elements, steps: steps(keys.r#do), at_most: bound })
        } else if let Some(body) = keys.r#try {
            Self::Try(Try { steps: body, catch: steps(keys.catch) })
        } else if let Some(extract) = keys.append {
            Self::Append(Plain::written(Step::Extract(extract)))
        } else {
            Self::Use(keys.r#use.unwrap_or_default())
        })
    }
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;

        impl<'de> Visitor<'de> for Written {
            type Value = Statement;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map with one key, the name of the step")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Statement, E> {
                if ALL.contains(&name) {
                    return Err(E::custom(format_args!(
                        "`{name}` says too little; write {{\"{name}\": ...}}"
                    )));
                }
                Err(E::unknown_variant(name, &ALL))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statement, A::Error> {
                let Some(name) = map.next_key::<String>()? else {
                    return Err(A::Error::custom("an empty map; it needs one key, its name"));
                };
                if FLOW.contains(&name.as_str()) {
                    let keys = FlowKeys::deserialize(MapAccessDeserializer::new(Resumed {
                        first: Some(name),
                        map,
                    }))?;
                    return Statement::try_from(keys).map_err(A::Error::custom);
                }
                let plain = if name == "goto" {
                    Plain::try_from(map.next_value::<AnyGoto>()?).map_err(A::Error::custom)?
                } else if Step::NAMES.contains(&name.as_str()) {
                    let named = Named { name: name.clone(), map: &mut map, of: PhantomData };
                    Plain::written(Step::deserialize(EnumAccessDeserializer::new(named))?)
                } else {
                    return Err(A::Error::unknown_variant(&name, &ALL));
                };
                match map.next_key::<String>()? {
                    None => Ok(Statement::Step(plain)),
                    Some(other) => Err(A::Error::custom(format_args!(
                        "a map with one key is expected here, its name; split up `{name}` and `{other}`"
                    ))),
                }
            }
        }

        deserializer.deserialize_any(Written)
    }
}

/// A map whose first key was read already.
struct Resumed<A> {
    first: Option<String>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Resumed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(StringDeserializer::new(key)).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// A map as an enum: its key `name`, which was read already, is the variant.
struct Named<'de, A> {
    name: String,
    map: A,
    of: PhantomData<&'de ()>,
}

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Named<'de, A> {
    type Error = A::Error;
    type Variant = Content<A>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content<A>), A::Error> {
        let name: StringDeserializer<A::Error> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.map)))
    }
}

struct Content<A>(A);

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Content<A> {
    type Error = A::Error;

    fn unit_variant(mut self) -> Result<(), A::Error> {
        self.0.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, A::Error> {
        // No step has several unnamed parts.
        Err(A::Error::invalid_type(serde::de::Unexpected::TupleVariant, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        Err(A::Error::invalid_type(serde::de::Unexpected::StructVariant, &visitor))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn statement(json: Value) -> Result<Statement, String> {
        // As a text, whose keys come in the order in which they are written, and as a value.
        let text = serde_json::from_str::<Statement>(&json.to_string()).map_err(|why| why.to_string());
        let value = serde_json::from_value(json).map_err(|why: serde_json::Error| why.to_string());
        assert_eq!(text.is_ok(), value.is_ok(), "{text:?} {value:?}");
        value
    }

    #[test]
    fn every_documented_form_is_read_in_any_order_of_its_keys() {
        let click = json!([{"click": "#a"}]);
        assert!(matches!(statement(click[0].clone()), Ok(Statement::Step(_))));
        let branch = statement(json!({"if": "#a", "then": click}));
        assert!(matches!(branch, Ok(Statement::If(If { otherwise, .. })) if otherwise.is_empty()));
        let text =
            r##"{"then": [{"click": "#a"}], "else": [{"click": "#b"}], "if": {"not": {"text": "t"}}}"##;
        assert!(matches!(serde_json::from_str(text), Ok(Statement::If(If { condition: Guard::Not(_), .. }))));
        let until = statement(json!({"repeat": click, "until": {"url": "/done"}, "at_most": 7}));
        assert!(matches!(until, Ok(Statement::Repeat(Repeat { turns: Turns::Until(_, 7), .. }))));
        let repeat = statement(json!({"repeat": click, "while": "#next"}));
        assert!(matches!(repeat, Ok(Statement::Repeat(Repeat { turns: Turns::While(_, AT_MOST), .. }))));
        let times = statement(json!({"repeat": click, "times": 3}));
        assert!(matches!(times, Ok(Statement::Repeat(Repeat { turns: Turns::Times(3), .. }))));
        assert!(matches!(statement(json!({"for_each": "tr", "do": click})), Ok(Statement::ForEach(_))));
        assert!(matches!(statement(json!({"try": click, "catch": []})), Ok(Statement::Try(_))));
        assert!(matches!(statement(json!({"append": {"rows": {"all": "tr"}}})), Ok(Statement::Append(_))));
        assert_eq!(statement(json!({"use": "login"})), Ok(Statement::Use("login".to_owned())));
        let goto = statement(json!({"goto": {"url": "{{data.next}}", "wait_until": "dom"}}));
        assert!(matches!(goto, Ok(Statement::Step(plain)) if plain.url_to_fill().is_some()));
    }

    #[test]
    fn keys_that_do_not_belong_together_are_refused_with_the_rule() {
        let click = json!([{"click": "#a"}]);
        for (written, says) in [
            (json!({"if": "#a"}), "`if` needs `then` beside it"),
            (json!({"then": click}), "`then` stands beside `if`, which is missing"),
            (json!({"if": "#a", "then": click, "do": click}), "`do` does not go with `if`"),
            (json!({"if": "#a", "then": click, "use": "x"}), "split up `if` and `use`"),
            (json!({"if": "#a", "then": []}), "`then` has no steps"),
            (json!({"repeat": click}), "`repeat` needs one of"),
            (json!({"repeat": click, "times": 3, "at_most": 4}), "`repeat` needs one of"),
            (json!({"repeat": click, "times": 0}), "`times` must be from 1 to 100000"),
            (
                json!({"repeat": click, "until": "#a", "at_most": 100_001}),
                "`at_most` must be from 1 to 100000",
            ),
            (json!({"try": click}), "`try` needs `catch` beside it"),
            (json!({"try": click, "catch": [], "elze": 1}), "unknown field `elze`"),
            (json!({"click": "#a", "fill": {"selector": "#a", "text": ""}}), "split up `click` and `fill`"),
            (json!({"clik": "#a"}), "unknown variant `clik`"),
            (json!("click"), "`click` says too little"),
            (json!("clik"), "unknown variant `clik`"),
            (json!({}), "an empty map"),
            (json!(7), "expected a map with one key, the name of the step"),
            (json!({"goto": "ftp://h/"}), "only http and https"),
        ] {
            let said = statement(written.clone()).expect_err("a mistake");
            assert!(said.contains(says), "{written}: {said}");
        }
    }
}
