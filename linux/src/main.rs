//! The `systole` binary.

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
enum Cli {
    Demo(systole::demo::Args),
    #[command(subcommand)]
    DemoPart(systole::demo::part::Part),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse() {
        Cli::Demo(args) => systole::demo::run(&args),
        Cli::DemoPart(part) => systole::demo::part::run(&part).map(|()| ExitCode::SUCCESS),
    }
}
