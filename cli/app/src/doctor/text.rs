//! A diagnosis as text for people: aligned, within 80 columns, the verdict last. Pure.

use plimsoll_core::shown::printable;
use plimsoll_core::units::Bytes;
use plimsoll_host::readings::Resource;

use super::diagnosis::{Bound, Carries, Diagnosis, Scope};
use super::finding::{Finding, State};

/// Columns that no line exceeds, unless a single word does.
const WIDTH: usize = 80;
/// Columns before the detail of a finding: mark and name.
const INDENT: usize = 19;

/// Columns before the amounts of a constraint.
const AMOUNTS: usize = 33;

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Marks in colour, sources dimmed.
    Coloured,
    /// Text alone.
    Plain,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Coloured => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }

    fn mark(self, state: State) -> String {
        match state {
            State::Good => self.paint("32", "✓"),
            State::Warning => self.paint("33", "!"),
            State::Missing => self.paint("31", "✗"),
        }
    }
}

/// The whole text.
pub(super) fn render(diagnosis: &Diagnosis, style: Style) -> String {
    let heading = |text| format!("{}\n", style.paint("1", text));
    let mut text = heading("What is here");
    diagnosis.findings.iter().for_each(|finding| text += &found(finding, style));
    text += "\n";
    text += &heading("What it carries");
    text += &carried(&diagnosis.capacity, style);
    let verdict = wrap(&verdict(diagnosis), WIDTH - 2).join("\n  ");
    text + "\n" + &format!("{} {verdict}\n", style.mark(diagnosis.verdict))
}

fn found(finding: &Finding, style: Style) -> String {
    let name = format!("{:<width$}", finding.what, width = INDENT - 4);
    let mut lines = wrap(&finding.detail, WIDTH - INDENT).into_iter();
    let first = lines.next().unwrap_or_default();
    let mut text = format!("  {} {name}{first}\n", style.mark(finding.state));
    lines.for_each(|line| text += &format!("{:INDENT$}{line}\n", ""));
    for (n, line) in finding.remedy.iter().flat_map(|mend| wrap(mend, WIDTH - INDENT - 2)).enumerate() {
        let arrow = if n == 0 { "→" } else { " " };
        text += &format!("{:INDENT$}{}\n", "", style.paint("36", &format!("{arrow} {line}")));
    }
    text
}

fn carried(capacity: &Carries, style: Style) -> String {
    let mut text = String::new();
    for (n, bound) in capacity.constraints.iter().enumerate() {
        let note = match bound.scope {
            Scope::Run if n == 0 => "binds first; ",
            Scope::Run => "",
            Scope::Browser => "in each browser; ",
        };
        let limit = format!("{:>7} contexts by {:<10}", bound.contexts, name(bound.kind));
        text += &format!("  {limit}  {}\n", amounts(bound));
        let source = wrap(&format!("{note}{}", bound.source), WIDTH - AMOUNTS);
        source.iter().for_each(|line| text += &format!("{:AMOUNTS$}{}\n", "", style.paint("2", line)));
    }
    if capacity.constraints.is_empty() {
        text += "  no sensor tells: contexts are admitted a few at a time\n";
    }
    let paragraph = format!(
        "{:.0} small pages a second is what the processors allow; more contexts do not raise it.",
        capacity.jobs_per_s
    );
    wrap(&paragraph, WIDTH - 2).iter().for_each(|line| text += &format!("  {line}\n"));
    text
}

fn name(resource: Resource) -> &'static str {
    match resource {
        Resource::Memory => "memory",
        Resource::Threads => "threads",
        Resource::Descriptors => "open files",
    }
}

fn amounts(bound: &Bound) -> String {
    match bound.kind {
        Resource::Memory => format!("{} of room, {} each", Bytes(bound.room), Bytes(bound.need_per_context)),
        Resource::Threads | Resource::Descriptors => {
            format!("{} of room, {} each", bound.room, bound.need_per_context)
        }
    }
}

/// The verdict in one line.
fn verdict(diagnosis: &Diagnosis) -> String {
    let count = |state| diagnosis.findings.iter().filter(|finding| finding.state == state).count();
    let things = |n| if n == 1 { "1 thing".to_owned() } else { format!("{n} things") };
    let Carries { contexts, asked, binding, .. } = &diagnosis.capacity;
    if diagnosis.verdict == State::Missing {
        return format!("Cannot run: mend {} marked ✗ above.", things(count(State::Missing)));
    }
    let carries = match (contexts, binding) {
        (Some(contexts), _) if *contexts >= u64::from(*asked) => {
            format!("Ready: {asked} contexts are asked for, about {contexts} fit")
        }
        (Some(contexts), Some(binding)) => {
            format!(
                "Ready: about {contexts} of the {asked} contexts asked for fit, by {}",
                name(binding.kind)
            )
        }
        _ => format!("Ready: {asked} contexts are asked for, how many fit is not known"),
    };
    match count(State::Warning) {
        0 => carries + ".",
        n => format!("{carries}; {} could be better.", things(n)),
    }
}

/// The words in lines of at most `width` characters. Text between backticks counts as one word, so that a command can
/// be copied; a longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let text = printable(text);
    let mut lines = vec![String::new()];
    let mut quoted = false;
    let words = text.split(|letter: char| {
        quoted ^= letter == '`';
        letter.is_whitespace() && !quoted
    });
    for word in words.filter(|word| !word.is_empty()) {
        let fits = |line: &&mut String| line.chars().count() + 1 + word.chars().count() <= width;
        match lines.last_mut().filter(|line| line.is_empty() || fits(line)) {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_report_reads_from_top_to_verdict() {
        let text = render(&Diagnosis::of(&sample::facts()), Style::Plain);
        assert!(
            text.starts_with("What is here\n  ✓ browser        Chromium 156, headless shell, on PATH:\n"),
            "{text}"
        );
        assert!(
            text.contains("\n      562 contexts by memory      17.58 GiB of room, 32.0 MiB each\n"),
            "{text}"
        );
        assert!(text.ends_with("\n\n✓ Ready: 100 contexts are asked for, about 562 fit.\n"), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for facts in sample::all() {
            let text = render(&Diagnosis::of(&facts), Style::Plain);
            let wide = |line: &&str| line.chars().count() > WIDTH;
            assert_eq!(text.lines().find(wide), None, "{text}");
        }
    }

    #[test]
    fn colours_add_nothing_but_colours() {
        for facts in sample::all() {
            let diagnosis = Diagnosis::of(&facts);
            let mut coloured = render(&diagnosis, Style::Coloured);
            for code in ["0", "1", "2", "31", "32", "33", "36"] {
                coloured = coloured.replace(&format!("\x1b[{code}m"), "");
            }
            assert_eq!(coloured, render(&diagnosis, Style::Plain));
        }
    }

    #[test]
    fn a_command_stays_on_one_line() {
        assert_eq!(wrap("as root: `a b c` or  `d e`", 10), ["as root:", "`a b c` or", "`d e`"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("unclosed `a b c d e f g", 10), ["unclosed", "`a b c d e f g"]);
    }
}
