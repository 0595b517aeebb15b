//! The links: `udpport`, `ucast`, `ucast6`, `bcast`, `mcast`.
//!
//! `udpport` acts only on the media lines after it, as in the original; unlike the original this
//! is said where it matters.

use core::net::{IpAddr, Ipv4Addr};

use systole_core::limits::LINKS_MAX;

use super::super::diag::{Diagnostic, File, Span};
use super::super::lookup::Lookup;
use super::super::text::{Spanned, Word};
use super::super::{LinkConfig, Medium, UdpLink};
use super::{Line, Link, Reader};

/// The original's port, registered for it as `ha-cluster`.
const DEFAULT_PORT: u16 = 694;

/// Bytes of an interface's name, without C's final zero.
const INTERFACE_BYTES_MAX: usize = 15;

/// A value that acts only on the media lines after its own line: `udpport`, `baud`.
pub(super) struct Ordered<T> {
    /// What the next media line gets.
    value: T,
    /// The last line that set it, and whether a media line has used it.
    line: Option<(Span, bool)>,
    /// The first line that set it, and to what.
    first: Option<(Span, T)>,
    /// Media lines before it.
    early: Vec<Span>,
}

impl<T: Copy> Ordered<T> {
    pub(super) const fn new(default: T) -> Self {
        Self {
            value: default,
            line: None,
            first: None,
            early: Vec::new(),
        }
    }

    /// The value for a media line.
    pub(super) fn take(&mut self, line: &Line<'_>) -> T {
        match &mut self.line {
            Some((_, used)) => *used = true,
            None => self.early.push(line.span()),
        }
        self.value
    }

    /// Sets the value; gives the earlier line that no media line has used.
    fn set(&mut self, span: Span, value: T) -> Option<Span> {
        if self.first.is_none() {
            self.first = Some((span.clone(), value));
        }
        self.value = value;
        let earlier = self.line.replace((span, false));
        earlier.filter(|(_, used)| !used).map(|(span, _)| span)
    }

    /// The first line that set it with its value, and the media lines before that one.
    pub(super) fn early(&mut self) -> Option<(Span, T, Vec<Span>)> {
        let (span, value) = self.first.clone()?;
        Some((span, value, core::mem::take(&mut self.early)))
    }
}

/// The port of the media lines before any `udpport`.
pub(super) fn default_port(lookup: &Lookup) -> u16 {
    lookup.udp_service("ha-cluster").unwrap_or(DEFAULT_PORT)
}

/// Where a ucast line leads.
enum Target {
    Address(IpAddr),
    /// A name that is not looked up.
    Name,
}

/// Whether a text can be the name of an interface.
pub(crate) fn is_interface(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= INTERFACE_BYTES_MAX
        && !matches!(name, "." | "..")
        && name.parse::<IpAddr>().is_err()
        && name
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'/' && b != b':')
}

