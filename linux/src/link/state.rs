//! One link and one receiving socket, kept in line with the interface they are on.

use core::net::{IpAddr, Ipv4Addr};
use core::task::{Context, Poll};

use super::error::{LinkError, errno};
use super::interface::Interface;
use super::serial::Line;
use super::udp::{Envelope, Receiver, Sender, target};
use crate::config::{Medium, UdpLink};

/// One link, and how it is.
pub(super) struct Link {
    pub(super) path: Path,
    /// Why it cannot be opened.
    pub(super) fault: Option<LinkError>,
    /// Why what is sent does not leave.
    pub(super) send_fault: Option<LinkError>,
    /// What the caller was last told.
    pub(super) told: bool,
}

/// What a link sends over.
pub(super) enum Path {
    Udp(Box<Udp>),
    Serial(Box<Line>),
}

/// The sending side of a network link.
pub(super) struct Udp {
    pub(super) config: UdpLink,
    pub(super) port: usize,
    pub(super) sender: Option<Sender>,
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
    pub(super) const fn new(path: Path) -> Self {
        Self {
            path,
            fault: None,
            send_fault: None,
            told: true,
        }
    }

    /// A serial line, opened now if that is possible.
    pub(super) fn new_line(mut line: Line) -> Self {
        let fault = line.open_now().err();
        Self {
            fault,
            ..Self::new(Path::Serial(Box::new(line)))
        }
    }

    /// Why it does not work.
    pub(super) fn trouble(&self) -> Option<&LinkError> {
        self.fault.as_ref().or(self.send_fault.as_ref())
    }

    /// What it leaves this machine by.
    pub(super) fn interface(&self) -> &str {
        match &self.path {
            Path::Udp(udp) => &udp.config.interface,
            Path::Serial(line) => line.path(),
        }
    }

    /// The network link on this port, if it is one.
    pub(super) fn on_port(&self, port: usize) -> Option<&Udp> {
        match &self.path {
            Path::Udp(udp) => Some(&**udp).filter(|udp| udp.port == port),
            Path::Serial(_) => None,
        }
    }

    /// Brings the sending socket of a link on this port in line with the state of the port. Says
    /// whether the link has come back.
    pub(super) fn look(
        &mut self,
        number: usize,
        port: &Result<(&Interface, bool), LinkError>,
    ) -> bool {
        let Path::Udp(udp) = &mut self.path else {
            return false;
        };
        if udp.port != number {
            return false;
        }
        let failed = self.fault.is_some();
        let opened = port
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|(interface, new)| {
                let target = target(&udp.config, interface)?;
                let current = udp.sender.take();
                let kept = current.filter(|sender| !new && sender.target() == target);
                let sender = kept.map_or_else(
                    || {
                        self.send_fault = None;
                        Sender::open(&udp.config, interface)
                    },
                    Ok,
                )?;
                Ok((sender, interface.carrier))
            });
        match opened {
            Ok((sender, carrier)) => {
                udp.sender = Some(sender);
                // The sockets stay, with what they have received.
                self.fault = (!carrier).then(|| LinkError::NoCarrier(udp.config.interface.clone()));
            }
            Err(fault) => {
                udp.sender = None;
                self.send_fault = None;
                self.fault = Some(fault);
            }
        }
        failed && self.fault.is_none()
    }

    /// Sends without waiting; what there is no room for is dropped and counted.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        match (&mut self.path, &self.fault) {
            // The kernel drops it, but it sees the carrier come back before we do.
            (Path::Udp(udp), None | Some(LinkError::NoCarrier(_))) => {
                self.send_fault = udp.send(bytes).err();
            }
            (Path::Serial(line), None) => {
                self.fault = line.send(bytes).err();
                self.send_fault = line.stalled();
            }
            (Path::Udp(_) | Path::Serial(_), Some(_)) => {}
        }
        self.trouble().cloned().map_or(Ok(()), Err)
    }

    /// The next message of a serial line, in `buffer`; ready without one when the line has opened or
    /// failed.
    pub(super) fn read_line(
        &mut self,
        context: Option<&mut Context<'_>>,
        buffer: &mut [u8],
    ) -> Poll<Option<usize>> {
        let Path::Serial(line) = &mut self.path else {
            return Poll::Pending;
        };
        let read = line.read(context, buffer);
        self.send_fault = line.stalled();
        match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(len)) => {
                self.fault = None;
                Poll::Ready(len)
            }
            Poll::Ready(Err(fault)) => {
                self.fault = Some(fault);
                Poll::Ready(None)
            }
        }
    }
}

impl Udp {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let Some(sender) = &self.sender else {
            return Ok(());
        };
        let sent = sender.send(bytes).map_err(|error| LinkError::Send {
            interface: self.config.interface.clone(),
            target: sender.target().ip(),
            errno: errno(&error),
        })?;
        self.dropped += u64::from(!sent);
        Ok(())
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
