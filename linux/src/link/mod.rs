//! The heartbeat links: bytes to and from the peer over UDP and serial lines, and what becomes of a
//! link whose interface or device goes down, vanishes or is replaced. Nothing here waits, and
//! nothing here gives up.

use core::cmp::Reverse;
use core::future::poll_fn;
use core::net::IpAddr;
use core::task::{Context, Poll};
use std::io;

use systole_core::id::LinkId;

use crate::config::{LinkConfig, Medium, UdpLink};

mod error;
pub(crate) mod interface;
mod neighbour;
mod serial;
mod state;
mod udp;
mod watch;

pub use error::LinkError;
pub use interface::own_addresses;

use error::errno;
use interface::{Interface, interfaces};
use neighbour::Peer;
use serial::Line;
use state::{Link, Path, Port, Udp, fit};
use udp::Envelope;
use watch::Watch;

#[cfg(test)]
mod tests;

/// What `Links::recv` has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// A message is in the caller's buffer. A datagram that fills the buffer may have been longer.
    Frame {
        /// The link it arrived on.
        link: LinkId,
        /// Its length.
        len: usize,
    },
    /// A link has stopped working, or works again. Said once for each change, and once for each
    /// link that does not work at the start.
    Changed {
        /// The link.
        link: LinkId,
        /// Whether it works now.
        works: bool,
        /// The interface and the reason, for the log.
        why: String,
    },
}

/// Packets of our own that are passed over in one go; the kernel hands us our broadcasts as well.
const OWN_FRAMES_MAX: usize = 64;

/// What reading all ports and lines came to.
enum Next {
    Event(LinkEvent),
    Silence,
    /// Enough for now; there may be more.
    More,
}

/// What reading one of them came to.
enum Read {
    Nothing,
    Frame(LinkId, usize),
    /// Our own packet, or an error that a link now has.
    Other,
}

/// All links of this node. `LinkId` is the position in the configuration.
pub struct Links {
    all: Vec<Link>,
    ports: Vec<Port>,
    /// The port to look at first, so that a busy one cannot starve the others.
    next: usize,
    watch: Watch,
}

impl Links {
    /// Opens the links. Needs a tokio runtime. A link whose interface is missing or down is
    /// reported by `recv` and comes by itself later.
    ///
    /// # Errors
    /// When the administrator has to act first: the port is taken, or a capability is missing.
    pub fn open(configs: &[LinkConfig]) -> Result<Self, LinkError> {
        let mut ports: Vec<Port> = Vec::new();
        let links = configs
            .iter()
            .map(|config| match config {
                LinkConfig::Udp(config) => Link::new(Path::Udp(Box::new(Udp {
                    config: config.clone(),
                    port: port_of(&mut ports, config),
                    sender: None,
                    dropped: 0,
                }))),
                LinkConfig::Serial(config) => {
                    Link::new_line(Line::new(&config.device, config.baud))
                }
            })
            .collect();
        let mut opened = Self {
            all: links,
            ports,
            next: 0,
            watch: Watch::new(looker(configs)).map_err(|error| LinkError::Thread(errno(&error)))?,
        };
        opened.look(interfaces());
        let fatal = |link: &Link| link.fault.clone().filter(LinkError::is_fatal_at_start);
        match opened.all.iter().find_map(fatal) {
            Some(fault) => Err(fault),
            None => Ok(opened),
        }
    }

    /// How many links there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are no links at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Why a link does not work now; `None` when it does.
    #[must_use]
    pub fn fault(&self, link: LinkId) -> Option<&LinkError> {
        self.all.get(usize::from(link.0)).and_then(Link::trouble)
    }

    /// Messages of a link that were dropped because there was no room for them.
    #[must_use]
    pub fn dropped(&self, link: LinkId) -> u64 {
        match self.all.get(usize::from(link.0)).map(|link| &link.path) {
            Some(Path::Udp(udp)) => udp.dropped,
            Some(Path::Serial(serial)) => serial.dropped(),
            None => 0,
        }
    }

