//! Checks every job before the first job runs, so that a mistake on the last line does not end a run half-way.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use plimsoll_core::id::JobId;

use super::See;
use super::error::{Fault, JobsError, Place, Problems};
use super::walk::Walk;

/// The most jobs in one run. Each job takes 8 bytes while ids are compared.
const MOST: u64 = 20_000_000;

/// The most repeated ids whose places are searched for; a few of the places are reported.
const MOST_LOOKED_FOR: usize = 10_000;

/// The number of jobs, none of which has a mistake. `problems` are mistakes that were found before.
pub(super) fn check(walk: &mut Walk, mut problems: Problems, see: &mut See<'_>) -> Result<u64, JobsError> {
    let mut ids = Ids::default();
    let mut count = 0;
    // The template and the message of the last fault: a mistake in a template is the same for every row.
    let mut last: Option<(u64, String)> = None;
    while let Some(found) = walk.next()? {
        count += 1;
        if count > MOST {
            return Err(JobsError::TooMany { name: walk.name.clone(), limit: MOST });
        }
        match found {
            Ok((place, job)) => {
                see(&job, &|| walk.show(place));
                if walk.may_have_ids() {
                    ids.add(&job.id);
                }
            }
            Err(fault) => {
                let of = (fault.place.line, fault.message.clone());
                if fault.place.row.is_none() || last.as_ref() != Some(&of) {
                    problems.add(fault);
                }
                last = Some(of);
            }
        }
    }
    if count == 0 && problems.is_empty() {
        return Err(JobsError::Empty(walk.name.clone()));
    }
    name_repeated(walk, ids, &mut problems)?;
    problems.into_result(&walk.name, walk.rows_name())?;
    walk.rewind()?;
    Ok(count)
}

/// Reads the jobs once more, if some ids are repeated, to find those ids and their places.
fn name_repeated(walk: &mut Walk, ids: Ids, problems: &mut Problems) -> Result<(), JobsError> {
    let keys = ids.keys.clone();
    let (repeated, mut untold) = ids.repeated();
    if untold == 0 {
        return Ok(());
    }
    let mut first: HashMap<JobId, Place> = HashMap::new();
    walk.rewind()?;
    while untold > 0 && problems.has_room() {
        let Some(found) = walk.next()? else {
            // When every repeated hash was searched for, the hashes that are left belong to two different ids each.
            if first.len() < MOST_LOOKED_FOR {
                untold = 0;
            }
            break;
        };
        let Ok((place, job)) = found else { continue };
        if repeated.binary_search(&keys.hash_one(&job.id)).is_err() {
            continue;
        }
        match first.get(&job.id) {
            None if first.len() < MOST_LOOKED_FOR => {
                first.insert(job.id, place);
            }
            None => {}
            Some(&before) => {
                untold -= 1;
                let why = format!("id `{}` is taken: {} has it", job.id, walk.show(before));
                problems.add(Fault::new(place, why));
            }
        }
    }
    problems.add_untold(untold);
    Ok(())
}

/// The hashes of all ids: 8 bytes for each job, where a set of the ids themselves would take about a hundred.
#[derive(Default)]
struct Ids {
    keys: RandomState,
    hashes: Vec<u64>,
}

impl Ids {
    fn add(&mut self, id: &JobId) {
        self.hashes.push(self.keys.hash_one(id));
    }

