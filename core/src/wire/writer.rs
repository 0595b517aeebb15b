//! Writes one signed message in either encoding.

use core::fmt::{self, Write as _};

use super::{base64, classic, netstring};
use crate::auth::Keys;
use crate::config::Encoding;

/// Why a message was not written. What the buffer holds now means nothing; do not send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmitError {
    /// It does not fit the buffer.
    TooLong,
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the message does not fit the frame"),
        }
    }
}

impl core::error::Error for EmitError {}

impl From<fmt::Error> for EmitError {
    fn from(_: fmt::Error) -> Self {
        Self::TooLong
    }
}

/// A message being written: fields in order, then the signature. Every step fails when the buffer is
/// too short.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    frame: &'a mut [u8],
    len: usize,
    encoding: Encoding,
}

impl<'a> Writer<'a> {
    /// Begins a message at the start of a buffer.
    pub(super) fn new(frame: &'a mut [u8], encoding: Encoding) -> Result<Self, EmitError> {
        let mut writer = Self {
            frame,
            len: 0,
            encoding,
        };
        writer.put(match encoding {
            Encoding::Netstring => netstring::START,
            Encoding::Classic => classic::START,
        })?;
        Ok(writer)
    }

    /// Appends a text field. The name must hold no `=`, no newline and no parenthesis.
    pub(super) fn text(&mut self, name: &str, value: fmt::Arguments<'_>) -> Result<(), EmitError> {
        match self.encoding {
            Encoding::Netstring => self.netstring(|writer| {
                for part in ["(0)", name, "="] {
                    writer.put(part.as_bytes())?;
                }
                Ok(writer.write_fmt(value)?)
            }),
            Encoding::Classic => {
                write!(self, "{name}=")?;
                let start = self.len;
                self.write_fmt(value)?;
                for byte in self.frame.iter_mut().take(self.len).skip(start) {
                    if *byte == b'\n' {
                        *byte = classic::NEWLINE;
                    }
                }
                self.put(b"\n")
            }
        }
    }

    /// Appends a binary field; the same rule for the name.
    pub(super) fn binary(&mut self, name: &str, value: &[u8]) -> Result<(), EmitError> {
        match self.encoding {
            Encoding::Netstring => self.netstring(|writer| {
                for part in ["(1)", name, "="] {
                    writer.put(part.as_bytes())?;
                }
                writer.put(value)
            }),
            Encoding::Classic => {
                write!(self, "(1){name}=")?;
                for chunk in value.chunks(3) {
                    self.put(&base64::encode(chunk))?;
                }
                self.put(b"\n")
            }
        }
    }

    /// Signs with the key of this encoding; gives the length of the message.
    pub(super) fn finish(mut self, keys: &Keys) -> Result<usize, EmitError> {
        let (index, key) = keys.signing(self.encoding);
        match self.encoding {
            Encoding::Netstring => {
                self.put(netstring::END)?;
                let token = key.token(&[self.written(0)?]);
                self.netstring(|writer| Ok(write!(writer, "{index} {}", token.as_str())?))?;
            }
            Encoding::Classic => {
                let token = key.token(&[self.written(classic::START.len())?]);
                writeln!(self, "auth={index} {}", token.as_str())?;
                self.put(classic::END)?;
            }
        }
        Ok(self.len)
    }

    /// Frames what `fill` writes. Its length, which goes before it, is known only afterwards; to format everything
    /// twice for that is what a heartbeat would cost most.
    fn netstring(
        &mut self,
        fill: impl FnOnce(&mut Self) -> Result<(), EmitError>,
    ) -> Result<(), EmitError> {
        let start = self.len;
        fill(self)?;
        let end = self.len;
        write!(self, "{}:", end - start)?;
        let framed = self.frame.get_mut(start..self.len);
        framed
            .ok_or(EmitError::TooLong)?
            .rotate_right(self.len - end);
        self.put(b",")
    }

    fn written(&self, start: usize) -> Result<&[u8], EmitError> {
        self.frame.get(start..self.len).ok_or(EmitError::TooLong)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), EmitError> {
        let end = self.len.saturating_add(bytes.len());
        self.frame
            .get_mut(self.len..end)
            .ok_or(EmitError::TooLong)?
            .copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
