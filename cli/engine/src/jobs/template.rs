//! Jobs as templates: `{{name}}` in any text of a job is replaced by the row's value in the column of that name.
//!
//! Blanks inside the braces are ignored. `{{{{` stands for two literal braces, and `}}` alone is literal. Values are
//! inserted as they are, without quotes or escapes, and the result is a text. Keys are not filled.
//!
//! In steps, `{{data.NAME}}` and `{{error.NAME}}` are filled later, from the job's own data; they stay what they are, and
//! a value of a row never becomes one of them.

use plimsoll_core::flow::{self, Piece, Variable};
use serde_json::Value;

use crate::decode::nearest;

/// Why a text cannot be filled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    /// The text is not repeated: it may be a password with two braces in it.
    #[error("`{{{{` begins no placeholder; write {{{{column}}}}, or `{{{{{{{{` for two braces")]
    Malformed,
    #[error("`{{{{{name}}}}}` names no column{}; the columns are {known}", meant(.nearest.as_deref()))]
    NoColumn { name: String, nearest: Option<String>, known: String },
    #[error(
        "`{{{{{0}}}}}` is to be filled from rows, and there are none; add --rows FILE.csv, or write `{{{{{{{{` for two braces"
    )]
    NoRows(String),
    #[error("the key `{0}` has a placeholder; only values are filled")]
    Key(String),
    #[error("the values make the job larger than {} MiB; shorten them", MOST_FILLED >> 20)]
    TooLarge,
}

/// The most text that values add to one job, in bytes: as much as a line of jobs may have.
const MOST_FILLED: usize = 16 << 20;
/// Columns that a message lists.
const LISTED: usize = 20;

impl TemplateError {
    pub(super) fn no_column(name: &str, columns: &[String]) -> Self {
        let nearest = nearest(name, columns.iter().map(String::as_str)).map(str::to_owned);
        let mut known = columns[..columns.len().min(LISTED)].join(", ");
        if columns.len() > LISTED {
            known += &format!(" and {} more", columns.len() - LISTED);
        }
        Self::NoColumn { name: name.to_owned(), nearest, known }
    }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// Whether `text` contains anything to fill or to unescape.
pub(super) fn concerns(text: &str) -> bool {
    text.contains("{{")
}

/// The same for a text in JSON's notation. The answer may be a false `true`, never a false `false`.
pub(super) fn concerns_json(text: &str) -> bool {
    concerns(text) || text.contains("\\u007")
}

/// Whether a row could change `text`.
pub(super) fn has_placeholder(text: &str) -> bool {
    let none = &mut |name: &str| Err(TemplateError::NoRows(name.to_owned()));
    fill_text(text, Part::Whole, none, &mut 0).is_err()
}

/// `value` with every placeholder replaced by what `column` returns for its name.
pub(super) fn fill<'r>(
    value: &Value,
    column: &mut impl FnMut(&str) -> Result<&'r str, TemplateError>,
) -> Result<Value, TemplateError> {
    fill_within(value, Part::Whole, column, &mut { MOST_FILLED })
}

/// The part of a job in which a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// A key of the job, or the job itself.
    Whole,
    /// Steps, whose texts are filled once more while the job runs.
    Steps,
}

impl Part {
    /// The part that the value of a key of the job is.
    fn of(key: &str) -> Self {
        match key {
            "steps" | "procedures" | "extract" | "screenshot" | "pdf" => Self::Steps,
            _ => Self::Whole,
        }
    }
}

