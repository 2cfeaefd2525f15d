//! Words that must not come back: the rule on plain English in CONTRIBUTING.md, as far as a program can check it.
//!
//! Each word has the number of times that the repository still contains it. The number may only fall; a word that is gone
//! stays at 0. Sentences that run over several comment lines are read as one.

use crate::files::{files, report};

/// Phrases and how often each may stand in code, comments, messages and documentation.
const WORDS: &[(&str, usize)] = &[
    // Pronouns without a noun: name the caller, the task, the driver.
    ("whoever", 6),
    ("whomever", 0),
    // Amounts without a number or a unit: name the duration or the count.
    ("so long", 0),
    ("so many", 2),
    ("this many", 0),
    // Speech for the flow of data: send, return, report, receive.
    ("is told", 10),
    ("are told", 1),
    ("was told", 1),
    ("were told", 0),
    ("be told", 1),
    ("speaks for", 0),
    // Programs that feel or die: state, end, kill, remove.
    ("of mind", 0),
    ("in peace", 0),
    ("against all odds", 0),
    ("farewell", 0),
    ("demise", 0),
    ("mercy", 0),
    ("obey", 0),
    ("gave way", 0),
    ("gibberish", 0),
];

/// Files that quote the words.
const QUOTES: [&str; 2] = ["CONTRIBUTING.md", "tests/tidy/words.rs"];

#[test]
fn plain_english_does_not_lose_ground() {
    let texts = files(|path| (path.ends_with(".rs") || path.ends_with(".md")) && !QUOTES.contains(&path));
    let texts: Vec<_> = texts.into_iter().map(|(path, text)| (path, running(&text))).collect();
    let faults = WORDS.iter().filter_map(|(word, most)| {
        let counts = texts.iter().map(|(path, text)| (path, occurrences(text, word)));
        let found: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
        let total: usize = found.iter().map(|(_, count)| count).sum();
        let places =
            found.iter().map(|(path, count)| format!("{path} {count}")).collect::<Vec<_>>().join(", ");
        (total > *most).then(|| format!("\"{word}\" stands {total} times, {most} are left over: {places}"))
    });
    report(
        "a tired engineer who learned English at school reads it once: CONTRIBUTING.md, \"Plain English\"",
        faults,
    );
}

/// The text in lower case as one line, without the marks of comments.
fn running(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !["//!", "///", "//"].contains(word));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// How often `phrase` stands in `text` and not merely inside longer words.
fn occurrences(text: &str, phrase: &str) -> usize {
    let joins = |neighbour: Option<char>| neighbour.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let whole = |at: &usize| {
        !joins(text[..*at].chars().next_back()) && !joins(text[at + phrase.len()..].chars().next())
    };
    text.match_indices(phrase).map(|(at, _)| at).filter(whole).count()
}

#[test]
fn words_are_found_across_comment_lines() {
    let text = running("/// It waits so\n    /// LONG as needed; so_long, also longer.");
    assert_eq!((occurrences(&text, "so long"), occurrences(&text, "long")), (1, 1));
}
