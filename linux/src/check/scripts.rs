//! Every resource has a script or a unit that can be run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::config::Parts;
use crate::config::diag::{Diagnostic, File};

use super::machine::{Machine, agents, unit};

/// Where units lie; the first directory that has one wins.
const UNIT_DIRECTORIES: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

pub(super) fn check(
    machine: &Machine,
    config_dir: &Path,
    parts: &Parts,
    found: &mut Vec<Diagnostic>,
) {
    for agent in agents(parts) {
        let name = agent.value;
        let scripts = [
            config_dir.join("resource.d").join(name),
            machine.path("etc/init.d").join(name),
        ];
        let mut present = scripts
            .iter()
            .filter(|path| path.is_file() && !name.starts_with("systemd:"));
        let other = if present.clone().any(|path| is_executable(path)) {
            Some("the next script of this name")
        } else {
            unit_file(machine, unit(name)).map(|_| "the systemd unit of this name")
        };
        let script = present.next();
        if let Some(other) = other {
            if let Some(path) = script.filter(|path| !is_executable(path)) {
                let path = path.display();
                found.push(
                    Diagnostic::warning(
                        File::Haresources,
                        format!("{path} cannot be executed and is passed over"),
                    )
                    .at(&agent.span, format!("started by {other}"))
                    .help(format!("run `chmod +x {path}`, or remove it")),
                );
            }
            continue;
        }
        let diagnostic = match script {
            Some(path) => {
                let path = path.display();
                Diagnostic::error(File::Haresources, format!("{path} cannot be executed"))
                    .at(&agent.span, "started by this script")
                    .help(format!("run `chmod +x {path}`"))
            }
            None => Diagnostic::error(
                File::Haresources,
                format!("there is no script or unit for `{name}`"),
            )
            .at(&agent.span, "cannot be started here")
            .help(format!(
                "looked for {}, {} and the systemd unit {}.service: install the service, or mend \
                 the name",
                config_dir.join("resource.d").join(name).display(),
                Path::new("/etc/init.d").join(name).display(),
                unit(name),
            )),
        };
        found.push(diagnostic);
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

/// The file of a systemd unit; a masked unit has none.
pub(super) fn unit_file(machine: &Machine, name: &str) -> Option<PathBuf> {
    // nginx@site.service is made from nginx@.service.
    let template = name.split_once('@').map(|(start, _)| format!("{start}@"));
    [Some(name.to_owned()), template]
        .into_iter()
        .flatten()
        .flat_map(|name| {
            UNIT_DIRECTORIES.map(|dir| machine.path(dir).join(format!("{name}.service")))
        })
        .find(|path| path.is_file())
}
