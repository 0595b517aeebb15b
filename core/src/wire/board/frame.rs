//! From a [`Frame`] to bytes on the line, and back.

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, Table};

use super::{BOARD_BYTES_MAX, Frame, VERSION, cobs};

/// One table of 1 KiB: the boards have little flash, and the line is slow.
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

const CRC_BYTES: usize = 4;

/// Why bytes from a line are no frame. They are dropped and counted; nothing else happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The stuffing, the checksum or the fields are wrong.
    Damaged,
    /// The checksum is right, and the version is this one.
    Version(u8),
    /// The checksum is right, and the kind has this number, which this version does not know.
    Kind(u8),
    /// It is longer than a frame can be.
    Oversize,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("the frame is damaged"),
            Self::Version(version) => write!(f, "the frame is of version {version}"),
            Self::Kind(kind) => write!(f, "the frame is of the unknown kind {kind}"),
            Self::Oversize => f.write_str("the frame is longer than the limit"),
        }
    }
}

impl core::error::Error for FrameError {}

/// Writes a frame, its zero byte included; gives its length. `None` when it does not fit, as only a
/// heartbeat or a log of more than [`FRAME_BYTES_MAX`](crate::limits::FRAME_BYTES_MAX) does not.
#[must_use]
pub fn emit(frame: &Frame<'_>, buffer: &mut [u8; BOARD_BYTES_MAX]) -> Option<usize> {
    let from = cobs::room(BOARD_BYTES_MAX);
    let plain = buffer.get_mut(from..)?;
    let (version, rest) = plain.split_first_mut()?;
    *version = VERSION;
    let len = postcard::to_slice(frame, rest).ok()?.len() + 1;
    let sum = CRC.checksum(plain.get(..len)?);
    plain
        .get_mut(len..len + CRC_BYTES)?
        .copy_from_slice(&sum.to_le_bytes());
    let len = cobs::encode(buffer, from, len + CRC_BYTES)?;
    *buffer.get_mut(len)? = 0;
    Some(len + 1)
}

/// Finds the frames in the bytes of one line. It holds at most one.
#[derive(Clone, Debug)]
pub struct BoardReader {
    buffer: [u8; BOARD_BYTES_MAX],
    len: usize,
    /// The frame is too long: what is left of it is skipped.
    skips: bool,
}

impl Default for BoardReader {
    fn default() -> Self {
        Self::new()
    }
}

impl BoardReader {
    /// A reader that has read nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: [0; BOARD_BYTES_MAX],
            len: 0,
            skips: false,
        }
    }

    /// Takes bytes from the front of `bytes` up to the end of the next frame, and gives it out;
    /// `None` when all were taken and none is complete.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Option<Result<Frame<'_>, FrameError>> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if *byte == 0 {
                let len = core::mem::take(&mut self.len);
                // Zero bytes one after the other are no frames; too long ones were told already.
                if !core::mem::take(&mut self.skips) && len > 0 {
                    return Some(
                        self.buffer
                            .get_mut(..len)
                            .map_or(Err(FrameError::Oversize), parse),
                    );
                }
            } else if !self.skips {
                let Some(place) = self.buffer.get_mut(self.len) else {
                    self.skips = true;
                    return Some(Err(FrameError::Oversize));
                };
                *place = *byte;
                self.len += 1;
            }
        }
        None
    }
}

fn parse(stuffed: &mut [u8]) -> Result<Frame<'_>, FrameError> {
    let len = cobs::decode(stuffed).ok_or(FrameError::Damaged)?;
    let plain = stuffed.get(..len).ok_or(FrameError::Damaged)?;
    let (signed, sum) = plain.split_last_chunk().ok_or(FrameError::Damaged)?;
    if CRC.checksum(signed) != u32::from_le_bytes(*sum) {
        return Err(FrameError::Damaged);
    }
    let (version, fields) = signed.split_first().ok_or(FrameError::Damaged)?;
    if *version != VERSION {
        return Err(FrameError::Version(*version));
    }
    let kind = fields.first().ok_or(FrameError::Damaged)?;
    if *kind >= Frame::KINDS {
        return Err(FrameError::Kind(*kind));
    }
    match postcard::take_from_bytes(fields) {
        Ok((frame, [])) => Ok(frame),
        Ok(_) | Err(_) => Err(FrameError::Damaged),
    }
}
