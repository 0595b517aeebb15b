//! One cluster of Systole and the original: Debian's heartbeat 3.0.6 as the live peer.
//!
//! Every case runs in both roles: Systole as the preferred node with the original as its peer, and the
//! other way round. `cargo test -p systole-interop -- WORD...` runs the cases whose names hold one of the
//! words; the matrix of what was seen is printed at the end.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests: what cannot be done fails the case"
)]

mod cases;
mod checks;
mod matrix;
mod original;
mod pair;
mod view;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--list") {
        for case in cases::ALL {
            println!("{}: test", case.name);
        }
        return ExitCode::SUCCESS;
    }
    if let Some(missing) = original::missing() {
        eprintln!("interop: {missing}");
        return ExitCode::FAILURE;
    }
    let wanted: Vec<String> = words
        .into_iter()
        .filter(|word| !word.starts_with('-'))
        .collect();
    matrix::run(&wanted)
}
