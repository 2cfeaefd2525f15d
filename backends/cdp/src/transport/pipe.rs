//! The two pipes of `--remote-debugging-pipe`: the browser reads on descriptor 3, writes on 4.
//!
//! No port is open and no other process can connect. When our process ends for any reason, the kernel closes the pipes
//! and the browser exits.

use std::io;
use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use tokio::net::unix::pipe::{Receiver, Sender};

/// Space for a screenshot's worth of messages, so that the browser's writing thread waits for us less often. This is
/// also the maximum that Linux allows without privileges (`/proc/sys/fs/pipe-max-size`).
const PIPE_SIZE: usize = 1 << 20;

/// Our ends, for [`Connection::open`](super::Connection::open).
#[derive(Debug)]
pub struct PipeEnds {
    /// The pipe that the browser writes to.
    pub reader: Receiver,
    /// The pipe that the browser reads from.
    pub writer: Sender,
}

/// The browser's ends. Drop them once the browser is started: its end cannot be detected while we hold them.
#[derive(Debug)]
pub struct ChildEnds {
    /// Becomes the browser's descriptor 3.
    pub reads: OwnedFd,
    /// Becomes the browser's descriptor 4.
    pub writes: OwnedFd,
}

/// Makes both pipes. No end is inherited by a child unless it is mapped there explicitly.
///
/// # Errors
/// Most likely when the process has no descriptors left.
///
/// # Panics
/// When called outside a tokio runtime with I/O enabled.
pub fn pair() -> io::Result<(PipeEnds, ChildEnds)> {
    let (reads, ours_to_write) = pipe_with(PipeFlags::CLOEXEC)?;
    let (ours_to_read, writes) = pipe_with(PipeFlags::CLOEXEC)?;
    for pipe in [&ours_to_write, &ours_to_read] {
        // Refused when this user's pipes exceed their quota; the default size works as well.
        let _ = fcntl_setpipe_size(pipe, PIPE_SIZE);
    }
    let ours = PipeEnds {
        reader: Receiver::from_owned_fd(ours_to_read)?,
        writer: Sender::from_owned_fd(ours_to_write)?,
    };
    Ok((ours, ChildEnds { reads, writes }))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn bytes_cross_both_ways_and_the_child_s_end_is_seen() {
        let (mut ours, child) = pair().expect("descriptors are left");
        for end in [&child.reads, &child.writes] {
            let flags = rustix::io::fcntl_getfd(end).expect("an open descriptor");
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
            let status = rustix::fs::fcntl_getfl(end).expect("an open descriptor");
            assert!(!status.contains(rustix::fs::OFlags::NONBLOCK), "the browser expects blocking ends");
        }
        ours.writer.write_all(b"to the browser").await.expect("open");
        let mut text = [0; 14];
        File::from(child.reads).read_exact(&mut text).expect("open");
        assert_eq!(&text, b"to the browser");
        let mut browser = File::from(child.writes);
        browser.write_all(b"from it").expect("open");
        drop(browser);
        let mut rest = String::new();
        ours.reader.read_to_string(&mut rest).await.expect("ends with the browser");
        assert_eq!(rest, "from it");
        let broken = ours.writer.write_all(b"anyone?").await.expect_err("nobody reads");
        assert_eq!(broken.kind(), io::ErrorKind::BrokenPipe);
    }
}
