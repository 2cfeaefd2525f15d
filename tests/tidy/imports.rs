//! Reads which modules a file of Rust uses: every path that stays inside its crate, resolved from the crate's root.
//!
//! ```text
//!   text ──► tokens (no comments, strings, test modules) ──► paths from crate, self, super or a child module
//! ```
//!
//! Macros, and imports from another crate under the name of a child module, are not resolved.

use std::collections::BTreeSet;

/// A path from the crate's root: `["policy", "limit", "Ceilings"]`.
pub(crate) type ModulePath = Vec<String>;

/// The paths inside its crate that the module `module` uses, in `text`.
pub(crate) fn used_paths(module: &[String], text: &str) -> BTreeSet<ModulePath> {
    let tokens = tokens(text);
    let children = child_modules(&tokens);
    let mut found = BTreeSet::new();
    // For each open brace: the name of the inline module that it begins, if it begins one.
    let mut blocks: Vec<Option<&str>> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if is_test_module(&tokens[at..]) {
            at += block_length(&tokens[at..]);
            continue;
        }
        match *token {
            "{" => {
                let named = at >= 2 && tokens[at - 2] == "mod";
                blocks.push(named.then(|| tokens[at - 1]));
            }
            "}" => drop(blocks.pop()),
            _ => {
                let inside = || blocks.iter().flatten().map(|name| (*name).to_owned());
                let here: ModulePath = module.iter().cloned().chain(inside()).collect();
                let begins = tokens.get(at + 1) == Some(&"::") && !is_continued(&tokens[..at]);
                let start = match *token {
                    _ if !begins => None,
                    "crate" => Some(Vec::new()),
                    "self" => Some(here),
                    "super" => Some(parent(&here)),
                    child if children.contains(child) && blocks.iter().flatten().next().is_none() => {
                        Some(joined(&here, child))
                    }
                    _ => None,
                };
                if let Some(start) = start {
                    at += 2 + read_tree(&start, &tokens[at + 2..], &mut found);
                    continue;
                }
            }
        }
        at += 1;
    }
    found
}

/// Adds the paths of a use-tree, and returns how many tokens it has.
fn read_tree(start: &[String], tokens: &[&str], found: &mut BTreeSet<ModulePath>) -> usize {
    let mut path = start.to_vec();
    let mut at = 0;
    loop {
        match tokens.get(at).copied() {
            Some("{") => {
                at += 1;
                while let Some(token) = tokens.get(at).copied() {
                    match token {
                        "}" => return at + 1,
                        "," => at += 1,
                        _ => at += read_tree(&path, &tokens[at..], found).max(1),
                    }
                }
                return at;
            }
            Some("super") => path = parent(&path),
            Some("self" | "*") | None => {}
            Some(name) if is_name(name) => path.push(name.to_owned()),
            Some(_) => {}
        }
        at += 1;
        if tokens.get(at) != Some(&"::") {
            found.insert(path);
            // The new name of `use a as b`.
            return if tokens.get(at) == Some(&"as") { at + 2 } else { at };
        }
        at += 1;
    }
}

fn parent(module: &[String]) -> ModulePath {
    module.split_last().map_or_else(Vec::new, |(_, above)| above.to_vec())
}

fn joined(module: &[String], name: &str) -> ModulePath {
    module.iter().cloned().chain([name.to_owned()]).collect()
}

/// Whether the next token belongs to a path, a field or a method that began before, or to a macro's `$crate`, which names
/// the crate of the macro's user.
fn is_continued(before: &[&str]) -> bool {
    matches!(before.last(), Some(&"::" | &"." | &"$"))
}

/// The modules that lie in files of their own: `mod name;`.
fn child_modules<'a>(tokens: &[&'a str]) -> BTreeSet<&'a str> {
    tokens.windows(3).filter(|three| three[0] == "mod" && three[2] == ";").map(|three| three[1]).collect()
}

/// Whether `#[cfg(test)] mod name {` comes next: test modules may use any module.
fn is_test_module(tokens: &[&str]) -> bool {
    const MARK: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    tokens.starts_with(&MARK) && tokens.get(MARK.len() + 1) == Some(&"{")
}

/// How many tokens there are up to the end of the first block.
fn block_length(tokens: &[&str]) -> usize {
    let mut depth = 0;
    for (token, length) in tokens.iter().zip(1..) {
        match *token {
            "{" => depth += 1,
            "}" if depth == 1 => return length,
            "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters; comments and literals are left out.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => text_length(rest),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#") => raw_text_length(rest),
            '\'' => character_length(rest),
            ':' if rest.starts_with("::") => {
                tokens.push("::");
                2
            }
            first if first.is_alphanumeric() || first == '_' => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push(&rest[..end]);
                end
            }
            first => {
                if !first.is_whitespace() {
                    tokens.push(&rest[..first.len_utf8()]);
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

fn text_length(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// `r"..."` and `r#"..."#`; for a raw identifier, `r#type`, its mark alone.
fn raw_text_length(rest: &str) -> usize {
    let marks = rest[1..].chars().take_while(|c| *c == '#').count();
    if !rest[1 + marks..].starts_with('"') {
        return 1 + marks;
    }
    let end = format!("\"{}", "#".repeat(marks));
    rest[2 + marks..].find(&end).map_or(rest.len(), |at| 2 + marks + at + end.len())
}

/// `'a'` and `'\n'`; for a lifetime, its mark alone.
fn character_length(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(rest.len(), |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

#[test]
fn paths_are_resolved_from_the_root() {
    let text = r##"
        //! use crate::comment::A;
        mod child;
        use crate::{id::{self, A, b::C}, time};
        use super::{super::far::D as E, near};
        pub(crate) use self::child::F;
        let x = child::g("crate::text::H", '"', 'x', r#"crate::raw"#) + y.child::<u8>();
        mod inline { use super::child::I; fn f() -> crate::J<'static> { super::super::K::new() } }
        #[cfg(test)]
        mod tests { use crate::later::L; }
    "##;
    let found = used_paths(&["top".into(), "own".into()], text);
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    let expected = [
        "J",
        "far::D",
        "id",
        "id::A",
        "id::b::C",
        "time",
        "top::K::new",
        "top::near",
        "top::own::child::F",
        "top::own::child::I",
        "top::own::child::g",
    ];
    assert_eq!(found, expected);
}
