//! Why a link does not work, in words that name the interface or device, the port and the way out.

use core::net::IpAddr;

use nix::errno::Errno;

/// Why a link cannot be opened or used. The link stays configured and is tried again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The interface is not there. The link comes when it appears.
    #[error(
        "interface {0} does not exist; the link comes up when it appears \
         (`ip link` lists the interfaces)"
    )]
    InterfaceMissing(String),
    /// The interface is administratively down. The link comes when it is up.
    #[error("interface {0} is down; bring it up: ip link set {0} up")]
    InterfaceDown(String),
    /// The interface has no carrier. The link works when it is back.
    #[error(
        "interface {0} has no carrier: its cable is unplugged, or what it leads to is off \
         (`ip link show {0}` tells)"
    )]
    NoCarrier(String),
    /// A broadcast link needs an IPv4 address to know where to send.
    #[error(
        "interface {0} has no IPv4 broadcast address, which a bcast link needs; \
         give it an address, or use ucast or mcast"
    )]
    BroadcastMissing(String),
    /// Another program has the port. Two daemons on one port would steal each other's packets.
    #[error(
        "UDP port {port} on {interface} is already used by another program, perhaps another \
         heartbeat or Systole; find it with: ss -ulpn 'sport = :{port}'"
    )]
    PortInUse {
        /// The link's interface.
        interface: String,
        /// The link's port.
        port: u16,
    },
    /// Binding to the interface is not allowed.
    #[error(
        "binding to interface {0} is not allowed: it needs CAP_NET_RAW; run as root, or give \
         the unit AmbientCapabilities=CAP_NET_RAW"
    )]
    BindDeviceRefused(String),
    /// Binding to a port below 1024 is not allowed.
    #[error(
        "UDP port {port} on {interface} is not allowed: ports below 1024 need \
         CAP_NET_BIND_SERVICE; run as root, give the unit \
         AmbientCapabilities=CAP_NET_BIND_SERVICE, or choose another udpport"
    )]
    PortRefused {
        /// The link's interface.
        interface: String,
        /// The link's port.
        port: u16,
    },
    /// A serial device is not there. The link comes when it appears.
    #[error(
        "serial device {0} does not exist; the link comes up when it appears (a USB adapter keeps \
         its name under /dev/serial/by-id)"
    )]
    DeviceMissing(String),
    /// The serial device may not be opened.
    #[error(
        "opening {0} is not allowed; run as root, or give the unit \
         SupplementaryGroups=dialout"
    )]
    DeviceRefused(String),
    /// Another program has the serial device.
    #[error(
        "{0} is already used by another program, perhaps another Systole; find it with: \
         fuser -v {0}"
    )]
    DeviceInUse(String),
    /// The device is no terminal.
    #[error("{0} is no serial device; correct the `serial` line of ha.cf")]
    NoTerminal(String),
    /// Nothing that is sent leaves.
    #[error(
        "{0} does not take what is sent: the cable is unplugged or has no RTS/CTS lines, or \
         nobody listens at its other end"
    )]
    LineStalled(String),
    /// Something else that the kernel said about a serial device.
    #[error("cannot {what} {path}: {}{}", .errno.desc(), device_hint(*.errno))]
    Device {
        /// What was being done.
        what: &'static str,
        /// The device.
        path: String,
        /// What the kernel said.
        errno: Errno,
    },
    /// The thread that looks at the interfaces cannot be started.
    #[error("cannot start the thread that looks at the interfaces: {}", .0.desc())]
    Thread(Errno),
    /// A packet could not be sent.
    #[error("cannot send to {target} on {interface}: {}{}", .errno.desc(), send_hint(*.errno))]
    Send {
        /// The link's interface.
        interface: String,
        /// Where the packet should have gone.
        target: IpAddr,
        /// What the kernel said.
        errno: Errno,
    },
    /// Something else that the kernel refused.
    #[error("cannot {what} UDP port {port} on {interface}: {}", .errno.desc())]
    Socket {
        /// What was being done.
        what: &'static str,
        /// The link's interface.
        interface: String,
        /// The link's port.
        port: u16,
        /// What the kernel said.
        errno: Errno,
    },
}

impl LinkError {
    /// Whether waiting cannot help: the administrator has to change something first.
    #[must_use]
    pub const fn is_fatal_at_start(&self) -> bool {
        matches!(
            self,
            Self::PortInUse { .. }
                | Self::BindDeviceRefused(_)
                | Self::PortRefused { .. }
                | Self::DeviceInUse(_)
                | Self::DeviceRefused(_)
                | Self::NoTerminal(_)
        )
    }
}

fn device_hint(errno: Errno) -> &'static str {
    if errno == Errno::EIO {
        "; it was unplugged, or there is no hardware behind this device"
    } else {
        ""
    }
}

fn send_hint(errno: Errno) -> &'static str {
    if errno == Errno::EPERM {
        "; a firewall rule on this node drops it: nft list ruleset"
    } else if matches!(errno, Errno::ENETUNREACH | Errno::EADDRNOTAVAIL) {
        "; the interface has no usable address or no route to it"
    } else {
        ""
    }
}

/// The errno of an I/O error, for messages without Rust's decoration.
pub(super) fn errno(error: &std::io::Error) -> Errno {
    error
        .raw_os_error()
        .map_or(Errno::UnknownErrno, Errno::from_raw)
}
