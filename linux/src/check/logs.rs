//! The log files can be written, or `run` would refuse to start.

use std::path::Path;

use crate::config::Parts;
use crate::config::diag::{Diagnostic, Severity};

use super::machine::Machine;

pub(super) fn check(machine: &Machine, parts: &Parts, found: &mut Vec<Diagnostic>) {
    let log = parts.ha_cf.log();
    for (directive, path) in [("logfile", &log.file), ("debugfile", &log.debug_file)] {
        let Some(path) = path else { continue };
        let Some((title, help)) = obstacle(machine, path) else {
            continue;
        };
        found.push(
            Diagnostic::machine(
                Severity::Error,
                format!("`{directive}` cannot be opened: {title}"),
            )
            .help(help),
        );
    }
}

/// What stands in the way of a log file, and how to remove it.
fn obstacle(machine: &Machine, path: &Path) -> Option<(String, String)> {
    let here = |path: &Path| machine.path(&path.to_string_lossy().replacen('/', "", 1));
    if here(path).is_dir() {
        return Some((
            format!("{} is a directory", path.display()),
            "name a file in it".to_owned(),
        ));
    }
    let directory = path.parent()?;
    if here(directory).is_dir() {
        return None;
    }
    let directory = directory.display();
    Some((
        format!("there is no directory {directory}"),
        format!("run `mkdir -p {directory}`, or name another file in ha.cf"),
    ))
}
