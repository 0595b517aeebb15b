//! The last lines of `systole check`: the verdict, and what was understood.

use core::fmt::Write as _;
use std::path::Path;

use systole_core::config::AutoFailback;

use crate::config::diag::{Count, File};
use crate::config::{
    Cluster, LinkConfig, Loaded, LogConfig, Medium, Resource, SerialLink, UdpLink, show_time,
};

/// The verdict, and without errors also what the files mean. `elsewhere` is the node for which they
/// were read when this machine is not one of theirs.
pub(super) fn summary(
    directory: &Path,
    loaded: &Loaded,
    count: Count,
    elsewhere: Option<&str>,
) -> String {
    let directory = directory.display();
    let errors = counted(count.errors, "error");
    let warnings = counted(count.warnings, "warning");
    let mut text = match (count.errors, count.warnings) {
        (0, 0) => format!("{directory} is in order: no errors, no warnings\n"),
        (0, _) => format!("{warnings}, no errors in {directory}\n"),
        (_, 0) => format!("{errors} in {directory}\n"),
        (_, _) => format!("{errors}, {warnings} in {directory}\n"),
    };
    if let Some(node) = elsewhere {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "(this machine is not one of the nodes: the files were read as on {node}; the machine \
             and the mode of authkeys were not looked at)"
        );
    }
    if let Some(cluster) = &loaded.cluster {
        text.push('\n');
        describe(&mut text, cluster, &unresolved(loaded));
    }
    text
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The link lines whose host name was not looked up.
fn unresolved(loaded: &Loaded) -> Vec<String> {
    let links = loaded.parts.ha_cf.links.iter();
    links
        .filter(|link| link.config.is_none())
        .filter_map(|link| loaded.sources.of(File::HaCf).shown.get(link.line.clone()))
        .map(|line| format!("{line} (name not looked up)"))
        .collect()
}

fn describe(text: &mut String, cluster: &Cluster, unresolved: &[String]) {
    let mut row = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    row(
        "nodes",
        format!("{} (this one), {}", cluster.node, cluster.peer),
    );
    row(
        "times",
        format!(
            "a heartbeat every {}, late after {}, dead after {}, at start after {}",
            show_time(cluster.keepalive),
            show_time(cluster.warntime),
            show_time(cluster.deadtime),
            show_time(cluster.initdead)
        ),
    );
    let failback = match cluster.auto_failback {
        AutoFailback::On => "on: groups return to their preferred node",
        AutoFailback::Off => "off: groups stay where they are",
        AutoFailback::Legacy => "legacy: groups return, by the original's oldest protocol",
    };
    row("failback", failback.to_owned());
    let mut name = "links";
    let resolved = cluster.links.iter().map(link_text);
    for link in resolved.chain(unresolved.iter().cloned()) {
        row(core::mem::take(&mut name), link);
    }
    let mut name = "groups";
    for group in &cluster.groups {
        let resources = group.resources.iter().map(resource_text);
        let resources = resources.collect::<Vec<_>>().join(", then ");
        row(
            core::mem::take(&mut name),
            format!("{}: {resources}", group.node),
        );
    }
    if cluster.groups.is_empty() {
        row("groups", "none".to_owned());
    }
    let (index, key) = cluster.keys.sending();
    let mut keys = format!("number {index}, {}", key.method().as_str());
    if let Some(index) = cluster.serial_auth {
        // Writing to a String cannot fail.
        let _ = write!(keys, "; on serial lines number {index}");
    }
    row("key", keys);
    row("logs", log_text(&cluster.log));
}

fn link_text(link: &LinkConfig) -> String {
    match link {
        LinkConfig::Udp(UdpLink {
            interface,
            medium,
            port,
        }) => match medium {
            Medium::Ucast(address) => format!("{interface} to {address}, port {port}"),
            Medium::Bcast => format!("{interface} to all (broadcast), port {port}"),
            Medium::Mcast { group, .. } => {
                format!("{interface} to {group} (multicast), port {port}")
            }
        },
        LinkConfig::Serial(SerialLink { device, baud }) => {
            format!("{device}, serial line at {baud} baud")
        }
    }
}

fn resource_text(resource: &Resource) -> &str {
    match resource {
        Resource::Address(address) => &address.text,
        Resource::Agent { text, .. } => text,
    }
}

fn log_text(log: &LogConfig) -> String {
    let file = log.file.as_ref().map(|path| path.display().to_string());
    let debug = log
        .debug_file
        .as_ref()
        .map(|path| format!("{} (with debug lines)", path.display()));
    let facility = log.facility.as_ref().map(|name| format!("syslog ({name})"));
    let system = log.system.then(|| "the system's log".to_owned());
    let all: Vec<String> = [system, facility, file, debug]
        .into_iter()
        .flatten()
        .collect();
    all.join(", ")
}
