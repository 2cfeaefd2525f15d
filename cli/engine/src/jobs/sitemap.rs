//! [`Sitemap`]: the pages of a sitemap, or of the sitemaps that an index names.
//!
//! ```text
//!   <urlset> <url> <loc>           a page
//!   <sitemapindex> <sitemap> <loc> a sitemap: the file of that name beside the index
//! ```
//!
//! Nothing is loaded from the network while jobs are read: a sitemap of an index that is not there is a mistake which says
//! where to save it.

use std::path::{Path, PathBuf};

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use url::Url;

use super::error::{Fault, JobsError, Place, Problems};
use super::lines;
use super::source::{self, LARGEST_DOCUMENT, Opened};
use super::text_place::LineStarts;

/// The most text of all sitemaps of an index, in bytes.
const LARGEST_INDEX: u64 = 256 << 20;
/// Elements inside each other; a sitemap has three or four.
const DEEPEST: usize = 32;

/// The pages of a sitemap.
#[derive(Debug, Default)]
pub(super) struct Sitemap(Vec<Page>);

/// A page of a sitemap.
#[derive(Debug)]
pub(super) struct Page {
    /// The place of its `<loc>`; in the index, if there is one.
    pub(super) place: Place,
    pub(super) url: String,
    /// Its place in a sitemap that an index names.
    inside: Option<String>,
}

/// A `<loc>` and its place.
type Loc = (Place, String);

/// What a document lists.
enum Listed {
    Pages(Vec<Loc>),
    Sitemaps(Vec<Loc>),
}

impl Sitemap {
    /// Reads `text`. Sitemaps that it names are read from the directory `base`.
    pub(super) fn parse(base: &Path, text: &str) -> Result<(Self, Problems), JobsError> {
        let (listed, mut problems) = read(text);
        let sitemaps = match listed {
            Listed::Pages(pages) => {
                let page = |(place, url)| Page { place, url, inside: None };
                return Ok((Self(pages.into_iter().map(page).collect()), problems));
            }
            Listed::Sitemaps(sitemaps) => sitemaps,
        };
        let (mut pages, mut left) = (Vec::new(), LARGEST_INDEX);
        for (place, loc) in sitemaps {
            let path = beside(base, &loc);
            let (name, listed, faults) = match sitemap_at(&path, &mut left) {
                Ok(read) => read,
                Err(JobsError::TooLarge { name, limit, remedy }) => {
                    return Err(JobsError::TooLarge { name, limit, remedy });
                }
                Err(JobsError::Missing(path)) => {
                    let why = format!(
                        "the sitemap `{loc}` is not here: save it as {}; nothing is loaded while jobs are read",
                        path.display()
                    );
                    problems.add(Fault::new(place, why));
                    continue;
                }
                Err(why) => {
                    problems.add(Fault::new(place, why));
                    continue;
                }
            };
            problems.add_inside(place, &name, faults);
            match listed {
                Listed::Pages(found) => pages.extend(found.into_iter().map(|(within, url)| Page {
                    place,
                    url,
                    inside: Some(within.show(&name, None)),
                })),
                Listed::Sitemaps(_) => {
                    problems.add(Fault::new(
                        place,
                        format_args!("{name} is an index, and an index names sitemaps only"),
                    ));
                }
            }
        }
        Ok((Self(pages), problems))
    }

    pub(super) fn get(&self, index: usize) -> Option<&Page> {
        self.0.get(index)
    }
}

impl Page {
    /// A message about the page, with its place in a sitemap of an index.
    pub(super) fn within(&self, why: &str) -> String {
        self.inside.as_ref().map_or_else(|| why.to_owned(), |inside| format!("{inside}: {why}"))
    }
}

/// The file in `base` that has the name of the sitemap `loc`.
fn beside(base: &Path, loc: &str) -> PathBuf {
    let path = Url::parse(loc).map_or_else(|_| loc.to_owned(), |url| url.path().to_owned());
    let name = path.rsplit('/').next().unwrap_or_default();
    // Sitemaps are offered compressed, and saved as what they hold.
    let name = name.strip_suffix(".gz").unwrap_or(name);
    base.join(if matches!(name, "" | "." | "..") { "sitemap.xml" } else { name })
}

/// The sitemap in the file at `path`, with the file's name in messages.
fn sitemap_at(path: &Path, left: &mut u64) -> Result<(String, Listed, Problems), JobsError> {
    let mut opened = Opened::rows(path)?;
    let limit = LARGEST_DOCUMENT.min(*left);
    let bytes =
        source::whole(&opened.name, &mut opened.file, limit, "run the sitemaps of the index one by one")?;
    *left -= bytes.len() as u64;
    let (listed, problems) = match lines::text(&bytes, 1) {
        Ok(text) => read(text),
        Err(fault) => (Listed::Pages(Vec::new()), Problems::from(fault)),
    };
    Ok((opened.name, listed, problems))
}