    /// Sends one packet without waiting; a full queue drops it, counted. Keep sending on a link
    /// that does not work: a link on which sending failed is seen to work again by sending.
    ///
    /// # Errors
    /// Why it could not be sent. `recv` also reports it, once; there is nothing more to do.
    pub fn send(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), LinkError> {
        self.all
            .get_mut(usize::from(link.0))
            .map_or(Ok(()), |link| link.send(bytes))
    }

    /// Waits for the next frame or change. Loses nothing when it is dropped before it is done,
    /// allocates nothing for a frame, and serves the links in turn. Give it a buffer of one byte
    /// more than the longest frame, so that a longer one is seen to be too long.
    pub async fn recv(&mut self, buffer: &mut [u8]) -> LinkEvent {
        poll_fn(|context| self.poll_recv(context, buffer)).await
    }

    fn poll_recv(&mut self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<LinkEvent> {
        // After a look the watch is polled once more, which arms it for the next one.
        while let Poll::Ready(found) = self.watch.poll(context) {
            self.look(found);
        }
        if let Some(change) = self.next_change() {
            return Poll::Ready(change);
        }
        match self.next_frame(Some(context), buffer) {
            Next::Event(event) => Poll::Ready(event),
            Next::Silence => Poll::Pending,
            Next::More => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }

    /// Takes what the kernel has already, also what the runtime has not yet been told of. Before a
    /// peer is declared dead its last message must not be left lying here.
    pub fn try_recv(&mut self, buffer: &mut [u8]) -> Option<LinkEvent> {
        if let Some(change) = self.next_change() {
            return Some(change);
        }
        match self.next_frame(None, buffer) {
            Next::Event(event) => Some(event),
            Next::Silence | Next::More => None,
        }
    }

    /// Reads the ports and lines in turn until there is something for the caller or all are silent.
    /// Without a context the kernel itself is asked.
    fn next_frame(&mut self, mut context: Option<&mut Context<'_>>, buffer: &mut [u8]) -> Next {
        let sources = self.ports.len() + self.all.len();
        let mut silent = 0;
        for _ in 0..sources + OWN_FRAMES_MAX {
            if silent == sources {
                return Next::Silence;
            }
            let number = self.next % sources;
            self.next = number + 1;
            let context = context.as_deref_mut();
            match match number.checked_sub(self.ports.len()) {
                None => self.read_port(number, context, buffer),
                Some(link) => self.read_line(link, context, buffer),
            } {
                Read::Nothing => silent += 1,
                Read::Frame(link, len) => return Next::Event(LinkEvent::Frame { link, len }),
                Read::Other => {
                    silent = 0;
                    if let Some(change) = self.next_change() {
                        return Next::Event(change);
                    }
                }
            }
        }
        Next::More
    }

    fn read_port(
        &mut self,
        number: usize,
        context: Option<&mut Context<'_>>,
        buffer: &mut [u8],
    ) -> Read {
        let Some(receiver) = self.ports.get_mut(number).and_then(Port::receiver) else {
            return Read::Nothing;
        };
        let read = match context {
            Some(context) => receiver.poll_receive(context, buffer),
            None => receiver.receive_now(buffer),
        };
        match read {
            Poll::Pending => Read::Nothing,
            Poll::Ready(Ok((len, envelope))) => self
                .link_of(number, envelope)
                .map_or(Read::Other, |link| Read::Frame(link, len)),
            Poll::Ready(Err(error)) => {
                self.on_receive_error(number, &error);
                Read::Other
            }
        }
    }

    fn read_line(
        &mut self,
        number: usize,
        context: Option<&mut Context<'_>>,
        buffer: &mut [u8],
    ) -> Read {
        let Some(link) = self.all.get_mut(number) else {
            return Read::Nothing;
        };
        match link.read_line(context, buffer) {
            Poll::Ready(Some(len)) => {
                Read::Frame(LinkId(u8::try_from(number).unwrap_or(u8::MAX)), len)
            }
            // Writing what was due may have shown that it has stalled, or works again.
            Poll::Pending if link.told == link.trouble().is_none() => Read::Nothing,
            Poll::Pending | Poll::Ready(None) => Read::Other,
        }
    }

    /// A socket that cannot receive is closed and opened again at the next look.
    fn on_receive_error(&mut self, number: usize, error: &io::Error) {
        let Some(port) = self.ports.get_mut(number) else {
            return;
        };
        port.receiver = None;
        self.watch.worry();
        let members = self.all.iter_mut();
        for link in members.filter(|link| link.on_port(number).is_some()) {
            link.fault = Some(LinkError::Socket {
                what: "receive on",
                interface: port.interface.clone(),
                port: port.number,
                errno: errno(error),
            });
        }
    }

    fn next_change(&mut self) -> Option<LinkEvent> {
        for (number, link) in self.all.iter_mut().enumerate() {
            let works = link.trouble().is_none();
            if works != link.told {
                link.told = works;
                return Some(LinkEvent::Changed {
                    link: LinkId(u8::try_from(number).unwrap_or(u8::MAX)),
                    works,
                    why: link.trouble().map_or_else(
                        || format!("{} works now", link.interface()),
                        ToString::to_string,
                    ),
                });
            }
        }
        None
    }

    /// Opens, closes or replaces sockets according to the interfaces.
    fn look(&mut self, found: io::Result<Vec<Interface>>) {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!("cannot read the interfaces of this machine: {error}");
                return;
            }
        };
        let mut returned = false;
        for (number, port) in self.ports.iter_mut().enumerate() {
            let members = self.all.iter().filter_map(|link| link.on_port(number));
            let groups = members.filter_map(|link| match link.config.medium {
                Medium::Mcast { group, .. } => Some(group),
                Medium::Ucast(_) | Medium::Bcast => None,
            });
            let state = port.look(&found, groups);
            for link in &mut self.all {
                returned |= link.look(number, &state);
            }
        }
        let all_work = self.all.iter().all(|link| link.fault.is_none());
        self.watch.seen(all_work, returned);
    }

