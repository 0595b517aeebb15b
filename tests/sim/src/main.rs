//! Runs seeds through the simulated cluster:
//! `cargo run --release -p systole-sim -- [--seeds N] [--seed S] [--trace] [--jobs J]`.

use std::process::ExitCode;
use std::thread;

use systole_sim::coverage::Coverage;
use systole_sim::vopr::{self, Failure};

const USAGE: &str = "usage: systole-sim [--seeds N] [--seed S] [--jobs J] [--trace]
  --seeds N  how many seeds to run; 1 when not given
  --seed S   the first of them, decimal or 0x...; 1 when not given
  --jobs J   how many threads; as many as there are processors when not given
  --trace    print the options and the timeline of each run";

/// Failures after which a thread gives up.
const FAILURES_MAX: usize = 5;

struct Args {
    seeds: u64,
    first: u64,
    jobs: u64,
    trace: bool,
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Args, String> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut args = Args {
        seeds: 1,
        first: 1,
        jobs: processors as u64,
        trace: false,
    };
    while let Some(word) = words.next() {
        if word == "--trace" {
            args.trace = true;
            continue;
        }
        let value = words.next().as_deref().and_then(number);
        let value = value.ok_or_else(|| format!("{word} needs a number"))?;
        match word.as_str() {
            "--seeds" => args.seeds = value,
            "--seed" => args.first = value,
            "--jobs" => args.jobs = value.max(1),
            _ => return Err(format!("{word} is not known")),
        }
    }
    if args.trace {
        args.jobs = 1;
    }
    Ok(args)
}

/// Runs every `jobs`th seed from `first + offset` on.
fn sweep(args: &Args, offset: u64) -> (Coverage, Vec<Failure>) {
    let mut coverage = Coverage::default();
    let mut failures = Vec::new();
    let mut count = offset;
    while count < args.seeds && failures.len() < FAILURES_MAX {
        match vopr::run(args.first.wrapping_add(count), args.trace) {
            Ok(seen) => coverage.add(&seen),
            Err(failure) => {
                println!("{failure}");
                failures.push(failure);
            }
        }
        count += args.jobs;
    }
    (coverage, failures)
}

fn main() -> ExitCode {
    let args = match parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut coverage = Coverage::default();
    let mut failed = 0;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..args.jobs)
            .map(|offset| {
                let args = &args;
                scope.spawn(move || sweep(args, offset))
            })
            .collect();
        for thread in threads {
            if let Ok((seen, failures)) = thread.join() {
                coverage.add(&seen);
                failed += failures.len();
            } else {
                failed += 1;
            }
        }
    });
    if !args.trace {
        print!("{coverage}");
    }
    println!(
        "{} runs well, {failed} failed, {} hours of virtual time",
        coverage.runs,
        coverage.virtual_time / 3_600_000_000
    );
    if failed == 0 && args.seeds >= 1_000 {
        let missing = coverage.missing();
        if !missing.is_empty() {
            println!("never reached: {}", missing.join(", "));
            return ExitCode::FAILURE;
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
