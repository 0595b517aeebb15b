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
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use systole::demo::lab::{Interrupt, Service};
use systole::demo::listen_for_signals;

use crate::contender::Contender;
use crate::idle::Idle;
use crate::outages::RESOLUTION;
use crate::series::Series;
use crate::table::Table;

/// Compare Systole with its peers, in namespaces on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Cli {
    /// The systole to measure, of the release profile
    #[arg(long)]
    binary: PathBuf,
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
    let mut table = measure(&cli, &contenders, &interrupt)?;
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

fn measure(cli: &Cli, contenders: &[Box<dyn Contender>], interrupt: &Interrupt) -> Result<Table> {
    progress::say("nginx alone");
    let nginx = Series::new(outages::nginx(&cli.binary, cli.runs, interrupt)?);
    let mut all = Vec::new();
    for (index, contender) in contenders.iter().enumerate() {
        let runs = if index == 0 { cli.runs } else { cli.peer_runs };
        let contender = contender.as_ref();
        all.push(outages::measure(contender, &cli.binary, runs, interrupt)?);
    }
    let mut rows = rows::outages(&all, nginx.as_ref());
    rows.push(rows::nginx(nginx, contenders.len()));
    let idle = idle(cli, contenders, interrupt)?;
    if !idle.is_empty() {
        rows.extend(rows::idle(&idle, cli.idle_minutes));
    }
    Ok(Table {
        contenders: contenders
            .iter()
            .map(|contender| contender.name())
            .collect(),
        rows,
        notes: notes(),
    })
}

fn idle(cli: &Cli, contenders: &[Box<dyn Contender>], interrupt: &Interrupt) -> Result<Vec<Idle>> {
    if cli.idle == 0 {
        return Ok(Vec::new());
    }
    let cost = Duration::from_secs(cli.idle);
    let watch = Duration::from_mins(cli.idle_minutes);
    idle::measure(contenders, &cli.binary, cost, watch, interrupt)
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
