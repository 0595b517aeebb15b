//! Manual pages and shell completions, from the definition of the command line itself.
//!
//! `cargo xtask man` runs it. It is a binary of its own because it needs the daemon's library, and the
//! rest of xtask must build without.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use anyhow::{Context, Result};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use systole::cli::Cli;

/// Pages of an administrator's commands.
const SECTION: &str = "8";

fn main() -> Result<ExitCode> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let files = files(Cli::command())?;
    if !env::args().skip(1).any(|argument| argument == "--check") {
        write(&docs, &files)?;
        println!("man: {} files", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    let stale = stale(&docs, &files)?;
    for path in &stale {
        println!("docs/{} is not what the command line says", path.display());
    }
    if stale.is_empty() {
        println!("man: {} files are up to date", files.len());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("man: run `cargo xtask man` and commit what it writes");
    Ok(ExitCode::FAILURE)
}

/// Every file that belongs there, by its path inside `docs`.
fn files(mut command: Command) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    command.build();
    let name = command.get_name().to_owned();
    let mut files = BTreeMap::new();
    let visible = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    for sub in visible.filter(|sub| sub.get_name() != "help") {
        let title = format!("{name}-{}", sub.get_name());
        let page = page(sub.clone().display_name(&title))?;
        files.insert(format!("man/{title}.{SECTION}").into(), page);
    }
    files.insert(
        format!("man/{name}.{SECTION}").into(),
        page(command.clone())?,
    );
    for shell in [Shell::Bash, Shell::Fish, Shell::Zsh] {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, &name, &mut text);
        files.insert(format!("completions/{name}.{shell}").into(), text);
    }
    Ok(files)
}

fn page(command: Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let page = Man::new(command)
        .section(SECTION)
        .source("Systole")
        .manual("Systole");
    page.render(&mut text)?;
    Ok(text)
}

/// Writes them, and removes what is there and no longer belongs there.
fn write(docs: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<()> {
    for old in present(docs)? {
        if !files.contains_key(&old) {
            fs::remove_file(docs.join(old))?;
        }
    }
    for (path, text) in files {
        let path = docs.join(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// What differs, is missing, or does not belong there.
fn stale(docs: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> Result<Vec<PathBuf>> {
    let differs =
        |path: &Path, text: &[u8]| fs::read(docs.join(path)).map_or(true, |now| now != text);
    let mut stale: Vec<_> = files
        .iter()
        .filter(|(path, text)| differs(path, text))
        .map(|(path, _)| path.clone())
        .collect();
    stale.extend(
        present(docs)?
            .into_iter()
            .filter(|path| !files.contains_key(path)),
    );
    Ok(stale)
}

/// The files that are there.
fn present(docs: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for part in ["man", "completions"].map(Path::new) {
        let Ok(entries) = fs::read_dir(docs.join(part)) else {
            continue;
        };
        for entry in entries {
            found.push(part.join(entry?.file_name()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Command {
        let hidden = Command::new("secret").hide(true);
        let check = Command::new("check").about("Reads the files");
        Command::new("systole")
            .about("Keeps an address")
            .subcommand(check)
            .subcommand(hidden)
    }

    /// Aim: each visible command has a page, under the name a reader looks for.
    #[test]
    fn one_page_each() {
        let files = files(sample()).unwrap();
        let names: Vec<_> = files
            .keys()
            .map(|path| path.display().to_string())
            .collect();
        assert_eq!(
            names,
            [
                "completions/systole.bash",
                "completions/systole.fish",
                "completions/systole.zsh",
                "man/systole-check.8",
                "man/systole.8",
            ]
        );
        let page = String::from_utf8(files[Path::new("man/systole-check.8")].clone()).unwrap();
        assert!(
            page.contains("systole\\-check \\- Reads the files"),
            "{page}"
        );
    }

    /// Aim: what was written is up to date; a changed, a missing and a superfluous file are not.
    #[test]
    fn differences_are_seen() {
        let docs = tempfile::tempdir().unwrap();
        let files = files(sample()).unwrap();
        assert_eq!(stale(docs.path(), &files).unwrap().len(), 5);
        write(docs.path(), &files).unwrap();
        assert!(stale(docs.path(), &files).unwrap().is_empty());
        fs::write(docs.path().join("man/systole.8"), "old").unwrap();
        fs::write(docs.path().join("man/systole-gone.8"), "").unwrap();
        assert_eq!(stale(docs.path(), &files).unwrap().len(), 2);
        write(docs.path(), &files).unwrap();
        assert!(stale(docs.path(), &files).unwrap().is_empty());
    }
}
