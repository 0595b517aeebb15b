//! The program when nobody can read what it says.
#![expect(clippy::unwrap_used, reason = "a test that goes wrong must stop")]

use std::fs::{File, OpenOptions};
use std::process::{Command, Stdio};

use systole::cli::{EXIT_CONFIG, EXIT_FAILURE};

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

fn systole(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_systole"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Aim: a full disk behind stdout is an error with a reason, not a crash.
#[test]
fn full_stdout() {
    let output = systole(&["keygen", "-"]).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(EXIT_FAILURE.into()));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("No space left"), "{text}");
}

/// Aim: without a stderr that takes anything the exit code still says what is wrong.
#[test]
fn full_stderr() {
    let dir = tempfile::tempdir().unwrap();
    let config_dir = dir.path().to_str().unwrap();
    let mut run = systole(&["--config-dir", config_dir, "run"]);
    let status = run.stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(EXIT_CONFIG.into()));
}
