//! Where lines end up. Only the writer thread is here, so waiting harms nobody.

use core::time::Duration;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use tracing::Level;

use super::Sockets;
use super::line::Line;
use crate::config::LogConfig;

/// How long a stalled logger is waited for before its line is given up: less than a flush takes.
const PATIENCE: Duration = Duration::from_millis(500);

/// syslog's number of the facility `daemon`.
const DAEMON: u8 = 3;

/// Facilities in the order of their numbers; the gap before `local0` is unused.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

/// Everything that a line is written to.
pub(super) struct Sinks {
    node: String,
    pid: u32,
    debug: bool,
    terminal: bool,
    journal: Option<Socket>,
    syslog: Option<(Socket, u8)>,
    file: Option<LogFile>,
    debug_file: Option<LogFile>,
}

impl Sinks {
    pub(super) fn open(
        node: &str,
        config: &LogConfig,
        sockets: &Sockets,
        terminal: bool,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let journal =
            (config.system && sockets.journal.exists()).then(|| Socket::new(&sockets.journal));
        // Without journald the system's log is syslog's `daemon`.
        let facility = match &config.facility {
            Some(name) => FACILITIES.iter().zip(0..).find(|(other, _)| *other == name),
            None => None,
        };
        let facility = facility
            .map(|(_, number)| number)
            .or_else(|| (config.system && journal.is_none()).then_some(DAEMON));
        // In a container there may be neither; better somewhere than nowhere.
        let nobody = config.system && journal.is_none() && !sockets.syslog.exists();
        let open = |path: &Option<PathBuf>| path.as_deref().map(LogFile::open).transpose();
        Ok(Self {
            node: node.to_owned(),
            pid: std::process::id(),
            debug: config.debug > 0,
            terminal: terminal || nobody,
            journal,
            syslog: facility.map(|number| (Socket::new(&sockets.syslog), number)),
            file: open(&config.file)?,
            debug_file: open(&config.debug_file)?,
        })
    }

    pub(super) fn reopen(&mut self) {
        for file in [&mut self.file, &mut self.debug_file].into_iter().flatten() {
            file.reopen();
        }
    }

    /// Writes a line everywhere. One that cannot be written somewhere is lost there.
    pub(super) fn write(&mut self, line: &Line) {
        let text = line.for_file(&self.node, self.pid);
        if let Some(file) = &mut self.debug_file {
            file.write(&text);
        }
        if line.level > Level::INFO && !self.debug {
            return;
        }
        if let Some(file) = &mut self.file {
            file.write(&text);
        }
        if self.terminal {
            to_terminal(line.level, text.trim_end());
        }
        if let Some(journal) = &mut self.journal
            && let Some(lost) = journal.send(&line.for_journald())
        {
            let _ = journal.send(&Line::lost(lost).for_journald());
        }
        if let Some((syslog, facility)) = &mut self.syslog
            && let Some(lost) = syslog.send(line.for_syslog(*facility, self.pid).as_bytes())
        {
            let _ = syslog.send(Line::lost(lost).for_syslog(*facility, self.pid).as_bytes());
        }
    }
}

/// A log file that follows its path when it is moved away.
struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    fn open(path: &Path) -> Result<Self, (PathBuf, io::Error)> {
        match append(path) {
            Ok(file) => Ok(Self {
                path: path.to_owned(),
                file,
            }),
            Err(error) => Err((path.to_owned(), error)),
        }
    }

    /// Keeps the old file when there is no new one.
    fn reopen(&mut self) {
        if let Ok(file) = append(&self.path) {
            self.file = file;
        }
    }

    fn write(&mut self, text: &str) {
        // A full disk loses lines; there is nobody to tell but the other sinks' readers.
        let _ = self.file.write_all(text.as_bytes());
    }
}

/// Red for errors, yellow for warnings, where colours can be seen.
fn to_terminal(level: Level, text: &str) {
    let mut stderr = io::stderr().lock();
    let colours = stderr.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (colour, reset) = match level {
        Level::ERROR if colours => ("\x1b[31m", "\x1b[0m"),
        Level::WARN if colours => ("\x1b[33m", "\x1b[0m"),
        _ => ("", ""),
    };
    let _ = writeln!(stderr, "{colour}{text}{reset}");
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
}

/// A logger's datagram socket, connected anew after the logger was restarted.
struct Socket {
    path: PathBuf,
    connection: Option<UnixDatagram>,
    /// Lines lost since the last one that got through. While there are any, nothing is waited
    /// for: a logger that hangs must not hold up the log files.
    lost: u64,
}

impl Socket {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            connection: connect(path).ok(),
            lost: 0,
        }
    }

    /// Sends a line; gives the number of those lost before when it is the first to get through.
    fn send(&mut self, bytes: &[u8]) -> Option<u64> {
        let sent = self.try_send(bytes).or_else(|error| {
            if error.kind() == io::ErrorKind::WouldBlock {
                return Err(error);
            }
            self.connection = Some(connect(&self.path)?);
            self.try_send(bytes)
        });
        if sent.is_err() {
            self.lost += 1;
            self.patient(false);
            return None;
        }
        let lost = core::mem::take(&mut self.lost);
        if lost == 0 {
            return None;
        }
        self.patient(true);
        Some(lost)
    }

    fn try_send(&self, bytes: &[u8]) -> io::Result<()> {
        let socket = self
            .connection
            .as_ref()
            .ok_or(io::ErrorKind::NotConnected)?;
        socket.send(bytes).map(drop)
    }

    fn patient(&self, patient: bool) {
        if let Some(socket) = &self.connection {
            // Fails for no socket that exists.
            let _ = socket.set_nonblocking(!patient);
        }
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(PATIENCE))?;
    socket.connect(path)?;
    Ok(socket)
}
