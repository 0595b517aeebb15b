//! The verbs that run others in a row, and sum up.

use std::time::Instant;

use anyhow::Result;

use crate::boards;
use crate::libtest::Counts;
use crate::nostd;
use crate::setup;
use crate::shell;
use crate::suite;
use crate::summary::{Stage, Summary};
use crate::tidy;
use crate::toolchain;

/// `cargo xtask test`.
pub(crate) fn test() -> Result<()> {
    setup::run(false, false)?;
    let mut summary = Summary::default();
    tests(&mut summary);
    summary.finish()
}

/// `cargo xtask ci`: the cheap checks first, and all of them, whatever fails.
pub(crate) fn everything() -> Result<()> {
    setup::run(false, false)?;
    toolchain::setup_lint()?;
    let mut summary = Summary::default();
    summary.check("tidy", tidy::run);
    summary.check("lint", lint);
    summary.check("man pages", || man(true));
    tests(&mut summary);
    summary.finish()
}

/// `cargo xtask lint`.
pub(crate) fn lint() -> Result<()> {
    shell::run(shell::cargo().args(["fmt", "--all", "--check"]))?;
    let mut clippy = shell::cargo();
    clippy
        .args(["clippy", "--workspace", "--all-targets"])
        .args(suite::ALL);
    shell::run(clippy.args(["--", "--deny=warnings"]))?;
    boards::lint()
}

/// `cargo xtask man`.
pub(crate) fn man(check: bool) -> Result<()> {
    let mut command = shell::cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "man",
        "--bin",
        "man",
    ]);
    if check {
        command.args(["--", "--check"]);
    }
    shell::run(&mut command)
}

fn tests(summary: &mut Summary) {
    summary.check("core without std", nostd::run);
    summary.count("unit, scenarios", || {
        suite::counted(
            suite::test()
                .args(["--workspace", "--exclude", suite::NETNS])
                .args(["--exclude", suite::INTEROP])
                .args(suite::ALL),
        )
    });
    summary.count("netns", || {
        suite::counted(suite::test().args(["--package", suite::NETNS]))
    });
    summary.check("boards", boards::run);
}

impl Summary {
    /// Runs a stage that is one check.
    fn check(&mut self, name: &'static str, stage: impl FnOnce() -> Result<()>) {
        self.stage(name, || (None, stage()));
    }

    /// Runs a stage that counts its tests.
    fn count(&mut self, name: &'static str, stage: impl FnOnce() -> Result<(Counts, Result<()>)>) {
        self.stage(name, || match stage() {
            Ok((counts, verdict)) => (Some(counts), verdict),
            Err(error) => (Some(Counts::default()), Err(error)),
        });
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long a stage took is only printed"
    )]
    fn stage(&mut self, name: &'static str, run: impl FnOnce() -> (Option<Counts>, Result<()>)) {
        println!("\n=== {name}");
        let began = Instant::now();
        let (counts, verdict) = run();
        let failure = verdict.err().map(|error| format!("{error:#}"));
        if let Some(why) = &failure {
            eprintln!("xtask: {name}: {why}");
        }
        // The table has room for one line.
        let failure = failure.map(|why| why.lines().next().unwrap_or_default().to_owned());
        self.0.push(Stage {
            name,
            counts,
            failure,
            took: began.elapsed(),
        });
    }
}
