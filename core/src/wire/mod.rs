//! The Linux-HA wire: an ordered list of `name=value` fields, signed, in one of two encodings.
//!
//! What arrives goes through three steps, and none looks further than it must:
//! [`envelope::authenticate`] finds the signature and checks it over the raw bytes, only then splits
//! them into fields; [`message::parse`] reads the fields. [`message::emit`] is the way back.
//!
//! On a serial line [`line`] finds the messages; between a host and its board, and between two boards,
//! [`board`] carries them together with what the boards have to say.

mod base64;
pub mod board;
mod classic;
pub mod envelope;
pub mod line;
pub mod message;
mod netstring;
mod writer;

/// Reads digits of a radix up to 36, nothing else: no sign, no blanks, no empty text.
pub(crate) fn number(text: &[u8], radix: u32) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
