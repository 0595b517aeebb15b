//! The `systole` binary.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use systole::daemon::{self, Options};

#[derive(Parser)]
struct Cli {
    #[arg(long, default_value = "/etc/ha.d")]
    config_dir: PathBuf,
    #[arg(long, default_value = "localhost")]
    node: String,
    #[arg(long, default_value = "/var/lib/heartbeat")]
    state_dir: PathBuf,
    #[arg(long, default_value = "/run/systole")]
    runtime_dir: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Run,
    Demo(systole::demo::Args),
    #[command(subcommand)]
    DemoPart(systole::demo::part::Part),
}

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    let options = Options {
        config_dir: cli.config_dir,
        node: cli.node,
        state_dir: cli.state_dir,
        runtime_dir: cli.runtime_dir,
    };
    match cli.verb {
        Verb::Run => daemon::run(&options)?,
        Verb::Demo(args) => return systole::demo::run(&args),
        Verb::DemoPart(part) => systole::demo::part::run(&part)?,
    }
    Ok(ExitCode::SUCCESS)
}
