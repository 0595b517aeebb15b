//! The neighbour: asks for the service address by ARP and notes everybody who answers or announces it.
//!
//! It asks from an interface of its own, so that what it hears does not mend the client's own ARP table.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::collections::VecDeque;
use std::os::fd::AsRawFd as _;
use std::thread;

use anyhow::Context as _;
use nix::sys::socket::{LinkAddr, MsgFlags, bind, recv, sendto};
use socket2::{Domain, Protocol, Socket, Type};
use systole_core::time::{Duration as Span, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::mpsc::error::SendError;

use crate::clock::{duration, now, span};
use crate::demo::lab::host_of_mac;
use crate::demo::sample::{Probe, Sample};

const ETHERTYPE_ARP: u16 = 0x0806;
const BROADCAST: [u8; 6] = [0xff; 6];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const FRAME_BYTES: usize = 14 + 28;

/// Each question has a sender address of its own, counted up from the first, by which its answers are known.
const SENDERS: u64 = 32;

/// A question that nobody has answered by then was asked in vain. Its sender's turn comes later again.
const PATIENCE: Span = Span::from_millis(100);

/// One question under way.
struct Question {
    sender: Ipv4Addr,
    sent: Instant,
    answered: bool,
}

struct Neighbour {
    socket: Socket,
    link: LinkAddr,
    mac: [u8; 6],
    first_sender: Ipv4Addr,
    target: Ipv4Addr,
    /// The last ones, oldest first.
    questions: VecDeque<Question>,
    samples: UnboundedSender<Sample>,
}

/// Starts asking on a thread of its own.
pub(super) fn spawn(
    interface: &str,
    sender: Ipv4Addr,
    target: Ipv4Addr,
    every: Duration,
    samples: UnboundedSender<Sample>,
) -> anyhow::Result<()> {
    let link = link_address(interface)?;
    // A sender's turn must not come again before its question is settled.
    let every = every.max(Duration::from_millis(5));
    let mac = link
        .addr()
        .with_context(|| format!("{interface} has no hardware address"))?;
    let protocol = Protocol::from(i32::from(ETHERTYPE_ARP.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))
        .context("cannot open a packet socket")?;
    // The kernel's own list of interfaces gives the address to bind and to send to.
    bind(socket.as_raw_fd(), &link).with_context(|| format!("cannot listen on {interface}"))?;
    let mut neighbour = Neighbour {
        socket,
        link,
        mac,
        first_sender: sender,
        target,
        questions: VecDeque::new(),
        samples,
    };
    thread::Builder::new()
        .name("arp".to_owned())
        .spawn(move || {
            for number in 0_u64.. {
                neighbour.ask(number);
                if neighbour.listen(now() + duration(every)).is_err() {
                    break;
                }
            }
        })
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

impl Neighbour {
    fn ask(&mut self, number: u64) {
        let offset = u32::try_from(number % SENDERS).unwrap_or_default();
        let sender = Ipv4Addr::from(u32::from(self.first_sender) + offset);
        let request = frame(self.mac, sender, self.target);
        let sent = now();
        let flags = MsgFlags::empty();
        // A network that is down for the moment is asked nothing.
        if sendto(self.socket.as_raw_fd(), &request, &self.link, flags).is_ok() {
            self.questions.retain(|question| question.sender != sender);
            self.questions.push_back(Question {
                sender,
                sent,
                answered: false,
            });
        }
    }

    /// Notes what is heard until `end`, then what was asked in vain; fails when nobody wants to know.
    fn listen(&mut self, end: Instant) -> Result<(), SendError<Sample>> {
        let mut buffer = [0; 128];
        while let Some(length) = self.receive(&mut buffer, end) {
            if let Some(heard) = buffer.get(..length).and_then(parse) {
                self.note(heard)?;
            }
        }
        let at = now();
        while let Some(question) = self.questions.front()
            && at.since(question.sent) > PATIENCE
        {
            if !question.answered {
                self.samples.send(Sample {
                    probe: Probe::Arp,
                    sent: question.sent,
                    answered: None,
                    by: None,
                })?;
            }
            self.questions.pop_front();
        }
        Ok(())
    }

    /// The next frame. At `end` and later only one that is there already: a thread that was held up has still
    /// been answered.
    fn receive(&self, buffer: &mut [u8], end: Instant) -> Option<usize> {
        let left = end.since(now());
        if left > Span::ZERO {
            self.socket.set_read_timeout(Some(span(left))).ok()?;
            if let Ok(length) = std::io::Read::read(&mut &self.socket, buffer) {
                return Some(length);
            }
        }
        recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT).ok()
    }

    fn note(&mut self, heard: Heard) -> Result<(), SendError<Sample>> {
        let at = now();
        let by = host_of_mac(heard.mac);
        let answered = Some(at);
        if heard.sender != self.target {
            return Ok(());
        }
        if heard.announces() {
            let probe = Probe::Announced;
            let sent = at;
            return self.samples.send(Sample {
                probe,
                sent,
                answered,
                by,
            });
        }
        let asked = self
            .questions
            .iter_mut()
            .find(|question| question.sender == heard.target);
        if let Some(question) = asked.filter(|_| heard.operation == REPLY) {
            question.answered = true;
            let probe = Probe::Arp;
            let sent = question.sent;
            self.samples.send(Sample {
                probe,
                sent,
                answered,
                by,
            })?;
        }
        Ok(())
    }
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
        assert!(!heard(REQUEST, SENDER).announces());
    }
}
