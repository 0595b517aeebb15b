//! The `systole` binary: what was asked for, and the exit code.

use std::io::{self, Write as _, stderr, stdout};
use std::path::{Path, absolute};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use systole::cli::{Cli, Command, Common, EXIT_CONFIG, EXIT_FAILURE};
use systole::compat::{self, Socket, Tool};
use systole::config::render;
use systole::daemon::{self, RunError};
use systole::{check, config, keygen, operator, status};

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let done = match Tool::from_name(&name) {
        Some(tool) => run_tool(tool),
        None => run(Cli::parse()),
    };
    done.unwrap_or_else(|error| {
        if !is_broken_pipe(&error) {
            // Without a stderr the exit code says enough.
            let _ = writeln!(stderr(), "systole: {error:#}");
        }
        let config = matches!(error.downcast_ref(), Some(RunError::Config(_)));
        ExitCode::from(if config { EXIT_CONFIG } else { EXIT_FAILURE })
    })
}

/// Whether our reader has had enough, as in `systole status --watch | head`.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

fn run_tool(tool: Tool) -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut daemon = Socket {
        runtime_dir: Path::new(Common::RUNTIME_DIR),
    };
    let code = compat::run(tool, &args, &mut daemon, &mut stdout(), &mut stderr())?;
    Ok(ExitCode::from(code))
}

fn run(cli: Cli) -> Result<ExitCode> {
    let Common {
        config_dir,
        node,
        state_dir,
        runtime_dir,
    } = cli.common;
    match cli.command {
        Command::Run => {
            let node = match node {
                Some(node) => node,
                None => config::own_name(&config_dir)?,
            };
            // Scripts run elsewhere, and a daemon may be asked from elsewhere.
            daemon::run(&daemon::Options {
                config_dir: absolute(&config_dir)?,
                node,
                state_dir: absolute(&state_dir)?,
                runtime_dir: absolute(&runtime_dir)?,
            })?;
        }
        Command::Check { files_only, json } => {
            let options = check::Options {
                config_dir,
                node,
                files_only,
                json,
            };
            let code = check::run(&options, render::Style::of_stdout(), &mut stdout())?;
            return Ok(ExitCode::from(code));
        }
        Command::Status { json, watch } => {
            let style = status::Style::of_stdout();
            operator::status(&runtime_dir, json, watch, style, &mut stdout())?;
        }
        Command::Standby { what, no_wait } => {
            operator::carry_out(&runtime_dir, what.ask(), !no_wait, &mut stdout())?;
        }
        Command::Takeover { what, no_wait } => {
            operator::carry_out(&runtime_dir, what.ask(), !no_wait, &mut stdout())?;
        }
        Command::Keygen { file, force } => make_keys(&config_dir, file.as_deref(), force)?,
        Command::Demo(args) => return systole::demo::run(&args),
        Command::DemoPart(part) => systole::demo::part::run(&part)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn make_keys(config_dir: &Path, file: Option<&Path>, force: bool) -> Result<()> {
    let path = file.map_or_else(|| config_dir.join("authkeys"), Path::to_owned);
    if path == Path::new("-") {
        return Ok(stdout().write_all(keygen::text()?.as_bytes())?);
    }
    keygen::write(&path, force)?;
    writeln!(
        stdout(),
        "wrote {}; copy it to the other node, mode 600, and restart or reload",
        path.display()
    )?;
    Ok(())
}
