//! Texts with placeholders: `{{data.NAME}}`, `{{error.class}}` and `{{error.message}}`.
//!
//! Blanks inside the braces do not count. Only braces right before such a name have a meaning: a pair of them begins a
//! placeholder, and two pairs stand for two braces. Every other text is literal, so [`parse`] accepts any text.

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stays as it is.
    Literal(String),
    /// A placeholder.
    Value(Variable),
}

/// What a placeholder stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variable {
    /// The value of this name in the job's data.
    Data(String),
    /// This part of the fault that a `catch` handles.
    Error(String),
}

/// The longest name between two braces, in bytes, blanks included.
const LONGEST_NAME: usize = 512;

impl Variable {
    /// The variable of this name, `data.x` or `error.x`; `None` if the name is not one of a variable.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_name = |name: &&str| {
            !name.is_empty() && !name.contains(|c: char| c == '{' || c == '}' || c.is_control())
        };
        let of = |prefix| name.strip_prefix(prefix).filter(is_name).map(str::to_owned);
        of("data.").map(Self::Data).or_else(|| of("error.").map(Self::Error))
    }
}

impl std::fmt::Display for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Data(name) => write!(f, "{{{{data.{name}}}}}"),
            Self::Error(name) => write!(f, "{{{{error.{name}}}}}"),
        }
    }
}

/// The parts of a text.
#[must_use]
pub fn parse(text: &str) -> Vec<Piece> {
    let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find("{{") {
        let (run, after) = braces(&rest[at..]);
        literal += &rest[..at];
        let Some((variable, behind)) = variable_at(after) else {
            literal += &"{".repeat(run);
            rest = after;
            continue;
        };
        literal += &"{".repeat(run / 4 * 2 + run % 2);
        rest = after;
        if run % 4 >= 2 {
            pieces.extend((!literal.is_empty()).then(|| Piece::Literal(std::mem::take(&mut literal))));
            pieces.push(Piece::Value(variable));
            rest = behind;
        }
    }
    literal += rest;
    pieces.extend((!literal.is_empty()).then_some(Piece::Literal(literal)));
    pieces
}

/// The text that [`parse`] reads as these parts; two literals beside each other are one.
#[must_use]
pub fn write(pieces: &[Piece]) -> String {
    let (mut written, mut literal) = (String::new(), String::new());
    for piece in pieces {
        match piece {
            Piece::Literal(text) => literal += text,
            Piece::Value(variable) => {
                written += &escaped(&std::mem::take(&mut literal), Next::Placeholder);
                written += &variable.to_string();
            }
        }
    }
    written + &escaped(&literal, Next::End)
}

/// What follows a literal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Placeholder,
    End,
}

fn escaped(literal: &str, next: Next) -> String {
    let (mut written, mut rest) = (String::with_capacity(literal.len()), literal);
    while let Some(at) = rest.find('{') {
        let (run, after) = braces(&rest[at..]);
        let means = if after.is_empty() { next == Next::Placeholder } else { variable_at(after).is_some() };
        written += &rest[..at];
        written += &"{".repeat(if means { run / 2 * 4 + run % 2 } else { run });
        rest = after;
    }
    written + rest
}

/// How many braces `text` begins with, and what follows them.
fn braces(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches('{');
    (text.len() - rest.len(), rest)
}

/// The variable whose name begins here, and what follows its closing braces.
fn variable_at(text: &str) -> Option<(Variable, &str)> {
    let near = &text[..text.floor_char_boundary(LONGEST_NAME)];
    let (name, _) = near.split_once("}}")?;
    Some((Variable::named(name.trim())?, &text[name.len() + 2..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data(name: &str) -> Piece {
        Piece::Value(Variable::Data(name.to_owned()))
    }

    fn literal(text: &str) -> Piece {
        Piece::Literal(text.to_owned())
    }

    #[test]
    fn placeholders_are_found_and_everything_else_is_literal() {
        assert_eq!(parse("a{{ data.x y }}b"), [literal("a"), data("x y"), literal("b")]);
        assert_eq!(parse("{{data.a}}{{error.class}}")[1], Piece::Value(Variable::Error("class".to_owned())));
        assert_eq!(parse("{{{{data.x}}"), [literal("{{data.x}}")]);
        assert_eq!(parse("{{{{{{data.x}}"), [literal("{{"), data("x")]);
        assert_eq!(parse("{{{data.x}}}"), [literal("{"), data("x"), literal("}")]);
        for text in [
            "{{x}}",
            "{{{{x}}",
            "f({{b:{c:1}}})",
            "{{data.}}",
            "{{data.{a}}}",
            "{{data.x}",
            "{data.x}}",
            "{{",
        ] {
            assert_eq!(parse(text), [literal(text)]);
        }
        assert_eq!(parse(""), []);
        let long = format!("{{{{data.{}}}}}", "x".repeat(LONGEST_NAME));
        assert_eq!(parse(&long), [literal(&long)]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(parts in proptest::collection::vec(prop_oneof![
            "[{}]{0,5}", "(\\{|data.x\\}\\}|a|error.class\\}\\}| ){0,6}", Just("\0".to_owned()),
        ], 0..6)) {
            let pieces: Vec<_> = parts.iter().map(|part| if part == "\0" { data("x") } else { literal(part) }).collect();
            let mut joined: Vec<Piece> = Vec::new();
            for piece in &pieces {
                match (joined.last_mut(), piece) {
                    (_, Piece::Literal(text)) if text.is_empty() => {}
                    (Some(Piece::Literal(before)), Piece::Literal(text)) => *before += text,
                    _ => joined.push(piece.clone()),
                }
            }
            prop_assert_eq!(parse(&write(&pieces)), joined, "{}", write(&pieces));
        }
    }
}
