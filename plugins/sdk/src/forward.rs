//! Forwards `tracing` events and panics to Plimsoll's log.
//!
//! The library has its own copy of `tracing`, to which no other subscriber is attached. Each event becomes a line:
//! the enclosing spans with their fields, then the message, then the event's fields.

use std::fmt::{self, Write as _};
use std::panic::PanicHookInfo;
use std::sync::Once;

use plimsoll_plugin_abi::level;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::host::HostRef;

/// The longest line that is passed on.
const MAX_LINE: usize = 16 << 10;

/// Begins to forward to `host`. Later instances of the same library use the first instance's subscriber.
pub(crate) fn to(host: HostRef) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(filter(host.max_level())).with(Forward(host));
        // A program that links the driver instead of loading it keeps its own subscriber.
        let _already_set = tracing::subscriber::set_global_default(subscriber);
        std::panic::set_hook(Box::new(note_panic));
    });
}

/// Records where a panic happened; it is caught elsewhere. The hook is the library's own, as its `std` is.
fn note_panic(info: &PanicHookInfo<'_>) {
    let text = info.payload_as_str().unwrap_or("(no message)");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(%place, "panic: {text}");
}

const fn filter(max_level: u32) -> LevelFilter {
    match max_level {
        level::OFF => LevelFilter::OFF,
        level::ERROR => LevelFilter::ERROR,
        level::WARN => LevelFilter::WARN,
        level::INFO => LevelFilter::INFO,
        level::DEBUG => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}

const fn number(level: Level) -> u32 {
    match level {
        Level::ERROR => level::ERROR,
        Level::WARN => level::WARN,
        Level::INFO => level::INFO,
        Level::DEBUG => level::DEBUG,
        Level::TRACE => level::TRACE,
    }
}

struct Forward(HostRef);

/// A span's fields, as text.
struct Fields(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Forward {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut line = Line::default();
            attributes.record(&mut line);
            span.extensions_mut().insert(Fields(line.fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Fields(fields)) = span.extensions_mut().get_mut()
        {
            let mut line = Line { fields: std::mem::take(fields), ..Line::default() };
            values.record(&mut line);
            *fields = line.fields;
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut text = String::new();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            let fields = extensions.get::<Fields>().map_or("", |Fields(fields)| fields.trim_start());
            // Writing to a string cannot fail.
            let _ = if fields.is_empty() {
                write!(text, "{}: ", span.name())
            } else {
                write!(text, "{}{{{fields}}}: ", span.name())
            };
        }
        let mut line = Line::default();
        event.record(&mut line);
        text.push_str(&line.message);
        text.push_str(&line.fields);
        text.truncate(text.floor_char_boundary(MAX_LINE));
        self.0.log(number(*event.metadata().level()), event.metadata().target(), &text);
    }
}

/// An event's message, and its other fields as ` name=value`.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
