//! Services that Systole starts must not be started by the system as well.

use crate::config::Parts;
use crate::config::diag::{Diagnostic, File};

use super::machine::{Machine, agents, file_name, unit};
use super::scripts::unit_file;

/// How a service is started at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Init {
    /// By systemd.
    Systemd,
    /// By a Debian runlevel.
    Debian,
    /// By a Red Hat runlevel.
    RedHat,
}

pub(super) fn check(machine: &Machine, parts: &Parts, found: &mut Vec<Diagnostic>) {
    for agent in agents(parts) {
        let name = unit(agent.value);
        let Some((init, link)) = enabled(machine, name) else {
            continue;
        };
        let help = match init {
            Init::Systemd => format!(
                "run `systemctl disable --now {name}`; leave out `--now` while Systole runs and \
                 {name} serves here"
            ),
            Init::Debian => format!(
                "run `update-rc.d {name} disable`, and `service {name} stop` unless Systole runs \
                 and {name} serves here"
            ),
            Init::RedHat => format!(
                "run `chkconfig {name} off`, and `service {name} stop` unless Systole runs and \
                 {name} serves here"
            ),
        };
        found.push(
            Diagnostic::warning(
                File::Haresources,
                format!("`{name}` is also started by the system at boot ({link})"),
            )
            .at(&agent.span, "Systole alone starts and stops it")
            .help(help),
        );
    }
}

/// Whether and how a service is started at boot, and the link that says so.
fn enabled(machine: &Machine, name: &str) -> Option<(Init, String)> {
    if let Some(link) = wanted(machine, name) {
        return Some((Init::Systemd, link));
    }
    let red_hat = machine.path("etc/rc.d").is_dir();
    let prefix = if red_hat { "etc/rc.d" } else { "etc" };
    let link =
        (2..=5).find_map(|level| runlevel_link(machine, &format!("{prefix}/rc{level}.d"), name))?;
    match (machine.has_systemd(), red_hat) {
        // A unit of the same name hides the runlevel links from systemd.
        (true, _) if unit_file(machine, name).is_some() => None,
        (true, _) => Some((Init::Systemd, link)),
        (false, true) => Some((Init::RedHat, link)),
        (false, false) => Some((Init::Debian, link)),
    }
}

/// A target that wants the unit.
fn wanted(machine: &Machine, name: &str) -> Option<String> {
    let unit = format!("{name}.service");
    machine
        .list("etc/systemd/system")
        .iter()
        .filter(|path| matches!(path.extension(), Some(e) if e == "wants" || e == "requires"))
        .find(|path| path.join(&unit).symlink_metadata().is_ok())
        .map(|path| format!("/etc/systemd/system/{}/{unit}", file_name(path)))
}

/// A link such as S20nginx.
fn runlevel_link(machine: &Machine, directory: &str, name: &str) -> Option<String> {
    machine.list(directory).iter().find_map(|path| {
        let link = file_name(path);
        let rest = link.strip_prefix('S')?;
        let (number, service) = rest.split_at_checked(2)?;
        let started = number.bytes().all(|b| b.is_ascii_digit()) && service == name;
        started.then(|| format!("/{directory}/{link}"))
    })
}
