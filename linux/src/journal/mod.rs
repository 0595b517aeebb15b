//! Logs: to the journal, syslog, files and the terminal, as ha.cf asks; never in the way.
//!
//! Whoever logs leaves a line in a bounded queue; a thread of its own writes it. A full queue drops
//! lines and says later how many. (`tracing-journald` sends from the thread that logs, which can wait
//! for the journal; so the journal's few lines of protocol are here.)

mod layer;
pub mod sentence;
mod sink;

use core::sync::atomic::{AtomicU64, Ordering};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use systole_core::time::Duration;
use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::clock;
use crate::config::LogConfig;
pub use sentence::Names;
use sink::{Sink, open_sinks};

/// Lines that may wait to be written: some minutes of a busy log, less than a megabyte.
const LINES_MAX: usize = 1_024;

/// One line of the log.
#[derive(Clone, Debug)]
struct Line {
    level: Level,
    wall: Duration,
    /// Where in the program it comes from: `systole::agent`.
    target: &'static str,
    message: String,
    fields: Vec<(&'static str, String)>,
}

enum Note {
    Line(Line),
    /// Open the files anew: logrotate has moved them.
    Reopen,
    /// Everything before this is written when the sender hears of it.
    Flush(SyncSender<()>),
}

/// The handle on the writing thread.
#[derive(Clone, Debug)]
pub struct Journal {
    queue: SyncSender<Note>,
}

/// What the queue and its writer share.
#[derive(Debug, Default)]
struct Dropped(AtomicU64);

impl Journal {
    /// Opens the places that `config` names and makes them the program's log.
    ///
    /// # Errors
    /// When a log file cannot be opened: the path, and why.
    pub fn start(config: &LogConfig, node: &str) -> io::Result<Self> {
        let sinks = open_sinks(config, node)?;
        let (queue, notes) = sync_channel(LINES_MAX);
        let dropped = Arc::new(Dropped::default());
        let debug = config.debug > 0 || config.debug_file.is_some();
        let layer = layer::QueueLayer::new(queue.clone(), Arc::clone(&dropped), debug);
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write(&notes, sinks, &dropped))?;
        let subscriber = tracing_subscriber::registry().with(layer);
        // A second daemon in one process exists in tests only; the first one's log serves both.
        let _ = tracing::subscriber::set_global_default(subscriber);
        Ok(Self { queue })
    }

    /// Opens the log files anew; after logrotate.
    pub fn reopen(&self) {
        let _ = self.queue.try_send(Note::Reopen);
    }

    /// Waits until everything logged so far is written, one second at most.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.queue.try_send(Note::Flush(done)).is_ok() {
            let _ = written.recv_timeout(core::time::Duration::from_secs(1));
        }
    }
}

/// Leaves a line for the writer, or counts it as dropped.
fn enqueue(queue: &SyncSender<Note>, dropped: &Dropped, line: Line) {
    if let Err(TrySendError::Full(_)) = queue.try_send(Note::Line(line)) {
        dropped.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn write(notes: &Receiver<Note>, mut sinks: Vec<Sink>, dropped: &Dropped) {
    while let Ok(note) = notes.recv() {
        match note {
            Note::Line(line) => sinks.iter_mut().for_each(|sink| sink.write(&line)),
            Note::Reopen => sinks.iter_mut().for_each(Sink::reopen),
            Note::Flush(done) => {
                let _ = done.try_send(());
            }
        }
        let lost = dropped.0.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let line = Line {
                level: Level::WARN,
                wall: clock::wall(),
                target: "systole::journal",
                message: format!("{lost} log lines were dropped because the log was too slow"),
                fields: Vec::new(),
            };
            for sink in &mut sinks {
                sink.write(&line);
            }
        }
    }
}

/// An error of the file system that names the file.
fn name_file(path: &Path, what: &str, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot {what} {}: {error}", path.display()),
    )
}
