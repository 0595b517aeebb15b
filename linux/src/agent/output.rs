//! What a child prints, line by line into the log, and never more than a bounded part of it.

use std::io;

use tokio::net::unix::pipe::Receiver;
use tracing::{debug, info};

/// Lines logged per call; a script that says more says it in a loop.
const LINES_MAX: usize = 64;

/// Bytes of a line that are logged.
const LINE_BYTES_MAX: usize = 512;

/// Bytes of a `status` answer that are judged.
const TEXT_BYTES_MAX: usize = 4096;

/// Bytes read from the pipe at a time.
const CHUNK_BYTES: usize = 4096;

/// Collects the output of one call.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) resource: String,
    pub(super) operation: &'static str,
    /// The beginning, for judging a `status`.
    pub(super) text: Vec<u8>,
    line: Vec<u8>,
    lines: usize,
    dropped: u64,
}

impl Output {
    pub(super) fn new(resource: &str, operation: &'static str) -> Self {
        Self {
            resource: resource.to_owned(),
            operation,
            text: Vec::new(),
            line: Vec::new(),
            lines: 0,
            dropped: 0,
        }
    }

    /// Reads until the pipe is closed.
    pub(super) async fn collect(&mut self, pipe: &Receiver) {
        // A pipe that cannot be polled any more has nothing more to say.
        while pipe.readable().await.is_ok() && self.drain(pipe) {}
    }

    /// Reads what is there now; false at the pipe's end.
    pub(super) fn drain(&mut self, pipe: &Receiver) -> bool {
        let mut chunk = [0; CHUNK_BYTES];
        match pipe.try_read(&mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.take(chunk.get(..count).unwrap_or_default());
                true
            }
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Reads what is left in the pipe after the child's end, without waiting.
    pub(super) fn drain_rest(&mut self, pipe: &Receiver) -> bool {
        let mut chunk = [0; CHUNK_BYTES];
        // A pipe holds 64 KiB at most by default; a grandchild may go on writing meanwhile.
        for _ in 0..64 {
            match pipe.try_read(&mut chunk) {
                Ok(0) => return false,
                Ok(count) => self.take(chunk.get(..count).unwrap_or_default()),
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        self.text.extend(bytes.iter().take(room));
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (body, ended) = match piece.split_last() {
                Some((b'\n', body)) => (body, true),
                _ => (piece, false),
            };
            if self.lines < LINES_MAX {
                let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
                self.line.extend(body.iter().take(room));
                self.dropped += body.len().saturating_sub(room) as u64;
            } else {
                self.dropped += piece.len() as u64;
            }
            if ended {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        self.lines += 1;
        let text = String::from_utf8_lossy(&self.line);
        let text = text
            .trim_end()
            .replace(|c: char| c.is_control() && c != '\t', "?");
        let (resource, operation) = (self.resource.as_str(), self.operation);
        // A status is asked often and says the same every time.
        if operation == "status" {
            debug!(target: "agent", resource, operation, "{text}");
        } else {
            info!(target: "agent", resource, operation, "{text}");
        }
        self.line.clear();
    }

    /// Logs the unfinished last line and how much was left out.
    pub(super) fn finish(&mut self) {
        self.end_line();
        if self.dropped > 0 {
            let (resource, operation) = (self.resource.as_str(), self.operation);
            let bytes = grouped(self.dropped);
            info!(target: "agent", resource, operation, "… {bytes} more bytes dropped");
            self.dropped = 0;
        }
    }
}

/// Writes a number with blanks between thousands: `3 482 911`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: memory and log stay bounded however much comes, and nothing is lost uncounted.
    #[test]
    fn output_is_bounded_and_counted() {
        let mut output = Output::new("x", "start");
        output.take(&[b'a'; 1000]);
        assert_eq!((output.line.len(), output.dropped), (LINE_BYTES_MAX, 488));
        output.take(b"\n");
        for _ in 0..LINES_MAX - 1 {
            output.take(b"line\n");
        }
        assert_eq!((output.lines, output.dropped), (LINES_MAX, 488));
        for _ in 0..10_000 {
            output.take(b"1234\n56789");
        }
        assert_eq!((output.line.len(), output.dropped), (0, 488 + 100_000));
        assert_eq!(output.text.len(), TEXT_BYTES_MAX);
    }

    /// Aim: large counts can be read.
    #[test]
    fn counts_are_grouped() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(488), "488");
        assert_eq!(grouped(3_482_911), "3 482 911");
    }
}
