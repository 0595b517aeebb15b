//! `systole check`: says everything that is wrong with the files and with this machine.

mod boot;
mod logs;
mod machine;
mod names;
mod network;
mod ports;
mod scripts;
mod serial;
mod summary;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    /// The node to check for. `None` is this machine's name; when the files are not in their
    /// [usual place](Options::USUAL) and do not name this machine, their first node.
    pub node: Option<String>,
    /// Leave out the machine.
    pub files_only: bool,
    /// Write JSON for programs.
    pub json: bool,
}

impl Options {
    /// Where the files are on a node.
    pub const USUAL: &str = "/etc/ha.d";
}

/// For which node the files are read, and whether this machine is that node.
struct Viewpoint {
    node: String,
    here: bool,
}

impl Viewpoint {
    fn of(options: &Options, machine: &Machine) -> io::Result<Self> {
        if let Some(node) = &options.node {
            return Ok(Self {
                node: node.clone(),
                here: true,
            });
        }
        let own = config::own_name(&options.config_dir)?;
        let load = LoadOptions {
            files_only: true,
            copied: true,
            root: machine.root.clone(),
        };
        let nodes = config::load(&options.config_dir, &own, &load)
            .parts
            .ha_cf
            .nodes;
        let usual = options.config_dir == Path::new(Options::USUAL);
        let named = nodes.iter().any(|node| node.value == own);
        Ok(match nodes.into_iter().next() {
            Some(first) if !usual && !named => Self {
                node: first.value,
                here: false,
            },
            _ => Self {
                node: own,
                here: true,
            },
        })
    }
}

/// Checks and writes what was found; gives back the exit code: 1 when there is an error, else 0.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(options: &Options, style: Style, out: &mut dyn Write) -> io::Result<u8> {
    let (text, code) = report(options, &Machine::this(), style)?;
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

fn report(options: &Options, machine: &Machine, style: Style) -> io::Result<(String, u8)> {
    let viewpoint = Viewpoint::of(options, machine)?;
    let files_only = options.files_only || !viewpoint.here;
    let load = LoadOptions {
        files_only,
        copied: !viewpoint.here,
        root: machine.root.clone(),
    };
    let mut loaded = config::load(&options.config_dir, &viewpoint.node, &load);
    if !files_only {
        let found = check_machine(options, &viewpoint.node, machine, &loaded);
        loaded.diagnostics.extend(found);
    }
    let count = Count::of(&loaded.diagnostics);
    let code = u8::from(count.errors > 0);
    let text = if options.json {
        json(options, &loaded, count)
    } else {
        let said = render::render(&loaded.diagnostics, &loaded.sources, style);
        let elsewhere = (!viewpoint.here).then_some(viewpoint.node.as_str());
        said + &summary::summary(&options.config_dir, &loaded, count, elsewhere)
    };
    Ok((text, code))
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
fn check_machine(
    options: &Options,
    node: &str,
    machine: &Machine,
    loaded: &Loaded,
) -> Vec<Diagnostic> {
    let parts = &loaded.parts;
    let mut found = Vec::new();
    names::check(machine, node, parts, &mut found);
    network::check(machine, parts, &mut found);
    ports::check(machine, parts, &mut found);
    serial::check(machine, parts, &mut found);
    scripts::check(machine, &options.config_dir, parts, &mut found);
    boot::check(machine, parts, &mut found);
    logs::check(machine, parts, &mut found);
    found.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
    found
}

#[cfg(test)]
mod tests;
