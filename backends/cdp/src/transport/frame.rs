//! Frames: a JSON text, then one NUL byte. JSON never contains a bare NUL, so no escaping is needed.

use serde::Serialize;

/// Space reserved for each read: a Linux pipe's default size.
const READ: usize = 64 << 10;
/// A buffer that grew beyond this size for one large frame is freed after that frame.
const KEEP: usize = 1 << 20;

/// The number of bytes that are kept of each end of a frame that is too long.
const EDGE: usize = 512;

/// One frame, without its NUL.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// A frame within the limit.
    Whole(&'a [u8]),
    /// A frame beyond the limit, of which only the ends are known.
    TooLong(&'a Skipped),
}

/// A frame that was too long to be kept: its length, its beginning and its end.
#[derive(Debug, Default)]
pub(super) struct Skipped {
    pub(super) head: Vec<u8>,
    pub(super) tail: Vec<u8>,
    pub(super) length: u64,
}

/// Collects received bytes and splits them into frames. A frame beyond the limit is skipped while it arrives, so it costs
/// neither memory nor the connection.
#[derive(Debug)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    /// The number of leading bytes that are known to contain no NUL.
    scanned: usize,
    /// The frame that is being skipped.
    skipped: Option<Skipped>,
    limit: usize,
}

impl FrameBuffer {
    /// An empty buffer for frames of at most `limit` bytes.
    pub(super) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), scanned: 0, skipped: None, limit }
    }

    /// The buffer to append received bytes to, with space for one read.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.reserve(READ);
        &mut self.bytes
    }

    /// Passes every complete frame to `each`, in order, and keeps the rest.
    pub(super) fn take_frames(&mut self, mut each: impl FnMut(Frame<'_>)) {
        let mut start = 0;
        let mut from = self.scanned;
        while let Some(at) = memchr::memchr(0, &self.bytes[from..]) {
            let frame = &self.bytes[start..from + at];
            match self.skipped.take() {
                None if frame.len() <= self.limit => each(Frame::Whole(frame)),
                skipped => {
                    let mut skipped = skipped.unwrap_or_default();
                    skipped.add(frame);
                    each(Frame::TooLong(&skipped));
                }
            }
            start = from + at + 1;
            from = start;
        }
        self.bytes.drain(..start);
        if self.skipped.is_some() || self.bytes.len() > self.limit {
            self.skipped.get_or_insert_default().add(&self.bytes);
            self.bytes.clear();
        }
        self.scanned = self.bytes.len();
        if self.bytes.capacity() > KEEP && self.scanned < READ {
            self.bytes.shrink_to(READ);
        }
    }
}

impl Skipped {
    fn add(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let missing = EDGE.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(EDGE)..]);
        self.tail.drain(..self.tail.len().saturating_sub(EDGE));
    }
}

/// Writes one command as a frame. `session` is absent for commands to the browser itself.
pub(super) fn encode<P: Serialize + ?Sized>(
    id: u32,
    session: Option<&str>,
    method: &str,
    params: &P,
) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Command<'a, P: ?Sized> {
        id: u32,
        method: &'a str,
        #[serde(rename = "sessionId", skip_serializing_if = "Option::is_none")]
        session: Option<&'a str>,
        params: &'a P,
    }
    let mut frame = serde_json::to_vec(&Command { id, method, session, params })?;
    frame.push(0);
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `bytes` in pieces that end at `cuts`; returns the frames, and for those that were too long their ends.
    fn split(bytes: &[u8], cuts: &[usize], limit: usize) -> (Vec<Result<Vec<u8>, Ends>>, usize) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let (mut buffer, mut frames, mut start) = (FrameBuffer::new(limit), Vec::new(), 0);
        for end in ends {
            buffer.room().extend_from_slice(&bytes[start..end]);
            start = end;
            buffer.take_frames(|frame| {
                frames.push(match frame {
                    Frame::Whole(frame) => Ok(frame.to_vec()),
                    Frame::TooLong(Skipped { head, tail, length }) => {
                        Err((head.clone(), tail.clone(), *length))
                    }
                });
            });
        }
        (frames, buffer.bytes.len())
    }

    type Ends = (Vec<u8>, Vec<u8>, u64);

    proptest! {
        #[test]
        fn frames_do_not_depend_on_where_reads_end(
            frames in prop::collection::vec(prop::collection::vec(1_u8.., 0..1500), 0..20),
            rest in prop::collection::vec(1_u8.., 0..40),
            cuts in prop::collection::vec(any::<usize>(), 0..60),
            limit in 1_usize..1600,
        ) {
            let mut bytes = Vec::new();
            for frame in &frames {
                bytes.extend_from_slice(frame);
                bytes.push(0);
            }
            bytes.extend_from_slice(&rest);
            let expected: Vec<_> = frames
                .iter()
                .map(|frame| {
                    if frame.len() <= limit {
                        return Ok(frame.clone());
                    }
                    let edge = frame.len().min(EDGE);
                    let (head, tail) = (&frame[..edge], &frame[frame.len() - edge..]);
                    Err((head.to_vec(), tail.to_vec(), frame.len() as u64))
                })
                .collect();
            let (seen, kept) = split(&bytes, &cuts, limit);
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(kept, if rest.len() > limit { 0 } else { rest.len() });
        }

        #[test]
        fn an_encoded_command_has_its_only_nul_at_the_end(
            text in any::<String>(),
            session in prop::option::of(any::<String>()),
            id in 1_u32..,
        ) {
            let frame = encode(id, session.as_deref(), "Domain.method", &[&text])?;
            prop_assert_eq!(memchr::memchr(0, &frame), Some(frame.len() - 1));
            let value: serde_json::Value = serde_json::from_slice(&frame[..frame.len() - 1])?;
            prop_assert_eq!(&value["params"][0], &text);
            prop_assert_eq!(value.get("sessionId").and_then(|id| id.as_str()), session.as_deref());
        }
    }

    #[test]
    fn the_buffer_shrinks_after_a_large_frame() {
        let mut buffer = FrameBuffer::new(16 << 20);
        buffer.room().extend(std::iter::repeat_n(b'x', 8 << 20));
        buffer.take_frames(|_| ());
        assert!(buffer.bytes.capacity() >= 8 << 20, "an unfinished frame is kept");
        buffer.room().push(0);
        let mut length = 0;
        buffer.take_frames(|frame| {
            if let Frame::Whole(frame) = frame {
                length = frame.len();
            }
        });
        assert_eq!(length, 8 << 20);
        assert!(buffer.bytes.capacity() <= READ);
    }
}
