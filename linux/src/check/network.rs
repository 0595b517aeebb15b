//! Interfaces, addresses and networks that the files name.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use crate::config::diag::{Diagnostic, File, Span};
use crate::config::{Address, Link, LinkConfig, Medium, Parts, Spanned, UdpLink, closest};

use super::machine::{Machine, file_name, same_network, service_addresses, text};

/// Files in which systems write fixed addresses.
const ADDRESS_FILES: [(&str, &str); 6] = [
    ("etc/network", "interfaces"),
    ("etc/network/interfaces.d", ""),
    ("etc/netplan", ""),
    ("etc/systemd/network", ""),
    ("etc/NetworkManager/system-connections", ""),
    ("etc/sysconfig/network-scripts", "ifcfg-"),
];

pub(super) fn check(machine: &Machine, parts: &Parts, found: &mut Vec<Diagnostic>) {
    let mut missing = BTreeSet::new();
    let is_serial = |link: &&Link| {
        let config = link.config.as_ref();
        config.is_some_and(|config| config.serial().is_some())
    };
    for link in parts.ha_cf.links.iter().filter(|link| !is_serial(link)) {
        let Spanned { value, span } = &link.interface;
        if !exists(machine, value) && missing.insert(value.clone()) {
            found.push(no_interface(machine, value, File::HaCf, span));
        }
    }
    check_peer(machine, parts, found);
    missing.clear();
    for address in service_addresses(parts) {
        match &address.value.interface {
            Some(name) if exists(machine, name) => {}
            Some(name) => {
                if missing.insert(name.clone()) {
                    found.push(no_interface(
                        machine,
                        name,
                        File::Haresources,
                        &address.span,
                    ));
                }
            }
            None => check_route(machine, &address, found),
        }
        check_foreign(machine, &address, found);
    }
}

fn exists(machine: &Machine, interface: &str) -> bool {
    machine.path("sys/class/net").join(interface).exists()
}

fn no_interface(machine: &Machine, name: &str, file: File, span: &Span) -> Diagnostic {
    let interfaces = machine.list("sys/class/net");
    let names: Vec<&str> = interfaces
        .iter()
        .map(|path| file_name(path))
        .filter(|name| *name != "lo")
        .collect();
    let help = match closest(name, names.iter().copied()) {
        Some(near) => format!(
            "did you mean `{near}`? this machine has {}",
            names.join(", ")
        ),
        None if names.is_empty() => "this machine has no interface but `lo`".to_owned(),
        None => format!("this machine has {}", names.join(", ")),
    };
    Diagnostic::error(file, format!("this machine has no interface `{name}`"))
        .at(span, "not there")
        .help(help)
}

/// Whether the links lead anywhere but to ourselves.
fn check_peer(machine: &Machine, parts: &Parts, found: &mut Vec<Diagnostic>) {
    let own = |address: IpAddr| machine.addresses.iter().any(|own| own.address == address);
    let links = &parts.ha_cf.links;
    let leads_to_us = |medium: &Medium| matches!(medium, Medium::Ucast(to) if own(*to));
    let all_ours = links.iter().all(|link| {
        let udp = link.config.as_ref().and_then(LinkConfig::udp);
        udp.is_some_and(|link| leads_to_us(&link.medium))
    });
    if let Some(link) = links.first().filter(|_| all_ours) {
        found.push(
            Diagnostic::error(File::HaCf, "no link leads to the other node")
                .at(
                    &link.line,
                    "an address of this machine, as in all other lines",
                )
                .help(
                    "add a `ucast` line with the other node's address; the file can then be \
                       the same on both nodes",
                ),
        );
        return;
    }
    for link in links {
        let Some(UdpLink {
            medium: Medium::Ucast(to),
            interface,
            ..
        }) = link.config.as_ref().and_then(LinkConfig::udp)
        else {
            continue;
        };
        let mut here = machine
            .addresses
            .iter()
            .filter(|address| {
                address.interface == *interface && address.address.is_ipv4() == to.is_ipv4()
            })
            .peekable();
        if own(*to)
            || here.peek().is_none()
            || here.any(|own| same_network(own.address, *to, own.prefix))
        {
            continue;
        }
        found.push(
            Diagnostic::warning(File::HaCf, format!("{to} is in no network of {interface}"))
                .at(&link.line, "goes through a router at best")
                .help(format!(
                    "heartbeats belong on a direct network: `ip address show {interface}` shows \
                     those of this machine"
                )),
        );
    }
}

