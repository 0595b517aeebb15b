//! The `systole` binary.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use systole::daemon::{self, Options};

#[derive(Parser)]
struct Cli {
    #[arg(long, default_value = "/etc/ha.d")]
    config_dir: PathBuf,
    #[arg(long)]
    node: String,
    #[arg(long, default_value = "/var/lib/heartbeat")]
    state_dir: PathBuf,
    #[arg(long, default_value = "/run/systole")]
    runtime_dir: PathBuf,
    verb: String,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let options = Options {
        config_dir: cli.config_dir,
        node: cli.node,
        state_dir: cli.state_dir,
        runtime_dir: cli.runtime_dir,
    };
    match daemon::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("systole: {error}");
            ExitCode::FAILURE
        }
    }
}
