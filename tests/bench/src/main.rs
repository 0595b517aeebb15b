//! `cargo xtask bench`: Systole beside keepalived and Heartbeat, in one run, seen by the same client.
//!
//! All of it happens in namespaces of its own and is gone when this process ends.

mod contender;
mod idle;
mod outages;
mod pair;
mod process;
mod progress;
mod rows;
mod series;
mod table;

use core::time::Duration;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;
use systole::demo::lab::{Interrupt, Service};
use systole::demo::listen_for_signals;

use crate::contender::Contender;
use crate::outages::RESOLUTION;
use crate::series::Series;
use crate::table::Table;

/// Compare Systole with its peers, in namespaces on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Cli {
    /// The systole to measure; the one built beside this program if left out
    #[arg(long)]
    binary: Option<PathBuf>,
    /// How often each event happens to Systole
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// How often to each peer
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    peer_runs: u32,
    /// Only Systole
    #[arg(long)]
    no_peers: bool,
    /// For how many seconds the cost of idling is accounted; 0 leaves it out
    #[arg(long, default_value_t = 60)]
    idle: u64,
    /// For how many minutes to wait for a false takeover, including the accounting
    #[arg(long, default_value_t = 10)]
    idle_minutes: u64,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
    /// End with success also when a bound is missed
    #[arg(long)]
    no_verdict: bool,
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    let interrupt = Interrupt::default();
    listen_for_signals(interrupt.clone())?;
    let (contenders, absent) = contender::all(!cli.no_peers);
    for sentence in &absent {
        progress::say(sentence);
    }
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let binary = cli
        .binary
        .clone()
        .unwrap_or_else(|| own.with_file_name("systole"));
    let bench = Bench {
        cli: &cli,
        binary: &binary,
        contenders: &contenders,
        interrupt: &interrupt,
    };
    let mut table = bench.measure()?;
    table.notes.extend(absent);
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&table)?);
    } else {
        println!("{}", table.draw());
    }
    let missed = table.missed();
    for row in &missed {
        progress::say(&format!("bound missed: {}", row.title));
    }
    Ok(if missed.is_empty() || cli.no_verdict {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What every measurement needs.
struct Bench<'a> {
    cli: &'a Cli,
    binary: &'a Path,
    contenders: &'a [Box<dyn Contender>],
    interrupt: &'a Interrupt,
}

impl Bench<'_> {
    fn measure(&self) -> Result<Table> {
        progress::say("nginx alone");
        let nginx = outages::nginx(self.binary, self.cli.runs, self.interrupt)?;
        let nginx = Series::new(nginx);
        let mut all = Vec::new();
        for (index, contender) in self.contenders.iter().enumerate() {
            let Cli {
                runs, peer_runs, ..
            } = *self.cli;
            let runs = if index == 0 { runs } else { peer_runs };
            let contender = contender.as_ref();
            all.push(outages::measure(
                contender,
                self.binary,
                runs,
                self.interrupt,
            )?);
        }
        let mut rows = rows::outages(&all, nginx.as_ref());
        rows.push(rows::nginx(nginx, self.contenders.len()));
        if self.cli.idle > 0 {
            let cost = Duration::from_secs(self.cli.idle);
            let watch = Duration::from_mins(self.cli.idle_minutes).max(cost);
            let idle = idle::measure(self.contenders, self.binary, cost, watch, self.interrupt)?;
            rows.extend(rows::idle(&idle, watch));
        }
        let contenders = self.contenders.iter();
        Ok(Table {
            contenders: contenders.map(|contender| contender.name()).collect(),
            rows,
            notes: notes(),
        })
    }
}

fn notes() -> Vec<String> {
    let service = match Service::detect() {
        Service::Nginx(path) => format!("nginx is {}", path.display()),
        Service::Responder => "nginx is not installed; a small responder plays its part".to_owned(),
    };
    vec![
        "median (least to most); ×: the peer's median as a multiple of Systole's; the bound is for \
         Systole's worst value"
            .to_owned(),
        format!(
            "the client asks every {} ms, which is the resolution of every outage; {service}",
            RESOLUTION.as_millis()
        ),
        "the address: UDP echo; nginx: a fresh TCP connection and one HTTP request; every contender \
         starts nginx by the same script"
            .to_owned(),
        "keepalived takes over after three missed adverts and its skew time; it has no deadtime"
            .to_owned(),
    ]
}
