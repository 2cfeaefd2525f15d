//! A driver in a process of its own: its start, its connection and its shutdown.
//!
//! ```text
//!   calls ──► queue ──► writer ══ socket pair ══► child (child.rs) ─► library
//!   sink  ◄──────────── reader ◄═════════════════╝
//! ```
//!
//! The end of the connection counts as the end of the child: then the tree is killed and verified gone.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::time::Duration;

use plimsoll_core::runtime::supervisor::{Supervisor, Task};
use plimsoll_host::identity::Identity;
use plimsoll_host::spawn::{Launch, Spawner};
use plimsoll_host::tree::{Ladder, ProcessTree};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;

use std::sync::Arc;

use crate::child::{CONNECTION, LIBRARY};
use crate::error::LoadError;
use crate::frame::{Frame, Frames};
use crate::info::LibraryInfo;
use crate::library::{Checked, LOAD_BUDGET};
use crate::sink::{Bytes, Reply, Sink, wanted_level};

/// The lines of a panic that are shown: its place, and the first lines of its message.
const PANIC_LINES: usize = 4;
/// Frames that may wait for the writer; further callers wait within their own time limits.
const QUEUE: usize = 1024;
/// The times that a child gets to end by itself after its connection was closed.
const EXIT: Ladder =
    Ladder { ask: Duration::from_secs(1), term: Duration::from_millis(500), kill: Duration::from_secs(5) };

/// The program that a plugin's process runs. It must call [`crate::child::run`] with the library's path, which is
/// added as the last argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostProgram {
    /// The binary, as an absolute path.
    pub program: PathBuf,
    /// The arguments before the library's path.
    pub args: Vec<OsString>,
}

impl Default for HostProgram {
    /// This running program, also if its file was replaced: `plimsoll __plugin-host PATH`.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into(), args: vec!["__plugin-host".into()] }
    }
}

/// A child with its library loaded.
pub(crate) struct Process {
    tree: ProcessTree,
    reader: Task<String>,
}

/// Sends frames to a child.
#[derive(Debug)]
pub(crate) struct Writer(mpsc::Sender<Vec<u8>>);

impl Writer {
    /// Sends a frame, when there is room for it.
    pub(crate) async fn send(&self, frame: &Frame) {
        // The reader sees the end of a child.
        let _gone = self.0.send(frame.encode()).await;
    }

    /// Sends a frame if there is room. A child that does not read is shut down for its overdue calls.
    pub(crate) fn send_now(&self, frame: &Frame) {
        let _full = self.0.try_send(frame.encode());
    }
}

/// Starts a child for the library, whose answers and log lines go to `sink`.
pub(crate) async fn start(
    library: Checked,
    program: &HostProgram,
    spawner: &Spawner,
    supervisor: &Supervisor,
    sink: Arc<dyn Sink>,
) -> Result<(Process, Writer, LibraryInfo), LoadError> {
    let path = library.path().to_owned();
    let failed = |why: String| LoadError::Process { path: path.clone(), why };
    let no_descriptor = |why: io::Error| failed(why.to_string());
    let (ours, theirs) = StdStream::pair().map_err(no_descriptor)?;
    ours.set_nonblocking(true).map_err(no_descriptor)?;
    let ours = UnixStream::from_std(ours).map_err(no_descriptor)?;
    let file: OwnedFd = library.duplicate().map_err(no_descriptor)?.into();
    let launch = Launch {
        program: program.program.clone(),
        args: program.args.iter().cloned().chain([path.clone().into()]).collect(),
        env: Vec::new(),
        identity: Identity::Current,
        fds: vec![(theirs.into(), CONNECTION), (file, LIBRARY)],
        dir: "/".into(),
    };
    let tree = spawner.spawn(supervisor, launch).await.map_err(|why| failed(why.to_string()))?;
    let (mut from, mut to) = ours.into_split();
    let mut frames = Frames::default();
    let greeting = async {
        to.write_all(&Frame::Begin { level: wanted_level() }.encode())
            .await
            .map_err(|why| why.to_string())?;
        loop {
            match next(&mut from, &mut frames).await? {
                // The library's constructors may write to the log.
                Frame::Log { level, target, message } => sink.log(level, &target, &message),
                frame => return Ok(frame),
            }
        }
    };
    let silent = |_| LoadError::Silent { path: path.clone(), doing: "being loaded", within: LOAD_BUDGET };
    let info = match timeout(LOAD_BUDGET, greeting).await.map_err(silent)? {
        Ok(Frame::Loaded { info }) => serde_json::from_slice(&info).map_err(|why| failed(why.to_string()))?,
        Ok(Frame::Refused { why }) => return Err(LoadError::Refused(why)),
        Ok(frame) => return Err(failed(format!("its first frame is {frame:?}"))),
        Err(why) => return Err(failed(last_words(&tree, why).await)),
    };
    let (queue, inbox) = mpsc::channel(QUEUE);
    // The writer's end is not awaited: the reader reports the reason.
    drop(supervisor.spawn("plugin writer", write(to, inbox)));
    let reader = supervisor.spawn("plugin reader", read(from, frames, sink));
    Ok((Process { tree, reader }, Writer(queue), info))
}

