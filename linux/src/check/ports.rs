//! The UDP ports of the links, and whether another heartbeat runs.

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::diag::{Diagnostic, File, Severity};
use crate::config::{LinkConfig, Parts};

use super::machine::{Machine, file_name};

pub(super) fn check(machine: &Machine, parts: &Parts, found: &mut Vec<Diagnostic>) {
    let heartbeat = machine.processes("heartbeat");
    if let Some(pid) = heartbeat.first() {
        found.push(
            Diagnostic::machine(
                Severity::Warning,
                format!("the original heartbeat runs on this machine (process {pid})"),
            )
            .help(
                "stop it before Systole is started, and keep it from starting at boot: \
                 `systemctl disable --now heartbeat`",
            ),
        );
    }
    let mut seen = BTreeSet::new();
    for link in &parts.ha_cf.links {
        let Some(config) = link.config.as_ref().and_then(LinkConfig::udp) else {
            continue;
        };
        if !seen.insert(config.port) {
            continue;
        }
        let Some(inode) = bound(machine, config.port) else {
            continue;
        };
        let owner = owner(machine, &inode);
        let program = owner.map(|pid| machine.program(pid)).unwrap_or_default();
        // Our own daemon may run, and heartbeat was told above.
        if matches!(program.as_str(), "systole" | "heartbeat") {
            continue;
        }
        // Only root may see whose socket it is: most likely that of the daemon that runs.
        if owner.is_none() && !machine.processes("systole").is_empty() {
            continue;
        }
        let who = owner.map_or_else(
            || "another program".to_owned(),
            |pid| format!("`{program}` (process {pid})"),
        );
        found.push(
            Diagnostic::error(
                File::HaCf,
                format!("UDP port {} is taken by {who}", config.port),
            )
            .at(&link.line, "cannot listen there")
            .help("stop that program, or set another `udpport` on both nodes"),
        );
    }
}

/// The socket that has a UDP port.
fn bound(machine: &Machine, port: u16) -> Option<String> {
    ["proc/net/udp", "proc/net/udp6"].iter().find_map(|path| {
        machine.text(path).lines().skip(1).find_map(|line| {
            let mut words = line.split_whitespace();
            let (_, local) = words.nth(1)?.rsplit_once(':')?;
            let inode = words.nth(7)?;
            (u16::from_str_radix(local, 16) == Ok(port)).then(|| inode.to_owned())
        })
    })
}

/// The process that has a socket open, as far as this user may see.
fn owner(machine: &Machine, inode: &str) -> Option<u32> {
    let target = format!("socket:[{inode}]");
    machine
        .list("proc")
        .iter()
        .filter_map(|path| file_name(path).parse::<u32>().ok())
        .find(|pid| {
            machine
                .list(&format!("proc/{pid}/fd"))
                .iter()
                .any(|fd| std::fs::read_link(fd).is_ok_and(|link| link == Path::new(&target)))
        })
}
