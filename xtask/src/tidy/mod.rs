//! `cargo xtask tidy`: what neither rustfmt nor clippy looks at.

mod modules;
mod rules;

use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// One file of the repository.
pub(crate) struct File {
    /// Its path from the root.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
}

/// One thing to mend.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The file.
    pub(crate) path: PathBuf,
    /// The line, from 1; 0 is the file as a whole.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path.display(), self.what),
            line => write!(f, "{}:{line}: {}", self.path.display(), self.what),
        }
    }
}

/// Looks at every text file that git knows or would take.
pub(crate) fn run() -> Result<()> {
    let files = files(shell::root())?;
    let places = rules::places(shell::root());
    let mut findings = modules::dead(&files);
    for file in &files {
        findings.extend(rules::check(file, &places));
    }
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files", files.len());
        return Ok(());
    }
    bail!("{} to mend", findings.len())
}

fn files(root: &Path) -> Result<Vec<File>> {
    let mut list = Command::new("git");
    list.current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let names = shell::capture(&mut list).context("tidy asks git which files there are")?;
    let mut files = Vec::new();
    for name in names.split_terminator('\0') {
        let path = root.join(name);
        // A file that is deleted but not yet committed is still listed; a link is checked where it leads.
        if !fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file()) {
            continue;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File {
                path: name.into(),
                text,
            });
        }
    }
    Ok(files)
}
