//! A program that tampers with messages between a driver and a real Chromium.
//!
//! ```text
//!   driver ── commands ──► bad-wire ── commands ──► Chromium
//!          ◄── answers ───          ◄── answers ───
//! ```
//!
//! `bad-wire FAULT NEEDLE BROWSER ARGS...` starts the browser and forwards messages in both directions over its stdin
//! and stdout. FAULT is applied to the answer to the first command that contains NEEDLE. The program ends when the
//! browser does, and the browser ends when the program does.
#![expect(
    clippy::disallowed_methods,
    reason = "stands between processes: it starts one and waits as it is told"
)]

use std::env::args;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

/// The delay of a late answer.
const LATE: Duration = Duration::from_millis(1500);
/// The number of events in a flood.
const FLOOD: usize = 200_000;
/// The length of a huge answer in bytes.
const HUGE: usize = 200 << 20;

/// What happens to the one answer.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It never comes.
    Never,
    /// It comes after its caller has given up.
    Late,
    /// It comes twice.
    Twice,
    /// It comes after the next message.
    Swapped,
    /// Half of it comes, then the connection ends.
    Cut,
    /// Very many unrequested events come before it.
    Flood,
    /// A page of HTML comes instead.
    Page,
    /// A refusal comes instead.
    Refusal,
    /// JSON of another shape comes instead.
    Shapeless,
    /// Empty messages come instead.
    Empty,
    /// It has the number of a command that was never sent.
    Foreign,
    /// It is longer than any message may be.
    Huge,
}

/// The fields of a message that are read.
#[derive(Debug, Deserialize)]
struct Message {
    id: Option<u64>,
}

fn main() -> ExitCode {
    let mut words = args().skip(1);
    let (Some(fault), Some(needle), Some(browser)) =
        (words.next().as_deref().and_then(Fault::parse), words.next(), words.next())
    else {
        return ExitCode::from(2);
    };
    match stand_between(fault, &needle, &browser, words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn stand_between(
    fault: Fault,
    needle: &str,
    browser: &str,
    args: impl Iterator<Item = String>,
) -> io::Result<()> {
    // A browser reads commands from its descriptor 3 and answers on its descriptor 4.
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >&2", browser]).args(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let victim = OnceLock::new();
    let needle = needle.as_bytes();
    thread::scope(|scope| {
        scope.spawn(|| {
            // The end of this direction closes the browser's commands, which ends the browser.
            drop(pass_commands(io::stdin().lock(), commands, needle, &victim));
        });
        let passed =
            pass_answers(BufReader::new(answers), BufWriter::new(io::stdout().lock()), fault, &victim);
        // The other direction may wait for a driver that sends nothing.
        std::process::exit(i32::from(passed.is_err()));
    })
}

fn pass_commands(
    mut from: impl BufRead,
    mut to: impl Write,
    needle: &[u8],
    victim: &OnceLock<u64>,
) -> io::Result<()> {
    while let Some(frame) = next(&mut from)? {
        if victim.get().is_none() && frame.windows(needle.len()).any(|part| part == needle) {
            let _first = number(&frame).map(|id| victim.set(id));
        }
        to.write_all(&frame)?;
    }
    Ok(())
}

fn pass_answers(
    mut from: impl BufRead,
    mut to: impl Write,
    fault: Fault,
    victim: &OnceLock<u64>,
) -> io::Result<()> {
    while let Some(frame) = next(&mut from)? {
        match number(&frame) {
            Some(id) if victim.get() == Some(&id) => fault.befall(&frame, id, &mut from, &mut to)?,
            _ => to.write_all(&frame)?,
        }
        to.flush()?;
    }
    Ok(())
}

/// The next message with the NUL that ends it.
fn next(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut frame = Vec::new();
    from.read_until(0, &mut frame)?;
    Ok(frame.ends_with(&[0]).then_some(frame))
}

fn number(frame: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Message>(frame.strip_suffix(&[0])?).ok()?.id
}

impl Fault {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "never" => Self::Never,
            "late" => Self::Late,
            "twice" => Self::Twice,
            "swapped" => Self::Swapped,
            "cut" => Self::Cut,
            "flood" => Self::Flood,
            "page" => Self::Page,
            "refusal" => Self::Refusal,
            "shapeless" => Self::Shapeless,
            "empty" => Self::Empty,
            "foreign" => Self::Foreign,
            "huge" => Self::Huge,
            _ => return None,
        })
    }

    /// Applies the fault to the answer `frame` of the command `id`.
    fn befall(self, frame: &[u8], id: u64, from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Never => Ok(()),
            Self::Late => {
                thread::sleep(LATE);
                to.write_all(frame)
            }
            Self::Twice => to.write_all(&[frame, frame].concat()),
            Self::Swapped => {
                let overtaking = next(from)?.unwrap_or_default();
                to.write_all(&[&overtaking, frame].concat())
            }
            Self::Cut => {
                to.write_all(&frame[..frame.len() / 2])?;
                to.flush()?;
                Err(io::ErrorKind::BrokenPipe.into())
            }
            Self::Flood => {
                let event = b"{\"method\":\"Target.targetInfoChanged\",\"params\":{\"targetInfo\":{}}}\0";
                (0..FLOOD).try_for_each(|_| to.write_all(event))?;
                to.write_all(frame)
            }
            Self::Page => to.write_all(b"<html><h1>Bad gateway</h1></html>\0"),
            Self::Refusal => {
                write!(to, "{{\"id\":{id},\"error\":{{\"code\":-32000,\"message\":\"no\"}}}}\0")
            }
            Self::Shapeless => write!(to, "{{\"id\":{id},\"result\":[]}}\0"),
            Self::Empty => to.write_all(b"\0{}\0null\0"),
            Self::Foreign => write!(to, "{{\"id\":{},\"result\":{{}}}}\0", id + 1_000_000),
            Self::Huge => {
                write!(to, "{{\"id\":{id},\"result\":\"")?;
                (0..HUGE >> 16).try_for_each(|_| to.write_all(&[b'x'; 1 << 16]))?;
                to.write_all(b"\"}\0")
            }
        }
    }
}
