//! Reads service addresses: `address[/prefix-or-netmask[/interface[:label][/broadcast]]]`.

use core::net::{IpAddr, Ipv4Addr};

use super::diag::{Diagnostic, File, Span};
use super::ha_cf::is_interface;
use super::{Address, AddressStyle};

/// Bytes of `interface:label`: the kernel keeps both in the field of an interface's name.
const LABEL_BYTES_MAX: usize = 15;

/// A piece between slashes.
#[derive(Clone)]
struct Piece<'a> {
    text: &'a str,
    span: Span,
}

/// Reads the address of a resource; `specification` starts at byte `offset` of the file.
///
/// `text` is the whole resource as written.
pub(super) fn read(
    style: AddressStyle,
    text: &str,
    specification: &str,
    offset: usize,
) -> Result<Address, Box<Diagnostic>> {
    let mut at = offset;
    let mut pieces = specification.split('/').map(|text| {
        let span = at..at.saturating_add(text.len());
        at = span.end.saturating_add(1);
        Piece { text, span }
    });
    let first = pieces.next().unwrap_or(Piece {
        text: "",
        span: offset..offset,
    });
    let address = base(style, &first)?;
    let mut read = Address {
        text: text.to_owned(),
        style,
        address,
        prefix: None,
        interface: None,
        label: None,
        broadcast: None,
    };
    let rest: Vec<Piece<'_>> = pieces.collect();
    fill(&mut read, &rest)?;
    check_network(&read, &first, &rest)?;
    Ok(read)
}

fn error(
    piece: &Piece<'_>,
    title: String,
    label: &str,
    help: impl Into<String>,
) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(File::Haresources, title)
            .at(&piece.span, label)
            .help(help),
    )
}

/// The address itself.
fn base(style: AddressStyle, piece: &Piece<'_>) -> Result<IpAddr, Box<Diagnostic>> {
    let name = style_name(style);
    let Ok(address) = piece.text.parse::<IpAddr>() else {
        let wanted = if style == AddressStyle::IPv6addr {
            "an IPv6"
        } else {
            "an IPv4"
        };
        return Err(error(
            piece,
            format!("`{}` is not {wanted} address", piece.text),
            "expected an address",
            base_help(style, piece.text),
        ));
    };
    match (style, address) {
        (AddressStyle::IPv6addr, IpAddr::V4(_)) => {
            return Err(error(
                piece,
                format!("`{address}` is an IPv4 address"),
                "`IPv6addr` takes IPv6",
                format!("write `IPaddr2::{address}` or the bare address"),
            ));
        }
        (AddressStyle::IPaddr | AddressStyle::IPaddr2, IpAddr::V6(_)) => {
            return Err(error(
                piece,
                format!("`{address}` is an IPv6 address"),
                &format!("`{name}` takes IPv4"),
                format!("write `IPv6addr::{address}`"),
            ));
        }
        _ => {}
    }
    let why = if address.is_loopback() {
        "every machine has it already"
    } else if address.is_multicast() {
        "a multicast group"
    } else if address.is_unspecified() || address == IpAddr::V4(Ipv4Addr::BROADCAST) {
        "not the address of one machine"
    } else {
        return Ok(address);
    };
    Err(error(
        piece,
        format!("`{address}` cannot be a service address"),
        why,
        "write the address that clients connect to",
    ))
}

/// How to mend what is no address.
fn base_help(style: AddressStyle, text: &str) -> String {
    let numbers =
        text.split('.').count() == 4 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if numbers {
        "each of the four numbers is 0 to 255, without zeros in front".to_owned()
    } else {
        example(style)
    }
}