impl Process {
    /// Completes when the connection has ended, with the reason.
    pub(crate) async fn ended(&mut self) -> String {
        let why = (&mut self.reader).await.unwrap_or_else(|lost| lost.to_string());
        last_words(&self.tree, why).await
    }

    /// Ends the process tree and verifies that it is gone.
    pub(crate) async fn shut_down(&self, how: Shutdown) -> Result<(), String> {
        let ladder = match how {
            Shutdown::Kill => Ladder::NOW,
            Shutdown::Exit => EXIT,
        };
        self.tree.kill(ladder).await.map_err(|why| why.to_string())
    }
}

/// How a child is ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shutdown {
    /// It is killed at once.
    Kill,
    /// It gets the time to end by itself, since its connection was closed, and is killed afterwards.
    Exit,
}

/// How a child ended, with the cause that it wrote last.
async fn last_words(tree: &ProcessTree, why: String) -> String {
    const PATIENCE: Duration = Duration::from_millis(500);
    let how = match timeout(PATIENCE, tree.wait()).await {
        Ok(exit) => format!("its process ended with {exit}"),
        Err(_) => format!("its process lives, but {why}"),
    };
    match cause(&tree.stderr_tail()) {
        Some(words) => format!("{how}; it last wrote: {words}"),
        None => how,
    }
}

/// The cause of an end among the last lines of a process: the last panic, which takes two lines and is followed by notes
/// and a backtrace; otherwise the last line.
fn cause(lines: &[String]) -> Option<String> {
    let panicked = lines.iter().rposition(|line| line.contains("panicked at "));
    let cause = match panicked {
        Some(at) => {
            let message = lines[at + 1..].iter().take_while(|line| !is_note(line));
            lines[at..=at]
                .iter()
                .chain(message)
                .take(PANIC_LINES)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        }
        None => lines.iter().rfind(|line| !line.trim().is_empty() && !is_note(line))?.clone(),
    };
    Some(cause.trim().to_owned())
}

/// Whether a line belongs to what Rust writes after a panic's message.
fn is_note(line: &str) -> bool {
    ["note: ", "stack backtrace:", "thread caused non-unwinding panic"]
        .iter()
        .any(|start| line.starts_with(start))
}

async fn write(mut to: OwnedWriteHalf, mut inbox: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = inbox.recv().await {
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// Forwards frames of the child until the connection ends; returns why it ended.
async fn read(mut from: OwnedReadHalf, mut frames: Frames, sink: Arc<dyn Sink>) -> String {
    loop {
        match next(&mut from, &mut frames).await {
            Ok(Frame::Complete { call, status, head, body }) => {
                sink.complete(call, Reply { status, head: Bytes::Ours(head), body: Bytes::Ours(body) });
            }
            Ok(Frame::Log { level, target, message }) => sink.log(level, &target, &message),
            Ok(Frame::Count { delta, name }) => sink.count(&name, delta),
            Ok(frame) => return format!("it sent {frame:?} at the wrong time"),
            Err(why) => return why,
        }
    }
}

async fn next(from: &mut OwnedReadHalf, frames: &mut Frames) -> Result<Frame, String> {
    loop {
        if let Some(frame) = frames.next().map_err(|why| format!("it sent {why}"))? {
            return Ok(frame);
        }
        let room = frames.room();
        room.reserve(64 << 10);
        match from.read_buf(room).await {
            Ok(0) => return Err("its connection was closed".to_owned()),
            Ok(_) => {}
            Err(why) => return Err(format!("its connection broke: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_of_an_end_is_the_panic_and_not_the_notes_behind_it() {
        for (written, says) in [
            ("", None),
            ("starting\nno such user\n\n", Some("no such user")),
            (
                "thread 'main' panicked at src/lib.rs:7:5:\nno page\nnote: run with `RUST_BACKTRACE=1` to see one",
                Some("thread 'main' panicked at src/lib.rs:7:5: no page"),
            ),
            (
                "thread 'a' panicked at b.rs:1:\nleft\nright\nstack backtrace:\n   0: rust_begin_unwind\nnote: details",
                Some("thread 'a' panicked at b.rs:1: left right"),
            ),
            (
                "thread 'a' panicked at b.rs:1:\nfirst\nnote: x\nthread 'a' panicked at core/panicking.rs:2:\nsecond\nthread caused non-unwinding panic. aborting.",
                Some("thread 'a' panicked at core/panicking.rs:2: second"),
            ),
            ("fatal: out of luck\nnote: see the manual", Some("fatal: out of luck")),
        ] {
            let lines: Vec<_> = written.lines().map(str::to_owned).collect();
            assert_eq!(cause(&lines).as_deref(), says, "{written}");
        }
    }
}
