//! The standard error of a process: drained until the tree is gone, so that no browser blocks on a full pipe; only the
//! last lines are kept.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::Errno;
use tokio::sync::watch;

use super::Stage;
use super::readiness::readiness;

/// The number of lines that are kept.
const LINES: usize = 64;
/// The bytes of a line that are kept; the rest is dropped.
const LINE_BYTES: usize = 1024;
/// Bytes read before other tasks get their turn: the capacity of a pipe.
const TURN_BYTES: usize = 64 << 10;

/// The reading end of the pipe and the lines that came out of it.
#[derive(Debug)]
pub(super) struct Stderr {
    pipe: OwnedFd,
    tail: Mutex<Tail>,
    /// Notifies after every read.
    news: watch::Sender<()>,
}

/// The result of one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The pipe is empty for now.
    Empty,
    /// There may be more.
    Full,
    /// The pipe has ended.
    Closed,
}

impl Stderr {
    /// Takes over the reading end.
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self { pipe, tail: Mutex::default(), news: watch::Sender::new(()) })
    }

    /// The task that reads until the pipe has no writer or the tree is gone.
    pub(super) fn drain(
        this: Arc<Self>,
        mut stage: watch::Receiver<Stage>,
    ) -> io::Result<impl Future<Output = ()> + Send + 'static> {
        let pipe = readiness(&this.pipe)?;
        Ok(async move {
            loop {
                let ready = tokio::select! {
                    ready = pipe.readable() => ready,
                    _ = stage.wait_for(|stage| matches!(stage, Stage::Gone(_))) => return,
                };
                let Ok(mut ready) = ready else { return };
                match this.read_turn() {
                    Turn::Empty => ready.clear_ready(),
                    Turn::Full => tokio::task::yield_now().await,
                    Turn::Closed => return,
                }
            }
        })
    }

    /// Reads what is in the pipe now, at most what a pipe can hold.
    pub(super) fn catch_up(&self) {
        self.read_turn();
    }

    /// The remembered lines, oldest first.
    pub(super) fn tail(&self) -> Vec<String> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).lines()
    }

    /// The result of `find` for the first complete line that is kept and for which it returns a value.
    pub(super) fn find<T>(&self, find: impl Fn(&str) -> Option<T>) -> Option<T> {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.complete.iter().find_map(|line| find(line))
    }

    /// Notifies after every read.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    fn read_turn(&self) -> Turn {
        let turn = self.read();
        self.news.send_replace(());
        turn
    }

    fn read(&self) -> Turn {
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0; 8 << 10];
        let mut read = 0;
        while read < TURN_BYTES {
            match rustix::io::read(&self.pipe, &mut buffer) {
                Ok(0) => return Turn::Closed,
                Ok(count) => {
                    tail.push(&buffer[..count]);
                    read += count;
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Turn::Empty,
                Err(_) => return Turn::Closed,
            }
        }
        Turn::Full
    }
}

/// The last lines of a stream of bytes, in bounded memory.
#[derive(Debug, Default)]
struct Tail {
    complete: VecDeque<String>,
    /// The line that has not ended yet, up to one byte more than is shown.
    open: Vec<u8>,
}

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        let mut pieces = bytes.split(|&byte| byte == b'\n');
        self.extend(pieces.next().unwrap_or_default());
        for piece in pieces {
            let line = std::mem::take(&mut self.open);
            if self.complete.len() == LINES {
                self.complete.pop_front();
            }
            self.complete.push_back(readable(&line));
            self.extend(piece);
        }
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = LINE_BYTES + 1 - self.open.len();
        self.open.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn lines(&self) -> Vec<String> {
        let open = (!self.open.is_empty()).then(|| readable(&self.open));
        let surplus = (self.complete.len() + usize::from(open.is_some())).saturating_sub(LINES);
        self.complete.iter().skip(surplus).cloned().chain(open).collect()
    }
}

/// Text that is safe to print: pages can write to a browser's log, so escape sequences are made harmless. An ellipsis
/// replaces the removed part.
fn readable(line: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(line).replace(|character: char| character.is_control(), " ");
    if text.len() > LINE_BYTES {
        text.truncate(text.floor_char_boundary(LINE_BYTES - '…'.len_utf8()));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(chunks: &[&[u8]]) -> Vec<String> {
        let mut tail = Tail::default();
        chunks.iter().for_each(|chunk| tail.push(chunk));
        tail.lines()
    }

    #[test]
    fn lines_are_the_same_however_the_stream_is_cut() {
        let stream = b"first\nsecond \xc3\xa9\n\nopen";
        let whole = tail_of(&[stream]);
        assert_eq!(whole, ["first", "second é", "", "open"]);
        for cut in 0..stream.len() {
            assert_eq!(tail_of(&[&stream[..cut], &stream[cut..]]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_line_without_end_costs_one_kibibyte() {
        let mut tail = Tail::default();
        (0..1024).for_each(|_| tail.push(&[b'x'; 1024]));
        assert!(tail.open.capacity() <= 2 * (LINE_BYTES + 1));
        tail.push(b"\nnext");
        let lines = tail.lines();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() == LINE_BYTES && lines[0].ends_with("x…"));
        assert_eq!(lines[1], "next");
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let stream: String = (0..1000).map(|number| format!("{number}\n")).collect();
        let lines = tail_of(&[stream.as_bytes(), b"open"]);
        assert_eq!(lines.len(), LINES);
        assert_eq!((lines[0].as_str(), lines[LINES - 1].as_str()), ("937", "open"));
    }

    #[test]
    fn garbage_stays_within_bounds_and_cannot_steer_a_terminal() {
        let lines = tail_of(&[&[0xff; 5000], b"\n\x1b[2Jgone\r"]);
        assert!(lines.iter().all(|line| line.len() <= LINE_BYTES), "{lines:?}");
        assert_eq!(lines[1], " [2Jgone ");
    }
}