/// Prefix, interface and broadcast, in this order; the interface may be left out.
fn fill(read: &mut Address, rest: &[Piece<'_>]) -> Result<(), Box<Diagnostic>> {
    let mut rest = rest.iter();
    if let Some(piece) = rest.next() {
        read.prefix = Some(prefix(read.address, piece)?);
    }
    let Some(third) = rest.next() else {
        return Ok(());
    };
    let mut fourth = rest.next();
    if third.text.parse::<Ipv4Addr>().is_ok() && fourth.is_none() {
        // findif of the original reads `address/prefix/broadcast` as well.
        fourth = Some(third);
    } else {
        interface(read, third)?;
    }
    if let Some(piece) = fourth {
        read.broadcast = Some(broadcast(read, piece)?);
    }
    rest.next().map_or(Ok(()), |piece| {
        Err(error(
            piece,
            format!("`{}` is one part too many", piece.text),
            "nothing is expected here",
            example(read.style),
        ))
    })
}

fn prefix(address: IpAddr, piece: &Piece<'_>) -> Result<u8, Box<Diagnostic>> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    if address.is_ipv4() && piece.text.contains('.') {
        return netmask(piece);
    }
    piece
        .text
        .parse()
        .ok()
        .filter(|bits| (1..=most).contains(bits))
        .ok_or_else(|| {
            error(
                piece,
                format!("`{}` is not a prefix length", piece.text),
                &format!("expected 1 to {most}"),
                if is_interface(piece.text) && !piece.text.starts_with(|c: char| c.is_ascii_digit())
                {
                    format!(
                        "the prefix comes first, then the interface: `{address}/24/{}`",
                        piece.text
                    )
                } else {
                    format!("write the bits of the network: `{address}/24`")
                },
            )
        })
}

fn netmask(piece: &Piece<'_>) -> Result<u8, Box<Diagnostic>> {
    let bits = piece.text.parse::<Ipv4Addr>().ok().map(u32::from);
    let bits = bits.filter(|mask| *mask != 0 && mask.leading_ones() + mask.trailing_zeros() == 32);
    bits.and_then(|mask| u8::try_from(mask.leading_ones()).ok())
        .ok_or_else(|| {
            error(
                piece,
                format!("`{}` is not a netmask", piece.text),
                "its ones are not all on the left",
                "write for example `255.255.255.0`, or the prefix length `24`",
            )
        })
}

fn interface(read: &mut Address, piece: &Piece<'_>) -> Result<(), Box<Diagnostic>> {
    let (name, label) = piece
        .text
        .split_once(':')
        .map_or((piece.text, None), |(name, label)| (name, Some(label)));
    if !is_interface(name) || label.is_some_and(|label| !is_interface(label)) {
        return Err(error(
            piece,
            format!("`{}` cannot be an interface", piece.text),
            "expected a name such as eth1 or eth1:0",
            example(read.style),
        ));
    }
    if label.is_some() && piece.text.len() > LABEL_BYTES_MAX {
        return Err(error(
            piece,
            format!("the label `{}` is too long for the kernel", piece.text),
            &format!(
                "{} bytes, and {LABEL_BYTES_MAX} is the limit",
                piece.text.len()
            ),
            "write a shorter label, or none",
        ));
    }
    if label.is_some() && read.style == AddressStyle::IPv6addr {
        return Err(error(
            piece,
            "an IPv6 address cannot have a label".to_owned(),
            "labels are for IPv4",
            format!("write `{name}` alone"),
        ));
    }
    read.interface = Some(name.to_owned());
    read.label = label.map(str::to_owned);
    Ok(())
}

fn broadcast(read: &Address, piece: &Piece<'_>) -> Result<Ipv4Addr, Box<Diagnostic>> {
    let (IpAddr::V4(address), Some(bits)) = (read.address, read.prefix) else {
        return Err(error(
            piece,
            "IPv6 has no broadcast address".to_owned(),
            "nothing is expected here",
            example(read.style),
        ));
    };
    let Ok(broadcast) = piece.text.parse::<Ipv4Addr>() else {
        return Err(error(
            piece,
            format!("`{}` is not a broadcast address", piece.text),
            "expected an IPv4 address",
            format!("write `{}`, or leave it out", highest(address, bits)),
        ));
    };
    if network(address, bits) != network(broadcast, bits) {
        return Err(error(
            piece,
            format!("the broadcast address {broadcast} is not in the network of {address}/{bits}"),
            "another network",
            format!("write `{}`, or leave it out", highest(address, bits)),
        ));
    }
    if broadcast == address {
        return Err(error(
            piece,
            format!("the broadcast address is {address} itself"),
            "the service address again",
            format!("write `{}`, or leave it out", highest(address, bits)),
        ));
    }
    Ok(broadcast)
}

