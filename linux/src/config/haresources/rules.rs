//! Rules between the resources of a group, and between groups.

use core::net::IpAddr;
use std::collections::BTreeMap;

use systole_core::id::{GroupName, NameError};
use systole_core::limits::GROUPS_MAX;

use super::super::Resource;
use super::super::diag::{Diagnostic, File, Span};
use super::super::text::Spanned;
use super::Line;

/// Programs that listen on the service address, and so are started after it.
const SERVERS: &[&str] = &[
    "nginx", "haproxy", "apache", "apache2", "httpd", "lighttpd", "squid", "varnish",
];

/// Checks all groups together.
pub(super) fn check(groups: &[Line], diagnostics: &mut Vec<Diagnostic>) {
    check_names(groups, diagnostics);
    check_addresses(groups, diagnostics);
    check_shared(groups, diagnostics);
    if let Some(group) = groups.get(GROUPS_MAX) {
        diagnostics.push(
            Diagnostic::error(
                File::Haresources,
                format!(
                    "there are {} groups, and {GROUPS_MAX} is the limit",
                    groups.len()
                ),
            )
            .at(&group.node.span, "one too many")
            .help("put several addresses into one line: what moves together is one group"),
        );
    }
}

/// A server in front of the address that it shall listen on.
pub(super) fn check_order(line: &Line, diagnostics: &mut Vec<Diagnostic>) {
    let is_address = |r: &&Spanned<Resource>| matches!(r.value, Resource::Address(_));
    let Some(last_address) = line.resources.iter().rfind(is_address) else {
        return;
    };
    for resource in &line.resources {
        let Resource::Agent { name, .. } = &resource.value else {
            continue;
        };
        let server = name.strip_prefix("systemd:").unwrap_or(name);
        if SERVERS.contains(&server) && resource.span.start < last_address.span.start {
            diagnostics.push(
                Diagnostic::warning(
                    File::Haresources,
                    format!("`{name}` is started before the address that it serves"),
                )
                .at(&resource.span, "started first")
                .related(&last_address.span, "started later")
                .help("resources are started left to right: write the address first"),
            );
        }
    }
}

/// A group's name, its first resource, must be unique and not too long.
fn check_names(groups: &[Line], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, &Span> = BTreeMap::new();
    for group in groups {
        let Some(Spanned { value: name, span }) = group.texts.first() else {
            continue;
        };
        match GroupName::new(name) {
            Err(NameError::TooLong(max)) => diagnostics.push(
                Diagnostic::error(
                    File::Haresources,
                    format!("the group's first resource is {} bytes long", name.len()),
                )
                .at(
                    span,
                    format!("{max} is the limit, because it is the group's name"),
                )
                .help("put a shorter resource first, such as the service address"),
            ),
            Err(error) => diagnostics.push(
                Diagnostic::error(
                    File::Haresources,
                    format!("`{name}` cannot be a group's name: {error}"),
                )
                .at(span, "the first resource names the group")
                .help("write it in printable ASCII"),
            ),
            Ok(_) => {}
        }
        if let Some(earlier) = seen.get(name.as_str()) {
            diagnostics.push(
                Diagnostic::error(File::Haresources, format!("two groups begin with `{name}`"))
                    .at(span, "again")
                    .related(earlier, "first here")
                    .help(
                        "the first resource is the group's name and must be unique: join the two \
                     lines, or begin each with its own address",
                    ),
            );
        } else {
            seen.insert(name, span);
        }
    }
}

/// One address can be in one place only.
fn check_addresses(groups: &[Line], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<IpAddr, (&str, &Span)> = BTreeMap::new();
    for group in groups {
        for (index, resource) in group.resources.iter().enumerate() {
            let Resource::Address(address) = &resource.value else {
                continue;
            };
            let Some((text, earlier)) =
                seen.insert(address.address, (&address.text, &resource.span))
            else {
                continue;
            };
            // The same text at the head of two groups is said already, as their name.
            if index == 0 && text == address.text && is_head(groups, earlier) {
                continue;
            }
            diagnostics.push(
                Diagnostic::error(
                    File::Haresources,
                    format!("the address {} is written twice", address.address),
                )
                .at(&resource.span, "again")
                .related(earlier, "first here")
                .help("an address can be in one place only: remove one of the two"),
            );
        }
    }
}

fn is_head(groups: &[Line], span: &Span) -> bool {
    groups.iter().any(|group| {
        group
            .resources
            .first()
            .is_some_and(|first| first.span == *span)
    })
}

/// A service in two groups is stopped for both when one of them leaves.
fn check_shared(groups: &[Line], diagnostics: &mut Vec<Diagnostic>) {
    let mut seen: BTreeMap<&str, &Span> = BTreeMap::new();
    for group in groups {
        for (index, resource) in group.resources.iter().enumerate() {
            let Resource::Agent { text, .. } = &resource.value else {
                continue;
            };
            let Some(earlier) = seen.get(text.as_str()) else {
                seen.insert(text, &resource.span);
                continue;
            };
            if index == 0 && is_head(groups, earlier) {
                continue;
            }
            diagnostics.push(
                Diagnostic::warning(File::Haresources, format!("`{text}` is written twice"))
                    .at(&resource.span, "again")
                    .related(earlier, "first here")
                    .help(
                        "when both groups are on one node and one of them leaves, it is stopped \
                         for the other too: put everything into one line",
                    ),
            );
        }
    }
}
