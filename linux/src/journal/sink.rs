//! The places a line can go to.

use core::fmt::Write as _;
use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use tracing::Level;

use super::{Line, name_file};
use crate::clock;
use crate::config::LogConfig;

const JOURNAL_SOCKET: &str = "/run/systemd/journal/socket";
const SYSLOG_SOCKET: &str = "/dev/log";

/// One place.
pub(super) enum Sink {
    Journal(UnixDatagram),
    Syslog {
        socket: Option<UnixDatagram>,
        facility: u8,
    },
    File {
        path: PathBuf,
        file: File,
        debug: bool,
        node: String,
    },
    Terminal {
        node: String,
    },
}

/// Opens every place that ha.cf asks for.
pub(super) fn open_sinks(config: &LogConfig, node: &str) -> io::Result<Vec<Sink>> {
    let mut sinks = Vec::new();
    let journal = config.system.then(connect_journal).flatten();
    let facility = match (&config.facility, &journal) {
        (Some(name), _) => Some(facility_number(name)),
        (None, None) if config.system => Some(facility_number("daemon")),
        (None, _) => None,
    };
    let journalled = journal.is_some();
    sinks.extend(journal.map(Sink::Journal));
    sinks.extend(facility.map(|facility| Sink::Syslog {
        socket: connect_syslog(),
        facility,
    }));
    for (path, debug) in [(&config.file, false), (&config.debug_file, true)] {
        if let Some(path) = path {
            sinks.push(Sink::File {
                path: path.clone(),
                file: open_file(path)?,
                debug,
                node: node.to_owned(),
            });
        }
    }
    // systemd puts a service's stderr into the journal: one copy is enough.
    let captured = journalled && env::var_os("JOURNAL_STREAM").is_some();
    if !captured {
        sinks.push(Sink::Terminal {
            node: node.to_owned(),
        });
    }
    Ok(sinks)
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
        .map_err(|error| name_file(path, "open the log file", &error))
}

fn connect(path: &str) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    Some(socket)
}

fn connect_journal() -> Option<UnixDatagram> {
    connect(JOURNAL_SOCKET)
}

fn connect_syslog() -> Option<UnixDatagram> {
    connect(SYSLOG_SOCKET)
}

impl Sink {
    /// Writes a line. What cannot be written is lost: there is nowhere to say so.
    pub(super) fn write(&mut self, line: &Line) {
        match self {
            Self::Journal(socket) => {
                let _ = socket.send(&journal_entry(line));
            }
            Self::Syslog { socket, facility } => {
                let text = format!(
                    "<{}>systole[{}]: {}",
                    u32::from(*facility) * 8 + u32::from(priority(line.level)),
                    std::process::id(),
                    sentence(line)
                );
                // A restarted syslog has a new socket.
                let sent = socket
                    .as_ref()
                    .is_some_and(|socket| socket.send(text.as_bytes()).is_ok());
                if !sent {
                    *socket = connect_syslog();
                    let _ = socket.as_ref().map(|socket| socket.send(text.as_bytes()));
                }
            }
            Self::File {
                file, debug, node, ..
            } => {
                if *debug || line.level <= Level::INFO {
                    let _ = file.write_all(text(line, node).as_bytes());
                }
            }
            Self::Terminal { node } => {
                let mut stderr = io::stderr().lock();
                let terminal = stderr.is_terminal() && env::var_os("NO_COLOR").is_none();
                let colour = match line.level {
                    Level::ERROR if terminal => "\x1b[31m",
                    Level::WARN if terminal => "\x1b[33m",
                    _ => "",
                };
                let reset = if colour.is_empty() { "" } else { "\x1b[0m" };
                let text = text(line, node);
                let text = text.trim_end();
                let _ = writeln!(stderr, "{colour}{text}{reset}");
            }
        }
    }

    /// Opens a log file anew; the old one stays when that fails.
    pub(super) fn reopen(&mut self) {
        if let Self::File { path, file, .. } = self
            && let Ok(fresh) = open_file(path)
        {
            *file = fresh;
        }
    }
}

/// syslog's severities (RFC 5424, section 6.2.1).
const fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        _ => "debug",
    }
}

/// syslog's facilities (RFC 5424, section 6.2.1). ha.cf's words were checked when it was read.
fn facility_number(name: &str) -> u8 {
    const NAMES: [&str; 24] = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron",
        "authpriv", "ftp", "", "", "", "", "local0", "local1", "local2", "local3", "local4",
        "local5", "local6", "local7",
    ];
    let found = (0_u8..).zip(NAMES).find(|(_, known)| *known == name);
    found.map_or(3, |(number, _)| number)
}

