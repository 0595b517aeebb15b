//! The heartbeat links: bytes to and from the peer over UDP, and what becomes of a link whose
//! interface goes down, vanishes or is replaced. Nothing here waits, and nothing here gives up.

use core::cmp::Reverse;
use core::future::poll_fn;
use core::net::IpAddr;
use core::task::{Context, Poll};
use std::io;

use systole_core::id::LinkId;

use crate::config::{LinkConfig, Medium};

mod error;
pub(crate) mod interface;
mod state;
mod udp;
mod watch;

pub use error::LinkError;
pub use interface::own_addresses;

use error::errno;
use interface::{Interface, interfaces};
use state::{Link, Port, fit};
use udp::{Envelope, Receiver};
use watch::Watch;

#[cfg(test)]
mod tests;

/// What `Links::recv` has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// A datagram is in the caller's buffer. One that fills the buffer may have been longer.
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

/// What reading the ports came to.
enum Next {
    Event(LinkEvent),
    Silence,
    /// Enough for now; there may be more.
    More,
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
            .map(|config| {
                let ipv6 = matches!(config.medium, Medium::Ucast(IpAddr::V6(_)));
                let same = |port: &Port| {
                    port.interface == config.interface
                        && port.number == config.port
                        && port.ipv6 == ipv6
                };
                let port = ports.iter().position(same).unwrap_or_else(|| {
                    ports.push(Port {
                        interface: config.interface.clone(),
                        number: config.port,
                        ipv6,
                        index: 0,
                        own: Vec::new(),
                        receiver: None,
                    });
                    ports.len() - 1
                });
                Link {
                    config: config.clone(),
                    port,
                    sender: None,
                    fault: None,
                    send_fault: None,
                    told: true,
                    dropped: 0,
                }
            })
            .collect();
        let mut opened = Self {
            all: links,
            ports,
            next: 0,
            watch: Watch::new(interfaces).map_err(|error| LinkError::Thread(errno(&error)))?,
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

    /// Packets of a link that were dropped because the kernel had no room for them.
    #[must_use]
    pub fn dropped(&self, link: LinkId) -> u64 {
        self.all
            .get(usize::from(link.0))
            .map_or(0, |link| link.dropped)
    }

    /// Sends one packet without waiting; a full queue drops it, counted. Keep sending on a link
    /// that does not work: a link on which sending failed is seen to work again by sending.
    ///
    /// # Errors
    /// Why it could not be sent. `recv` also reports it, once; there is nothing more to do.
    pub fn send(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), LinkError> {
        let Some(link) = self.all.get_mut(usize::from(link.0)) else {
            return Ok(());
        };
        if let Some(fault) = &link.fault {
            return Err(fault.clone());
        }
        let Some(sender) = &link.sender else {
            return Ok(());
        };
        match sender.send(bytes) {
            Ok(sent) => {
                link.dropped += u64::from(!sent);
                link.send_fault = None;
                Ok(())
            }
            Err(error) => {
                let fault = LinkError::Send {
                    interface: link.config.interface.clone(),
                    target: sender.target().ip(),
                    errno: errno(&error),
                };
                link.send_fault = Some(fault.clone());
                Err(fault)
            }
        }
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
        match self.next_frame(|receiver| receiver.poll_receive(context, buffer)) {
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
        match self.next_frame(|receiver| receiver.receive_now(buffer)) {
            Next::Event(event) => Some(event),
            Next::Silence | Next::More => None,
        }
    }

    /// Reads the ports in turn until there is something for the caller or all are silent.
    fn next_frame(
        &mut self,
        mut read: impl FnMut(&mut Receiver) -> Poll<io::Result<(usize, Envelope)>>,
    ) -> Next {
        let mut silent = 0;
        for _ in 0..self.ports.len() + OWN_FRAMES_MAX {
            if silent == self.ports.len() {
                return Next::Silence;
            }
            let number = self.next % self.ports.len();
            self.next = number + 1;
            let receiver = self.ports.get_mut(number).and_then(Port::receiver);
            match receiver.map_or(Poll::Pending, &mut read) {
                Poll::Pending => silent += 1,
                Poll::Ready(Ok((len, envelope))) => {
                    silent = 0;
                    if let Some(link) = self.link_of(number, envelope) {
                        return Next::Event(LinkEvent::Frame { link, len });
                    }
                }
                Poll::Ready(Err(error)) => {
                    self.on_receive_error(number, &error);
                    if let Some(change) = self.next_change() {
                        return Next::Event(change);
                    }
                }
            }
        }
        Next::More
    }

    /// A socket that cannot receive is closed and opened again at the next look.
    fn on_receive_error(&mut self, number: usize, error: &io::Error) {
        let Some(port) = self.ports.get_mut(number) else {
            return;
        };
        port.receiver = None;
        self.watch.worry();
        for link in self.all.iter_mut().filter(|link| link.port == number) {
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
                        || format!("{} works now", link.config.interface),
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
        for (number, port) in self.ports.iter_mut().enumerate() {
            let groups = self.all.iter().filter_map(|link| match link.config.medium {
                Medium::Mcast { group, .. } if link.port == number => Some(group),
                Medium::Mcast { .. } | Medium::Ucast(_) | Medium::Bcast => None,
            });
            let state = port.look(&found, groups);
            for link in self.all.iter_mut().filter(|link| link.port == number) {
                link.look(&state);
            }
        }
        let all_work = self.all.iter().all(|link| link.fault.is_none());
        self.watch.seen(all_work);
    }

    /// The link a packet belongs to; none when it is our own. A port that only one link uses gives
    /// everything to it, so that a `bcast` line here can face a `ucast` line there, as in the
    /// original.
    fn link_of(&self, port: usize, envelope: Envelope) -> Option<LinkId> {
        let own = &self.ports.get(port)?.own;
        let members = || {
            self.all
                .iter()
                .enumerate()
                .filter(move |(_, link)| link.port == port)
        };
        let (number, link) = members().max_by_key(|(number, link)| {
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
