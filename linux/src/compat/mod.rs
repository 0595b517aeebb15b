//! The original's tools: `cl_status`, `hb_standby`, `hb_takeover`, when the binary is called so.
//!
//! Arguments, output and exit codes are those of the original (hb306: `tools/cl_status.c`,
//! `heartbeat/lib/hb_standby.in`), with one exception: without a daemon nothing hangs.

mod cl_status;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use crate::clock;
use crate::control::client::{Client, ClientError};
use crate::control::{Ask, What};
use crate::status::StatusReport;

/// The original's exit code for a wrong word.
const USAGE: u8 = 1;

/// One of the original's tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `cl_status`.
    ClStatus,
    /// `hb_standby`.
    Standby,
    /// `hb_takeover`.
    Takeover,
}

impl Tool {
    /// The tool that a name of the binary stands for (`argv[0]`, with or without directories).
    #[must_use]
    pub fn from_name(argv0: &OsStr) -> Option<Self> {
        match Path::new(argv0).file_name()?.to_str()? {
            "cl_status" => Some(Self::ClStatus),
            "hb_standby" => Some(Self::Standby),
            "hb_takeover" => Some(Self::Takeover),
            _ => None,
        }
    }
}

/// The daemon, as far as the tools need it; another one for tests.
pub trait Daemon {
    /// Asks for the status.
    ///
    /// # Errors
    /// When there is no daemon.
    fn status(&mut self) -> Result<StatusReport, ClientError>;

    /// Gives a command.
    ///
    /// # Errors
    /// When there is no daemon, or it refuses.
    fn command(&mut self, ask: Ask) -> Result<(), ClientError>;
}

/// The daemon behind a control socket.
#[derive(Clone, Copy, Debug)]
pub struct Socket<'a> {
    /// The daemon's runtime directory.
    pub runtime_dir: &'a Path,
}

impl Daemon for Socket<'_> {
    fn status(&mut self) -> Result<StatusReport, ClientError> {
        Client::connect(self.runtime_dir)?.status()
    }

    fn command(&mut self, ask: Ask) -> Result<(), ClientError> {
        Client::connect(self.runtime_dir)?.ask(ask).map(drop)
    }
}

/// Runs a tool and gives its exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(
    tool: Tool,
    args: &[String],
    daemon: &mut dyn Daemon,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    match tool {
        Tool::ClStatus => cl_status::run(args, daemon, out, err),
        Tool::Standby => move_groups("hb_standby", args, daemon, out, err),
        Tool::Takeover => move_groups("hb_takeover", args, daemon, out, err),
    }
}

fn move_groups(
    name: &str,
    args: &[String],
    daemon: &mut dyn Daemon,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let word = match args {
        [] => "all",
        [word] => word.as_str(),
        [_, _, ..] => {
            writeln!(out, "{name}: too many arguments")?;
            return usage(name, out, err);
        }
    };
    let standby = name == "hb_standby";
    let (word, what) = match word {
        "all" => ("all", What::All),
        "local" => ("local", What::Local),
        "foreign" => ("foreign", What::Foreign),
        "failback" if standby => ("foreign", What::Foreign),
        // The original's peer does not know this word and gives everything.
        "failback" => ("failback", What::All),
        "--help" => return usage(name, out, err),
        other => {
            writeln!(out, "{name}: wrong resources({other}).")?;
            return usage(name, out, err);
        }
    };
    let ask = if standby {
        Ask::Standby { what }
    } else {
        Ask::Takeover { what }
    };
    if let Err(error) = daemon.command(ask) {
        writeln!(err, "{name}: {error}")?;
        return Ok(1);
    }
    if standby {
        writeln!(out, "{} Going standby [{word}].", date())?;
    }
    Ok(0)
}

fn usage(name: &str, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    writeln!(out, "usage:")?;
    writeln!(err, "{name} [all|foreign|local|failback]")?;
    Ok(USAGE)
}

/// The time as the original writes it, by the same means: only `date` knows the time zone here.
fn date() -> String {
    let output = Command::new("date").arg("+%Y/%m/%d_%T").output();
    let local = output.ok().filter(|output| output.status.success());
    let text = local.and_then(|output| String::from_utf8(output.stdout).ok());
    text.map_or_else(
        || clock::format_utc(clock::wall()),
        |text| text.trim_end().to_owned(),
    )
}
