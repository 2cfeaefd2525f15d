//! Jobs as templates: `{{name}}` in any text of a job is replaced by the row's value in the column of that name.
//!
//! Blanks inside the braces are ignored. `{{{{` stands for two literal braces, and `}}` alone is literal. Values are
//! inserted as they are, without quotes or escapes, and the result is a text. Keys are not filled. `{{secret:NAME}}`
//! becomes a mark, which an attempt replaces by the secret; a value of a row cannot bring one in.
//!
//! In steps, `{{data.NAME}}` and `{{error.NAME}}` are filled later, from the job's own data; they stay what they are, and
//! a value of a row never becomes one of them.

use std::collections::BTreeSet;

use plimsoll_core::flow::{self, Piece, Variable};
use plimsoll_core::secret_mark;
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
    #[error("`{{{{secret:{0}}}}}` names no secret; a name has up to 64 letters, digits and `_`")]
    SecretName(String),
    #[error("`{0}` has a secret, and it is shown in results; only values that are not shown can be secret")]
    SecretShown(&'static str),
    /// Data that would name a secret.
    #[error("a text has the character U+FDD0, which stands for a secret here; take it out")]
    Mark,
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

/// Whether a row or a secret could change `text`.
pub(super) fn has_placeholder(text: &str) -> bool {
    let mut filling = Filling { left: 0, secrets: BTreeSet::new() };
    let filled =
        fill_text(text, Part::Whole, &mut |name| Err(TemplateError::NoRows(name.to_owned())), &mut filling);
    filled.is_err() || !filling.secrets.is_empty()
}

/// `value` with every placeholder replaced by what `column` returns for its name, and the names of its secrets.
pub(super) fn fill<'r>(
    value: &Value,
    column: &mut impl FnMut(&str) -> Result<&'r str, TemplateError>,
) -> Result<(Value, BTreeSet<String>), TemplateError> {
    let mut filling = Filling { left: MOST_FILLED, secrets: BTreeSet::new() };
    let value = fill_within(value, Part::Whole, column, &mut filling)?;
    Ok((value, filling.secrets))
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

/// What happens while a job is filled.
struct Filling {
    /// How many bytes values may still add.
    left: usize,
    secrets: BTreeSet<String>,
}

/// What the placeholder of a secret begins with.
const SECRET: &str = "secret:";

fn fill_within<'r>(
    value: &Value,
    part: Part,
    column: &mut impl FnMut(&str) -> Result<&'r str, TemplateError>,
    filling: &mut Filling,
) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) => Value::String(fill_text(text, part, column, filling)?),
        Value::Array(items) => {
            let items = items.iter().map(|item| fill_within(item, part, column, filling));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                if has_placeholder(key) {
                    return Err(TemplateError::Key(key.clone()));
                }
                let part = if part == Part::Whole { Part::of(key) } else { part };
                let filled = fill_within(value, part, column, filling)?;
                let shown = ["id", "name"].into_iter().find(|shown| *shown == key);
                match (shown, filled.as_str()) {
                    (Some(shown), Some(text)) if secret_mark::count(text) > 0 => {
                        Err(TemplateError::SecretShown(shown))
                    }
                    _ => Ok((key.clone(), filled)),
                }
            });
            Value::Object(entries.collect::<Result<_, _>>()?)
        }
        other => other.clone(),
    })
}