/// An entry of the routing table.
struct Route {
    network: IpAddr,
    prefix: u32,
}

/// The routes that an interface carries, without those to nowhere.
fn routes(machine: &Machine) -> Vec<Route> {
    let v4 = machine.text("proc/net/route");
    let v4 = v4.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |at: usize| {
            u32::from_str_radix(words.get(at)?, 16)
                .ok()
                .map(u32::swap_bytes)
        };
        Some(Route {
            network: IpAddr::V4(Ipv4Addr::from(word(1)?)),
            prefix: word(7)?.leading_ones(),
        })
    });
    let v6 = machine.text("proc/net/ipv6_route");
    let v6 = v6.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let usable = words.last().is_some_and(|interface| *interface != "lo");
        usable.then_some(())?;
        Some(Route {
            network: IpAddr::V6(Ipv6Addr::from(
                u128::from_str_radix(words.first()?, 16).ok()?,
            )),
            prefix: u32::from_str_radix(words.get(1)?, 16).ok()?,
        })
    });
    v4.chain(v6).collect()
}

/// Whether the routing table says on which interface an address belongs.
fn check_route(machine: &Machine, address: &Spanned<&Address>, found: &mut Vec<Diagnostic>) {
    let service = address.value.address;
    let best = routes(machine)
        .into_iter()
        .filter(|route| same_network(route.network, service, route.prefix))
        .map(|route| route.prefix)
        .max();
    let usual = if service.is_ipv4() { 24 } else { 64 };
    let text = &address.value.text;
    let help = match address.value.prefix {
        None => format!("write the prefix and the interface: `{text}/{usual}/INTERFACE`"),
        Some(_) => format!("write the interface: `{text}/INTERFACE`"),
    };
    match best {
        None => found.push(
            Diagnostic::error(
                File::Haresources,
                format!("no interface has a network for the service address {service}"),
            )
            .at(&address.span, "no route leads there")
            .help(help),
        ),
        Some(0) => found.push(
            Diagnostic::warning(
                File::Haresources,
                format!("only the default route leads to the service address {service}"),
            )
            .at(&address.span, "put on the interface of the default route")
            .help(help),
        ),
        Some(_) => {}
    }
}

/// Whether somebody else has put the service address on this machine.
fn check_foreign(machine: &Machine, address: &Spanned<&Address>, found: &mut Vec<Diagnostic>) {
    let service = address.value.address;
    let managed = ["systole", "heartbeat"]
        .iter()
        .any(|program| !machine.processes(program).is_empty());
    let here = machine.addresses.iter().find(|own| own.address == service);
    if let Some(own) = here.filter(|_| !managed) {
        found.push(
            Diagnostic::error(
                File::Haresources,
                format!(
                    "{service} is already on {}, and no Systole runs here that added it",
                    own.interface
                ),
            )
            .at(&address.span, "a service address is added by Systole alone")
            .help(format!(
                "remove it from the system's network configuration, then run `ip address del \
                 {service}/{} dev {}`",
                own.prefix, own.interface
            )),
        );
    }
    if let Some((path, line)) = written(machine, service) {
        found.push(
            Diagnostic::warning(
                File::Haresources,
                format!("{service} also stands in {path}, line {line}"),
            )
            .at(&address.span, "must be added by Systole alone")
            .help("if that line gives this machine the address, remove it there"),
        );
    }
}

/// Where the system's network configuration names an address, other than as a router or server.
fn written(machine: &Machine, address: IpAddr) -> Option<(String, usize)> {
    let wanted = address.to_string();
    ADDRESS_FILES.iter().find_map(|(directory, prefix)| {
        machine
            .list(directory)
            .iter()
            .filter(|path| file_name(path).starts_with(prefix))
            .find_map(|path| {
                let text = text(path);
                let line = text.lines().position(|line| names_address(line, &wanted))?;
                let path = format!("/{directory}/{}", file_name(path));
                Some((path, line.saturating_add(1)))
            })
    })
}

fn names_address(line: &str, address: &str) -> bool {
    let line = line
        .split(['#', ';'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let other_use = ["gateway", "nameserver", "dns", "route", "via", "ntp"];
    let part = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
    !other_use.iter().any(|word| line.contains(word))
        && line.split(|c| !part(c)).any(|word| word == address)
}