/// The message and its fields, on one line.
fn sentence(line: &Line) -> String {
    let mut text = line.message.replace('\n', " ");
    for (name, value) in &line.fields {
        let quoted = value.is_empty() || value.contains(char::is_whitespace);
        // Writing to a string cannot fail.
        let _ = if quoted {
            write!(text, " {name}={value:?}")
        } else {
            write!(text, " {name}={value}")
        };
    }
    text
}

fn text(line: &Line, node: &str) -> String {
    format!(
        "{} {node} systole[{}]: {}: {}\n",
        clock::format_utc(line.wall),
        std::process::id(),
        word(line.level),
        sentence(line)
    )
}

/// systemd's native protocol: `NAME=value` lines; a value with a newline goes with its length
/// (systemd: `JOURNAL_NATIVE_PROTOCOL`).
fn journal_entry(line: &Line) -> Vec<u8> {
    let mut entry = Vec::new();
    let mut put = |name: &str, value: &str| {
        entry.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            entry.push(b'\n');
            entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            entry.push(b'=');
        }
        entry.extend_from_slice(value.as_bytes());
        entry.push(b'\n');
    };
    put("MESSAGE", &line.message);
    put("PRIORITY", &priority(line.level).to_string());
    put("SYSLOG_IDENTIFIER", "systole");
    put("TARGET", line.target);
    for (name, value) in &line.fields {
        put(&format!("SYSTOLE_{}", name.to_ascii_uppercase()), value);
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;
    use systole_core::time::Duration;

    fn line(message: &str) -> Line {
        Line {
            level: Level::WARN,
            wall: Duration::from_millis(1_700_000_000_123),
            target: "systole::daemon",
            message: message.to_owned(),
            fields: vec![("link", "ucast eth0".to_owned()), ("count", "3".to_owned())],
        }
    }

    /// Aim: a line in a file has the time with milliseconds, the node, the severity and the fields.
    #[test]
    fn text_line() {
        let text = text(&line("two\nlines"), "rproxy1");
        let pid = std::process::id();
        assert_eq!(
            text,
            format!(
                "2023-11-14T22:13:20.123Z rproxy1 systole[{pid}]: warning: two lines \
                 link=\"ucast eth0\" count=3\n"
            )
        );
    }

    /// Aim: the journal gets every field by name, and a newline cannot forge another field.
    #[test]
    fn journal_fields() {
        let entry = journal_entry(&line("a\nPRIORITY=0"));
        let mut expected = b"MESSAGE\n".to_vec();
        expected.extend_from_slice(&12_u64.to_le_bytes());
        expected.extend_from_slice(
            b"a\nPRIORITY=0\nPRIORITY=4\nSYSLOG_IDENTIFIER=systole\n\
              TARGET=systole::daemon\nSYSTOLE_LINK=ucast eth0\nSYSTOLE_COUNT=3\n",
        );
        assert_eq!(entry, expected);
    }

    /// Aim: a log file is appended to, and opened anew after logrotate has moved it.
    #[test]
    fn file_is_reopened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ha-log");
        let config = LogConfig {
            file: Some(path.clone()),
            ..LogConfig::default()
        };
        let mut sinks = open_sinks(&config, "rproxy1").unwrap();
        let mut log = |message| {
            for sink in &mut sinks {
                if matches!(sink, Sink::File { .. }) {
                    sink.write(&line(message));
                }
            }
        };
        log("first");
        std::fs::rename(&path, dir.path().join("ha-log.1")).unwrap();
        log("second");
        sinks.iter_mut().for_each(Sink::reopen);
        let mut log = |message| {
            for sink in &mut sinks {
                if matches!(sink, Sink::File { .. }) {
                    sink.write(&line(message));
                }
            }
        };
        log("third");
        let old = std::fs::read_to_string(dir.path().join("ha-log.1")).unwrap();
        assert!(old.contains("first") && old.contains("second"));
        let new = std::fs::read_to_string(&path).unwrap();
        assert!(new.contains("third") && !new.contains("second"));
    }

    /// Aim: a log file that cannot be opened is an error that names it.
    #[test]
    fn bad_file_is_named() {
        let config = LogConfig {
            file: Some("/nonexistent/ha-log".into()),
            ..LogConfig::default()
        };
        let error = open_sinks(&config, "rproxy1").err().unwrap().to_string();
        assert!(error.contains("/nonexistent/ha-log"), "{error}");
    }
}
