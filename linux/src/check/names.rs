//! Names: of this machine, and of both nodes in /etc/hosts.

use crate::config::Parts;
use crate::config::diag::{Diagnostic, File, Severity};

use super::machine::Machine;

pub(super) fn check(machine: &Machine, node: &str, parts: &Parts, found: &mut Vec<Diagnostic>) {
    let hostname = machine.text("proc/sys/kernel/hostname");
    let hostname = hostname.trim();
    if !hostname.is_empty() && !hostname.eq_ignore_ascii_case(node) {
        found.push(
            Diagnostic::machine(
                Severity::Warning,
                format!("this machine is called `{hostname}`, and was checked as node `{node}`"),
            )
            .help("for another node's files add `--files-only`, or check them there"),
        );
    }
    let hosts = machine.text("etc/hosts");
    for node in &parts.ha_cf.nodes {
        if !has_host(&hosts, &node.value) {
            let name = &node.value;
            found.push(
                Diagnostic::warning(File::HaCf, format!("`{name}` is not in /etc/hosts"))
                    .at(&node.span, "known to name servers at best")
                    .help(format!(
                        "add a line with its address to /etc/hosts on both nodes: `ADDRESS {name}`"
                    )),
            );
        }
    }
}

fn has_host(hosts: &str, name: &str) -> bool {
    hosts
        .lines()
        .filter_map(|line| line.split('#').next())
        .flat_map(|line| line.split_whitespace().skip(1))
        .any(|host| host.eq_ignore_ascii_case(name))
}
