//! The compilers of this machine, and getting one for the microcontroller.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::setup;
use crate::shell;
use crate::thumb::{self, Choice, Compiler, TARGET};

/// Debian's way to a compiler with the sources of core, and a linker for it.
const DEBIAN: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld"];

/// Makes sure that one compiler here builds for the target, and says which.
pub(crate) fn setup() -> Result<()> {
    if find().is_none()
        && let Err(error) = add_target()
    {
        println!("setup: {error:#}; taking Debian's compiler instead");
        setup::require_root("")?;
        setup::install(&DEBIAN)?;
    }
    match find() {
        Some(Choice::Prebuilt(compiler)) => {
            println!("setup: {} has {TARGET}", compiler.sysroot.display());
        }
        Some(Choice::BuildCore(compiler)) => {
            println!(
                "setup: {} builds core for {TARGET}",
                compiler.sysroot.display()
            );
        }
        None => bail!(nothing_found()),
    }
    Ok(())
}

/// Adds what `lint` needs and a minimal Rust lacks.
pub(crate) fn setup_lint() -> Result<()> {
    for (verb, component) in [("clippy", "clippy"), ("fmt", "rustfmt")] {
        if shell::capture(shell::cargo().args([verb, "--version"])).is_ok() {
            continue;
        }
        let rustup = shell::find_program("rustup");
        let rustup = rustup.with_context(|| format!("this Rust lacks cargo {verb}; add it"))?;
        let mut add = Command::new(rustup);
        shell::run(
            add.current_dir(shell::root())
                .args(["component", "add", component]),
        )?;
    }
    Ok(())
}

/// `cargo VERB --target`, of the compiler that can.
pub(crate) fn cargo(verb: &str) -> Result<Command> {
    let choice = find().with_context(nothing_found)?;
    let (Choice::Prebuilt(compiler) | Choice::BuildCore(compiler)) = &choice;
    let mut command = match &compiler.directory {
        None => shell::cargo(),
        Some(directory) => {
            let mut command = Command::new(directory.join("cargo"));
            let path = env::var_os("PATH").unwrap_or_default();
            let path = [directory.clone()]
                .into_iter()
                .chain(env::split_paths(&path));
            command
                .current_dir(shell::root())
                .env("PATH", env::join_paths(path)?);
            // They name the toolchain that started us.
            for name in ["RUSTC", "RUSTUP_TOOLCHAIN", "CARGO"] {
                command.env_remove(name);
            }
            command
        }
    };
    command.args([verb, "--target", TARGET]);
    if let Choice::BuildCore(compiler) = &choice {
        command.arg("-Zbuild-std=core").env("RUSTC_BOOTSTRAP", "1");
        if bundled_linker(&compiler.sysroot).is_none() {
            command.env("CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER", other_linker()?);
        }
    }
    Ok(command)
}

fn find() -> Option<Choice> {
    thumb::choose(&compilers(), Path::is_dir)
}

/// The compiler in PATH, those of rustup, the distribution's.
fn compilers() -> Vec<Compiler> {
    let own = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let others = rustup_toolchains()
        .into_iter()
        .map(|toolchain| toolchain.join("bin"))
        .chain([PathBuf::from("/usr/bin")]);
    compiler(Path::new(&own), None)
        .into_iter()
        .chain(others.filter_map(|bin| compiler(&bin.join("rustc"), Some(bin))))
        .collect()
}

fn compiler(rustc: &Path, directory: Option<PathBuf>) -> Option<Compiler> {
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(rustc);
        command.current_dir(shell::root()).args(arguments);
        if directory.is_some() {
            command.env_remove("RUSTUP_TOOLCHAIN");
        }
        shell::capture(&mut command).ok()
    };
    let version = thumb::version(&ask(&["-V"])?)?;
    let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?.trim());
    Some(Compiler {
        directory,
        sysroot,
        version,
    })
}

fn rustup_toolchains() -> Vec<PathBuf> {
    let home = env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".rustup")));
    let entries = home.and_then(|home| fs::read_dir(home.join("toolchains")).ok());
    let mut found: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    found.sort();
    found
}

fn add_target() -> Result<()> {
    let rustup = shell::find_program("rustup").context("this Rust is not rustup's")?;
    shell::run(
        Command::new(rustup)
            .current_dir(shell::root())
            .args(["target", "add", TARGET]),
    )
}

/// The linker that rustc finds by itself.
fn bundled_linker(sysroot: &Path) -> Option<PathBuf> {
    let hosts = fs::read_dir(sysroot.join("lib/rustlib")).ok()?;
    hosts
        .flatten()
        .map(|host| host.path().join("bin/rust-lld"))
        .find(|file| file.is_file())
}

/// Any other linker that links for the target.
fn other_linker() -> Result<PathBuf> {
    shell::find_program("ld.lld")
        .or_else(|| {
            rustup_toolchains()
                .iter()
                .find_map(|toolchain| bundled_linker(toolchain))
        })
        .context("no linker for the boards here; install Debian's package lld")
}

fn nothing_found() -> String {
    format!(
        "no compiler here builds for {TARGET}; do one of:\n    rustup target add {TARGET}\n    \
         rustup component add rust-src\n    apt-get install {}",
        DEBIAN.join(" ")
    )
}
