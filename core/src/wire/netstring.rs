//! The netstring encoding: `###`, fields as `<len>:(<type>)<name>=<value>,`, `%%%`, the signature as
//! `<len>:<index> <token>,`. The signature is over every byte before it, markers included.

use super::envelope::{Field, Fields, Sealed, Value};
use super::number;
use crate::auth::Signature;
use crate::config::Encoding;

pub(super) const START: &[u8] = b"###\n";
pub(super) const END: &[u8] = b"%%%\n";

/// Finds the signature and what it covers. Does not look at the fields.
pub(super) fn locate(bytes: &[u8]) -> Option<Sealed<'_>> {
    // A value can hold the end marker, the signature behind it cannot: the last one counts.
    let end = bytes.windows(END.len()).rposition(|at| at == END)?;
    let fields = bytes.get(START.len()..end)?;
    let (signed, trailer) = bytes.split_at_checked(end + END.len())?;
    let (signature, rest) = split(trailer)?;
    rest.is_empty().then_some(Sealed {
        encoding: Encoding::Netstring,
        fields,
        signed: [signed, &[]],
        signature: Signature::parse(signature)?,
    })
}

/// Splits the fields of an authenticated message.
pub(super) fn parse(mut bytes: &[u8]) -> Option<Fields<'_>> {
    let mut fields = Fields::default();
    while !bytes.is_empty() {
        let (field, rest) = split(bytes)?;
        fields.push(parse_field(field)?)?;
        bytes = rest;
    }
    Some(fields)
}

fn parse_field(bytes: &[u8]) -> Option<Field<'_>> {
    let &[b'(', kind, b')', ref field @ ..] = bytes else {
        return None;
    };
    Field::parse(field, |value| Value::new(kind, value, Value::Binary))
}

/// Takes one netstring from the front: its content, and what follows its comma.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // No length within a frame has more than four digits.
    let colon = bytes.iter().take(5).position(|byte| *byte == b':')?;
    let (len, content) = bytes.split_at_checked(colon)?;
    let len = usize::try_from(number(len, 10)?).ok()?;
    let (content, rest) = content.get(1..)?.split_at_checked(len)?;
    Some((content, rest.strip_prefix(b",")?))
}
