//! Messages on a serial line: the classic encoding back to back, with noise in between.
//!
//! As in the original, what is not between `>>>` and `<<<` is skipped. Unlike there, noise directly
//! before a `>>>` does not cost that message, and a message whose end is lost costs no second one.

use super::classic::{END, START};
use crate::limits::FRAME_BYTES_MAX;

/// Finds the messages in the bytes of one serial line. It holds at most one frame.
///
/// A frame's worth of bytes without a message is given out like a message: authentication refuses
/// and counts it, and so a wrong baud rate shows.
#[derive(Clone, Debug)]
pub struct LineReader {
    buffer: [u8; FRAME_BYTES_MAX],
    len: usize,
    /// Where the present line begins.
    line: usize,
    /// Whether a `>>>` was met and its `<<<` was not.
    inside: bool,
    /// Whether what the buffer holds was given out.
    done: bool,
}

impl Default for LineReader {
    fn default() -> Self {
        Self::new()
    }
}

impl LineReader {
    /// A reader that has read nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: [0; FRAME_BYTES_MAX],
            len: 0,
            line: 0,
            inside: false,
            done: false,
        }
    }

    /// Takes bytes from the front of `bytes` up to the end of the next message, and gives the message
    /// out; `None` when all were taken and none is complete.
    pub fn read(&mut self, bytes: &mut &[u8]) -> Option<&[u8]> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if self.push(*byte) {
                self.done = true;
                return self.buffer.get(..self.len);
            }
        }
        None
    }

    /// Says whether the buffer is to be given out.
    fn push(&mut self, byte: u8) -> bool {
        if self.done {
            *self = Self::new();
        }
        if let Some(place) = self.buffer.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
        if byte == b'\n' && self.on_line() {
            return true;
        }
        self.len == FRAME_BYTES_MAX
    }

    /// A line has ended; says whether a message has.
    fn on_line(&mut self) -> bool {
        let line = self.buffer.get(self.line..self.len).unwrap_or_default();
        let begins = if self.inside {
            line == START
        } else {
            line.ends_with(START)
        };
        if self.inside && line == END {
            return true;
        }
        if begins {
            self.inside = true;
            self.len = 0;
            for byte in START {
                if let Some(place) = self.buffer.get_mut(self.len) {
                    *place = *byte;
                    self.len += 1;
                }
            }
        }
        self.line = self.len;
        false
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const ONE: &[u8] = b">>>\nt=status\nauth=1 aa\n<<<\n";
    const TWO: &[u8] = b">>>\nt=ackmsg\nauth=1 bb\n<<<\n";

    /// Reads pieces of these sizes until nothing is left.
    fn read(bytes: &[u8], pieces: usize) -> Vec<Vec<u8>> {
        let mut reader = LineReader::new();
        let mut found = Vec::new();
        for mut piece in bytes.chunks(pieces.max(1)) {
            while let Some(message) = reader.read(&mut piece) {
                found.push(message.to_vec());
            }
        }
        found
    }

    /// Aim: messages are found whatever pieces they come in, and given out exactly as they were sent.
    #[test]
    fn messages_in_pieces() {
        let both = [ONE, TWO, ONE].concat();
        for pieces in 1..both.len() {
            assert_eq!(read(&both, pieces), [ONE, TWO, ONE], "pieces of {pieces}");
        }
    }

    /// Aim: noise between two messages costs neither, even when it touches the second.
    #[test]
    fn noise_between_messages() {
        for noise in [&b"\n"[..], b"\0\xff", b"<<<\n", b">>\n>", b"a=b\n\n\0"] {
            let bytes = [noise, ONE, noise, TWO, noise].concat();
            assert_eq!(read(&bytes, 5), [ONE, TWO], "{noise:?}");
        }
    }

    /// Aim: a message that lost its end is dropped when the next one begins, and that one is read.
    #[test]
    fn lost_end() {
        for cut in START.len()..ONE.len() {
            let (head, _) = ONE.split_at(cut);
            let bytes = [head, b"\n", TWO].concat();
            let found = read(&bytes, 7);
            assert_eq!(found.last().map(Vec::as_slice), Some(TWO), "cut at {cut}");
        }
    }

    /// Aim: endless garbage is given out in frames, to be refused and counted, and a message after it
    /// is read.
    #[test]
    fn endless_garbage() {
        let mut bytes = std::vec![b'x'; 3 * FRAME_BYTES_MAX + 100];
        bytes.extend_from_slice(ONE);
        let found = read(&bytes, 333);
        assert_eq!(found.len(), 4);
        assert!(
            found
                .iter()
                .take(3)
                .all(|frame| frame.len() == FRAME_BYTES_MAX)
        );
        assert_eq!(found.last().map(Vec::as_slice), Some(ONE));
    }

    /// Aim: a message of exactly the longest length is read; one of a byte more is not, and what
    /// follows is.
    #[test]
    fn longest_message() {
        let message = |len: usize| {
            let mut bytes = START.to_vec();
            bytes.resize(len - END.len() - 1, b'v');
            bytes.push(b'\n');
            bytes.extend_from_slice(END);
            bytes
        };
        let longest = message(FRAME_BYTES_MAX);
        assert_eq!(read(&longest, 100), [&longest[..]]);
        let too_long = [message(FRAME_BYTES_MAX + 1), ONE.to_vec()].concat();
        let found = read(&too_long, 100);
        assert_eq!(found.last().map(Vec::as_slice), Some(ONE));
        assert_eq!(found.len(), 2);
    }

    proptest! {
        /// Aim: whatever comes before, in whatever pieces, two messages later the reader is in step.
        #[test]
        fn always_back_in_step(noise in prop::collection::vec(any::<u8>(), 0..3000), pieces in 1_usize..700) {
            let bytes = [&noise[..], b"\n", ONE, TWO].concat();
            let found = read(&bytes, pieces);
            prop_assert_eq!(found.last().map(Vec::as_slice), Some(TWO));
            prop_assert!(found.iter().all(|frame| frame.len() <= FRAME_BYTES_MAX));
        }
    }
}