impl Reader<'_> {
    pub(super) fn udpport(&mut self, line: &Line<'_>) {
        let Some(value) = self.single(line) else {
            return;
        };
        let Some(port) = value.text.parse::<u16>().ok().filter(|port| *port > 0) else {
            self.error(
                &value.span,
                format!("`{}` is not a UDP port", value.text),
                "not a whole number from 1 to 65535",
                "write the same port on both nodes; the usual one is 694",
            );
            return;
        };
        self.set_ordered(line, port, |reader| &mut reader.ports);
    }

    /// Takes a value that acts on the lines below it.
    pub(super) fn set_ordered<T: Copy>(
        &mut self,
        line: &Line<'_>,
        value: T,
        which: impl FnOnce(&mut Self) -> &mut Ordered<T>,
    ) {
        if let Some(unused) = which(self).set(line.span(), value) {
            self.diagnostics.push(
                Diagnostic::warning(
                    File::HaCf,
                    format!("`{}` is written twice; the last one counts", line.name),
                )
                .at(&line.span(), "this one counts")
                .related(
                    &unused,
                    "no link line follows this one, so it has no effect",
                )
                .help("remove one of the two lines"),
            );
        }
    }

    pub(super) fn bcast(&mut self, line: &Line<'_>) {
        let port = self.ports.take(line);
        self.config.media_lines = self.config.media_lines.saturating_add(1);
        for word in &line.values {
            self.add_link(line, word, Some(Medium::Bcast), port);
        }
    }

    pub(super) fn ucast(&mut self, line: &Line<'_>) {
        let port = self.ports.take(line);
        self.config.media_lines = self.config.media_lines.saturating_add(1);
        let [interface, host] = line.values.as_slice() else {
            self.error(
                &line.span(),
                format!("`{}` takes an interface and one address", line.name),
                if line.values.len() < 2 {
                    "something is missing"
                } else {
                    "too many words"
                },
                format!("write `{} eth0 ADDRESS`, one line for each node", line.name),
            );
            return;
        };
        if !self.check_interface(interface) {
            return;
        }
        if let Some(target) = self.ucast_address(line, interface, host) {
            let medium = match target {
                Target::Address(address) => Some(Medium::Ucast(address)),
                Target::Name => None,
            };
            self.add_link(line, interface, medium, port);
        }
    }

    /// Where a ucast line leads.
    fn ucast_address(
        &mut self,
        line: &Line<'_>,
        interface: &Word<'_>,
        host: &Word<'_>,
    ) -> Option<Target> {
        let literal = host
            .text
            .strip_suffix(interface.text)
            .and_then(|rest| rest.strip_suffix('%'))
            .unwrap_or(host.text);
        if let Ok(address) = literal.parse::<IpAddr>() {
            if line.name == "ucast6" && address.is_ipv4() {
                self.error(
                    &host.span,
                    format!("`{address}` is an IPv4 address"),
                    "`ucast6` takes IPv6",
                    format!("write `ucast {} {address}`", interface.text),
                );
                return None;
            }
            return self
                .peer_address(host, address)
                .then_some(Target::Address(address));
        }
        if !is_host_name(host.text) {
            self.error(
                &host.span,
                format!("`{}` is neither an address nor a host name", host.text),
                "expected for example 192.168.1.2",
                "write the address that the node has on this interface",
            );
            return None;
        }
        match self.lookup.host(host.text, line.name == "ucast6") {
            Ok(Some(address)) => self
                .peer_address(host, address)
                .then_some(Target::Address(address)),
            Ok(None) => {
                let title = format!("the host name `{}` is not looked up here", host.text);
                self.diagnostics.push(
                    Diagnostic::note(File::HaCf, title).at(&host.span, "looked up at every start"),
                );
                Some(Target::Name)
            }
            Err(reason) => {
                self.error(
                    &host.span,
                    format!("the host `{}` cannot be found: {reason}", host.text),
                    "no address known",
                    "write the address itself (a cluster must start without a name server), or \
                     add the name to /etc/hosts",
                );
                None
            }
        }
    }

    /// Whether an address can be that of one node.
    fn peer_address(&mut self, host: &Word<'_>, address: IpAddr) -> bool {
        let why = if address.is_multicast() {
            "a multicast group; use `mcast` for that"
        } else if address.is_unspecified() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
            "not the address of one machine; use `bcast` for all of a network"
        } else if address.is_loopback() {
            "this machine's own loopback, where no peer is"
        } else {
            return true;
        };
        self.error(
            &host.span,
            format!("heartbeats cannot be sent to `{address}`"),
            why,
            "write the address that the node has on this interface",
        );
        false
    }

    /// Whether a word can be an interface; says so if not.
    fn check_interface(&mut self, interface: &Word<'_>) -> bool {
        if !is_interface(interface.text) {
            let help = if interface.text.parse::<IpAddr>().is_ok() {
                "the interface comes first, then the address: `ucast eth0 192.168.1.2`"
            } else if interface.text.contains(':') {
                "write the interface without an alias: `eth0`, not `eth0:0`"
            } else {
                "`ip link` shows the interfaces of this machine"
            };
            self.error(
                &interface.span,
                format!("`{}` cannot be an interface", interface.text),
                "expected a name such as eth0",
                help,
            );
            return false;
        }
        true
    }

    pub(super) fn add_link(
        &mut self,
        line: &Line<'_>,
        interface: &Word<'_>,
        medium: Option<Medium>,
        port: u16,
    ) {
        if !self.check_interface(interface) {
            return;
        }
        let config = medium.map(|medium| {
            LinkConfig::Udp(UdpLink {
                interface: interface.text.to_owned(),
                medium,
                port,
            })
        });
        self.push_link(line, interface, config);
    }

    /// Adds a link that is not there yet.
    pub(super) fn push_link(
        &mut self,
        line: &Line<'_>,
        interface: &Word<'_>,
        config: Option<LinkConfig>,
    ) {
        let same = |link: &&Link| config.is_some() && link.config == config;
        if let Some(earlier) = self.config.links.iter().find(same) {
            self.diagnostics.push(
                Diagnostic::warning(File::HaCf, "the same link is written twice")
                    .at(&line.span(), "adds nothing")
                    .related(&earlier.line, "first written here")
                    .help("remove one of the two"),
            );
            return;
        }
        self.config.links.push(Link {
            config,
            line: line.span(),
            interface: Spanned::new(interface.text.to_owned(), &interface.span),
        });
    }

    /// What can only be said about all links together.
    pub(super) fn finish_media(&mut self) {
        self.early_media();
        self.early_lines();
        if let Some(link) = self.config.links.get(LINKS_MAX) {
            let (line, links) = (link.line.clone(), self.config.links.len());
            self.error(
                &line,
                format!("there are {links} links, and {LINKS_MAX} is the limit"),
                "one too many",
                "remove links: two independent networks are enough",
            );
        }
        if self.config.media_lines == 0 {
            self.diagnostics.push(
                Diagnostic::error(
                    File::HaCf,
                    "no link is configured: the nodes cannot hear each other",
                )
                .help(
                    "add for example `ucast eth0 192.168.1.1` and `ucast eth0 192.168.1.2`, \
                         the addresses of both nodes, or `bcast eth0`",
                ),
            );
        }
    }

    fn early_media(&mut self) {
        let Some((first, later, early)) = self.ports.early() else {
            return;
        };
        let used = default_port(self.lookup);
        for line in early {
            // An mcast line carries its own port.
            let own_port = self
                .text
                .get(line.clone())
                .is_some_and(|text| text.starts_with("mcast"));
            if used == later || own_port {
                continue;
            }
            self.diagnostics.push(
                Diagnostic::warning(
                    File::HaCf,
                    format!("this link uses port {used}, because `udpport` comes after it"),
                )
                .at(&line, format!("port {used}"))
                .related(&first, "acts only on the lines below it")
                .help("move `udpport` above all link lines"),
            );
        }
    }
}

/// Whether a text can be a host name. All digits and dots was meant as an address.
fn is_host_name(text: &str) -> bool {
    text.len() <= 253
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: names of interfaces and hosts are told from what is neither.
    #[test]
    fn names() {
        for name in ["eth0", "bond0.10", "br-lan", "enp0s31f6"] {
            assert!(is_interface(name), "{name}");
        }
        for name in ["", "..", "a/b", "eth0:0", "sixteen-bytes-xx", "10.8.0.1"] {
            assert!(!is_interface(name), "{name}");
        }
        assert!(is_host_name("rproxy2-hb.example"));
        for name in ["192.168.1.256", "-a", "a..b", "a b", ""] {
            assert!(!is_host_name(name), "{name}");
        }
    }
}
