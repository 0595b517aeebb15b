//! Telling the neighbours that an address is here now: at once, and again for a while, in case a
//! frame is lost or a switch is still learning. One task announces for all addresses.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, sendto, socket};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use systole_core::time::Instant;

use super::error::ServiceIpError;
use super::frame::{Arp, advertisement, arp};
use crate::clock;
use crate::link::interface::interfaces;

/// Pauses after the first announcement. The first four are the original's (`send_arp -i 200 -r 5`);
/// the last two reach switches and hosts that were not ready yet.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(200),
    Duration::from_millis(200),
    Duration::from_millis(200),
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(4),
];

/// Addresses due within this time are announced together.
const TOGETHER: Duration = Duration::from_millis(20);

/// An announcement later than this is not made, nor any after it: whoever was paused for so long may
/// have been replaced, and would call the traffic back to itself before it has let go.
const LATE: Duration = Duration::from_millis(500);

/// `ARPHRD_ETHER`: the frames are Ethernet frames.
const ETHERNET: u16 = 1;

struct Pending {
    interface: String,
    round: usize,
    due: Instant,
}

struct Shared {
    socket: OwnedFd,
    pending: Mutex<BTreeMap<IpAddr, Pending>>,
    wake: Notify,
}

pub(super) struct Announcer {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Announcer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Announcer {
    /// Needs a tokio runtime.
    pub(super) fn open() -> Result<Self, ServiceIpError> {
        // Without a protocol the socket receives nothing.
        let socket = socket(
            AddressFamily::Packet,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
            None,
        )
        .map_err(ServiceIpError::PacketSocket)?;
        let shared = Arc::new(Shared {
            socket,
            pending: Mutex::default(),
            wake: Notify::new(),
        });
        let task = tokio::spawn(run(Arc::clone(&shared)));
        Ok(Self { shared, task })
    }

    /// Announces each address on its interface before it returns, then again in the background.
    pub(super) fn start<'a>(&self, addresses: impl Iterator<Item = (IpAddr, &'a str)> + Clone) {
        self.shared.send(addresses.clone());
        let due = clock::now() + clock::duration(PAUSES[0]);
        let mut pending = self.shared.pending();
        for (address, interface) in addresses {
            let next = Pending {
                interface: interface.to_owned(),
                round: 0,
                due,
            };
            pending.insert(address, next);
        }
        drop(pending);
        self.shared.wake.notify_one();
    }

    /// Announces an address no more.
    pub(super) fn stop(&self, address: IpAddr) {
        self.shared.pending().remove(&address);
    }
}

async fn run(shared: Arc<Shared>) {
    loop {
        let next = shared.pending().values().map(|pending| pending.due).min();
        match next {
            None => shared.wake.notified().await,
            Some(due) => {
                tokio::select! {
                    () = sleep(clock::span(due.since(clock::now()))) => {}
                    () = shared.wake.notified() => {}
                }
            }
        }
        let due = shared.take_due(clock::now());
        shared.send(
            due.iter()
                .map(|(address, interface)| (*address, interface.as_str())),
        );
    }
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The addresses due by now; each is put off to its next round or was in its last.
    fn take_due(&self, now: Instant) -> Vec<(IpAddr, String)> {
        let until = now + clock::duration(TOGETHER);
        let mut due = Vec::new();
        self.pending().retain(|address, pending| {
            if pending.due > until {
                return true;
            }
            if now.since(pending.due) > clock::duration(LATE) {
                return false;
            }
            due.push((*address, pending.interface.clone()));
            pending.round += 1;
            match PAUSES.get(pending.round) {
                Some(pause) => {
                    pending.due = pending.due + clock::duration(*pause);
                    true
                }
                None => false,
            }
        });
        due
    }

    fn send<'a>(&self, addresses: impl Iterator<Item = (IpAddr, &'a str)>) {
        let mut addresses = addresses.peekable();
        if addresses.peek().is_none() {
            return;
        }
        // Read each time: a bond or a replaced card changes the hardware address.
        let found = interfaces().unwrap_or_else(|error| {
            tracing::warn!("cannot read the hardware addresses to announce from: {error}");
            Vec::new()
        });
        for (address, name) in addresses {
            let Some(interface) = found.iter().find(|interface| interface.name == name) else {
                continue;
            };
            if interface.neighbours
                && interface.hardware.hatype() == ETHERNET
                && let Err(errno) = self.announce(address, &interface.hardware)
            {
                tracing::warn!("cannot announce {address} on {name}: {}", errno.desc());
            }
        }
    }

    fn announce(&self, address: IpAddr, hardware: &LinkAddr) -> nix::Result<()> {
        let mac = hardware.addr().ok_or(Errno::EADDRNOTAVAIL)?;
        match address {
            IpAddr::V4(address) => {
                self.transmit(&arp(Arp::Request, mac, address), hardware)?;
                self.transmit(&arp(Arp::Reply, mac, address), hardware)
            }
            IpAddr::V6(address) => self.transmit(&advertisement(mac, address), hardware),
        }
    }

    fn transmit(&self, frame: &[u8], hardware: &LinkAddr) -> nix::Result<()> {
        let flags = MsgFlags::MSG_DONTWAIT;
        sendto(self.socket.as_raw_fd(), frame, hardware, flags).map(|_| ())
    }
}
