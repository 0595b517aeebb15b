//! From tracing into the queue.

use core::fmt::{self, Write as _};
use core::sync::atomic::Ordering;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::line::{Line, MESSAGE_BYTES_MAX};
use super::{Note, Shared};
use crate::clock;

/// Fields of a line that are kept.
const FIELDS_MAX: usize = 16;

/// The tracing layer: formats, and never waits.
pub(super) struct Queue {
    sender: SyncSender<Note>,
    shared: Arc<Shared>,
    debug: bool,
}

impl Queue {
    pub(super) const fn new(sender: SyncSender<Note>, shared: Arc<Shared>, debug: bool) -> Self {
        Self {
            sender,
            shared,
            debug,
        }
    }
}

impl<S: Subscriber> Layer<S> for Queue {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Libraries tell their life stories at these levels.
        let ours = ["systole", "agent", "node"]
            .iter()
            .any(|part| metadata.target().starts_with(part));
        let limit = match (self.debug, ours) {
            (true, true) => Level::DEBUG,
            (false, true) => Level::INFO,
            (_, false) => Level::WARN,
        };
        *metadata.level() <= limit
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line {
            wall: clock::wall(),
            level: *event.metadata().level(),
            target: event.metadata().target(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut Collect(&mut line));
        if self.sender.try_send(Note::Line(line)).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

struct Collect<'a>(&'a mut Line);

impl Collect<'_> {
    fn add(&mut self, field: &Field, value: String) {
        if field.name() == "message" {
            self.0.message = value;
        } else if self.0.fields.len() < FIELDS_MAX {
            self.0.fields.push((field.name(), value));
        }
    }
}

impl Visit for Collect<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let mut end = value.len().min(MESSAGE_BYTES_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.add(field, value.get(..end).unwrap_or_default().to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded(String::new());
        // Fails only when the text is full, which is as intended.
        let _ = write!(text, "{value:?}");
        self.add(field, text.0);
    }
}

/// A text that stops growing at the limit.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.0.len() + c.len_utf8() > MESSAGE_BYTES_MAX {
                return Err(fmt::Error);
            }
            self.0.push(c);
        }
        Ok(())
    }
}
