//! The other side of `isolation = "process"`: a process that holds one library and carries out its parent's calls.
//!
//! The connection is descriptor 3, and the library, which the parent has checked and opened, is descriptor 4. The
//! process ends when the connection does, and the kernel ends it when the parent's thread ends (`plimsoll-host`).

use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::LoadError;
use crate::frame::{Frame, Frames};
use crate::info::LibraryInfo;
use crate::instance::Instance;
use crate::library::Checked;
use crate::sink::{Reply, Sink};

/// The descriptor of the connection.
pub(crate) const CONNECTION: i32 = 3;
/// The descriptor of the library.
pub(crate) const LIBRARY: i32 = 4;

/// Bytes per read.
const PIECE: usize = 64 << 10;

/// Serves the parent until the connection ends. `path` names the library in messages. `plimsoll __plugin-host PATH`
/// runs this.
///
/// It blocks its thread, spawns none of its own, and must be the only one that uses descriptors 3 and 4.
#[must_use]
pub fn run(path: &Path) -> ExitCode {
    // Checked first: a start by hand ends with an exit code instead of a crash.
    let there = |number: i32, kind: &str| {
        let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
        link.is_ok_and(|link| link.to_string_lossy().starts_with(kind))
    };
    if !there(CONNECTION, "socket:") || !there(LIBRARY, "/") {
        return ExitCode::from(2);
    }
    let connection = connection();
    let Ok(writer) = connection.try_clone() else { return ExitCode::from(3) };
    serve(connection, &Arc::new(Parent(Mutex::new(writer))), path);
    ExitCode::SUCCESS
}

#[expect(unsafe_code, reason = "a descriptor that was inherited under a known number")]
fn connection() -> UnixStream {
    // SAFETY: the check above found a socket, and no other code in this process uses it.
    unsafe { OwnedFd::from_raw_fd(CONNECTION) }.into()
}

/// The connection's writing end: one frame at a time, from any thread.
struct Parent(Mutex<UnixStream>);

impl Parent {
    /// Sends a frame. A parent that is gone is noticed by the reader.
    fn send(&self, frame: &[u8]) {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _gone = stream.write_all(frame);
    }
}

impl Sink for Parent {
    fn complete(&self, call: u64, reply: Reply) {
        self.send(&Frame::encode_complete(call, reply.status, &reply.head, &reply.body));
    }

    fn log(&self, level: u32, target: &str, message: &str) {
        let (target, message) = (target.to_owned(), message.to_owned());
        self.send(&Frame::Log { level, target, message }.encode());
    }

    fn count(&self, name: &str, delta: u64) {
        self.send(&Frame::Count { delta, name: name.to_owned() }.encode());
    }
}

/// Reads frames until the connection ends or sends a frame that is not valid.
fn serve(mut connection: UnixStream, parent: &Arc<Parent>, path: &Path) {
    let mut frames = Frames::default();
    let mut piece = vec![0; PIECE];
    let mut instance = None;
    while let Ok(count @ 1..) = connection.read(&mut piece) {
        frames.room().extend_from_slice(&piece[..count]);
        loop {
            let frame = match frames.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(_) => return,
            };
            match (frame, &instance) {
                (Frame::Begin { level }, None) => match begin(parent, path, level) {
                    Ok((info, begun)) => {
                        let info = serde_json::to_vec(&info).unwrap_or_default();
                        parent.send(&Frame::Loaded { info }.encode());
                        instance = Some(begun);
                    }
                    Err(error) => return parent.send(&Frame::Refused { why: error.to_string() }.encode()),
                },
                (Frame::Submit { call, op, object, payload }, Some(instance)) => {
                    instance.submit(call, op, object, payload);
                }
                (Frame::Cancel { call }, Some(instance)) => instance.cancel(call),
                _ => return,
            }
        }
    }
}

fn begin(parent: &Arc<Parent>, path: &Path, level: u32) -> Result<(LibraryInfo, Instance), LoadError> {
    let descriptor = format!("/proc/self/fd/{LIBRARY}");
    let library = Checked::inherited(Path::new(&descriptor), path)?.load()?;
    let sink = Arc::clone(parent);
    let instance = Instance::create(&library, sink, level);
    Ok((library.info, instance.ok_or_else(|| LoadError::NoInstance(path.to_owned()))?))
}