    /// The hashes that occur more than once, in order, and how many jobs have the hash of an earlier job.
    fn repeated(mut self) -> (Vec<u64>, u64) {
        self.hashes.sort_unstable();
        let groups = self.hashes.chunk_by(|one, other| one == other).filter(|group| group.len() > 1);
        let untold = groups.clone().map(|group| group.len() as u64 - 1).sum();
        (groups.map(|group| group[0]).collect(), untold)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::jobs::trial::{Files, problems};
    use crate::jobs::{JobFile, JobsError, Source};

    /// A file's name, its content, and the message about it.
    type Case = (&'static str, &'static str, &'static str);

    const LINES: &[Case] = &[
        (
            "a.txt",
            "http://a/\nexample.com\nftp://b/",
            "a.txt:2: `example.com` is no URL (relative URL without a base); write it with its scheme, as in \"http://example.com/page\"\n  a.txt:3: `ftp://b/` has the scheme `ftp`; only http and https pages can be opened",
        ),
        (
            "a.jsonl",
            "{\"url\":\"http://a/\"}\n{\"url\":\"http://a/\",}",
            "a.jsonl:2:20: no valid JSON: trailing comma",
        ),
        (
            "a.jsonl",
            "{\n\"url\":\"http://a/\"}",
            "a.jsonl:1:1: EOF while parsing an object; in .jsonl a job is one whole line, in .json it may have many\n  a.jsonl:2:6: no valid JSON: trailing characters",
        ),
        (
            "a.jsonl",
            "{\"url\":\"http://ä/\",\"steps\":[{\"fill\":{\"selectr\":\"#a\",\"text\":\"b\"}}]}",
            "a.jsonl:1:46: unknown key `selectr` in steps[0].fill; did you mean `selector`? (known: selector, text, timeout)",
        ),
        (
            "a.jsonl",
            "{\"url\":\"http://a/\",\"steps\":[{\"clik\":\"#a\"}]}",
            "a.jsonl:1:35: unknown step `clik` in steps[0]; did you mean `click`?",
        ),
        ("a.jsonl", "{\"url\":\"http://a/\",\"url\":\"http://b/\"}", "a.jsonl:1:24: duplicate field `url`"),
        (
            "a.jsonl",
            "{\"url\":\"http://a/\",\"steps\":[{\"if\":\"#a\",\"then\":[{\"clik\":\"#a\"}]}]}",
            "a.jsonl:1:54: unknown step `clik` in steps[0].then[0]; did you mean `click`?",
        ),
        (
            "a.jsonl",
            "{\"url\":\"http://a/\",\"steps\":[{\"for_each\":\"tr\",\"do\":[{\"press\":\"{{data.key}}\"}]}]}",
            "a.jsonl:1: steps[0].do[0]: no step before puts `key` into the job's data, so `{{data.key}}` can have no value",
        ),
        (
            "a.jsonl",
            "{\"url\":\"http://a/\",\"steps\":[{\"use\":\"log\"}],\"procedures\":{\"login\":[{\"click\":\"a\"}]}}",
            "a.jsonl:1: steps[0].use: there is no procedure `log`; the job has `login`",
        ),
        (
            "a.jsonl",
            "{\"steps\":[{\"click\":\"a\"}]}",
            "a.jsonl:1: a job needs a `url`, or a `goto` as its first step",
        ),
        ("a.jsonl", "\"http://a/\"", "a.jsonl:1: a job is a map, such as {\"url\": \"http://example.com/\"}"),
        (
            "a.jsonl",
            "{\"url\":\"http://a/{{x}}\"}",
            "a.jsonl:1: `{{x}}` is to be filled from rows, and there are none; add --rows FILE.csv, or write `{{{{` for two braces",
        ),
        (
            "a.jsonl",
            "{\"id\":\"x\",\"url\":\"http://a/\"}\n{\"url\":\"http://a/\"}\n{\"id\":\"2\",\"url\":\"http://a/\"}\n{\"id\":\"x\",\"url\":\"http://a/\"}",
            "a.jsonl:3: id `2` is taken: a.jsonl:2 has it\n  a.jsonl:4: id `x` is taken: a.jsonl:1 has it",
        ),
    ];

    const DOCUMENTS: &[Case] = &[
        (
            "a.json",
            "[\n {\"url\":\"http://a/\"},\n {\"url\":\n  5}\n]",
            "a.json:4:3: url must be a text, not a number",
        ),
        ("a.json", "{\"jobs\":[], \"x\":1}", "a.json:1:1: unknown key `x` beside `jobs`"),
        ("a.json", "{\"jobs\":{}}", "a.json:1:8: `jobs` must be a list of jobs"),
        ("a.json", "[{\"url\":\"http://a/\"}\n", "a.json:1:20: no valid JSON: EOF while parsing a list"),
        ("a.json", "[]", "a.json has no jobs"),
        ("a.json", "", "a.json has no jobs"),
        ("a.jsonl", "\n\n", "a.jsonl has no jobs"),
        ("a.txt", "# nothing\n", "a.txt has no jobs"),
        ("a.toml", "", "a.toml has no jobs"),
        (
            "a.toml",
            "[[job]]\nurl = 'http://a/'\nsteps = [\n  { fill = { selectr = 'b', text = '' } },\n  { clik = 'a' },\n]",
            "a.toml:4:14: unknown key `selectr` in steps[0].fill; did you mean `selector`? (known: selector, text, timeout)",
        ),
        (
            "a.toml",
            "[[job]]\nurl = 'http://a/'\nsteps = [\n  { clik = 'a' },\n]\n[[job]]\nurl = 5",
            "a.toml:4:5: unknown step `clik` in steps[0]; did you mean `click`?\n  a.toml:7:7: url must be a text, not a number",
        ),
        (
            "a.toml",
            "[[jobs]]\nurl = 'http://a/'",
            "a.toml:1:3: unknown key `jobs`; did you mean `job`? (jobs are [[job]] tables)",
        ),
        (
            "a.toml",
            "[job]\nurl = 'http://a/'",
            "a.toml:1:2: write [[job]], in two pairs of brackets; there may be many",
        ),
        (
            "a.toml",
            "[[job]]\nurl = 'http://a/\n",
            "a.toml:2:17: no valid TOML: invalid literal string, expected `'`",
        ),
        (
            "a.yaml",
            "",
            "cannot tell what is in a.yaml by its name; jobs are read from .txt (a URL a line), .jsonl or .ndjson (a job a line), .json, .toml ([[job]] tables), .csv (with a column `url`), .xml (a sitemap), or `-` for stdin",
        ),
        ("a.csv", "", "a.csv has no jobs"),
        (
            "a.txt",
            "http://a/ # note\rhttp://b/\ttitle\n\nhttp://c/ http://d/",
            "a.txt:2:11: text after the URL; a note begins with `#`, a blank in a URL is written %20, and a table is a .csv file whose first line names its columns, one of them `url`\n  a.txt:4:11: a second URL on the line; write each on a line of its own, or `,` `;` `|` as %2C %3B %7C if this is one URL",
        ),
        (
            "a.jsonl",
            "{\"url\":\"http://a/\\tb\"}",
            "a.jsonl:1:22: url: `http://a/\tb` has a tab, a line end or another control character in it; write it as a URL does (%09, %0A), or take it out",
        ),
    ];

    #[test]
    fn every_mistake_is_told_with_its_place_and_its_remedy() {
        for (name, content, expected) in LINES.iter().chain(DOCUMENTS) {
            assert_eq!(problems(name, content.as_bytes()), *expected, "{content}");
        }
        assert_eq!(
            problems("a.txt", b"http://a/\nhttp://\xE9/"),
            "a.txt:2:8: not UTF-8 (byte 0xe9); save the file as UTF-8"
        );
        assert_eq!(
            problems("a.json", b"[\n\xFF]"),
            "a.json:2:1: not UTF-8 (byte 0xff); save the file as UTF-8"
        );
        let files = Files::new(&[("b.jsonl", b"x")]);
        assert_eq!(files.open("a.jsonl", None).expect_err("no file"), "there is no file a.jsonl");
        let directory = JobFile::open(&Source::Path(files.0.path().to_owned()), None);
        assert!(matches!(directory, Err(JobsError::Directory(_))));
        let headline = files.open("b.jsonl", None).expect_err("no JSON");
        assert_eq!(
            headline,
            "b.jsonl has 1 mistake; no job was run\n  b.jsonl:1:1: no valid JSON: expected value"
        );
    }

    #[test]
    fn a_deep_document_is_refused_and_not_followed() {
        let deep = "[".repeat(1 << 20);
        assert!(
            problems("a.jsonl", format!("{{\"steps\":{deep}").as_bytes())
                .contains("recursion limit exceeded")
        );
        let closed = format!("[{{\"steps\":{deep}{}}}]", "]".repeat(1 << 20));
        assert!(problems("a.json", closed.as_bytes()).contains("recursion limit exceeded"));
        assert!(problems("a.toml", format!("job = {deep}").as_bytes()).contains("no valid TOML"));
    }

    #[test]
    fn a_large_document_is_refused_with_a_way_out() {
        let files = Files::new(&[("a.json", b"[]")]);
        fs::File::options()
            .write(true)
            .open(files.path("a.json"))
            .expect("a file")
            .set_len((64 << 20) + 1)
            .expect("a sparse file");
        assert_eq!(
            files.open("a.json", None).expect_err("too large"),
            "a.json is larger than 64 MiB, the most that is read as a whole; write the jobs as .jsonl, a job a line, which may be of any size"
        );
    }

    #[test]
    fn many_mistakes_are_counted_and_the_first_are_told() {
        let same: String = std::iter::repeat_n("{\"id\":\"x\",\"url\":\"http://a/\"}\n", 50).collect();
        let said = Files::new(&[("a.jsonl", format!("?\n{same}").as_bytes())])
            .open("a.jsonl", None)
            .expect_err("mistakes");
        assert!(
            said.starts_with("a.jsonl has 50 mistakes; no job was run\n  a.jsonl:1:1: no valid JSON"),
            "{said}"
        );
        assert!(
            said.ends_with("  a.jsonl:21: id `x` is taken: a.jsonl:2 has it\n  ... and 30 more"),
            "{said}"
        );
    }
}
