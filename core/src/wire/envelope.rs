//! From received bytes to signed fields.

use heapless::Vec;

use super::{base64, classic, netstring};
use crate::auth::{Keys, Signature};
use crate::config::Encoding;
use crate::limits::{FIELDS_MAX, FRAME_BYTES_MAX};
use crate::report::Refusal;

/// The fields of one message whose signature was good, in their order on the wire.
///
/// Names are not empty and all different.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a>(Vec<Field<'a>, FIELDS_MAX>);

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name, as it came.
    pub name: &'a [u8],
    /// What it says.
    pub value: Value<'a>,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Text as it came; in the classic encoding a newline within it is the byte 0x13.
    Text(&'a [u8]),
    /// Bytes, from the netstring encoding.
    Binary(&'a [u8]),
    /// Bytes as base64, from the classic encoding.
    Base64(&'a [u8]),
    /// A list, a nested or a compressed message. Nothing between two R1 nodes has one, so nothing
    /// here looks into it.
    Opaque,
}

/// A message whose signature has been found and not yet checked.
pub(super) struct Sealed<'a> {
    pub(super) encoding: Encoding,
    pub(super) fields: &'a [u8],
    pub(super) signed: [&'a [u8]; 2],
    pub(super) signature: Signature<'a>,
}

/// Checks the signature of one received message and splits it into fields.
///
/// The encoding is told from the start marker, whatever the link. `crc_allowed` says whether the link
/// is one on which a checksum without a key is enough (serial, board).
///
/// # Errors
/// The first of these that holds: `Oversize`, `Envelope`, `Key`, `Signature`; `Malformed` when the
/// signature is good and the fields are not. Whatever the bytes, the work is at most two signatures
/// over one frame.
pub fn authenticate<'a>(
    bytes: &'a [u8],
    keys: &Keys,
    crc_allowed: bool,
) -> Result<Fields<'a>, Refusal> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(Refusal::Oversize);
    }
    let sealed = if bytes.starts_with(netstring::START) {
        netstring::locate(bytes)
    } else {
        classic::locate(bytes)
    }
    .ok_or(Refusal::Envelope)?;
    keys.verify(
        sealed.signature,
        &sealed.signed,
        sealed.encoding,
        crc_allowed,
    )?;
    match sealed.encoding {
        Encoding::Netstring => netstring::parse(sealed.fields),
        Encoding::Classic => classic::parse(sealed.fields),
    }
    .ok_or(Refusal::Malformed)
}

impl<'a> Fields<'a> {
    /// The value of the field with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.iter()
            .find(|field| field.name == name.as_bytes())
            .map(|field| field.value)
    }

    /// The fields in their order on the wire.
    pub fn iter(&self) -> core::slice::Iter<'_, Field<'a>> {
        self.0.iter()
    }

    /// Appends a field; `None` when its name is taken or there are too many.
    pub(super) fn push(&mut self, field: Field<'a>) -> Option<()> {
        // The original would take one of the two; which one must not decide who holds an address.
        if self.iter().any(|earlier| earlier.name == field.name) {
            return None;
        }
        self.0.push(field).ok()
    }
}

impl<'s, 'a> IntoIterator for &'s Fields<'a> {
    type Item = &'s Field<'a>;
    type IntoIter = core::slice::Iter<'s, Field<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> Field<'a> {
    /// Splits `<name>=<value>`.
    pub(super) fn parse(
        bytes: &'a [u8],
        value: impl FnOnce(&'a [u8]) -> Option<Value<'a>>,
    ) -> Option<Self> {
        let equals = bytes.iter().position(|byte| *byte == b'=')?;
        let (name, rest) = bytes.split_at_checked(equals)?;
        (!name.is_empty()).then_some(())?;
        Some(Self {
            name,
            value: value(rest.get(1..)?)?,
        })
    }
}

impl<'a> Value<'a> {
    /// Makes a value of the type's digit and its bytes; types above 5 do not exist.
    pub(super) fn new(
        kind: u8,
        bytes: &'a [u8],
        binary: impl FnOnce(&'a [u8]) -> Self,
    ) -> Option<Self> {
        match kind {
            b'0' => Some(Self::Text(bytes)),
            b'1' => Some(binary(bytes)),
            b'2'..=b'5' => Some(Self::Opaque),
            _ => None,
        }
    }

    /// The text, when it is text in UTF-8.
    #[must_use]
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(bytes) => core::str::from_utf8(bytes).ok(),
            Self::Binary(_) | Self::Base64(_) | Self::Opaque => None,
        }
    }

    /// The bytes, when there are exactly `N` of them.
    #[must_use]
    pub fn binary<const N: usize>(self) -> Option<[u8; N]> {
        match self {
            Self::Binary(bytes) => bytes.try_into().ok(),
            Self::Base64(digits) => base64::decode(digits),
            Self::Text(_) | Self::Opaque => None,
        }
    }
}
