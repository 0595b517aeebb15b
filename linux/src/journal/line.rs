//! One log line and its forms.

use core::fmt::Write as _;

use systole_core::time::Duration;
use tracing::Level;

use crate::clock;

/// Bytes of a line's message; the rest is cut off.
pub(super) const MESSAGE_BYTES_MAX: usize = 4096;

/// One log line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) wall: Duration,
    pub(super) level: Level,
    pub(super) target: &'static str,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, String)>,
}

impl Line {
    /// Says how many lines were lost before this one.
    pub(super) fn lost(count: u64) -> Self {
        Self {
            wall: clock::wall(),
            level: Level::WARN,
            target: "journal",
            message: format!(
                "{count} log lines were lost: they came faster than the log takes them"
            ),
            fields: Vec::new(),
        }
    }

    const fn word(&self) -> &'static str {
        match self.level {
            Level::ERROR => "error",
            Level::WARN => "warning",
            Level::INFO => "info",
            Level::DEBUG | Level::TRACE => "debug",
        }
    }

    /// syslog's severity.
    const fn severity(&self) -> u8 {
        match self.level {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        }
    }

    /// Message and fields. A report's sentence says everything that its fields do.
    fn body(&self) -> String {
        let mut text = self.message.replace('\n', " ");
        if self.target != "node" {
            for (name, value) in &self.fields {
                // Writing to a String cannot fail.
                let _ = write!(text, " {name}={}", quoted(value));
            }
        }
        text
    }

    /// `2026-11-22T03:14:15.123Z rproxy1 systole[123]: info: message field=value`, for files.
    pub(super) fn for_file(&self, node: &str, pid: u32) -> String {
        let time = clock::format_utc(self.wall);
        format!(
            "{time} {node} systole[{pid}]: {}: {}\n",
            self.word(),
            self.body()
        )
    }

    /// `<30>systole[123]: info: message`, for `/dev/log`, whose reader adds time and host.
    pub(super) fn for_syslog(&self, facility: u8, pid: u32) -> String {
        let priority = facility * 8 + self.severity();
        format!(
            "<{priority}>systole[{pid}]: {}: {}",
            self.word(),
            self.body()
        )
    }

    /// journald's own form: one `NAME=value` per line, values with line ends with their length.
    pub(super) fn for_journald(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut field = |name: &str, value: &str| {
            bytes.extend_from_slice(name.as_bytes());
            if value.contains('\n') {
                bytes.push(b'\n');
                bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
            } else {
                bytes.push(b'=');
            }
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(b'\n');
        };
        field("MESSAGE", &self.message);
        field("PRIORITY", &self.severity().to_string());
        field("SYSLOG_IDENTIFIER", "systole");
        field("SYSTOLE_PART", self.target);
        for (name, value) in &self.fields {
            field(&format!("SYSTOLE_{}", name.to_ascii_uppercase()), value);
        }
        bytes
    }
}

/// Quotes a value that would run into the next field.
fn quoted(value: &str) -> String {
    let plain = !value.is_empty() && !value.contains([' ', '"', '=', '\n', '\t']);
    if plain {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}