fn fill_text<'r>(
    text: &str,
    part: Part,
    column: &mut impl FnMut(&str) -> Result<&'r str, TemplateError>,
    filling: &mut Filling,
) -> Result<String, TemplateError> {
    let (mut filled, mut later) = (String::with_capacity(text.len()), Vec::new());
    let (mut rest, mut marks) = (text, 0);
    while let Some((before, after)) = rest.split_once("{{") {
        filled += before;
        if let Some(after) = after.strip_prefix("{{") {
            filled += "{{";
            rest = after;
            continue;
        }
        let name = after.split_once("}}").map(|(name, after)| (name.trim(), after));
        match name {
            Some((name, after)) if name.starts_with(SECRET) => {
                let name = name[SECRET.len()..].trim();
                if !secret_mark::is_name(name) {
                    return Err(TemplateError::SecretName(name.chars().take(64).collect()));
                }
                filled += &secret_mark::marked(name);
                filling.secrets.insert(name.to_owned());
                marks += 1;
                rest = after;
            }
            Some((name, after)) if is_name(name) => {
                rest = after;
                if part == Part::Steps
                    && let Some(variable) = Variable::named(name)
                {
                    later.extend([Piece::Literal(std::mem::take(&mut filled)), Piece::Value(variable)]);
                    continue;
                }
                let value = column(name)?;
                filling.left = filling.left.checked_sub(value.len()).ok_or(TemplateError::TooLarge)?;
                filled += value;
            }
            _ => return Err(TemplateError::Malformed),
        }
    }
    filled += rest;
    if part == Part::Steps {
        later.push(Piece::Literal(filled));
        filled = flow::write(&later);
    }
    // Data must not name a secret, nor may two values make a mark together.
    if secret_mark::count(&filled) == marks { Ok(filled) } else { Err(TemplateError::Mark) }
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
            &mut Filling { left: MOST_FILLED, secrets: BTreeSet::new() },
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
        assert_eq!(whole.map(|(job, _)| job["steps"].clone()), Ok(job["steps"].clone()));
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
    fn a_secret_is_named_by_the_template_and_by_nothing_else() {
        let value = |text: &str| json!({"url": text, "steps": [{"fill": {"selector": "#p", "text": "{{ secret: PW }}"}}]});
        let (filled, secrets) =
            fill(&value("http://h/{{secret:KEY}}{{a}}"), &mut |_| Ok("{{secret:OTHER}}")).expect("good");
        assert_eq!(secrets, BTreeSet::from(["KEY".to_owned(), "PW".to_owned()]));
        assert_eq!(filled["url"], format!("http://h/{}{{{{secret:OTHER}}}}", secret_mark::marked("KEY")));
        for forged in [secret_mark::marked("KEY"), "%EF%B7%90KEY%EF%B7%91".to_owned()] {
            assert_eq!(fill(&value("http://h/{{a}}"), &mut |_| Ok(&forged)), Err(TemplateError::Mark));
            assert_eq!(fill(&value(&forged), &mut |_| Ok("")), Err(TemplateError::Mark));
        }
        assert_eq!(
            fill(&value("{{a}}{{b}}"), &mut |name| Ok(if name == "a" { "%EF%B7" } else { "%90" })),
            Err(TemplateError::Mark)
        );
        for wrong in ["{{secret:}}", "{{secret:a-b}}", "{{secret:a b}}"] {
            assert!(
                matches!(fill(&value(wrong), &mut |_| Ok("")), Err(TemplateError::SecretName(_))),
                "{wrong}"
            );
        }
        for (key, shown) in [("id", "id"), ("name", "name")] {
            let told = fill(&json!({key: "x{{secret:PW}}"}), &mut |_| Ok(""));
            assert_eq!(told, Err(TemplateError::SecretShown(shown)));
        }
        assert_eq!(filled_secret("{{{{secret:PW}}"), Ok(("{{secret:PW}}".into(), BTreeSet::new())));
    }

    fn filled_secret(text: &str) -> Result<(Value, BTreeSet<String>), TemplateError> {
        fill(&json!(text), &mut |_| Ok(""))
    }

    #[test]
    fn a_value_stays_a_text_and_other_types_stay_themselves() {
        let value = json!({"n": 1, "t": ["{{a}}", null, true, {"u": "{{a}}"}]});
        let filled = fill(&value, &mut |_| Ok("7")).map(|(value, _)| value);
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
            prop_assert_eq!(fill_text(&template, Part::Whole, &mut { by_name }, &mut Filling { left: MOST_FILLED, secrets: BTreeSet::new() }), Ok(expected));
        }
    }
}
