//! The signatures of authkeys(5): methods, keys, and which key a received signature may use.
//!
//! Tokens are compared as text, exactly as the original prints them, and in constant time: how long
//! a comparison takes depends on the token's length only, never on how many digits are right.

use core::fmt::{self, Write as _};

use crc::{CRC_32_CKSUM, Crc};
use heapless::{String, Vec};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::config::Encoding;
use crate::limits::{KEY_BYTES_MAX, KEYS_MAX};
use crate::report::Refusal;
use crate::wire::number;

/// The polynomial of POSIX `cksum`, without its length suffix (hb306: `lib/plugins/HBauth/crc.c`).
static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_CKSUM);

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// A checksum without a key: finds damage, stops nobody.
    Crc,
    /// HMAC-MD5 (RFC 2104).
    Md5,
    /// HMAC-SHA1 (RFC 2104).
    Sha1,
}

impl Method {
    /// The word in authkeys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc => "crc",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
        }
    }

    /// Reads the word in authkeys.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Crc, Self::Md5, Self::Sha1]
            .into_iter()
            .find(|method| method.as_str() == word)
    }

    /// Whether it needs a key, and so proves who signed.
    #[must_use]
    pub const fn is_keyed(self) -> bool {
        !matches!(self, Self::Crc)
    }

    /// Signs the parts as if they were one text.
    fn token(self, secret: &[u8], parts: &[&[u8]]) -> Token {
        match self {
            Self::Crc => {
                let mut digest = CRC.digest();
                for part in parts {
                    digest.update(part);
                }
                Token::new(format_args!("{:x}", digest.finalize()))
            }
            Self::Md5 => hmac_token::<Hmac<Md5>>(secret, parts),
            Self::Sha1 => hmac_token::<Hmac<Sha1>>(secret, parts),
        }
    }
}

fn hmac_token<M: Mac + KeyInit>(secret: &[u8], parts: &[&[u8]]) -> Token {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = <M as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    let mut token = Token(String::new());
    for byte in mac.finalize().into_bytes() {
        for digit in [byte >> 4, byte & 0xf] {
            let digit = char::from_digit(digit.into(), 16).unwrap_or_default();
            // The longest digest fills the string exactly, so there is room.
            let pushed = token.0.push(digit);
            debug_assert!(pushed.is_ok(), "a token is longer than a sha1 digest");
        }
    }
    token
}

/// A computed signature as text: 1 to 8 digits of crc, 32 of md5, 40 of sha1, all lower case.
pub(crate) struct Token(String<40>);

impl Token {
    fn new(text: fmt::Arguments<'_>) -> Self {
        let mut token = Self(String::new());
        let written = token.0.write_fmt(text);
        debug_assert!(written.is_ok(), "a token is longer than a sha1 digest");
        token
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn matches(&self, received: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(received).into()
    }
}

/// One key of authkeys. Its bytes are wiped when it is dropped and never shown.
#[derive(Clone)]
pub struct Key {
    method: Method,
    secret: Vec<u8, KEY_BYTES_MAX>,
}

/// Why a method and bytes make no key. Nothing was built; mend the line of authkeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// md5 and sha1 need a key.
    Missing,
    /// crc takes no key.
    Unexpected,
    /// The key is longer than the limit, in bytes.
    TooLong(usize),
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("md5 and sha1 need a key"),
            Self::Unexpected => f.write_str("crc takes no key"),
            Self::TooLong(max) => write!(f, "a key can be at most {max} bytes long"),
        }
    }
}

impl core::error::Error for KeyError {}

impl Key {
    /// Makes a key from the bytes of authkeys, without the end of the line; empty for crc.
    ///
    /// # Errors
    /// When the method and the bytes do not go together.
    pub fn new(method: Method, secret: &[u8]) -> Result<Self, KeyError> {
        if method.is_keyed() && secret.is_empty() {
            return Err(KeyError::Missing);
        }
        if !method.is_keyed() && !secret.is_empty() {
            return Err(KeyError::Unexpected);
        }
        let secret = Vec::from_slice(secret).map_err(|_| KeyError::TooLong(KEY_BYTES_MAX))?;
        Ok(Self { method, secret })
    }

