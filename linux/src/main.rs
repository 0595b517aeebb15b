//! The `systole` binary.

use clap::Parser;

#[derive(Parser)]
enum Cli {
    #[command(subcommand)]
    DemoPart(systole::demo::part::Part),
}

fn main() -> anyhow::Result<()> {
    let Cli::DemoPart(part) = Cli::parse();
    systole::demo::part::run(&part)
}
