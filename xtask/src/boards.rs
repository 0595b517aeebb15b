//! The firmware images, in their own workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::shell;
use crate::thumb::TARGET;
use crate::toolchain;

/// The QEMU machine and the image that runs on it.
const QEMU: [(&str, &str); 1] = [("lm3s6965evb", "qemu-lm3s6965")];

/// `cargo xtask boards`: builds every image; runs those that QEMU can, where it is installed.
pub(crate) fn run() -> Result<()> {
    shell::run(cargo("build")?.arg("--release"))?;
    for (machine, image) in QEMU {
        match shell::find_program("qemu-system-arm") {
            Some(qemu) => run_image(&qemu, machine, image)?,
            None => println!("boards: {image} is built, not run: no qemu-system-arm here"),
        }
    }
    Ok(())
}

/// clippy and rustfmt over the images.
pub(crate) fn lint() -> Result<()> {
    let mut format = shell::cargo();
    format
        .current_dir(directory())
        .args(["fmt", "--all", "--check"]);
    shell::run(&mut format)?;
    shell::run(cargo("clippy")?.args(["--release", "--", "--deny=warnings"]))
}

/// The image ends by itself; its exit code is the verdict. A hang is ended by `timeout`.
fn run_image(qemu: &Path, machine: &str, image: &str) -> Result<()> {
    let file = directory()
        .join("target")
        .join(TARGET)
        .join("release")
        .join(image);
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after=5", "60"])
        .arg(qemu)
        .args(["-machine", machine, "-nographic", "-monitor", "none"])
        .args(["-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(file);
    shell::run(&mut command)
}

fn cargo(verb: &str) -> Result<Command> {
    let mut command = toolchain::cargo(verb)?;
    command.current_dir(directory());
    Ok(command)
}

fn directory() -> PathBuf {
    shell::root().join("boards")
}
