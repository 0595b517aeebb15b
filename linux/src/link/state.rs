//! One link and one receiving socket, kept in line with the interface they are on.

use core::net::{IpAddr, Ipv4Addr};

use super::error::LinkError;
use super::interface::Interface;
use super::udp::{Envelope, Receiver, Sender, target};
use crate::config::{LinkConfig, Medium};

/// One link as configured, and how it is.
pub(super) struct Link {
    pub(super) config: LinkConfig,
    pub(super) port: usize,
    pub(super) sender: Option<Sender>,
    /// Why it cannot be opened.
    pub(super) fault: Option<LinkError>,
    /// Why the last packet could not be sent.
    pub(super) send_fault: Option<LinkError>,
    /// What the caller was last told.
    pub(super) told: bool,
    pub(super) dropped: u64,
}

/// One receiving socket, shared by the links on the same interface, port and IP version.
pub(super) struct Port {
    pub(super) interface: String,
    pub(super) number: u16,
    pub(super) ipv6: bool,
    /// The interface's number when the socket was opened.
    pub(super) index: u32,
    /// Our own addresses on the interface; the kernel hands us our own broadcasts as well.
    pub(super) own: Vec<IpAddr>,
    pub(super) receiver: Option<Receiver>,
}

impl Port {
    /// Its socket, while it can be read.
    pub(super) const fn receiver(&mut self) -> Option<&mut Receiver> {
        self.receiver.as_mut()
    }

    /// Brings the socket in line with the interface; `Ok` is the interface, `opened` says that the
    /// sockets on it must be new.
    pub(super) fn look<'a>(
        &mut self,
        found: &'a [Interface],
        groups: impl Iterator<Item = Ipv4Addr>,
    ) -> Result<(&'a Interface, bool), LinkError> {
        let usable = found
            .iter()
            .find(|interface| interface.name == self.interface)
            .ok_or_else(|| LinkError::InterfaceMissing(self.interface.clone()))
            .and_then(|interface| {
                if interface.up {
                    Ok(interface)
                } else {
                    Err(LinkError::InterfaceDown(self.interface.clone()))
                }
            })
            .inspect_err(|_| self.receiver = None)?;
        self.own.clone_from(&usable.addresses);
        if self.receiver.is_some() && self.index == usable.index {
            return Ok((usable, false));
        }
        self.receiver = None;
        self.receiver = Some(Receiver::open(usable, self.number, self.ipv6, groups)?);
        self.index = usable.index;
        Ok((usable, true))
    }
}

impl Link {
    /// Why it does not work.
    pub(super) fn trouble(&self) -> Option<&LinkError> {
        self.fault.as_ref().or(self.send_fault.as_ref())
    }

    /// Brings the sending socket in line with the state of the port.
    pub(super) fn look(&mut self, port: &Result<(&Interface, bool), LinkError>) {
        let opened = port
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|(interface, new)| {
                let target = target(&self.config, interface)?;
                let current = self.sender.take();
                let kept = current.filter(|sender| !new && sender.target() == target);
                kept.map_or_else(
                    || {
                        self.send_fault = None;
                        Sender::open(&self.config, interface)
                    },
                    Ok,
                )
            });
        match opened {
            Ok(sender) => {
                self.sender = Some(sender);
                self.fault = None;
            }
            Err(fault) => {
                self.sender = None;
                self.send_fault = None;
                self.fault = Some(fault);
            }
        }
    }
}

/// How well a packet fits a link that sends to `target`. What was sent to a group or to everybody
/// is for the link of that kind; the rest is for the `ucast` link whose peer sent it.
pub(super) fn fit(medium: &Medium, target: Option<IpAddr>, envelope: Envelope) -> u8 {
    let to = envelope.destination.map(IpAddr::V4);
    match *medium {
        Medium::Mcast { .. } | Medium::Bcast => 3 * u8::from(to.is_some() && to == target),
        Medium::Ucast(peer) => 1 + u8::from(envelope.source == Some(peer)),
    }
}