    /// How it signs.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Its bytes, on their way to the node's own board.
    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// Signs the parts as if they were one text.
    pub(crate) fn token(&self, parts: &[&[u8]]) -> Token {
        self.method.token(&self.secret, parts)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.secret.as_mut_slice().zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The keys of authkeys: those that are accepted, and the one that signs (`auth N`).
#[derive(Clone, Debug)]
pub struct Keys {
    accepted: [Option<Key>; KEYS_MAX],
    sending_index: u8,
    /// Equal to `accepted[sending_index]`, so that there always is one.
    sending: Key,
    /// The number of the key that signs on serial lines, when it is another one.
    serial_index: Option<u8>,
}

/// Why keys make no set. Nothing was built; mend authkeys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeysError {
    /// This number is above 15.
    Index(u8),
    /// Two keys have this number.
    Repeated(u8),
    /// `auth` or `serial_auth` names this number, and no key has it.
    NoSendingKey(u8),
}

impl fmt::Display for KeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "key number {index} is not in the range 0 to 15"),
            Self::Repeated(index) => write!(f, "there are two keys with number {index}"),
            Self::NoSendingKey(index) => write!(f, "key {index} is to sign and is missing"),
        }
    }
}

impl core::error::Error for KeysError {}

/// What a received message says about its signature: `<index> <token>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Signature<'a> {
    index: u8,
    token: &'a [u8],
}

impl<'a> Signature<'a> {
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        let blank = text.iter().position(|byte| *byte == b' ')?;
        let (index, token) = text.split_at_checked(blank)?;
        Some(Self {
            index: u8::try_from(number(index, 10)?).ok()?,
            token: token.get(1..)?,
        })
    }
}

impl Keys {
    /// Makes a set of keys of which the one numbered `sending` signs.
    ///
    /// # Errors
    /// When a number is too high or used twice, or no key has the number `sending`.
    pub fn new(sending: u8, keys: impl IntoIterator<Item = (u8, Key)>) -> Result<Self, KeysError> {
        let mut accepted = [const { None }; KEYS_MAX];
        for (index, key) in keys {
            let slot = accepted
                .get_mut(usize::from(index))
                .ok_or(KeysError::Index(index))?;
            if slot.replace(key).is_some() {
                return Err(KeysError::Repeated(index));
            }
        }
        let key = accepted
            .get(usize::from(sending))
            .and_then(Option::as_ref)
            .ok_or(KeysError::NoSendingKey(sending))?
            .clone();
        Ok(Self {
            accepted,
            sending_index: sending,
            sending: key,
            serial_index: None,
        })
    }

    /// Lets another key sign on serial lines (`serial_auth`): there a crc is enough, because nobody
    /// but the two nodes is on the line.
    ///
    /// # Errors
    /// When no key has this number.
    pub fn with_serial(mut self, index: u8) -> Result<Self, KeysError> {
        self.key(index).ok_or(KeysError::NoSendingKey(index))?;
        self.serial_index = Some(index);
        Ok(self)
    }

    fn key(&self, index: u8) -> Option<&Key> {
        self.accepted.get(usize::from(index))?.as_ref()
    }

    /// The key that signs in this encoding, and its number. The classic one is that of serial lines.
    pub(crate) fn signing(&self, encoding: Encoding) -> (u8, &Key) {
        let serial = self
            .serial_index
            .filter(|_| encoding == Encoding::Classic)
            .and_then(|index| Some((index, self.key(index)?)));
        serial.unwrap_or_else(|| self.sending())
    }

    /// The key that signs, and its number.
    #[must_use]
    pub const fn sending(&self) -> (u8, &Key) {
        (self.sending_index, &self.sending)
    }

    /// Checks the signature of a message; computes at most two tokens.
    ///
    /// The number in the message selects method and key. In the netstring encoding the original uses
    /// the number for the method alone and takes the key that *it* sends with; that is tried second,
    /// so that two files that number the same key differently go together with us too. It opens
    /// nothing: whoever knows the sending key can sign with its own number as well.
    ///
    /// A crc without key is taken where `crc_allowed` (serial and board links), and elsewhere only if
    /// `auth` itself names a crc key.
    pub(crate) fn verify(
        &self,
        signature: Signature<'_>,
        signed: &[&[u8]],
        encoding: Encoding,
        crc_allowed: bool,
    ) -> Result<(), Refusal> {
        let named = self.key(signature.index).ok_or(Refusal::Key)?;
        let keyless = !named.method.is_keyed();
        if keyless && !crc_allowed && self.sending.method.is_keyed() {
            return Err(Refusal::Key);
        }
        if named.token(signed).matches(signature.token) {
            return Ok(());
        }
        let original_rule = encoding == Encoding::Netstring
            && signature.index != self.sending_index
            && self.sending.method.is_keyed();
        if original_rule
            && named
                .method
                .token(&self.sending.secret, signed)
                .matches(signature.token)
        {
            return Ok(());
        }
        Err(Refusal::Signature)
    }
}

#[cfg(test)]
mod tests;
