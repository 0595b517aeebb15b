//! `cargo xtask setup`: what a fresh Debian machine with Rust lacks.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};
use nix::unistd::Uid;

use crate::packages::{self, Need};
use crate::policy::{self, NoServices};
use crate::shell;
use crate::toolchain;

/// Installs what is missing: packages first, then the compiler's target.
pub(crate) fn run(bench: bool, packages_only: bool) -> Result<()> {
    let missing = packages::missing(bench, |program| shell::find_program(program).is_some());
    if missing.is_empty() {
        println!("setup: every program is there");
    } else {
        install_programs(&missing, bench)?;
    }
    if packages_only {
        return Ok(());
    }
    toolchain::setup()
}

fn install_programs(missing: &[&Need], bench: bool) -> Result<()> {
    for need in missing {
        println!(
            "setup: {} is missing (used by {})",
            need.program, need.used_by
        );
    }
    let names: Vec<_> = missing.iter().map(|need| need.package).collect();
    if shell::find_program("apt-get").is_none() {
        bail!(
            "this machine has no apt-get; install by its own means: {}",
            names.join(" ")
        );
    }
    require_root(if bench {
        "--packages --bench"
    } else {
        "--packages"
    })?;
    install(&names)?;
    for service in missing.iter().flat_map(|need| need.services) {
        leave_off(service);
    }
    Ok(())
}

/// Installs Debian packages; none of their services is started.
pub(crate) fn install(names: &[&str]) -> Result<()> {
    let _no_services = NoServices::begin(Path::new(policy::PATH))?;
    let apt = || {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["-q", "-y"]);
        command
    };
    if let Err(error) = shell::run(apt().arg("update")) {
        println!("setup: {error:#}; going on with the package lists this machine has");
    }
    shell::run(
        apt()
            .args(["install", "--no-install-recommends"])
            .args(names),
    )
}

/// Anybody else than root gets the command that does it.
pub(crate) fn require_root(arguments: &str) -> Result<()> {
    if Uid::effective().is_root() {
        return Ok(());
    }
    let own = env::current_exe()?;
    bail!(
        "only root can install packages; run:\n\n    sudo {} setup {arguments}\n",
        own.display()
    )
}

/// Undoes what the package's installation did for the next boot: we brought it, nobody asked for it.
fn leave_off(service: &str) {
    let mut disable = if shell::find_program("systemctl").is_some() {
        let mut command = Command::new("systemctl");
        command.args(["--quiet", "disable", service]);
        command
    } else {
        let mut command = Command::new("update-rc.d");
        command.args([service, "disable"]);
        command
    };
    match shell::capture(&mut disable) {
        Ok(_) => println!("setup: {service} is installed, not running, and off at boot"),
        Err(error) => println!("setup: {service} may start at boot ({error:#})"),
    }
}
