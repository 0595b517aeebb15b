//! The sockets of a link, opened as WIRE section 7 of the original has it, with one difference:
//! the receiving socket does not share its port, so that a second daemon is noticed at once.
//!
//! Links on the same interface and port (`ucast` and `bcast` on eth0, say) have one receiving
//! socket together; its frames are told apart by where they came from and where they were sent to.
//! Each link has its own sending socket, since broadcast and multicast want different options.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use core::task::{Context, Poll, ready};
use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockAddr, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::error::{LinkError, errno};
use super::interface::Interface;
use crate::config::{Medium, UdpLink};

/// `IPTOS_LOWDELAY`, as the original marks its packets.
const LOW_DELAY: u32 = 0x10;

/// Where a received packet came from and where it was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) source: Option<IpAddr>,
    pub(super) destination: Option<Ipv4Addr>,
}

/// A receiving socket, bound to an interface and a port.
pub(super) struct Receiver {
    socket: UdpSocket,
    control: Vec<u8>,
}

impl Receiver {
    /// Opens the socket and joins `groups`. IPv6 when `ipv6`.
    pub(super) fn open(
        interface: &Interface,
        port: u16,
        ipv6: bool,
        groups: impl Iterator<Item = Ipv4Addr>,
    ) -> Result<Self, LinkError> {
        let fail = |what| failure(what, &interface.name, port);
        let (domain, any) = if ipv6 {
            (Domain::IPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED))
        } else {
            (Domain::IPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED))
        };
        let socket = device_socket(domain, &interface.name, port)?;
        if ipv6 {
            socket.set_only_v6(true).map_err(fail("restrict to IPv6"))?;
        } else {
            // Without this, groups that other programs have joined would arrive here as well.
            socket.set_multicast_all_v4(false).map_err(fail("set up"))?;
            nix::sys::socket::setsockopt(&socket, nix::sys::socket::sockopt::Ipv4PacketInfo, &true)
                .map_err(|errno| fail("set up")(errno.into()))?;
        }
        socket
            .bind(&SockAddr::from(SocketAddr::new(any, port)))
            .map_err(fail("open"))?;
        for group in groups {
            let by = InterfaceIndexOrAddress::Index(interface.index);
            match socket.join_multicast_v4_n(&group, &by) {
                // Two links with the same group: once is enough.
                Err(error) if error.raw_os_error() == Some(nix::libc::EADDRINUSE) => {}
                other => other.map_err(fail("join the multicast group on"))?,
            }
        }
        let socket = UdpSocket::from_std(socket.into()).map_err(fail("open"))?;
        Ok(Self {
            socket,
            control: nix::cmsg_space!(nix::libc::in_pktinfo),
        })
    }

    /// Reads one datagram into `buffer`; a longer one is cut to the buffer's length.
    pub(super) fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, Envelope)>> {
        loop {
            ready!(self.socket.poll_recv_ready(context))?;
            let (socket, control) = (&self.socket, &mut self.control);
            let read = socket.try_io(Interest::READABLE, || receive(socket, control, buffer));
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    /// As `poll_receive`, but asks the kernel itself. The runtime hears of a datagram only when it
    /// waits the next time.
    pub(super) fn receive_now(&mut self, buffer: &mut [u8]) -> Poll<io::Result<(usize, Envelope)>> {
        match receive(&self.socket, &mut self.control, buffer) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }
}

fn receive(
    socket: &UdpSocket,
    control: &mut [u8],
    buffer: &mut [u8],
) -> io::Result<(usize, Envelope)> {
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(control),
        MsgFlags::MSG_DONTWAIT,
    )?;
    let source = message.address.and_then(|address| {
        address
            .as_sockaddr_in()
            .map(|address| IpAddr::V4(address.ip()))
            .or_else(|| Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())))
    });
    let mut destination = None;
    for part in message.cmsgs()? {
        if let ControlMessageOwned::Ipv4PacketInfo(info) = part {
            // The kernel's in_addr is in network order already.
            destination = Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()));
        }
    }
    let envelope = Envelope {
        source,
        destination,
    };
    Ok((message.bytes, envelope))
}

