//! The log: journal, syslog, files, terminal, as ha.cf asks; never in anybody's way.
//!
//! Whoever logs leaves a line in a bounded queue. A thread of its own writes it out, and may
//! wait for a disk or a stalled journald. When the queue is full, lines are dropped and
//! counted, and the next line that gets through says how many.

mod layer;
mod line;
mod sink;
#[cfg(test)]
mod tests;

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::LogConfig;
use layer::Queue;
use line::Line;
use sink::Sinks;

/// Lines that wait to be written. A takeover logs a few dozen.
const QUEUE_MAX: usize = 1024;

/// Where the sockets of the system's loggers are. Another place can be given for tests.
#[derive(Clone, Debug)]
pub struct Sockets {
    /// journald's.
    pub journal: PathBuf,
    /// syslog's.
    pub syslog: PathBuf,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            journal: "/run/systemd/journal/socket".into(),
            syslog: "/dev/log".into(),
        }
    }
}

/// The running log. Dropping it does not end it: call [`Journal::flush`] before the process ends.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    queue: SyncSender<Note>,
}

/// What is left for the writer thread.
enum Note {
    Line(Line),
    /// Answer when everything before this is written.
    Flush(SyncSender<()>),
    /// Nothing: only wakes the writer.
    Wake,
}

/// What the writer and everybody else share.
#[derive(Debug, Default)]
struct Shared {
    /// Lines dropped since the start.
    dropped: AtomicU64,
    reopen: AtomicBool,
}

impl Journal {
    /// Starts the log and makes it the process's. `terminal`: also write to
    /// stderr, as is done anyway when the system's log is wanted and there is none.
    ///
    /// # Errors
    /// When a log file cannot be opened, the thread not started, or there is a log already.
    pub fn start(
        node: &str,
        config: &LogConfig,
        sockets: &Sockets,
        terminal: bool,
    ) -> Result<Self, JournalError> {
        let (journal, queue) = Self::prepare(node, config, sockets, terminal)?;
        tracing_subscriber::registry()
            .with(queue)
            .try_init()
            .map_err(JournalError::Taken)?;
        Ok(journal)
    }

    fn prepare(
        node: &str,
        config: &LogConfig,
        sockets: &Sockets,
        terminal: bool,
    ) -> Result<(Self, Queue), JournalError> {
        let sinks = Sinks::open(node, config, sockets, terminal)
            .map_err(|(path, source)| JournalError::Open { path, source })?;
        let (sender, receiver) = sync_channel(QUEUE_MAX);
        let shared = Arc::new(Shared::default());
        let for_writer = Arc::clone(&shared);
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write(&receiver, &for_writer, sinks))
            .map_err(JournalError::Thread)?;
        let debug = config.debug > 0 || config.debug_file.is_some();
        let queue = Queue::new(sender.clone(), Arc::clone(&shared), debug);
        Ok((
            Self {
                shared,
                queue: sender,
            },
            queue,
        ))
    }

    /// Opens the log files again, after logrotate has moved them.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Release);
        // A full queue wakes the writer as well.
        let _ = self.queue.try_send(Note::Wake);
    }

    /// Lines dropped since the start, because the queue was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything logged so far is written, but not longer than `patience`.
    pub fn flush(&self, patience: Duration) {
        let (answer, written) = sync_channel(1);
        match self.queue.try_send(Note::Flush(answer)) {
            Ok(()) => {
                let _ = written.recv_timeout(patience);
            }
            // The writer is stuck behind a thousand lines: nothing more can be done in time.
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}

/// The writer thread, until the last sender has gone.
fn write(queue: &Receiver<Note>, shared: &Shared, mut sinks: Sinks) {
    let mut said = 0;
    while let Ok(note) = queue.recv() {
        if shared.reopen.swap(false, Ordering::AcqRel) {
            sinks.reopen();
        }
        match note {
            Note::Line(line) => sinks.write(&line),
            Note::Wake => {}
            Note::Flush(answer) => {
                let _ = answer.try_send(());
            }
        }
        let dropped = shared.dropped.load(Ordering::Relaxed);
        if dropped > said {
            sinks.write(&Line::lost(dropped - said));
            said = dropped;
        }
    }
}

/// Why there is no log. The daemon must not start without one.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file that ha.cf names cannot be opened.
    #[error("cannot open the log file {}: {source}; see logfile and debugfile in ha.cf", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The writer thread cannot be started.
    #[error("cannot start the log's thread: {0}")]
    Thread(#[source] io::Error),
    /// This process has a log already.
    #[error("cannot set up the log: {0}")]
    Taken(#[source] TryInitError),
}
