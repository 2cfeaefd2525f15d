//! Parses text into a [`Selector`].

use super::{
    Among, Attribute, Case, Combinator, Complex, Compound, End, Nth, Operator, Selector, SelectorError,
    Simple,
};

/// The greatest nesting depth of `:is(...)` and similar functions.
const DEEPEST: usize = 16;
/// The greatest number of compounds in a selector, which is also the recursion depth of matching.
const MOST: usize = 256;

/// The reason of a syntax error; the caller adds the whole selector.
enum Trouble {
    Invalid(String),
    Unsupported(String),
}

type Parsed<T> = Result<T, Trouble>;

/// Parses a selector.
pub(super) fn selector(text: &str) -> Result<Selector, SelectorError> {
    let mut reader = Reader { rest: text, depth: 0, compounds: 0 };
    let read = reader.list().and_then(|list| match reader.peek() {
        None => Ok(list),
        Some(c) => Err(invalid(format!("nothing begins with {c:?} here"))),
    });
    read.map_err(|trouble| match trouble {
        Trouble::Invalid(why) => SelectorError::Invalid { selector: text.to_owned(), why },
        Trouble::Unsupported(what) => SelectorError::Unsupported { selector: text.to_owned(), what },
    })
}

fn invalid(why: impl Into<String>) -> Trouble {
    Trouble::Invalid(why.into())
}

/// CSS's white space.
const fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

const fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    compounds: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Consumes `text` if it is next.
    fn take(&mut self, text: &str) -> bool {
        self.rest.strip_prefix(text).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.take(text) {
            return Ok(());
        }
        Err(invalid(match self.peek() {
            Some(c) => format!("{text:?} is missing before {c:?}"),
            None => format!("{text:?} is missing at the end"),
        }))
    }

    /// Skips white space; returns whether there was any.
    fn space(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches(is_space);
        let any = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        any
    }

    fn list(&mut self) -> Parsed<Selector> {
        let mut list = Vec::new();
        loop {
            self.space();
            list.push(self.complex()?);
            self.space();
            if !self.take(",") {
                return Ok(Selector(list));
            }
        }
    }

    fn complex(&mut self) -> Parsed<Complex> {
        let mut subject = self.compound()?;
        let mut rest = Vec::new();
        loop {
            let spaced = self.space();
            let combinator = match self.combinator() {
                Some(combinator) => combinator,
                None if spaced && self.peek().is_some_and(|c| c != ',' && c != ')') => Combinator::Ancestor,
                None => {
                    rest.reverse();
                    return Ok(Complex { subject, rest });
                }
            };
            self.space();
            let left = std::mem::replace(&mut subject, self.compound()?);
            rest.push((combinator, left));
        }
    }

    fn combinator(&mut self) -> Option<Combinator> {
        let signs = [Combinator::Parent, Combinator::Previous, Combinator::Before];
        signs.into_iter().find(|sign| self.take(&sign.to_string()))
    }

    fn compound(&mut self) -> Parsed<Compound> {
        self.compounds += 1;
        if self.compounds > MOST {
            return Err(invalid(format!("it describes more than {MOST} elements")));
        }
        let mut compound = Vec::new();
        if self.take("*") {
            compound.push(Simple::Any);
        } else if self.at_name() {
            compound.push(Simple::Type(self.name()?));
        }
        if self.peek() == Some('|') {
            return Err(Trouble::Unsupported("namespaces".to_owned()));
        }
        while let Some(c) = self.peek() {
            compound.push(match c {
                '#' => {
                    self.next();
                    Simple::Id(self.name()?)
                }
                '.' => {
                    self.next();
                    Simple::Class(self.name()?)
                }
                '[' => self.attribute()?,
                ':' => self.pseudo()?,
                _ => break,
            });
        }
        match (compound.is_empty(), self.peek()) {
            (false, _) => Ok(compound),
            (true, Some(c)) => Err(invalid(format!("no element is described before {c:?}"))),
            (true, None) => Err(invalid("it ends where an element should be described")),
        }
    }

    fn at_name(&self) -> bool {
        let mut chars = self.rest.chars();
        match chars.next() {
            Some('-') => chars.next().is_some_and(|c| begins_name(c) || c == '-' || c == '\\'),
            Some(c) => begins_name(c) || c == '\\',
            None => false,
        }
    }

    /// A name that does not begin with a digit.
    fn name(&mut self) -> Parsed<String> {
        if self.at_name() {
            return self.characters();
        }
        Err(invalid(match self.peek() {
            Some(c) => format!("a name cannot begin with {c:?}"),
            None => "a name is missing at the end".to_owned(),
        }))
    }

    /// The characters of a name, with escapes resolved.
    fn characters(&mut self) -> Parsed<String> {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.next();
                name.push(self.escaped()?);
            } else if begins_name(c) || c.is_ascii_digit() || c == '-' {
                name.push(c);
                self.next();
            } else {
                break;
            }
        }
        if name.is_empty() { Err(invalid("a name is missing")) } else { Ok(name) }
    }

    /// The character that an escape after a backslash stands for.
    fn escaped(&mut self) -> Parsed<char> {
        let digits = self.rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        if digits == 0 {
            return match self.next() {
                Some('\n') => Err(invalid("a backslash stands before the end of a line")),
                escaped => Ok(escaped.unwrap_or(char::REPLACEMENT_CHARACTER)),
            };
        }
        let (code, rest) = self.rest.split_at(digits);
        let code = u32::from_str_radix(code, 16).unwrap_or_default();
        self.rest = rest.strip_prefix(is_space).unwrap_or(rest);
        Ok(char::from_u32(code).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn string(&mut self, quote: char) -> Parsed<String> {
        let mut string = String::new();
        loop {
            match self.next() {
                // The end of the selector closes a string too.
                None => return Ok(string),
                Some(c) if c == quote => return Ok(string),
                Some('\n') => return Err(invalid("a string goes over the end of its line")),
                Some('\\') if self.take("\n") => {}
                Some('\\') => string.push(self.escaped()?),
                Some(c) => string.push(c),
            }
        }
    }

    fn attribute(&mut self) -> Parsed<Simple> {
        self.expect("[")?;
        self.space();
        let name = self.name()?;
        self.space();
        if self.peek() == Some('|') && !self.rest.starts_with("|=") {
            return Err(Trouble::Unsupported("namespaces".to_owned()));
        }
        let operators = [
            ("=", Operator::Equals),
            ("~=", Operator::HasWord),
            ("|=", Operator::HasPrefixWord),
            ("^=", Operator::Begins),
            ("$=", Operator::Ends),
            ("*=", Operator::Contains),
        ];
        let operator = operators.into_iter().find(|(sign, _)| self.take(sign));
        let (mut test, mut case) = (None, Case::Usual);
        if let Some((_, operator)) = operator {
            self.space();
            let value = match self.peek() {
                Some(quote @ ('"' | '\'')) => {
                    self.next();
                    self.string(quote)?
                }
                _ => self.name()?,
            };
            test = Some((operator, value));
            self.space();
            if self.take("i") || self.take("I") {
                case = Case::Ignored;
                self.space();
            }
        }
        // The end of the selector closes it too.
        if !self.rest.is_empty() {
            self.expect("]")?;
        }
        Ok(Simple::Attribute(Attribute { name, test, case }))
    }

    fn pseudo(&mut self) -> Parsed<Simple> {
        self.expect(":")?;
        if self.take(":") {
            return Err(Trouble::Unsupported(format!("the pseudo-element `::{}`", self.name()?)));
        }
        let name = self.name()?.to_ascii_lowercase();
        let nth = |step, first, from, among| Simple::Nth(Nth { step, first, from, among });
        if !self.take("(") {
            return Ok(match name.as_str() {
                "first-child" => nth(0, 1, End::First, Among::All),
                "last-child" => nth(0, 1, End::Last, Among::All),
                "first-of-type" => nth(0, 1, End::First, Among::SameType),
                "last-of-type" => nth(0, 1, End::Last, Among::SameType),
                "only-child" => only(Among::All),
                "only-of-type" => only(Among::SameType),
                "empty" => Simple::Empty,
                "root" => Simple::Root,
                "scope" => Simple::Scope,
                "link" | "any-link" => Simple::Link,
                "checked" => Simple::Checked,
                "disabled" => Simple::Disabled,
                "enabled" => Simple::Enabled,
                _ => return Err(Trouble::Unsupported(format!("`:{name}`"))),
            });
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(invalid(format!("parentheses lie more than {DEEPEST} deep in each other")));
        }
        self.space();
        let simple = match name.as_str() {
            "is" | "where" if self.peek() == Some(')') => Simple::Is(Selector(Vec::new())),
            "is" | "where" => Simple::Is(self.list()?),
            "not" => Simple::Not(self.list()?),
            "has" => Simple::Has(self.relatives()?),
            "nth-child" => self.nth(End::First, Among::All)?,
            "nth-last-child" => self.nth(End::Last, Among::All)?,
            "nth-of-type" => self.nth(End::First, Among::SameType)?,
            "nth-last-of-type" => self.nth(End::Last, Among::SameType)?,
            _ => return Err(Trouble::Unsupported(format!("`:{name}()`"))),
        };
        self.space();
        // The end of the selector closes it too.
        if !self.rest.is_empty() {
            self.expect(")")?;
        }
        self.depth -= 1;
        Ok(simple)
    }

    fn relatives(&mut self) -> Parsed<Vec<(Combinator, Complex)>> {
        let mut relatives = Vec::new();
        loop {
            self.space();
            let combinator = self.combinator().unwrap_or(Combinator::Ancestor);
            self.space();
            relatives.push((combinator, self.complex()?));
            self.space();
            if !self.take(",") {
                return Ok(relatives);
            }
        }
    }

    /// `odd`, `even`, `3`, `2n`, `-n + 3`.
    fn nth(&mut self, from: End, among: Among) -> Parsed<Simple> {
        let end = self.rest.find([')']).unwrap_or(self.rest.len());
        let (formula, rest) = self.rest.split_at(end);
        let formula = formula.trim_matches(is_space).to_ascii_lowercase();
        if formula.split(is_space).any(|word| word == "of") {
            return Err(Trouble::Unsupported("`:nth-child(... of ...)`".to_owned()));
        }
        let (step, first) = match formula.as_str() {
            "odd" => (2, 1),
            "even" => (2, 0),
            formula => an_plus_b(formula).ok_or_else(|| {
                invalid(format!("{formula:?} does not say which element; write 2, odd, 3n+1"))
            })?,
        };
        self.rest = rest;
        Ok(Simple::Nth(Nth { step, first, from, among }))
    }
}

/// Matches an element that is both the first and the last.
fn only(among: Among) -> Simple {
    let end = |from| Simple::Nth(Nth { step: 0, first: 1, from, among });
    let alone = Complex { subject: vec![end(End::First), end(End::Last)], rest: Vec::new() };
    Simple::Is(Selector(vec![alone]))
}

fn an_plus_b(formula: &str) -> Option<(i32, i32)> {
    let number = |text: &str| text.bytes().any(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let Some((step, first)) = formula.split_once('n') else { return Some((0, number(formula)?)) };
    let step = match step {
        "" | "+" => 1,
        "-" => -1,
        step => number(step)?,
    };
    let first = first.trim_matches(is_space);
    if first.is_empty() {
        return Some((step, 0));
    }
    let signed = first.strip_prefix(['+', '-'])?;
    let magnitude = signed.trim_start_matches(is_space);
    let value: i32 =
        magnitude.starts_with(|c: char| c.is_ascii_digit()).then(|| number(magnitude)).flatten()?;
    Some((step, if first.starts_with('-') { -value } else { value }))
}
