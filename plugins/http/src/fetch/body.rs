//! Receives and decompresses a body within a limit, because a few bytes can decompress to any size.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use plimsoll_core::outcome::Fault;
use plimsoll_core::units::Bytes;
use url::Url;

use super::fault;

/// A body that grows up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a body is decompressed while it arrives.
enum Unpacking {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Unpacking {
    fn feed(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(body) => body.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
        }
    }

    fn end(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(body) => Ok(body.bytes),
            Self::Gzip(decoder) => Ok(decoder.finish()?.bytes),
        }
    }
}

/// Receives the body of the response from `url`, of at most `most` bytes after decompression.
pub(super) async fn receive(
    url: &Url,
    headers: &HeaderMap,
    mut body: Incoming,
    most: Bytes,
) -> Result<Vec<u8>, Fault> {
    let bounded = Bounded { bytes: Vec::new(), most: usize::try_from(most.0).unwrap_or(usize::MAX) };
    let encoding = headers.get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes().to_ascii_lowercase());
    let mut unpacking = match encoding.as_deref().unwrap_or_default() {
        b"" | b"identity" => {
            let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
            if length.is_some_and(|length: u64| length > most.0) {
                return Err(too_large(url, most));
            }
            Unpacking::Plain(bounded)
        }
        b"gzip" | b"x-gzip" => Unpacking::Gzip(Box::new(MultiGzDecoder::new(bounded))),
        other => {
            let other = String::from_utf8_lossy(other);
            return Err(fault::persistent(
                url,
                &format!("its body is packed as `{other}`, which nobody asked for"),
            ));
        }
    };
    let mut empty = true;
    let broken = |why: &io::Error| match why.kind() {
        io::ErrorKind::FileTooLarge => too_large(url, most),
        _ => fault::persistent(url, &format!("its body cannot be unpacked: {why}")),
    };
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| fault::of_body(url, &error))?;
        if let Some(bytes) = frame.data_ref() {
            empty &= bytes.is_empty();
            unpacking.feed(bytes).map_err(|why| broken(&why))?;
        }
    }
    // An empty body is not valid gzip, but servers send it for an empty response.
    if empty { Ok(Vec::new()) } else { unpacking.end().map_err(|why| broken(&why)) }
}

fn too_large(url: &Url, most: Bytes) -> Fault {
    fault::persistent(url, &format!("its body is larger than {most} (`max_body`)"))
}
