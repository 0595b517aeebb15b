//! Running other programs, visibly: every command is printed before it runs.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The root of the repository this xtask was built from.
pub(crate) fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The cargo that started us, else the one in PATH, working in the repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// The program `name`, in PATH or where a user's PATH does not reach.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|file| file.is_file())
}

/// Runs it; anything but success is an error that names the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", text(command)))?;
    if status.success() {
        return Ok(());
    }
    bail!("{} ended with {status}", text(command))
}

/// Runs it quietly and gives its standard output.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", text(command)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    bail!(
        "{} ended with {}: {}",
        text(command),
        output.status,
        said.trim()
    )
}

/// Runs it and shows its standard output as it comes; gives that output and whether it succeeded.
pub(crate) fn tee(command: &mut Command) -> Result<(bool, String)> {
    announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", text(command)))?;
    let mut seen = String::new();
    if let Some(output) = child.stdout.take() {
        let mut lines = BufReader::new(output);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            std::io::stdout().write_all(&line)?;
            seen.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    Ok((child.wait()?.success(), seen))
}

fn announce(command: &Command) {
    // Whatever the command prints on standard error must come after this line, not before it.
    println!("\n$ {}", text(command));
    // A closed output is the reader's decision; the work goes on.
    let _ = std::io::stdout().flush();
}

/// The command as one would type it, with the variables set for it.
fn text(command: &Command) -> String {
    let shown = |word: &OsStr| word.to_string_lossy().into_owned();
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| value.map(|value| format!("{}={}", shown(name), shown(value))))
        .filter(|variable| !variable.starts_with("PATH="));
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    variables
        .chain([shown(name)])
        .chain(command.get_args().map(shown))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: a failing command is an error that names the command, and a missing one says so.
    #[test]
    fn failure_is_named() {
        let failed = run(Command::new("false").arg("--now")).unwrap_err();
        assert!(
            failed.to_string().starts_with("false --now ended with"),
            "{failed}"
        );
        let missing = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(
            missing
                .to_string()
                .contains("cannot start no-such-program-here"),
            "{missing}"
        );
    }

    /// Aim: `tee` keeps what was printed and still tells failure from success.
    #[test]
    fn tee_keeps_output_and_verdict() {
        let (succeeded, seen) = tee(Command::new("sh").args(["-c", "echo one; exit 3"])).unwrap();
        assert!(!succeeded);
        assert_eq!(seen, "one\n");
        assert!(tee(&mut Command::new("true")).unwrap().0);
    }

    /// Aim: the printed command can be pasted: variables first, then program and arguments.
    #[test]
    fn text_shows_variables() {
        let mut command = Command::new("/usr/bin/cargo");
        command.env("BLESS", "1").arg("test");
        assert_eq!(text(&command), "BLESS=1 cargo test");
    }
}
