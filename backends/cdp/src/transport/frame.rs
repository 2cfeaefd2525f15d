//! Frames: a JSON text, then one NUL byte. JSON never contains a bare NUL, so no escaping is needed.

use serde::Serialize;

/// Space reserved for each read: a Linux pipe's default size.
const READ: usize = 64 << 10;
/// A buffer that grew beyond this size for one large frame is freed after that frame.
const KEEP: usize = 1 << 20;

/// A frame was longer than the limit, or its end did not come within the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FrameTooLarge;

/// Collects received bytes and splits them into frames.
#[derive(Debug)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
    /// The number of leading bytes that are known to contain no NUL.
    scanned: usize,
    limit: usize,
}

impl FrameBuffer {
    /// An empty buffer for frames of at most `limit` bytes.
    pub(super) const fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), scanned: 0, limit }
    }

    /// The buffer to append received bytes to, with space for one read.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.reserve(READ);
        &mut self.bytes
    }

    /// Passes every complete frame to `each`, in order and without its NUL, and keeps the rest.
    ///
    /// # Errors
    /// When a frame, complete or not, exceeds the limit. The frames before it have been passed to `each`.
    pub(super) fn take_frames(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), FrameTooLarge> {
        let mut start = 0;
        let mut from = self.scanned;
        while let Some(at) = memchr::memchr(0, &self.bytes[from..]) {
            let frame = &self.bytes[start..from + at];
            if frame.len() > self.limit {
                return Err(FrameTooLarge);
            }
            each(frame);
            start = from + at + 1;
            from = start;
        }
        self.bytes.drain(..start);
        self.scanned = self.bytes.len();
        if self.scanned > self.limit {
            return Err(FrameTooLarge);
        }
        if self.bytes.capacity() > KEEP && self.scanned < READ {
            self.bytes.shrink_to(READ);
        }
        Ok(())
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

    /// Feeds `bytes` in pieces that end at `cuts`; returns the frames and whether the limit held.
    fn split(bytes: &[u8], cuts: &[usize], limit: usize) -> (Vec<Vec<u8>>, Result<(), FrameTooLarge>) {
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let (mut buffer, mut frames, mut start) = (FrameBuffer::new(limit), Vec::new(), 0);
        for end in ends {
            buffer.room().extend_from_slice(&bytes[start..end]);
            start = end;
            if let Err(error) = buffer.take_frames(|frame| frames.push(frame.to_vec())) {
                return (frames, Err(error));
            }
        }
        (frames, Ok(()))
    }

    proptest! {
        #[test]
        fn frames_do_not_depend_on_where_reads_end(
            frames in prop::collection::vec(prop::collection::vec(1_u8.., 0..40), 0..20),
            rest in prop::collection::vec(1_u8.., 0..40),
            cuts in prop::collection::vec(any::<usize>(), 0..60),
            limit in 1_usize..60,
        ) {
            let mut bytes = Vec::new();
            for frame in &frames {
                bytes.extend_from_slice(frame);
                bytes.push(0);
            }
            bytes.extend_from_slice(&rest);
            let fit = frames.iter().take_while(|frame| frame.len() <= limit).count();
            let (seen, result) = split(&bytes, &cuts, limit);
            prop_assert_eq!(&seen[..], &frames[..fit]);
            prop_assert_eq!(result.is_ok(), fit == frames.len() && rest.len() <= limit);
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
        assert_eq!(buffer.take_frames(|_| ()), Ok(()));
        assert!(buffer.bytes.capacity() >= 8 << 20, "an unfinished frame is kept");
        buffer.room().push(0);
        let mut length = 0;
        assert_eq!(buffer.take_frames(|frame| length = frame.len()), Ok(()));
        assert_eq!(length, 8 << 20);
        assert!(buffer.bytes.capacity() <= READ);
    }
}
