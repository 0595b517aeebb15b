//! Why a service address cannot be added, removed or looked at.

use core::net::IpAddr;
use std::path::PathBuf;

use nix::errno::Errno;

/// Why an operation on a service address failed. Unless said otherwise nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceIpError {
    /// No route says which interface the address belongs to.
    #[error(
        "no route covers {0}, so its interface is not known; name it, as in \
         IPaddr2::{0}/24/eth0, or add a route"
    )]
    NoRoute(IpAddr),
    /// A link-local address is possible on every interface.
    #[error("{0} is link-local; name its interface, as in IPv6addr::{0}/64/eth0")]
    InterfaceNeeded(IpAddr),
    /// The interface is not there.
    #[error(
        "interface {interface} for {address} does not exist; correct haresources or create it \
         (`ip link` lists the interfaces)"
    )]
    InterfaceMissing {
        /// The service address.
        address: IpAddr,
        /// The interface named for it.
        interface: String,
    },
    /// `IPaddr` numbers its aliases from 0 to 99.
    #[error(
        "{interface} has 100 aliases already, so {address} gets none; use IPaddr2::{address}, \
         which needs no alias"
    )]
    AliasesExhausted {
        /// The service address.
        address: IpAddr,
        /// Its interface.
        interface: String,
    },
    /// The kernel's labels are short.
    #[error(
        "label {label} for {address} has more than 15 bytes; shorten it, or use \
         IPaddr2::{address} without a label"
    )]
    LabelTooLong {
        /// The service address.
        address: IpAddr,
        /// The label.
        label: String,
    },
    /// Somebody else has put the address on this machine; it is not touched.
    #[error(
        "{address}/{prefix} is on {interface} already and was not put there by Systole; a service \
         address must not be configured elsewhere: remove it there, then \
         ip addr del {address}/{prefix} dev {interface}"
    )]
    Foreign {
        /// The service address.
        address: IpAddr,
        /// Its prefix as found.
        prefix: u8,
        /// Where it was found.
        interface: String,
    },
    /// Changing addresses needs a capability.
    #[error(
        "not allowed to {what}: it needs CAP_NET_ADMIN; run as root, or give the unit \
         AmbientCapabilities=CAP_NET_ADMIN"
    )]
    NotAllowed {
        /// What was being done, with address and interface.
        what: String,
    },
    /// Announcing addresses needs a capability.
    #[error(
        "cannot open a packet socket to announce addresses: {}{}", .0.desc(),
        if *.0 == Errno::EPERM {
            "; it needs CAP_NET_RAW: run as root, or give the unit AmbientCapabilities=CAP_NET_RAW"
        } else { "" }
    )]
    PacketSocket(Errno),
    /// The kernel refused.
    #[error("cannot {what}: {}", .errno.desc())]
    Kernel {
        /// What was being done, with address and interface.
        what: String,
        /// What the kernel said.
        errno: Errno,
    },
    /// The conversation with the kernel failed.
    #[error("cannot {what}: {text}")]
    Netlink {
        /// What was being done.
        what: String,
        /// What went wrong.
        text: String,
    },
    /// The record of our addresses cannot be read or written.
    #[error("cannot {what} the record of added addresses {}: {text}", .path.display())]
    Record {
        /// Read or write.
        what: &'static str,
        /// The record.
        path: PathBuf,
        /// What went wrong.
        text: String,
    },
}

impl ServiceIpError {
    /// The kernel's answer, with the capability named when that is what is missing.
    pub(super) fn kernel(what: String, errno: Errno) -> Self {
        if matches!(errno, Errno::EPERM | Errno::EACCES) {
            Self::NotAllowed { what }
        } else {
            Self::Kernel { what, errno }
        }
    }
}
