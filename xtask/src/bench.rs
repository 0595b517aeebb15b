//! `cargo xtask bench`: builds both sides for release, then lets the benchmark speak for itself.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::shell;

/// The package that measures.
const PACKAGE: &str = "systole-bench";

/// Measures `systole` of the release profile; `args` are the benchmark's own.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let mut build = shell::cargo();
    quietly(build.args(["build", "--release", "--package", "systole"]))?;
    let mut bench = shell::cargo();
    bench.args(["run", "--quiet", "--release", "--package", PACKAGE, "--"]);
    quietly(bench.args(args))
}

/// Runs it without a word on standard output, which belongs to the table: it may be JSON for another program.
fn quietly(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot start cargo")?;
    if status.success() {
        return Ok(());
    }
    bail!("the benchmark ended with {status}")
}
