//! `cargo run --release -p systole-sim -- --seeds N [--seed S] [--trace]`

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        let text = args.get(at + 1)?;
        match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => text.parse::<u64>().ok(),
        }
    };
    let seeds = value("--seeds").unwrap_or(1);
    let first = value("--seed").unwrap_or(1);
    let trace = args.iter().any(|a| a == "--trace");
    let mut coverage = systole_sim::coverage::Coverage::default();
    let mut fails = 0;
    for seed in first..first + seeds {
        match systole_sim::vopr::run(seed, trace) {
            Ok(c) => coverage.add(&c),
            Err(failure) => {
                println!("{failure}");
                fails += 1;
                if fails >= 10 {
                    break;
                }
            }
        }
    }
    println!("{coverage}");
    println!(
        "runs {} fails {} virtual {} s",
        coverage.runs,
        fails,
        coverage.virtual_time / 1_000_000
    );
}
