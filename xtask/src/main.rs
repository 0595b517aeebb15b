//! The project's own commands: `cargo xtask VERB`. CI calls nothing else.
//!
//! It depends on nothing of the project, so that it builds fast and also when the rest does not.

mod bench;
mod boards;
mod ci;
mod libtest;
mod nostd;
mod packages;
mod policy;
mod setup;
mod shell;
mod source;
mod suite;
mod summary;
mod thumb;
mod tidy;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what the tests need and this machine lacks; starts no service
    Setup {
        /// Also what the bench compares us with: keepalived and heartbeat
        #[arg(long)]
        bench: bool,
        /// Only the distribution's packages, not the Rust target
        #[arg(long)]
        packages: bool,
    },
    /// Set up, then every test; ends with how many passed and failed
    Test,
    /// Everything a change must pass: lint, tidy, man, test
    Ci,
    /// rustfmt and clippy, both workspaces, no warning allowed
    Lint,
    /// The core alone for a microcontroller, without std and alloc
    Nostd,
    /// Build the firmware images; run them too where QEMU is installed
    Boards,
    /// The core's scenario files
    Scenarios {
        /// Write what came out as what is expected
        #[arg(long)]
        bless: bool,
    },
    /// Simulate lives of a cluster: `sim -- --help` tells the options
    Sim {
        /// Let the sweep find the deliberate bugs instead
        #[arg(long)]
        mutants: bool,
        /// Options of the simulation itself, after --
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Real daemons in network namespaces
    Netns,
    /// One cluster with the original as the peer, in both roles; ends with the matrix
    Interop {
        /// Only the rows whose names hold one of these
        words: Vec<String>,
    },
    /// Every sample and every faulty configuration, with its diagnostics
    Configs {
        /// Write what came out as what is expected
        #[arg(long)]
        bless: bool,
    },
    /// Manual pages and shell completions, from the command line's definition
    Man {
        /// Change nothing; fail if they are not up to date
        #[arg(long)]
        check: bool,
    },
    /// Measure Systole beside keepalived and heartbeat; `bench -- --help` tells the options
    Bench {
        /// Options of the benchmark itself, after --
        #[arg(last = true)]
        args: Vec<String>,
    },
    /// Line and file lengths, dead files, leftovers, words we do not use
    Tidy,
}

fn main() -> ExitCode {
    let result = match Cli::parse().verb {
        Verb::Setup { bench, packages } => setup::run(bench, packages),
        Verb::Test => ci::test(),
        Verb::Ci => ci::everything(),
        Verb::Lint => ci::lint(),
        Verb::Nostd => nostd::run(),
        Verb::Boards => boards::run(),
        Verb::Scenarios { bless } => suite::scenarios(bless),
        Verb::Sim { mutants, args } => suite::sim(mutants, &args),
        Verb::Netns => suite::netns(),
        Verb::Interop { words } => suite::interop(&words),
        Verb::Configs { bless } => suite::configs(bless),
        Verb::Man { check } => ci::man(check),
        Verb::Bench { args } => bench::run(&args),
        Verb::Tidy => tidy::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