/// What a document lists, and what is wrong with it. After a mistake in its XML nothing more is read.
fn read(text: &str) -> (Listed, Problems) {
    let starts = LineStarts::new(text);
    let mut reader = Reader::from_str(text);
    let mut state = Walk { path: Vec::new(), loc: None, has_loc: false, locs: Vec::new(), is_index: false };
    let mut problems = Problems::default();
    loop {
        let before = reader.buffer_position() as usize;
        let place = starts.place(text, before);
        let event = match reader.read_event() {
            Ok(Event::Eof) => match state.path.last() {
                Some((name, _)) => Err(format!("the file ends inside of <{name}>")),
                None => break,
            },
            Ok(event) => Ok(event),
            Err(why) => Err(format!("no valid XML: {why}")),
        };
        let place = if event.is_err() { starts.place(text, reader.error_position() as usize) } else { place };
        if let Err(why) = event.and_then(|event| state.take(&event, place, &mut problems)) {
            problems.add(Fault::new(place, why));
            break;
        }
    }
    let listed = if state.is_index { Listed::Sitemaps } else { Listed::Pages };
    (listed(state.locs), problems)
}

/// Where a document is being read.
struct Walk {
    /// The elements that are open, by their local names, and where each begins.
    path: Vec<(String, Place)>,
    /// The text of the `<loc>` that is open.
    loc: Option<Loc>,
    /// Whether the entry that is open has had one.
    has_loc: bool,
    locs: Vec<Loc>,
    is_index: bool,
}

impl Walk {
    fn take(&mut self, event: &Event<'_>, place: Place, problems: &mut Problems) -> Result<(), String> {
        match event {
            Event::Start(start) => {
                self.open(&String::from_utf8_lossy(start.local_name().as_ref()), place, problems)?;
            }
            Event::Empty(start) => {
                self.open(&String::from_utf8_lossy(start.local_name().as_ref()), place, problems)?;
                self.close(problems);
            }
            Event::End(_) => self.close(problems),
            Event::Text(text) => self.add(&text.decode().map_err(|why| why.to_string())?),
            Event::CData(text) => self.add(&text.decode().map_err(|why| why.to_string())?),
            Event::GeneralRef(reference) => self.add(&resolved(reference)?),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn open(&mut self, name: &str, place: Place, problems: &mut Problems) -> Result<(), String> {
        let is_entry_s = |walk: &Self| walk.path.len() == 2 && walk.is_entry(&walk.path[1].0);
        match self.path.len() {
            0 => match name {
                "urlset" => {}
                "sitemapindex" => self.is_index = true,
                _ => return Err(format!("<{name}> begins no sitemap; <urlset> or <sitemapindex> does")),
            },
            1 if self.is_entry(name) => self.has_loc = false,
            2 if name == "loc" && is_entry_s(self) => {
                if self.has_loc {
                    problems.add(Fault::new(place, format_args!("a second <loc> in <{}>", self.path[1].0)));
                }
                self.has_loc = true;
                self.loc = Some((place, String::new()));
            }
            DEEPEST => return Err(format!("more than {DEEPEST} elements inside each other")),
            _ => {}
        }
        self.path.push((name.to_owned(), place));
        Ok(())
    }

    fn close(&mut self, problems: &mut Problems) {
        let Some((name, place)) = self.path.pop() else { return };
        match self.path.len() {
            2 => self.locs.extend(self.loc.take().map(|(place, loc)| (place, loc.trim().to_owned()))),
            1 if self.is_entry(&name) && !self.has_loc => {
                problems.add(Fault::new(place, format_args!("<{name}> has no <loc>")));
            }
            _ => {}
        }
    }

    fn add(&mut self, text: &str) {
        if let Some((_, loc)) = &mut self.loc {
            *loc += text;
        }
    }

    fn is_entry(&self, name: &str) -> bool {
        name == if self.is_index { "sitemap" } else { "url" }
    }
}

/// What `&amp;` or `&#38;` stands for.
fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|why| why.to_string())? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|why| why.to_string())?;
    let text = resolve_predefined_entity(&name);
    text.map(str::to_owned)
        .ok_or_else(|| format!("`&{name};` stands for nothing in XML; `&` is written `&amp;`"))
}

#[cfg(test)]
mod tests {
    use crate::jobs::trial::{Files, ids, jobs, problems, read};

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

