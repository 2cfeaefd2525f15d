//! The command line, also that of the clients which the parent starts from the same binary.

use std::num::NonZeroU32;
use std::path::PathBuf;

/// The text that is shown after a mistake.
pub(crate) const USAGE: &str = "\
bench-floor [--protocol cdp|webdriver] [--rounds N] [--jobs N] [--flight N,N] [--with 'NAME: ARGUMENT ...']...

  --protocol what browsers are driven by (cdp); webdriver: with 100 jobs, 8 in flight, unless told otherwise
  --rounds   how often every client has its turn (5)
  --jobs     jobs a turn (300)
  --flight   jobs in flight: each of these widths is measured (8,100)
  --with     one more turn of `plimsoll run` with these arguments, under this name:
             --with 'small: --set driver.cdp.args=[\"--window-size=320,240\"]'";

/// The role of this process.
#[derive(Debug)]
pub(crate) enum Command {
    /// The measurement.
    Measure(Options),
    /// The server of the page.
    Page,
    /// The bare client.
    Bare(Work),
    /// The bare client over WebDriver.
    BareWebDriver(Work),
    /// chromiumoxide.
    Contender(Work),
}

/// What is measured.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    pub(crate) rounds: NonZeroU32,
    pub(crate) jobs: NonZeroU32,
    pub(crate) flights: Vec<NonZeroU32>,
    pub(crate) variants: Vec<Variant>,
}

/// The protocol that drives the browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The DevTools protocol.
    Cdp,
    /// W3C WebDriver, by chromedriver.
    WebDriver,
}

impl Protocol {
    /// Its name on the command line, which is also Plimsoll's driver for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cdp => "cdp",
            Self::WebDriver => "webdriver",
        }
    }
}

/// A way to start `plimsoll run`.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) args: Vec<String>,
}

/// The task of one client.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) jobs: NonZeroU32,
    pub(crate) flight: NonZeroU32,
    pub(crate) url: String,
    /// The file for result lines.
    pub(crate) results: PathBuf,
    /// The browser's arguments, without those for its files and its connection.
    pub(crate) flags: Vec<String>,
}

impl Work {
    /// As arguments; [`Command::read`] reads them back.
    pub(crate) fn args(&self) -> Vec<String> {
        let results = self.results.to_string_lossy().into_owned();
        let mut args = vec![self.jobs.to_string(), self.flight.to_string(), self.url.clone(), results];
        args.extend(self.flags.iter().cloned());
        args
    }

    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut next = |what: &str| args.next().ok_or_else(|| format!("a client needs {what}"));
        Ok(Self {
            jobs: number(&next("jobs")?)?,
            flight: number(&next("a width")?)?,
            url: next("an address")?,
            results: next("a file for results")?.into(),
            flags: args.collect(),
        })
    }
}

impl Command {
    /// Reads the command line, without the program's name.
    pub(crate) fn read(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = args.peekable();
        match args.peek().map(String::as_str) {
            Some("page") => Ok(Self::Page),
            Some("bare") => Work::read(args.skip(1)).map(Self::Bare),
            Some("bare-webdriver") => Work::read(args.skip(1)).map(Self::BareWebDriver),
            Some("chromiumoxide") => Work::read(args.skip(1)).map(Self::Contender),
            _ => Options::read(args).map(Self::Measure),
        }
    }
}

impl Options {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            protocol: Protocol::Cdp,
            rounds: number("5")?,
            jobs: number("300")?,
            flights: vec![number("8")?, number("100")?],
            variants: vec![variant("plimsoll:")?, variant("plimsoll, fixed: --set limits.policy=fixed")?],
        };
        while let Some(option) = args.next() {
            let value = args.next().ok_or_else(|| format!("`{option}` is unknown or lacks its value"))?;
            match option.as_str() {
                "--protocol" if value == Protocol::Cdp.name() => options.protocol = Protocol::Cdp,
                "--protocol" if value == Protocol::WebDriver.name() => {
                    options.protocol = Protocol::WebDriver;
                    (options.jobs, options.flights) = (number("100")?, vec![number("8")?]);
                }
                "--protocol" => return Err(format!("no protocol `{value}`")),
                "--rounds" => options.rounds = number(&value)?,
                "--jobs" => options.jobs = number(&value)?,
                "--flight" => options.flights = value.split(',').map(number).collect::<Result<_, _>>()?,
                "--with" => options.variants.push(variant(&value)?),
                _ => return Err(format!("no option `{option}`")),
            }
        }
        Ok(options)
    }
}

fn number(text: &str) -> Result<NonZeroU32, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number of at least 1"))
}

fn variant(text: &str) -> Result<Variant, String> {
    let (name, args) = text.split_once(':').ok_or_else(|| format!("`{text}` lacks `NAME:`"))?;
    let args = args.split_whitespace().map(str::to_owned).collect();
    Ok(Variant { name: name.trim().to_owned(), args })
}
