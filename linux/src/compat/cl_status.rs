//! `cl_status`: the original's view of the cluster.

use std::io::{self, Write};

use super::Daemon;
use crate::control::client::ClientError;
use crate::status::{LinkReport, StatusReport};

/// Exit code: a normal failure, such as a node that is dead.
const FAILED: u8 = 1;

/// Exit code: a wrong argument.
const BAD_ARGUMENT: u8 = 11;

/// The original's help, which scripts print when they are called wrongly.
const HELP: &str = "\
Usage: cl_status <sub-command> [<options>] [<parameters>]

Sub-commands:
clientstatus <node-name> <client-id> [<timeout>]
\tShow the status of heartbeat clients.
hblinkstatus <node-name> <link-name>
\tShow the status of a heartbeat link
hbstatus
\tIndicate if heartbeat is running on the local system.
\tOptions:
\t\t-v\tverbose: also add \"listnodes -v\" output
listnodes [<option>]
\tList the nodes in the cluster.
\tOptions:
\t\t-p\tlist only 'ping' type nodes
\t\t-n\tlist only 'normal' type nodes
\t\t-v\tverbose: also list type and status,
\t\t\tthen add \"listhblinks -v\" output
listhblinks <node-name>
\tList the network interfaces used as hearbeat links.
\tOptions:
\t\t-v\tverbose: list link status as well
nodestatus <node-name>
\tList the node status.
nodeweight <node-name>
\tList the node weight.
nodesite <node-name>
\tList the node site.
nodetype <node-name>
\tList the nodes of a given type.
rscstatus
\tShow the status of cluster resources.
hbparameter -p <parameter-name>
\tRetrieve the value of a cluster parameter.
\tAs for the valid parameter names, please refer to the man page.
";

/// One call: the sub-command's options and words, and where the answers go.
struct Call<'a> {
    options: Vec<char>,
    words: Vec<&'a str>,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

pub(super) fn run(
    args: &[String],
    daemon: &mut dyn Daemon,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let Some((command, rest)) = args.split_first() else {
        write!(out, "{HELP}")?;
        return Ok(0);
    };
    let (options, words): (Vec<&String>, Vec<&String>) = rest
        .iter()
        .partition(|word| word.starts_with('-') && word.len() > 1);
    let options = options
        .iter()
        .flat_map(|word| word.chars().skip(1))
        .collect();
    let words = words.into_iter().map(String::as_str).collect();
    let mut call = Call {
        options,
        words,
        out,
        err,
    };
    match command.as_str() {
        "-h" | "--help" => {
            write!(call.out, "{HELP}")?;
            Ok(0)
        }
        "hbstatus" => hbstatus(&mut call, daemon),
        "listnodes" | "nodestatus" | "nodetype" | "nodeweight" | "nodesite" | "listhblinks"
        | "hblinkstatus" | "clientstatus" | "rscstatus" | "hbparameter" => {
            match signed_on(daemon) {
                Ok(report) => answer(&mut call, command, &report),
                Err(why) => {
                    writeln!(call.err, "cl_status: ERROR: Cannot signon with heartbeat")?;
                    writeln!(call.err, "cl_status: ERROR: REASON: {why}")?;
                    Ok(FAILED)
                }
            }
        }
        other => {
            writeln!(call.err, "cl_status: ERROR: {other}: invalid sub-command.")?;
            Ok(BAD_ARGUMENT)
        }
    }
}

/// The original has no API before the node is active.
fn signed_on(daemon: &mut dyn Daemon) -> Result<StatusReport, String> {
    let report = daemon.status().map_err(|error| error.to_string())?;
    if report.status == "active" {
        Ok(report)
    } else {
        Err(format!(
            "this node is not active yet, but {}",
            report.status
        ))
    }
}

fn hbstatus(call: &mut Call<'_>, daemon: &mut dyn Daemon) -> io::Result<u8> {
    let verbose = call.options.contains(&'v');
    match daemon.status() {
        Ok(report) => {
            writeln!(call.out, "Heartbeat is running on this machine.")?;
            if verbose {
                writeln!(call.out, "systole {}", report.version)?;
                writeln!(call.out, "managed by: \"haresources\"")?;
                list_nodes(call, &report)?;
            }
            Ok(0)
        }
        // Running, but not for this user or not now: not "stopped".
        Err(error @ (ClientError::Denied(_) | ClientError::Silent(_))) => {
            writeln!(call.err, "cl_status: ERROR: {error}")?;
            Ok(FAILED)
        }
        Err(error) => {
            writeln!(call.out, "Heartbeat is stopped on this machine.")?;
            if verbose {
                writeln!(call.out, "({error})")?;
            }
            Ok(FAILED)
        }
    }
}

