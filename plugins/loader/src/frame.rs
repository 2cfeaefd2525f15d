//! The messages between Plimsoll and a plugin's process: the same calls as within a process, as frames.
//!
//! A frame is its length (4 bytes, little-endian, itself not counted), its kind (1 byte), and its fields in the order
//! of declaration; numbers are little-endian, and the last field takes the rest. Both ends are the same program, so
//! there is no version: an unreadable frame ends the connection.

use crate::instance::LONGEST_ANSWER;

/// The longest frame, in bytes: an answer of the greatest length, and its numbers.
const MAX_FRAME: usize = LONGEST_ANSWER + 64;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// To the child: load the library; log lines up to this level are wanted.
    Begin { level: u32 },
    /// To the child: begin a call.
    Submit { call: u64, op: u32, object: u64, payload: Vec<u8> },
    /// To the child: cancel a call.
    Cancel { call: u64 },
    /// From the child: the library is loaded; JSON of its `LibraryInfo`.
    Loaded { info: Vec<u8> },
    /// From the child: the library was refused; one sentence.
    Refused { why: String },
    /// From the child: a call was answered.
    Complete { call: u64, status: u32, head: Vec<u8>, body: Vec<u8> },
    /// From the child: a log line.
    Log { level: u32, target: String, message: String },
    /// From the child: an amount to add to a counter.
    Count { delta: u64, name: String },
}

/// Bytes that are not a valid frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("a message of {0} bytes; at most {MAX_FRAME} are allowed")]
    TooLong(usize),
    #[error("a message that cannot be read (kind {0})")]
    Unreadable(u8),
}

impl Frame {
    /// The frame with its length.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer(vec![0; 4]);
        match self {
            Self::Begin { level } => out.kind(1).number(level.to_le_bytes()),
            Self::Submit { call, op, object, payload } => out
                .kind(2)
                .number(call.to_le_bytes())
                .number(op.to_le_bytes())
                .number(object.to_le_bytes())
                .rest(payload),
            Self::Cancel { call } => out.kind(3).number(call.to_le_bytes()),
            Self::Loaded { info } => out.kind(4).rest(info),
            Self::Refused { why } => out.kind(5).rest(why.as_bytes()),
            Self::Complete { call, status, head, body } => {
                return Self::encode_complete(*call, *status, head, body);
            }
            Self::Log { level, target, message } => {
                out.kind(7).number(level.to_le_bytes()).sized(target.as_bytes()).rest(message.as_bytes())
            }
            Self::Count { delta, name } => out.kind(8).number(delta.to_le_bytes()).rest(name.as_bytes()),
        };
        out.finish()
    }

    /// A [`Frame::Complete`] from borrowed values.
    pub(crate) fn encode_complete(call: u64, status: u32, head: &[u8], body: &[u8]) -> Vec<u8> {
        let mut out = Writer(vec![0; 4]);
        out.0.reserve(32 + head.len() + body.len());
        out.kind(6).number(call.to_le_bytes()).number(status.to_le_bytes()).sized(head).rest(body);
        out.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (&kind, rest) = bytes.split_first().ok_or(FrameError::Unreadable(0))?;
        Self::fields(kind, Reader(rest)).ok_or(FrameError::Unreadable(kind))
    }

    fn fields(kind: u8, mut from: Reader<'_>) -> Option<Self> {
        Some(match kind {
            1 => Self::Begin { level: from.u32()? },
            2 => {
                Self::Submit { call: from.u64()?, op: from.u32()?, object: from.u64()?, payload: from.rest() }
            }
            3 => Self::Cancel { call: from.u64()? },
            4 => Self::Loaded { info: from.rest() },
            5 => Self::Refused { why: from.text() },
            6 => Self::Complete {
                call: from.u64()?,
                status: from.u32()?,
                head: from.sized()?.to_vec(),
                body: from.rest(),
            },
            7 => Self::Log {
                level: from.u32()?,
                target: String::from_utf8_lossy(from.sized()?).into_owned(),
                message: from.text(),
            },
            8 => Self::Count { delta: from.u64()?, name: from.text() },
            _ => return None,
        })
    }
}