fn fill_within<'r>(
    value: &Value,
    part: Part,
    column: &mut impl FnMut(&str) -> Result<&'r str, TemplateError>,
    left: &mut usize,
) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(text, part, column, left)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| fill_within(item, part, column, left));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                if has_placeholder(key) {
                    return Err(TemplateError::Key(key.clone()));
                }
                let part = if part == Part::Whole { Part::of(key) } else { part };
                Ok((key.clone(), fill_within(value, part, column, left)?))
            });
            Value::Object(entries.collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

/// `left` is how many bytes values may still add.
fn fill_text<'r>(
    text: &str,
    part: Part,
    column: &mut impl FnMut(&str) -> Result<&'r str, TemplateError>,
    left: &mut usize,
) -> Result<String, TemplateError> {
    let (mut filled, mut later) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled += before;
        if let Some(after) = after.strip_prefix("{{") {
            filled += "{{";
            rest = after;
            continue;
        }
        let name = after.split_once("}}").map(|(name, after)| (name.trim(), after));
        match name {
            Some((name, after)) if is_name(name) => {
                rest = after;
                if part == Part::Steps
                    && let Some(variable) = Variable::named(name)
                {
                    later.extend([Piece::Literal(std::mem::take(&mut filled)), Piece::Value(variable)]);
                    continue;
                }
                let value = column(name)?;
                *left = left.checked_sub(value.len()).ok_or(TemplateError::TooLarge)?;
                filled += value;
            }
            _ => return Err(TemplateError::Malformed),
        }
    }
    filled += rest;
    if part == Part::Whole {
        return Ok(filled);
    }
    later.push(Piece::Literal(filled));
    Ok(flow::write(&later))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c == '{' || c == '}' || c.is_control())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn filled(text: &str) -> Result<String, TemplateError> {
        filled_in(text, Part::Whole)
    }

    fn filled_in(text: &str, part: Part) -> Result<String, TemplateError> {
        fill_text(
            text,
            part,
            &mut |name| match name {
                "a" => Ok("{{b}}"),
                "data.x" => Ok("a column"),
                "evil" => Ok("{{data.x}}"),
                "the b" => Ok(""),
                _ => Err(TemplateError::no_column(name, &["a".into(), "the b".into(), "price".into()])),
            },
            &mut { MOST_FILLED },
        )
    }

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        assert_eq!(filled("http://x/{{a}}/{{ the b }}?q={{a}}"), Ok("http://x/{{b}}/?q={{b}}".into()));
        assert_eq!(filled("{{{{a}} }} {"), Ok("{{a}} }} {".into()));
        assert_eq!(filled("{{{{{{a}}"), Ok("{{{{b}}".into()));
    }

    #[test]
    fn what_is_filled_while_the_job_runs_stays_in_steps_and_no_row_can_add_to_it() {
        let steps = |text: &str| filled_in(text, Part::Steps).map(|text| flow::parse(&text));
        let literal = |text: &str| Piece::Literal(text.to_owned());
        let x = Piece::Value(Variable::Data("x".to_owned()));
        assert_eq!(steps("a {{ data.x }}{{the b}}"), Ok(vec![literal("a "), x.clone()]));
        assert_eq!(steps("{{evil}}{{a}}"), Ok(vec![literal("{{data.x}}{{b}}")]));
        assert_eq!(steps("{{{{data.x}}"), Ok(vec![literal("{{data.x}}")]));
        assert_eq!(steps("{{{{{{data.x}}"), Ok(vec![literal("{{"), x]));
        assert_eq!(filled("{{data.x}}"), Ok("a column".into()), "a URL of a job has no data yet");
        let job = json!({"url": "{{u}}", "steps": [{"press": "{{data.x}}"}], "extract": {"a": "{{data.x}}"}});
        let whole =
            fill(&job, &mut |name| if name == "u" { Ok("http://h/") } else { Err(TemplateError::TooLarge) });
        assert_eq!(whole.map(|job| job["steps"].clone()), Ok(job["steps"].clone()));
    }

    #[test]
    fn what_cannot_be_filled_is_told_with_the_remedy() {
        let said = |text: &str| filled(text).expect_err("a mistake").to_string();
        assert_eq!(
            said("{{prize}}"),
            "`{{prize}}` names no column; did you mean `price`?; the columns are a, the b, price"
        );
        for text in ["{{a", "{{}}", "{{ }}", "{{{a}}}", "{{a\nb}}", "f({{b:{c:1}}})"] {
            assert!(matches!(filled(text), Err(TemplateError::Malformed)), "{text}");
        }
        assert_eq!(said("x {{a}"), "`{{` begins no placeholder; write {{column}}, or `{{{{` for two braces");
        let mut none = |name: &str| Err(TemplateError::NoRows(name.to_owned()));
        assert_eq!(
            fill(&json!({"a": ["{{b}}"]}), &mut none).expect_err("no rows").to_string(),
            "`{{b}}` is to be filled from rows, and there are none; add --rows FILE.csv, or write `{{{{` for two braces"
        );
        assert_eq!(
            fill(&json!({"{{b}}": 1}), &mut none).expect_err("a key").to_string(),
            "the key `{{b}}` has a placeholder; only values are filled"
        );
    }

    #[test]
    fn a_value_stays_a_text_and_other_types_stay_themselves() {
        let value = json!({"n": 1, "t": ["{{a}}", null, true, {"u": "{{a}}"}]});
        let filled = fill(&value, &mut |_| Ok("7"));
        assert_eq!(filled, Ok(json!({"n": 1, "t": ["7", null, true, {"u": "7"}]})));
    }

    proptest! {
        #[test]
        fn any_text_survives_its_escaping(text in "[{}a ]{0,20}") {
            let escaped = text.replace("{{", "{{{{");
            prop_assert!(!has_placeholder(&escaped));
            prop_assert_eq!(filled(&escaped), Ok(text));
        }

        #[test]
        fn filling_is_joining(parts in proptest::collection::vec(("[^{]{0,6}", 0..3_usize), 0..6)) {
            const VALUES: [&str; 3] = ["", "x}}", "{{{"];
            let template: String = parts.iter().map(|(text, of)| format!("{text}{{{{column {of}}}}}")).collect();
            let expected: String = parts.iter().map(|(text, of)| format!("{text}{}", VALUES[*of])).collect();
            let by_name = |name: &str| Ok(VALUES[name.trim_start_matches("column ").parse::<usize>().expect("a number")]);
            prop_assert_eq!(fill_text(&template, Part::Whole, &mut { by_name }, &mut { MOST_FILLED }), Ok(expected));
        }
    }
}