    /// The link a packet belongs to; none when it is our own. A port that only one link uses gives
    /// everything to it, so that a `bcast` line here can face a `ucast` line there, as in the
    /// original.
    fn link_of(&self, port: usize, envelope: Envelope) -> Option<LinkId> {
        let own = &self.ports.get(port)?.own;
        let members = self.all.iter().enumerate();
        let members = members.filter_map(|(number, link)| Some((number, link.on_port(port)?)));
        let (number, link) = members.max_by_key(|(number, link)| {
            let target = link.sender.as_ref().map(|sender| sender.target().ip());
            (fit(&link.config.medium, target, envelope), Reverse(*number))
        })?;
        let hears_itself = matches!(link.config.medium, Medium::Mcast { looped: true, .. });
        if !hears_itself && envelope.source.is_some_and(|source| own.contains(&source)) {
            return None;
        }
        u8::try_from(number).ok().map(LinkId)
    }
}

/// What a look does: it reads the interfaces and has the kernel ask for the peers that do not answer.
fn looker(configs: &[LinkConfig]) -> impl FnMut() -> io::Result<Vec<Interface>> + Send + use<> {
    let peer = |config: &LinkConfig| match config {
        LinkConfig::Udp(UdpLink {
            interface,
            medium: Medium::Ucast(address),
            ..
        }) => Some(Peer {
            interface: interface.clone(),
            address: *address,
            told: false,
        }),
        LinkConfig::Udp(_) | LinkConfig::Serial(_) => None,
    };
    let mut peers: Vec<Peer> = configs.iter().filter_map(peer).collect();
    move || {
        let found = interfaces()?;
        neighbour::ask_again(&mut peers, &found);
        Ok(found)
    }
}

/// The number of the port that a link listens on.
fn port_of(ports: &mut Vec<Port>, config: &UdpLink) -> usize {
    let ipv6 = matches!(config.medium, Medium::Ucast(IpAddr::V6(_)));
    let same = |port: &Port| {
        port.interface == config.interface && port.number == config.port && port.ipv6 == ipv6
    };
    ports.iter().position(same).unwrap_or_else(|| {
        ports.push(Port {
            interface: config.interface.clone(),
            number: config.port,
            ipv6,
            index: 0,
            own: Vec::new(),
            receiver: None,
        });
        ports.len() - 1
    })
}