/// A sending socket with its destination.
pub(super) struct Sender {
    socket: Socket,
    target: SocketAddr,
    address: SockAddr,
    flags: i32,
}

impl Sender {
    /// Opens the socket for one link.
    pub(super) fn open(config: &UdpLink, interface: &Interface) -> Result<Self, LinkError> {
        let fail = |what| failure(what, &config.interface, config.port);
        let target = target(config, interface)?;
        let domain = Domain::for_address(target);
        let socket = device_socket(domain, &config.interface, config.port)?;
        if target.is_ipv6() {
            socket.set_tclass_v6(LOW_DELAY).map_err(fail("set up"))?;
        } else {
            socket.set_tos_v4(LOW_DELAY).map_err(fail("set up"))?;
        }
        let mut flags = 0;
        match config.medium {
            Medium::Ucast(_) => {}
            Medium::Bcast => {
                socket.set_broadcast(true).map_err(fail("set up"))?;
                flags = nix::libc::MSG_DONTROUTE;
            }
            Medium::Mcast { ttl, looped, .. } => {
                // The interface needs no IP_MULTICAST_IF: the socket is bound to it.
                socket
                    .set_multicast_ttl_v4(ttl.into())
                    .and_then(|()| socket.set_multicast_loop_v4(looped))
                    .map_err(fail("set up"))?;
            }
        }
        // Nobody should send to this socket's port, and nobody reads it: the least buffer will do.
        socket.set_recv_buffer_size(0).map_err(fail("set up"))?;
        Ok(Self {
            socket,
            target,
            address: target.into(),
            flags,
        })
    }

    /// Where it sends to.
    pub(super) const fn target(&self) -> SocketAddr {
        self.target
    }

    /// Sends without waiting. `Ok(false)`: the kernel has no room, the packet is dropped.
    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<bool> {
        let sent = self
            .socket
            .send_to_with_flags(bytes, &self.address, self.flags);
        match sent {
            Ok(_) => Ok(true),
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock
                    || error.raw_os_error() == Some(nix::libc::ENOBUFS) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// Where a link sends to, on this interface as it is now.
pub(super) fn target(config: &UdpLink, interface: &Interface) -> Result<SocketAddr, LinkError> {
    let address = match config.medium {
        Medium::Ucast(IpAddr::V6(address)) if address.is_unicast_link_local() => {
            let scoped = SocketAddrV6::new(address, config.port, 0, interface.index);
            return Ok(SocketAddr::V6(scoped));
        }
        Medium::Ucast(address) => address,
        Medium::Bcast => interface
            .broadcast
            .map(IpAddr::V4)
            .ok_or_else(|| LinkError::BroadcastMissing(interface.name.clone()))?,
        Medium::Mcast { group, .. } => IpAddr::V4(group),
    };
    Ok(SocketAddr::new(address, config.port))
}

/// A non-blocking UDP socket bound to the interface.
fn device_socket(domain: Domain, interface: &str, port: u16) -> Result<Socket, LinkError> {
    let fail = |what| failure(what, interface, port);
    let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))
        .map_err(fail("open"))?;
    socket
        .bind_device(Some(interface.as_bytes()))
        .map_err(|error| {
            if errno(&error) == Errno::EPERM {
                LinkError::BindDeviceRefused(interface.to_owned())
            } else {
                fail("bind to the interface for")(error)
            }
        })?;
    Ok(socket)
}

fn failure(
    what: &'static str,
    interface: &str,
    port: u16,
) -> impl FnOnce(io::Error) -> LinkError + use<> {
    let interface = interface.to_owned();
    move |error| {
        let errno = errno(&error);
        if errno == Errno::EADDRINUSE {
            LinkError::PortInUse { interface, port }
        } else if errno == Errno::EACCES {
            LinkError::PortRefused { interface, port }
        } else if errno == Errno::ENODEV {
            LinkError::InterfaceMissing(interface)
        } else {
            LinkError::Socket {
                what,
                interface,
                port,
                errno,
            }
        }
    }
}