/// A network's own two addresses serve no one.
fn check_network(
    read: &Address,
    first: &Piece<'_>,
    rest: &[Piece<'_>],
) -> Result<(), Box<Diagnostic>> {
    let (IpAddr::V4(address), Some(bits)) = (read.address, read.prefix) else {
        return Ok(());
    };
    let lowest = Ipv4Addr::from(network(address, bits));
    let what = if bits >= 31 {
        return Ok(());
    } else if address == lowest {
        "the network's own address"
    } else if address == highest(address, bits) {
        "the network's broadcast address"
    } else {
        return Ok(());
    };
    let span = first.span.start..rest.first().map_or(first.span.end, |piece| piece.span.end);
    Err(Box::new(
        Diagnostic::error(
            File::Haresources,
            format!("{address}/{bits} cannot be a service address"),
        )
        .at(&span, what)
        .help(format!(
            "write an address between {} and {}, or mend the prefix",
            Ipv4Addr::from(network(address, bits).saturating_add(1)),
            Ipv4Addr::from(u32::from(highest(address, bits)).saturating_sub(1)),
        )),
    ))
}

fn network(address: Ipv4Addr, bits: u8) -> u32 {
    u32::from(address) & mask(bits)
}

fn highest(address: Ipv4Addr, bits: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(address) | !mask(bits))
}

fn mask(bits: u8) -> u32 {
    u32::MAX
        .checked_shl(32_u32.saturating_sub(u32::from(bits)))
        .unwrap_or(0)
}

/// The script that a style stands for.
const fn style_name(style: AddressStyle) -> &'static str {
    match style {
        AddressStyle::IPaddr => "IPaddr",
        AddressStyle::IPaddr2 => "IPaddr2",
        AddressStyle::IPv6addr => "IPv6addr",
    }
}

fn example(style: AddressStyle) -> String {
    match style {
        AddressStyle::IPv6addr => {
            "the form is `IPv6addr::ADDRESS/PREFIX/INTERFACE`: `IPv6addr::fd00::80/64/eth1`"
        }
        AddressStyle::IPaddr => {
            "the form is `ADDRESS/PREFIX/INTERFACE:LABEL/BROADCAST`, and all but the address can \
             be left out: `10.8.0.1/24/eth1`"
        }
        AddressStyle::IPaddr2 => {
            "the form is `IPaddr2::ADDRESS/PREFIX/INTERFACE:LABEL/BROADCAST`, and all but the \
             address can be left out: `IPaddr2::10.8.0.1/24/eth1`"
        }
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(specification: &str) -> Result<Address, Box<Diagnostic>> {
        read(AddressStyle::IPaddr, specification, specification, 0)
    }

    /// Aim: every form of the article is read into its parts.
    #[test]
    fn forms() {
        assert_eq!(ip("10.8.0.1").unwrap().prefix, None);
        assert_eq!(ip("10.8.0.1/255.255.252.0").unwrap().prefix, Some(22));
        let full = ip("10.8.0.1/24/eth1:0/10.8.0.127").unwrap();
        assert_eq!(full.interface.as_deref(), Some("eth1"));
        assert_eq!(full.label.as_deref(), Some("0"));
        assert_eq!(full.broadcast, Some(Ipv4Addr::new(10, 8, 0, 127)));
        let short = ip("10.8.0.1/24/10.8.0.255").unwrap();
        assert_eq!((short.interface, short.broadcast.is_some()), (None, true));
        assert!(ip("10.8.0.0/31").is_ok() && ip("10.8.0.1/32").is_ok());
    }

    /// Aim: a mistake is pointed at exactly.
    #[test]
    fn mistakes_have_places() {
        for (text, at) in [
            ("10.8.0.1/33", 9..11),
            ("10.8.0.1/255.0.255.0", 9..20),
            ("10.8.0.1/24/eth/1/2", 16..17),
            ("10.8.0.1/24/eth1/10.9.0.255", 17..27),
            ("10.8.0.255/24", 0..13),
            ("127.0.0.1", 0..9),
            ("fd00::1", 0..7),
            ("10.8.0.1/", 9..9),
        ] {
            assert_eq!(ip(text).unwrap_err().span, Some(at), "{text}");
        }
    }
}
