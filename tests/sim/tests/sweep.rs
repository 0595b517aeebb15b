//! A small sweep in the test run; `cargo run --release -p systole-sim -- --seeds N` runs large ones.

use systole_sim::coverage::Coverage;
use systole_sim::vopr;

/// Aim: seeded faults break no invariant, the cluster is whole again afterwards, and the sweep has
/// met most of what it is for.
#[test]
fn small_sweep() {
    let mut coverage = Coverage::default();
    for seed in 1..=150 {
        match vopr::run(seed, false) {
            Ok(seen) => coverage.add(&seen),
            Err(failure) => panic!("{failure}"),
        }
    }
    assert_eq!(coverage.runs, 150);
    let missing = coverage.missing();
    assert!(
        missing.len() <= 4,
        "hardly anything happened; missing: {missing:?}"
    );
}

/// Aim: a seed stands for one run: the same coverage, byte for byte.
#[test]
fn runs_repeat() {
    let once = |seed| vopr::run(seed, false).map(|seen| seen.to_string());
    assert_eq!(once(7), once(7));
    assert_ne!(once(7), once(8));
}
