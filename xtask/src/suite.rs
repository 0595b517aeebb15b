//! The test suites that have a verb of their own.

use std::process::Command;

use anyhow::{Result, bail};

use crate::libtest::{self, Counts};
use crate::shell;

/// Set for a test that may write what came out as what is expected.
const BLESS: &str = "SYSTOLE_BLESS";

/// The package with the real daemons.
pub(crate) const NETNS: &str = "systole-netns";

/// The package with the original as the peer.
pub(crate) const INTEROP: &str = "systole-interop";

/// Adds the binary behind `cargo xtask man`, and nothing else, to what cargo looks at.
pub(crate) const ALL: [&str; 2] = ["--features", "xtask/man"];

/// `cargo xtask scenarios`.
pub(crate) fn scenarios(bless: bool) -> Result<()> {
    golden("scenarios", bless)
}

/// `cargo xtask configs`.
pub(crate) fn configs(bless: bool) -> Result<()> {
    golden("configs", bless)
}

/// `cargo xtask netns`.
pub(crate) fn netns() -> Result<()> {
    shell::run(test().arg("--package").arg(NETNS))
}

/// `cargo xtask interop`: all of the matrix, or the rows whose names hold one of the words.
pub(crate) fn interop(words: &[String]) -> Result<()> {
    let mut command = test();
    command.args(["--package", INTEROP, "--"]).args(words);
    shell::run(&mut command)
}

/// `cargo xtask sim`: one seed after another, or the deliberate bugs that a sweep has to find.
pub(crate) fn sim(mutants: bool, args: &[String]) -> Result<()> {
    let mut command = shell::cargo();
    let binary = if mutants { "mutants" } else { "systole-sim" };
    command.args(["run", "--quiet", "--release", "--package", "systole-sim"]);
    command.args(["--bin", binary, "--"]).args(args);
    shell::run(&mut command)
}

/// The tests in `tests/NAME.rs`, of whichever package has them.
fn golden(name: &str, bless: bool) -> Result<()> {
    let mut command = test();
    command.args(["--workspace", "--test", name]);
    if bless {
        command.env(BLESS, "1");
    }
    shell::run(&mut command)
}

/// `cargo test`, which goes on after a failure so that one run tells everything.
pub(crate) fn test() -> Command {
    let mut command = shell::cargo();
    command.args(["test", "--no-fail-fast"]);
    command
}

/// Runs `command`, a `cargo test`, and counts. Failure is the second part.
pub(crate) fn counted(command: &mut Command) -> Result<(Counts, Result<()>)> {
    let (succeeded, output) = shell::tee(command)?;
    let counts = libtest::counts(&output);
    Ok((counts, verdict(succeeded, counts)))
}

/// A success without a single test is none: something has stopped the tests from being found.
fn verdict(succeeded: bool, counts: Counts) -> Result<()> {
    match (succeeded, counts) {
        (true, Counts { passed: 0, .. }) => bail!("no test ran"),
        (true, Counts { ignored: 1.., .. }) => bail!("{} tests did not run", counts.ignored),
        (true, _) => Ok(()),
        (false, Counts { failed: 0, .. }) => bail!("did not build, or was cut off"),
        (false, _) => bail!("{} tests failed", counts.failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(succeeded: bool, passed: u64, failed: u64, ignored: u64) -> Option<String> {
        let counts = Counts {
            passed,
            failed,
            ignored,
        };
        verdict(succeeded, counts)
            .err()
            .map(|error| error.to_string())
    }

    /// Aim: only tests that ran and passed are a pass.
    #[test]
    fn only_a_run_is_a_pass() {
        assert_eq!(why(true, 3, 0, 0), None);
        assert_eq!(why(true, 0, 0, 0).unwrap(), "no test ran");
        assert_eq!(why(true, 3, 0, 1).unwrap(), "1 tests did not run");
        assert_eq!(why(false, 3, 2, 0).unwrap(), "2 tests failed");
        assert_eq!(
            why(false, 3, 0, 0).unwrap(),
            "did not build, or was cut off"
        );
    }
}