    #[test]
    fn the_pages_of_a_sitemap_are_jobs() {
        let map = format!(
            "{HEAD}<!DOCTYPE urlset [<!ENTITY x \"http://evil/\">]>\n<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\" \
             xmlns:image=\"i\">\n<url>\n  <loc> http://a/?x=1&amp;y=&#50; </loc><lastmod>2026-01-01</lastmod>\n\
             <image:image><image:loc>http://a/i.png</image:loc></image:image></url>\n<!-- <url><loc>http://no/</loc></url> -->\n\
             <url><loc><![CDATA[http://b/?x&y]]></loc></url>\n</urlset>\n"
        );
        let said = read("a.xml", map.as_bytes());
        assert_eq!(ids(&said), [("1", "http://a/?x=1&y=2"), ("2", "http://b/?x&y")]);
        let prefixed = "<s:urlset xmlns:s='x'><s:url><s:loc>http://a/{{x}}</s:loc></s:url></s:urlset>";
        assert_eq!(ids(&read("a.xml", prefixed.as_bytes())), [("1", "http://a/%7B%7Bx%7D%7D")]);
    }

    #[test]
    fn what_is_wrong_with_a_sitemap_is_told_with_its_place() {
        for (map, told) in [
            (
                "<urlset>\n<url><loc>ftp://a/</loc></url>\n<url></url>\n<url/></urlset>",
                "a.xml:2:6: `ftp://a/` has the scheme",
            ),
            (
                "<urlset>\n<url><loc>ftp://a/</loc></url>\n<url></url>\n<url/></urlset>",
                "\n  a.xml:3:1: <url> has no <loc>\n  a.xml:4:1: <url> has no <loc>",
            ),
            (
                "<urlset><url><loc>http://a/</loc><loc>http://b/</loc></url></urlset>",
                "a.xml:1:34: a second <loc> in <url>",
            ),
            ("<rss><channel/></rss>", "a.xml:1:1: <rss> begins no sitemap"),
            ("<urlset><url><loc>http://a/&x;</loc></url></urlset>", "`&x;` stands for nothing"),
            ("<urlset><url><loc>http://a/?x&y=1</loc></url></urlset>", "no valid XML"),
            ("<urlset>\n<url><loc>http://a/</lok></url></urlset>", "a.xml:2:"),
            ("<urlset>\n<url><loc>http://a/</loc>", "the file ends inside of <url>"),
            ("<urlset><url><loc>http://a/\nb</loc></url></urlset>", "has a tab, a line end"),
            ("<urlset/>", "a.xml has no jobs"),
            ("no xml", "a.xml has no jobs"),
        ] {
            let said = problems("a.xml", map.as_bytes());
            assert!(said.contains(told), "{map}: {said}");
        }
        let deep = format!("<urlset>{}", "<a>".repeat(1 << 20));
        assert!(problems("a.xml", deep.as_bytes()).contains("more than 32 elements"));
    }

    #[test]
    fn an_index_names_sitemaps_beside_it() {
        let sitemap = |n: u8| format!("<urlset>\n<url><loc>http://a/{n}</loc></url></urlset>");
        let index = |names: &[&str]| {
            let entries: String = names
                .iter()
                .map(|name| format!("\n<sitemap><loc>http://a/x/{name}</loc></sitemap>"))
                .collect();
            format!("<sitemapindex>{entries}</sitemapindex>")
        };
        let (one, two) = (sitemap(1), sitemap(2));
        let good = index(&["1.xml", "2.xml.gz?v=3"]);
        let bad = index(&["1.xml", "gone.xml", "i.xml", "wrong.xml"]);
        let files = Files::new(&[
            ("i.xml", good.as_bytes()),
            ("bad.xml", bad.as_bytes()),
            ("1.xml", one.as_bytes()),
            ("2.xml", two.as_bytes()),
            ("wrong.xml", b"<urlset>\n<url><loc>ftp://b/</loc></url>\n<url/></urlset>"),
        ]);
        let said = jobs(files.open("i.xml", None).expect("an index"));
        assert_eq!(ids(&said), [("1", "http://a/1"), ("2", "http://a/2")]);
        let said = files.open("bad.xml", None).expect_err("mistakes");
        let lines: Vec<_> = said.lines().skip(1).map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "bad.xml:3:10: the sitemap `http://a/x/gone.xml` is not here: save it as gone.xml; nothing is loaded while jobs are read",
                "bad.xml:4:10: i.xml is an index, and an index names sitemaps only",
                "bad.xml:5:10: wrong.xml:3:1: <url> has no <loc>",
                "bad.xml:5:10: wrong.xml:2:6: `ftp://b/` has the scheme `ftp`; only http and https pages can be opened",
            ]
        );
    }
}
