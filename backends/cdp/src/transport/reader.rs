//! The reading task: bytes in, frames to the router, until the stream or the connection ends.

use std::io::ErrorKind;
use std::pin::pin;

use plimsoll_core::units::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::disconnect::Disconnect;
use super::frame::{Frame, FrameBuffer};
use super::router::CloseOnDrop;

/// Reads until the stream ends and closes the connection with the reason. All messages that were complete before the
/// end have been routed by then.
pub(super) async fn read<R: AsyncRead + Unpin>(mut reader: R, limit: Bytes, close_on_drop: CloseOnDrop) {
    let router = &close_on_drop.0;
    let mut closed = pin!(router.closed());
    let mut frames = FrameBuffer::new(usize::try_from(limit.0).unwrap_or(usize::MAX));
    let end = loop {
        let read = tokio::select! {
            biased;
            _ = &mut closed => return,
            read = reader.read_buf(frames.room()) => read,
        };
        match read {
            Ok(0) => break Disconnect::Eof,
            Ok(bytes) => {
                router.count_read(bytes);
                frames.take_frames(|frame| match frame {
                    Frame::Whole(frame) => router.route(frame),
                    Frame::TooLong(skipped) => router.route_skipped(skipped, limit),
                });
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break Disconnect::Io(error.kind()),
        }
    };
    router.close(end);
}
