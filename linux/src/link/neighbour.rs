//! Makes the kernel ask for the hardware address of a peer at once. What is sent while a cable is
//! unplugged leaves the kernel waiting for an answer that cannot come, and it asks again only after
//! a second, however soon the cable is back: too rarely for a short deadtime.
//!
//! These calls may have to wait for the kernel's lock on the network.

use core::net::IpAddr;
use std::io;

use netlink_packet_route::neighbour::{NeighbourAttribute, NeighbourMessage, NeighbourState};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::libc::MSG_DONTWAIT;
use rtnetlink::packet_core::{NLM_F_ACK, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload};
use rtnetlink::sys::Socket;
use rtnetlink::sys::protocols::NETLINK_ROUTE;

use super::interface::Interface;

/// An answer of the kernel about one neighbour is much shorter.
const ANSWER_BYTES_MAX: usize = 4096;

/// A peer to which a `ucast` link sends.
pub(super) struct Peer {
    pub(super) interface: String,
    pub(super) address: IpAddr,
    /// The administrator knows that this does not work.
    pub(super) told: bool,
}

/// Has the kernel ask anew, with the next packet, for each peer that has not answered yet. Does
/// nothing to other neighbours, to what was answered, and to what the administrator has entered.
pub(super) fn ask_again(peers: &mut [Peer], found: &[Interface]) {
    for peer in peers {
        let fits = |interface: &&Interface| interface.name == peer.interface && interface.carrier;
        let Some(interface) = found.iter().find(fits) else {
            continue;
        };
        let failed = forget_unanswered(interface.index, peer.address).err();
        if let Some(error) = &failed
            && !peer.told
        {
            tracing::warn!(
                "cannot make the kernel ask anew for {} on {} ({error}); after that cable was \
                 unplugged, the link may be silent for another second",
                peer.address,
                peer.interface
            );
        }
        peer.told = failed.is_some();
    }
}

fn forget_unanswered(index: u32, address: IpAddr) -> io::Result<()> {
    let mut entry = NeighbourMessage::default();
    entry.header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    entry.header.ifindex = index;
    entry.attributes = vec![NeighbourAttribute::Destination(address.into())];
    let get = RouteNetlinkMessage::GetNeighbour(entry.clone());
    let Some(RouteNetlinkMessage::NewNeighbour(found)) = request(get, NLM_F_REQUEST)? else {
        return Ok(());
    };
    // A failed one is asked for at once anyway.
    if found.header.state == NeighbourState::Incomplete {
        let delete = RouteNetlinkMessage::DelNeighbour(entry);
        request(delete, NLM_F_REQUEST | NLM_F_ACK)?;
    }
    Ok(())
}

/// The kernel's answer; none when there is no such entry.
fn request(message: RouteNetlinkMessage, flags: u16) -> io::Result<Option<RouteNetlinkMessage>> {
    let mut message = NetlinkMessage::from(message);
    message.header.flags = flags;
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    // A socket for each, so that nobody gets the late answer to something else.
    let socket = Socket::new(NETLINK_ROUTE)?;
    socket.send(&bytes, 0)?;
    // The kernel has answered by the time that sending returns.
    let mut answer = Vec::with_capacity(ANSWER_BYTES_MAX);
    socket.recv(&mut answer, MSG_DONTWAIT)?;
    let answer = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    if let NetlinkPayload::Error(error) = &answer.payload
        && error.code.is_some()
    {
        let error = error.to_io();
        return if gone(&error) { Ok(None) } else { Err(error) };
    }
    if let NetlinkPayload::InnerMessage(found) = answer.payload {
        return Ok(Some(found));
    }
    Ok(None)
}

/// There is no such entry, or its interface has gone meanwhile.
fn gone(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(nix::libc::ENOENT | nix::libc::ENODEV)
    )
}
