//! The classic encoding: `>>>`, one line `<name>=<value>` or `(<type>)<name>=<value>` for each field,
//! `<<<`. The signature is the field `auth`, over all other lines without the markers.

use super::envelope::{Field, Fields, Sealed, Value};
use crate::auth::Signature;
use crate::config::Encoding;

pub(super) const START: &[u8] = b">>>\n";
pub(super) const END: &[u8] = b"<<<\n";
/// Stands for a newline within a value.
pub(super) const NEWLINE: u8 = 0x13;

/// Finds the signature and what it covers. Does not look at the other fields.
///
/// The original rebuilds the signed text from the parsed fields; it never sends any other spelling of
/// them, so the raw lines are the same text.
pub(super) fn locate(bytes: &[u8]) -> Option<Sealed<'_>> {
    // One NUL follows over UDP, none on a serial line.
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    let fields = bytes.strip_prefix(START)?.strip_suffix(END)?;
    let mut at = 0;
    let mut found = None;
    for line in fields.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if let Some(signature) = line.strip_prefix(b"auth=") {
            if found.is_some() {
                return None;
            }
            let signed = [fields.get(..at)?, fields.get(next..)?];
            found = Some((signature.strip_suffix(b"\n")?, signed));
        }
        at = next;
    }
    let (signature, signed) = found?;
    Some(Sealed {
        encoding: Encoding::Classic,
        fields,
        signed,
        signature: Signature::parse(signature)?,
    })
}

/// Splits the lines of an authenticated message.
pub(super) fn parse(bytes: &[u8]) -> Option<Fields<'_>> {
    let mut fields = Fields::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        fields.push(parse_field(line.strip_suffix(b"\n")?)?)?;
    }
    Some(fields)
}

fn parse_field(line: &[u8]) -> Option<Field<'_>> {
    let (kind, field) = match *line {
        [b'(', kind, b')', ref field @ ..] => (kind, field),
        _ => (b'0', line),
    };
    Field::parse(field, |value| Value::new(kind, value, Value::Base64))
}