fn answer(call: &mut Call<'_>, command: &str, report: &StatusReport) -> io::Result<u8> {
    match command {
        "listnodes" => list_nodes(call, report),
        "rscstatus" => resources(call, report),
        "hbparameter" => parameter(call, report),
        _ => {
            if let Some(node) = call.words.first().copied() {
                return about_node(call, command, node, report);
            }
            writeln!(
                call.err,
                "cl_status: ERROR: {command}: a node name is needed"
            )?;
            Ok(BAD_ARGUMENT)
        }
    }
}

/// The most recently declared node first. Ping nodes are none of ours yet.
fn list_nodes(call: &mut Call<'_>, report: &StatusReport) -> io::Result<u8> {
    if call.options.contains(&'p') {
        return Ok(0);
    }
    let peer = &report.peer;
    for (name, status) in [(&peer.name, &peer.status), (&report.node, &report.status)] {
        if call.options.contains(&'v') {
            writeln!(call.out, "{name} {} (nodetype: normal)", word(status))?;
            if *name == peer.name {
                for link in &report.links {
                    writeln!(call.out, "\t{} {}", link.interface, link_word(link))?;
                }
            }
        } else {
            writeln!(call.out, "{name}")?;
        }
    }
    Ok(0)
}

fn resources(call: &mut Call<'_>, report: &StatusReport) -> io::Result<u8> {
    let hold = if report.stable {
        report.hold.as_str()
    } else {
        "transition"
    };
    if !call.options.contains(&'m') {
        writeln!(call.out, "{hold}")?;
    } else if hold == "transition" {
        writeln!(call.out, "Resource is in transition.")?;
    } else {
        writeln!(call.out, "This node is holding {hold} resources.")?;
    }
    Ok(0)
}

fn parameter(call: &mut Call<'_>, report: &StatusReport) -> io::Result<u8> {
    let Some(name) = call.words.first().filter(|_| call.options.contains(&'p')) else {
        writeln!(
            call.err,
            "cl_status: ERROR: hbparameter: -p <parameter-name> is needed"
        )?;
        return Ok(BAD_ARGUMENT);
    };
    match report
        .parameters
        .iter()
        .rev()
        .find(|parameter| parameter.name == *name)
    {
        Some(parameter) => {
            writeln!(call.out, "{}", parameter.value)?;
            Ok(0)
        }
        None => Ok(FAILED),
    }
}

fn about_node(
    call: &mut Call<'_>,
    command: &str,
    node: &str,
    report: &StatusReport,
) -> io::Result<u8> {
    let peer = node == report.peer.name;
    if !peer && node != report.node {
        writeln!(call.err, "Error. May be due to incorrect node name")?;
        return Ok(BAD_ARGUMENT);
    }
    let status = word(if peer {
        &report.peer.status
    } else {
        &report.status
    });
    match command {
        "nodestatus" => {
            if call.options.contains(&'m') {
                writeln!(call.out, "The cluster node {node} is {status}")?;
            } else {
                writeln!(call.out, "{status}")?;
            }
            Ok(if status == "dead" { FAILED } else { 0 })
        }
        "nodetype" => writeln!(call.out, "normal").map(|()| 0),
        "nodeweight" => writeln!(call.out, "100").map(|()| 0),
        "nodesite" => writeln!(call.out).map(|()| 0),
        "listhblinks" => {
            for link in report.links.iter().filter(|_| peer) {
                write!(call.out, "\t{}", link.interface)?;
                if call.options.contains(&'v') {
                    write!(call.out, " {}", link_word(link))?;
                }
                writeln!(call.out)?;
            }
            Ok(0)
        }
        "hblinkstatus" => {
            let wanted = call.words.get(1).copied().unwrap_or_default();
            let mut links = report.links.iter();
            if let Some(link) = links.find(|link| peer && link.interface == wanted) {
                return writeln!(call.out, "{}", link_word(link)).map(|()| 0);
            }
            writeln!(call.err, "Error. May be due to incorrect node or link name")?;
            Ok(BAD_ARGUMENT)
        }
        // No client programs register with us; the original answers this for one unknown.
        _ => writeln!(call.out, "offline").map(|()| FAILED),
    }
}

/// A node that was never heard has no word in the original but `dead`.
fn word(status: &str) -> &str {
    if status == "init" { "dead" } else { status }
}

/// The original knows two words; a link that hears us only one way brings heartbeats.
fn link_word(link: &LinkReport) -> &str {
    match link.status.as_str() {
        "up" | "one-way" => "up",
        _ => "dead",
    }
}
