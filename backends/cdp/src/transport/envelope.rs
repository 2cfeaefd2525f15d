//! One received message, parsed once and borrowed from the reader's buffer.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A message from the browser. Its payload stays raw JSON until a caller parses it.
#[derive(Debug)]
pub(super) enum Incoming<'a> {
    /// The answer to the call with this id.
    Reply {
        /// An id that we assigned, unless the peer sends invalid ids.
        id: u64,
        /// The `result` object, or the protocol's error.
        outcome: Result<&'a RawValue, ProtocolError>,
    },
    /// An event of a session, or of the browser itself.
    Event {
        /// Absent for browser-level events.
        session: Option<Cow<'a, str>>,
        /// Such as `Page.loadEventFired`.
        method: Cow<'a, str>,
        /// The `params` object.
        params: Option<&'a RawValue>,
    },
}

/// What the ends of a message tell that is too long to be parsed. Chromium writes `id` or `method` first and `sessionId`
/// last.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outline<'a> {
    /// A reply to the call with this id.
    Reply(u64),
    /// An event.
    Event {
        /// Absent for browser-level events.
        session: Option<&'a str>,
        /// Such as `Page.frameNavigated`.
        method: &'a str,
    },
}

/// The `error` object of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProtocolError {
    /// JSON-RPC's or the protocol's code; 0 when the error object itself could not be read.
    pub(super) code: i64,
    /// The browser's message, with details if it sent any.
    pub(super) message: String,
}

/// Text that stays borrowed unless it contains escapes; serde borrows a `Cow` only with the `borrow` attribute.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

#[derive(Deserialize)]
struct Envelope<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow, rename = "sessionId")]
    session: Option<Text<'a>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl<'a> Incoming<'a> {
    /// Reads one frame; `None` when it is neither a reply nor an event.
    pub(super) fn parse(frame: &'a [u8]) -> Option<Self> {
        let envelope: Envelope<'a> = serde_json::from_slice(frame).ok()?;
        match (envelope.id, envelope.method) {
            (Some(id), _) => {
                let outcome = match envelope.error {
                    Some(error) => Err(ProtocolError::parse(error)),
                    None => Ok(envelope.result.unwrap_or(RawValue::NULL)),
                };
                Some(Self::Reply { id, outcome })
            }
            (None, Some(method)) => {
                let session = envelope.session.map(|text| text.0);
                Some(Self::Event { session, method: method.0, params: envelope.params })
            }
            (None, None) => None,
        }
    }
}

impl<'a> Outline<'a> {
    /// Reads the beginning and the end of a message; `None` when they tell nothing.
    pub(super) fn parse(head: &'a [u8], tail: &'a [u8]) -> Option<Self> {
        let text = |bytes: &'a [u8]| bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        let head = text(head);
        if let Some(rest) = head.strip_prefix("{\"id\":") {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            return rest[..digits].parse().ok().map(Self::Reply);
        }
        let (method, _) = head.strip_prefix("{\"method\":\"")?.split_once('"')?;
        // A quote inside of a text is escaped, so this key can only be one of the message itself.
        let last = tail.utf8_chunks().last().map_or("", |chunk| chunk.valid());
        let session = last.strip_suffix("\"}").and_then(|rest| rest.rsplit_once(",\"sessionId\":\""));
        let session = session.map(|(_, id)| id).filter(|id| !id.contains('"'));
        Some(Self::Event { session, method })
    }
}

impl ProtocolError {
    /// An error object that cannot be parsed is still an error: a call must not wait for its deadline because the peer
    /// uses another format for errors.
    fn parse(raw: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Body {
            code: i64,
            message: String,
            data: Option<serde_json::Value>,
        }
        match serde_json::from_str::<Body>(raw.get()) {
            Ok(Body { code, message, data: None }) => Self { code, message },
            Ok(Body { code, message, data: Some(serde_json::Value::String(details)) }) => {
                Self { code, message: format!("{message}: {details}") }
            }
            Ok(Body { code, message, data: Some(details) }) => {
                Self { code, message: format!("{message}: {details}") }
            }
            Err(_) => Self { code: 0, message: raw.get().to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_long_message_tell_whose_it_is() {
        let parse = |text: &'static str| Outline::parse(text.as_bytes(), text.as_bytes());
        assert_eq!(parse(r#"{"id":17,"result":{"a":"b"#), Some(Outline::Reply(17)));
        let (session, method) = (Some("S1"), "A.b");
        let event = r#"{"method":"A.b","params":{"a":"x,\"sessionId\":\"no\""},"sessionId":"S1"}"#;
        assert_eq!(parse(event), Some(Outline::Event { session, method }));
        let root = r#"{"method":"A.b","params":{"sessionId":"S2"}}"#;
        assert_eq!(parse(root), Some(Outline::Event { session: None, method }));
        let cut_letter = b"\xa9 and more\",\"sessionId\":\"S1\"}";
        let outline = Outline::parse(b"{\"method\":\"A.b\",\"params\":\"\xc3", cut_letter);
        assert_eq!(outline, Some(Outline::Event { session: Some("S1"), method }));
        assert_eq!(parse("[1, 2"), None);
    }

    fn reply(frame: &str) -> Result<String, ProtocolError> {
        match Incoming::parse(frame.as_bytes()) {
            Some(Incoming::Reply { outcome, .. }) => outcome.map(|raw| raw.get().to_owned()),
            other => panic!("not a reply: {other:?}"),
        }
    }

    #[test]
    fn ordinary_messages_borrow_their_text() {
        let frame = br#"{"method":"Page.loadEventFired","params":{"timestamp":1.5},"sessionId":"A1"}"#;
        let Some(Incoming::Event { session, method, params }) = Incoming::parse(frame) else {
            panic!("not an event");
        };
        assert!(matches!(method, Cow::Borrowed("Page.loadEventFired")));
        assert!(matches!(session, Some(Cow::Borrowed("A1"))));
        assert_eq!(params.map(RawValue::get), Some(r#"{"timestamp":1.5}"#));
    }

    #[test]
    fn errors_keep_their_details_however_odd() {
        let error = |code, message: &str| Err(ProtocolError { code, message: message.into() });
        let detailed =
            r#"{"id":1,"error":{"code":-32602,"message":"Invalid parameters","data":"params.url"}}"#;
        assert_eq!(reply(detailed), error(-32602, "Invalid parameters: params.url"));
        assert_eq!(reply(r#"{"id":1,"error":"no"}"#), error(0, r#""no""#));
        assert_eq!(reply(r#"{"id":1}"#), Ok("null".into()));
    }

    #[test]
    fn nonsense_is_no_message() {
        let deep = "[".repeat(100_000);
        let not_utf8: &[u8] = b"{\"method\":\"A.b\",\"params\":{\"x\":\"\xff\"}}";
        let frames = ["", "null", "{}", "{\"id\":-1}", "{\"id\":1.5}", "{\"id\":1}x", "[]", &deep];
        for frame in frames.iter().map(|text| text.as_bytes()).chain([not_utf8]) {
            assert!(Incoming::parse(frame).is_none(), "{:?}", String::from_utf8_lossy(frame));
        }
    }

    #[test]
    fn text_that_only_a_consumer_would_reject_passes() {
        // A lone surrogate is valid in Chromium's output but not in a Rust string.
        let frame = br#"{"id":7,"result":{"value":"\ud800"}}"#;
        assert!(matches!(Incoming::parse(frame), Some(Incoming::Reply { id: 7, outcome: Ok(_) })));
    }
}
