//! The commands that talk to a running daemon: status, standby, takeover.

use core::time::Duration;
use std::io::{self, Write};
use std::path::Path;
use std::thread;

use thiserror::Error;

use crate::control::Ask;
use crate::control::client::{Client, ClientError};
use crate::status::{Style, human, is_screen, picture};

/// Why a command did not work.
#[derive(Debug, Error)]
pub enum OperatorError {
    /// The daemon did not answer as hoped.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
    /// The status cannot be made JSON.
    #[error("cannot make JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Between two pictures of `status --watch`.
const WATCH: Duration = Duration::from_secs(1);

/// Prints the status; with `watch` every second until writing fails or the daemon ends.
///
/// # Errors
/// When there is no status, or it cannot be written.
pub fn status(
    runtime_dir: &Path,
    json: bool,
    watch: bool,
    style: Style,
    out: &mut dyn Write,
) -> Result<(), OperatorError> {
    let mut client = Client::connect(runtime_dir)?;
    let redraw = watch && (style == Style::Colour || is_screen());
    loop {
        let report = client.status()?;
        if json {
            // A stream of pictures is one per line; a single one is for reading.
            let text = if watch {
                serde_json::to_string(&report)?
            } else {
                serde_json::to_string_pretty(&report)?
            };
            writeln!(out, "{text}")?;
        } else if redraw {
            write!(out, "{}", picture(&report, style))?;
        } else {
            write!(out, "{}", human(&report, style))?;
        }
        out.flush()?;
        if !watch {
            return Ok(());
        }
        thread::sleep(WATCH);
    }
}

/// Gives a standby or takeover; with `wait` follows it to its end, one line per change.
///
/// # Errors
/// When it is refused or fails.
pub fn carry_out(
    runtime_dir: &Path,
    ask: Ask,
    wait: bool,
    out: &mut dyn Write,
) -> Result<(), OperatorError> {
    let mut client = Client::connect(runtime_dir)?;
    if let Some(why) = client.nothing_to_do(ask)? {
        writeln!(out, "{why}")?;
        return Ok(());
    }
    if !wait {
        client.ask(ask)?;
        writeln!(out, "accepted; follow it with `systole status`")?;
        return Ok(());
    }
    let mut failed = None;
    let outcome = client.carry_out(ask, |line| {
        if failed.is_none() {
            failed = writeln!(out, "{line}").and_then(|()| out.flush()).err();
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(writeln!(out, "{outcome}")?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::What;
    use crate::control::tests::with_daemon;

    /// A screen that breaks after some pictures, as a pipe does when its reader ends.
    struct Screen {
        text: Vec<u8>,
        pictures: usize,
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            self.pictures -= 1;
            if self.pictures == 0 {
                Err(io::ErrorKind::BrokenPipe.into())
            } else {
                Ok(())
            }
        }
    }

    /// Aim: one picture without watching, another every second with it, JSON that parses.
    #[test]
    fn pictures() {
        with_daemon(|dir| {
            let mut out = Vec::new();
            status(dir, true, false, Style::Plain, &mut out).unwrap();
            let report: crate::status::StatusReport = serde_json::from_slice(&out).unwrap();
            assert_eq!(report.pid, 42);
            let mut screen = Screen {
                text: Vec::new(),
                pictures: 2,
            };
            let ended = status(dir, false, true, Style::Colour, &mut screen);
            assert!(matches!(ended, Err(OperatorError::Write(_))), "{ended:?}");
            let text = String::from_utf8(screen.text).unwrap();
            assert_eq!(text.matches("\x1b[H\x1b[J").count(), 2);
        });
    }

    /// Aim: a standby is followed to its end, or not when so asked; a refusal is an error.
    #[test]
    fn following() {
        with_daemon(|dir| {
            let refused = carry_out(
                dir,
                Ask::Standby { what: What::Local },
                false,
                &mut io::sink(),
            );
            assert_eq!(refused.unwrap_err().to_string(), "the peer is absent");
            let mut out = Vec::new();
            carry_out(dir, Ask::Takeover { what: What::Local }, true, &mut out).unwrap();
            assert_eq!(out, b"nothing to do: this node, a, holds local resources\n");
            let mut out = Vec::new();
            carry_out(dir, Ask::Standby { what: What::All }, true, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.ends_with("done: the peer, b, holds all resources\n"),
                "{text}"
            );
            let mut out = Vec::new();
            carry_out(dir, Ask::Takeover { what: What::All }, false, &mut out).unwrap();
            assert!(out.starts_with(b"accepted"));
        });
    }
}
