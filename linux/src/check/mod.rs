//! `systole check`: says everything that is wrong with the files and with this machine.

mod boot;
mod machine;
mod names;
mod network;
mod ports;
mod scripts;
mod summary;

use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::config::diag::{Count, Diagnostic, Severity};
use crate::config::render::{self, Json, Style};
use crate::config::{self, LoadOptions, Loaded};

use machine::Machine;

/// What to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory of the three files.
    pub config_dir: PathBuf,
    /// This node's name, `uname -n`.
    pub node: String,
    /// Leave out the machine.
    pub files_only: bool,
    /// Write JSON for programs.
    pub json: bool,
}

/// Checks and writes what was found; gives back the exit code: 1 when there is an error, else 0.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(options: &Options, style: Style, out: &mut dyn Write) -> io::Result<u8> {
    let (text, code) = report(options, &Machine::this(), style);
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(code)
}

/// The whole JSON document.
#[derive(Serialize)]
struct Document<'a> {
    directory: String,
    #[serde(flatten)]
    count: Count,
    diagnostics: Vec<Json<'a>>,
}

fn report(options: &Options, machine: &Machine, style: Style) -> (String, u8) {
    let load = LoadOptions {
        files_only: options.files_only,
        root: machine.root.clone(),
    };
    let mut loaded = config::load(&options.config_dir, &options.node, &load);
    if !options.files_only {
        let found = check_machine(options, machine, &loaded);
        loaded.diagnostics.extend(found);
    }
    let count = Count::of(&loaded.diagnostics);
    let code = u8::from(count.errors > 0);
    let text = if options.json {
        json(options, &loaded, count)
    } else {
        let said = render::render(&loaded.diagnostics, &loaded.sources, style);
        said + &summary::summary(&options.config_dir, &loaded, count)
    };
    (text, code)
}

fn json(options: &Options, loaded: &Loaded, count: Count) -> String {
    let document = Document {
        directory: options.config_dir.display().to_string(),
        count,
        diagnostics: loaded
            .diagnostics
            .iter()
            .map(|diagnostic| Json::of(diagnostic, &loaded.sources))
            .collect(),
    };
    // Strings and numbers alone always have a JSON form.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Everything about this machine that the files ask for.
fn check_machine(options: &Options, machine: &Machine, loaded: &Loaded) -> Vec<Diagnostic> {
    let parts = &loaded.parts;
    let mut found = Vec::new();
    names::check(machine, &options.node, parts, &mut found);
    network::check(machine, parts, &mut found);
    ports::check(machine, parts, &mut found);
    scripts::check(machine, &options.config_dir, parts, &mut found);
    boot::check(machine, parts, &mut found);
    found.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
    found
}

#[cfg(test)]
mod tests;