/// Splits a stream of bytes into frames, whatever the sizes of its pieces.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    /// Where the next frame begins.
    start: usize,
}

impl Frames {
    /// The buffer for the next piece of the stream. [`Frames::next`] reads the bytes that are added here.
    pub(crate) fn room(&mut self) -> &mut Vec<u8> {
        self.bytes.drain(..self.start);
        self.start = 0;
        // The memory of a large frame is released.
        if self.bytes.is_empty() {
            self.bytes.shrink_to(1 << 16);
        }
        &mut self.bytes
    }

    /// The next whole frame.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let bytes = &self.bytes[self.start..];
        let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MAX_FRAME {
            return Err(FrameError::TooLong(length));
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let frame = Frame::decode(frame)?;
        self.start += 4 + length;
        Ok(Some(frame))
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn kind(&mut self, kind: u8) -> &mut Self {
        self.0.push(kind);
        self
    }

    fn number<const N: usize>(&mut self, bytes: [u8; N]) -> &mut Self {
        self.rest(&bytes)
    }

    fn sized(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(length(bytes.len())).rest(bytes)
    }

    fn rest(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn finish(mut self) -> Vec<u8> {
        let length = length(self.0.len() - 4);
        self.0[..4].copy_from_slice(&length);
        self.0
    }
}

/// A length as it is written. A length that does not fit exceeds the limit of the other end anyway.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn rest(&mut self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.0).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame() -> impl Strategy<Value = Frame> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
        prop_oneof![
            any::<u32>().prop_map(|level| Frame::Begin { level }),
            (any::<u64>(), any::<u32>(), any::<u64>(), bytes())
                .prop_map(|(call, op, object, payload)| Frame::Submit { call, op, object, payload }),
            any::<u64>().prop_map(|call| Frame::Cancel { call }),
            bytes().prop_map(|info| Frame::Loaded { info }),
            ".*".prop_map(|why| Frame::Refused { why }),
            (any::<u64>(), any::<u32>(), bytes(), bytes())
                .prop_map(|(call, status, head, body)| Frame::Complete { call, status, head, body }),
            (any::<u32>(), ".*", ".*").prop_map(|(level, target, message)| Frame::Log {
                level,
                target,
                message
            }),
            (any::<u64>(), ".*").prop_map(|(delta, name)| Frame::Count { delta, name }),
        ]
    }

    /// Every frame of a stream that arrives in pieces of this length.
    fn read(stream: &[u8], piece: usize) -> Result<Vec<Frame>, FrameError> {
        let (mut frames, mut read) = (Frames::default(), Vec::new());
        for piece in stream.chunks(piece) {
            frames.room().extend_from_slice(piece);
            while let Some(frame) = frames.next()? {
                read.push(frame);
            }
        }
        Ok(read)
    }

    proptest! {
        #[test]
        fn frames_arrive_however_the_stream_is_broken_up(
            sent in proptest::collection::vec(frame(), 0..8), piece in 1..50_usize,
        ) {
            let stream: Vec<u8> = sent.iter().flat_map(Frame::encode).collect();
            prop_assert_eq!(read(&stream, piece), Ok(sent));
        }

        #[test]
        fn garbage_is_an_error_or_waits_for_more(stream in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _no_panic = read(&stream, 7);
        }
    }

    #[test]
    fn a_length_beyond_reason_is_refused_before_it_is_waited_for() {
        assert_eq!(read(&[0xff; 4], 4), Err(FrameError::TooLong(u32::MAX as usize)));
        assert_eq!(read(&[1, 0, 0, 0, 99], 5), Err(FrameError::Unreadable(99)));
        assert_eq!(read(&[0, 0, 0, 0], 4), Err(FrameError::Unreadable(0)));
    }
}
