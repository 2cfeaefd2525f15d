//! [`Plain`]: a step as drivers carry it out, perhaps with placeholders in its texts.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::fill::{FillError, Place, Values, filled};
use super::text::{Piece, Variable, parse, write};
use crate::shorthand::{self, Shorthand};
use crate::step::{Goto, LoadState, PageUrl, Step};

/// A step without control flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Plain {
    /// The step. If it has placeholders, its texts are as they are written.
    step: Step,
    fill: Fill,
}

/// What is filled before the step is performed.
#[derive(Debug, Clone, PartialEq)]
enum Fill {
    Nothing,
    /// Texts of the step.
    Texts,
    /// The URL of a `goto`. Until then, the step opens `about:blank`.
    Url(String),
}

impl Plain {
    /// A step whose texts are literal.
    #[must_use]
    pub const fn literal(step: Step) -> Self {
        Self { step, fill: Fill::Nothing }
    }

    /// A step as it is written in a job: its texts may have placeholders.
    #[must_use]
    pub fn written(step: Step) -> Self {
        // Two braces beside each other stand in a text only.
        let concerns = |json: &[u8]| json.windows(2).any(|pair| pair == b"{{");
        match serde_json::to_vec(&step) {
            Ok(json) if concerns(&json) => {}
            _ => return Self::literal(step),
        }
        let mut is_filled = false;
        let unescaped = map_texts(&step, &mut |_, text| {
            let pieces = parse(text);
            is_filled |= pieces.iter().any(|piece| matches!(piece, Piece::Value(_)));
            Ok(pieces
                .into_iter()
                .map(|piece| if let Piece::Literal(text) = piece { text } else { String::new() })
                .collect())
        });
        match unescaped {
            Ok(step) if !is_filled => Self::literal(step),
            _ => Self { step, fill: Fill::Texts },
        }
    }

    /// The step. If it has placeholders, its texts are as they are written, and a `goto` has the URL `about:blank`.
    #[must_use]
    pub const fn step(&self) -> &Step {
        &self.step
    }

    /// The URL of a `goto` that has placeholders.
    #[must_use]
    pub fn url_to_fill(&self) -> Option<&str> {
        if let Fill::Url(url) = &self.fill { Some(url) } else { None }
    }

    /// Replaces the step by what `edit` makes of it. A placeholder stays one.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Step)) {
        edit(&mut self.step);
    }

    /// The placeholders of the step, each with whether it stands where values are put in.
    pub(super) fn variables(&self) -> Vec<(Place, Variable)> {
        let mut found = Vec::new();
        let mut see = |place, text: &str| {
            let values = parse(text).into_iter();
            found.extend(values.filter_map(|piece| {
                if let Piece::Value(variable) = piece { Some((place, variable)) } else { None }
            }));
        };
        match &self.fill {
            Fill::Nothing => {}
            Fill::Url(url) => see(Place::Url, url),
            Fill::Texts => {
                // Texts that stay as they are always make the same step.
                let _ = map_texts(&self.step, &mut |place, text| {
                    see(place, text);
                    Ok(text.to_owned())
                });
            }
        }
        found
    }

    /// The step with `values` in the place of its placeholders.
    ///
    /// # Errors
    /// When a value is missing, or the step is not valid with it.
    pub fn filled(&self, values: Values<'_>) -> Result<Cow<'_, Step>, FillError> {
        match &self.fill {
            Fill::Nothing => Ok(Cow::Borrowed(&self.step)),
            Fill::Texts => {
                map_texts(&self.step, &mut |place, text| filled(text, place, values)).map(Cow::Owned)
            }
            Fill::Url(template) => {
                let url = filled(template, Place::Url, values)?;
                let url = PageUrl::parse(&url).map_err(|why| FillError::Refused(why.to_string()))?;
                // What a page says must not decide that a browser crashes.
                if url.is_fault_page() {
                    return Err(FillError::Refused(format!(
                        "`{url}` is opened only if the job names it itself"
                    )));
                }
                let wait_until =
                    if let Step::Goto(goto) = &self.step { goto.wait_until } else { LoadState::default() };
                Ok(Cow::Owned(Step::Goto(Goto { url, wait_until })))
            }
        }
    }
}

/// A `goto` as it is written: its URL may have placeholders.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenGoto {
    url: WrittenUrl,
    #[serde(default)]
    wait_until: LoadState,
}

enum WrittenUrl {
    Page(PageUrl),
    Template(String),
}

impl WrittenUrl {
    fn read(text: &str) -> Result<Self, String> {
        let pieces = parse(text);
        if pieces.iter().any(|piece| matches!(piece, Piece::Value(_))) {
            return Ok(Self::Template(write(&pieces)));
        }
        PageUrl::parse(text).map(Self::Page).map_err(|why| why.to_string())
    }
}

