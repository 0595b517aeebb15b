//! The neighbour: asks for the service address by ARP and notes everybody who answers or announces it.
//!
//! It asks from an interface of its own, so that what it hears does not mend the client's own ARP table.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::os::fd::AsRawFd as _;
use std::thread;

use anyhow::Context as _;
use nix::sys::socket::{LinkAddr, MsgFlags, bind, sendto};
use socket2::{Domain, Protocol, Socket, Type};
use systole_core::time::Duration as Span;
use tokio::sync::mpsc::UnboundedSender;

use crate::clock::{duration, now, span};
use crate::demo::lab::host_of_mac;
use crate::demo::sample::{Probe, Sample};

const ETHERTYPE_ARP: u16 = 0x0806;
const BROADCAST: [u8; 6] = [0xff; 6];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const FRAME_BYTES: usize = 14 + 28;

/// Starts asking on a thread of its own.
pub(super) fn spawn(
    interface: &str,
    sender: Ipv4Addr,
    target: Ipv4Addr,
    every: Duration,
    samples: UnboundedSender<Sample>,
) -> anyhow::Result<()> {
    let link = link_address(interface)?;
    let own = link
        .addr()
        .with_context(|| format!("{interface} has no hardware address"))?;
    let protocol = Protocol::from(i32::from(ETHERTYPE_ARP.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))
        .context("cannot open a packet socket")?;
    // The kernel's own list of interfaces gives the address to bind and to send to.
    bind(socket.as_raw_fd(), &link).with_context(|| format!("cannot listen on {interface}"))?;
    let request = frame(own, sender, target);
    thread::Builder::new()
        .name("arp".to_owned())
        .spawn(move || while ask(&socket, &link, &request, target, every, &samples).is_some() {})
        .context("cannot start a thread")?;
    Ok(())
}

fn link_address(interface: &str) -> anyhow::Result<LinkAddr> {
    nix::ifaddrs::getifaddrs()
        .context("cannot list the interfaces")?
        .filter(|entry| entry.interface_name == interface)
        .find_map(|entry| entry.address?.as_link_addr().copied())
        .with_context(|| format!("there is no interface {interface}"))
}

/// Asks once and listens for one interval; `None` when nobody wants the samples any more.
fn ask(
    socket: &Socket,
    link: &LinkAddr,
    request: &[u8],
    target: Ipv4Addr,
    every: Duration,
    samples: &UnboundedSender<Sample>,
) -> Option<()> {
    let sent = now();
    let end = sent + duration(every);
    let asked = sendto(socket.as_raw_fd(), request, link, MsgFlags::empty()).is_ok();
    let mut nobody = asked;
    loop {
        let left = end.since(now());
        if left == Span::ZERO {
            break;
        }
        // Errors are the end of the wait, or a network that is down for the moment.
        let patience = span(left);
        socket.set_read_timeout(Some(patience)).ok()?;
        let mut buffer = [0; 128];
        let Some(heard) = receive(socket, &mut buffer).and_then(parse) else {
            continue;
        };
        if heard.sender != target || heard.merely_asks() {
            continue;
        }
        let probe = if heard.announces() {
            Probe::Announced
        } else {
            Probe::Arp
        };
        let at = now();
        nobody &= probe == Probe::Announced;
        let sent = if probe == Probe::Announced { at } else { sent };
        let by = host_of_mac(heard.mac);
        samples
            .send(Sample {
                probe,
                sent,
                answered: Some(at),
                by,
            })
            .ok()?;
    }
    if nobody {
        samples
            .send(Sample {
                probe: Probe::Arp,
                sent,
                answered: None,
                by: None,
            })
            .ok()?;
    }
    Some(())
}

fn receive<'a>(socket: &Socket, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let length = std::io::Read::read(&mut &*socket, buffer).ok()?;
    buffer.get(..length)
}

/// The part of an ARP frame that is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Heard {
    operation: u16,
    mac: [u8; 6],
    sender: Ipv4Addr,
    target: Ipv4Addr,
}

impl Heard {
    /// Whether it is a holder's own question about somebody else.
    fn merely_asks(self) -> bool {
        self.operation == REQUEST && !self.announces()
    }

    /// Whether it was sent unasked to everybody (RFC 5227: sender and target are the same address).
    fn announces(self) -> bool {
        self.sender == self.target
    }
}

fn parse(frame: &[u8]) -> Option<Heard> {
    let (_, arp) = frame.split_at_checked(14)?;
    let (head, rest) = arp.split_first_chunk::<6>()?;
    if *head != [0, 1, 8, 0, 6, 4] {
        return None;
    }
    let (operation, rest) = rest.split_first_chunk::<2>()?;
    let (mac, rest) = rest.split_first_chunk::<6>()?;
    let (sender, rest) = rest.split_first_chunk::<4>()?;
    let (_, rest) = rest.split_first_chunk::<6>()?;
    let (target, _) = rest.split_first_chunk::<4>()?;
    let operation = u16::from_be_bytes(*operation);
    matches!(operation, REQUEST | REPLY).then_some(Heard {
        operation,
        mac: *mac,
        sender: Ipv4Addr::from(*sender),
        target: Ipv4Addr::from(*target),
    })
}

/// An ARP request: who has `target`, tell `sender`.
fn frame(mac: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME_BYTES);
    frame.extend_from_slice(&BROADCAST);
    frame.extend_from_slice(&mac);
    frame.extend_from_slice(&ETHERTYPE_ARP.to_be_bytes());
    frame.extend_from_slice(&[0, 1, 8, 0, 6, 4]);
    frame.extend_from_slice(&REQUEST.to_be_bytes());
    frame.extend_from_slice(&mac);
    frame.extend_from_slice(&sender.octets());
    frame.extend_from_slice(&[0; 6]);
    frame.extend_from_slice(&target.octets());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const SENDER: Ipv4Addr = Ipv4Addr::new(10, 8, 0, 200);
    const TARGET: Ipv4Addr = Ipv4Addr::new(10, 8, 0, 1);

    /// Aim: what is sent reads back as the request it should be.
    #[test]
    fn request_round_trip() {
        let frame = frame(MAC, SENDER, TARGET);
        assert_eq!(frame.len(), FRAME_BYTES);
        let heard = Heard {
            operation: REQUEST,
            mac: MAC,
            sender: SENDER,
            target: TARGET,
        };
        assert_eq!(parse(&frame), Some(heard));
    }

    /// Aim: no cut-off frame is taken for ARP.
    #[test]
    fn refuses_truncated() {
        let frame = frame(MAC, SENDER, TARGET);
        for length in 0..FRAME_BYTES {
            assert_eq!(parse(&frame[..length]), None, "{length} bytes");
        }
    }

    /// Aim: both forms of gratuitous ARP count as announcements, an answer to us does not.
    #[test]
    fn announcements() {
        let heard = |operation, target| Heard {
            operation,
            mac: MAC,
            sender: TARGET,
            target,
        };
        assert!(heard(REQUEST, TARGET).announces());
        assert!(heard(REPLY, TARGET).announces());
        assert!(!heard(REPLY, SENDER).announces());
        assert!(!heard(REPLY, SENDER).merely_asks());
        assert!(heard(REQUEST, SENDER).merely_asks());
    }
}
