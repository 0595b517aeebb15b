//! From tracing's events to lines in the queue.

use core::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::{Dropped, Line, Note, enqueue};
use crate::clock;

/// Bytes of one line's message; what is longer is cut.
const MESSAGE_MAX: usize = 4_096;

pub(super) struct QueueLayer {
    queue: SyncSender<Note>,
    dropped: Arc<Dropped>,
    debug: bool,
}

impl QueueLayer {
    pub(super) const fn new(queue: SyncSender<Note>, dropped: Arc<Dropped>, debug: bool) -> Self {
        Self {
            queue,
            dropped,
            debug,
        }
    }
}

impl<S: Subscriber> Layer<S> for QueueLayer {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        let level = *metadata.level();
        // Libraries speak only when something is wrong.
        let ours = metadata.target().starts_with("systole");
        let most = match (ours, self.debug) {
            (true, true) => Level::DEBUG,
            (true, false) => Level::INFO,
            (false, _) => Level::WARN,
        };
        level <= most
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line {
            level: *metadata.level(),
            wall: clock::wall(),
            target: metadata.target(),
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut Recorder(&mut line));
        cut(&mut line.message);
        enqueue(&self.queue, &self.dropped, line);
    }
}

fn cut(message: &mut String) {
    if message.len() > MESSAGE_MAX {
        let end = (0..=MESSAGE_MAX)
            .rev()
            .find(|&at| message.is_char_boundary(at));
        message.truncate(end.unwrap_or(0));
        message.push('…');
    }
}

struct Recorder<'a>(&'a mut Line);

impl Visit for Recorder<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0.message.push_str(value);
        } else {
            self.0.fields.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string cannot fail.
            let _ = write!(self.0.message, "{value:?}");
        } else {
            self.0.fields.push((field.name(), format!("{value:?}")));
        }
    }
}