impl<'de> Deserialize<'de> for WrittenUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Shorthand for WrittenGoto {
    const EXPECTING: &'static str = Goto::EXPECTING;

    fn from_short(text: &str) -> Result<Self, String> {
        Ok(Self { url: WrittenUrl::read(text)?, wait_until: LoadState::default() })
    }
}

/// [`WrittenGoto`] in its short or its long form.
#[derive(Deserialize)]
pub(super) struct AnyGoto(#[serde(deserialize_with = "shorthand::deserialize")] WrittenGoto);

impl TryFrom<AnyGoto> for Plain {
    type Error = String;

    fn try_from(AnyGoto(WrittenGoto { url, wait_until }): AnyGoto) -> Result<Self, String> {
        let (url, fill) = match url {
            WrittenUrl::Page(url) => (url, Fill::Nothing),
            WrittenUrl::Template(text) => {
                (PageUrl::parse("about:blank").map_err(|why| why.to_string())?, Fill::Url(text))
            }
        };
        Ok(Self { step: Step::Goto(Goto { url, wait_until }), fill })
    }
}

/// The step with every text replaced by what `map` makes of it.
fn map_texts(
    step: &Step,
    map: &mut impl FnMut(Place, &str) -> Result<String, FillError>,
) -> Result<Step, FillError> {
    let refused = |why: serde_json::Error| FillError::Refused(why.to_string());
    let mut json = serde_json::to_value(step).map_err(refused)?;
    for content in json.as_object_mut().into_iter().flat_map(|step| step.values_mut()) {
        map_within(content, step, "", map)?;
    }
    serde_json::from_value(json).map_err(refused)
}

fn map_within(
    value: &mut Value,
    step: &Step,
    key: &str,
    map: &mut impl FnMut(Place, &str) -> Result<String, FillError>,
) -> Result<(), FillError> {
    match value {
        Value::String(text) => *text = map(place(step, key), text)?,
        Value::Array(items) => items.iter_mut().try_for_each(|item| map_within(item, step, key, map))?,
        Value::Object(fields) => {
            fields.iter_mut().try_for_each(|(key, value)| map_within(value, step, key, map))?;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// The place of the text of `key` in a step.
fn place(step: &Step, key: &str) -> Place {
    match (step, key) {
        (Step::Evaluate(_), "script") | (Step::WaitFor(_) | Step::Expect(_), "function") => Place::Script,
        (Step::Evaluate(_) | Step::Content(_) | Step::GetCookies(_), "name") | (Step::Upload(_), "files") => {
            Place::Fixed
        }
        (Step::Goto(_), "url") => Place::Url,
        _ => Place::Text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn plain(step: Value) -> Plain {
        Plain::written(serde_json::from_value(step).expect("a step"))
    }

    fn filled(plain: &Plain, data: Value) -> Result<Value, FillError> {
        let data: Map<_, _> = serde_json::from_value(data).expect("a map");
        let step = plain.filled(Values { data: &data, error: None })?;
        Ok(serde_json::to_value(&*step).expect("plain data"))
    }

    #[test]
    fn only_texts_of_a_step_are_filled_and_braces_can_be_escaped() {
        let escaped = plain(json!({"fill": {"selector": "#a", "text": "{{{{data.x}} {{y}}"}}));
        assert_eq!(escaped.fill, Fill::Nothing);
        assert_eq!(
            filled(&escaped, json!({})),
            Ok(json!({"fill": {"selector": "#a", "text": "{{data.x}} {{y}}"}}))
        );
        let step = json!({"select": {"selector": "#{{data.id}}", "values": ["{{data.v}}", "b"]}});
        let expected = json!({"select": {"selector": "#k", "values": ["7", "b"]}});
        assert_eq!(filled(&plain(step), json!({"id": "k", "v": 7})), Ok(expected));
        let script = plain(json!({"evaluate": {"script": "f({{data.v}})", "name": "n"}}));
        assert_eq!(
            filled(&script, json!({"v": "');"})),
            Ok(json!({"evaluate": {"script": "f(\"');\")", "name": "n"}}))
        );
    }

    #[test]
    fn a_url_is_checked_when_it_is_filled() {
        let goto = |url: &str| {
            let any: AnyGoto = serde_json::from_value(json!(url)).expect("a template");
            Plain::try_from(any).expect("a goto")
        };
        let next = goto("{{data.next}}");
        assert_eq!(next.url_to_fill(), Some("{{data.next}}"));
        let step = filled(&next, json!({"next": "http://h/2"})).expect("a page");
        assert_eq!(step["goto"]["url"], "http://h/2");
        for wrong in ["javascript:1", "chrome://crash", "x"] {
            assert!(matches!(filled(&next, json!({"next": wrong})), Err(FillError::Refused(_))), "{wrong}");
        }
        assert!(serde_json::from_value::<AnyGoto>(json!("{{data.}}")).is_err(), "no placeholder and no URL");
    }
}
