//! Heartbeats captured from Heartbeat 3.0.6, verified and written again by the core.

use systole_core::auth::{Key, Keys, Method};
use systole_core::config::Encoding;
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::report::Refusal;
use systole_core::wire::envelope::{self, Value};
use systole_core::wire::message;

/// One captured heartbeat and the key it was signed with.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// For messages.
    pub name: &'static str,
    bytes: &'static [u8],
    encoding: Encoding,
    key_number: u8,
    method: Method,
    secret: &'static [u8],
}

/// One heartbeat for each method and encoding that a board meets.
pub const CASES: [Case; 4] = [
    Case {
        name: "sha1, as on UDP",
        bytes: include_bytes!("../../core/vectors/netstring-status.bin"),
        encoding: Encoding::Netstring,
        key_number: 1,
        method: Method::Sha1,
        secret: b"RigSecretKey1",
    },
    Case {
        name: "md5, as on UDP",
        bytes: include_bytes!("../../core/vectors/md5-status-active.bin"),
        encoding: Encoding::Netstring,
        key_number: 3,
        method: Method::Md5,
        secret: b"VectorMd5Key",
    },
    Case {
        name: "crc, as on UDP",
        bytes: include_bytes!("../../core/vectors/crc-status-active.bin"),
        encoding: Encoding::Netstring,
        key_number: 2,
        method: Method::Crc,
        secret: b"",
    },
    Case {
        name: "sha1, as on a serial line",
        bytes: include_bytes!("../../core/vectors/classic-status-active.bin"),
        encoding: Encoding::Classic,
        key_number: 1,
        method: Method::Sha1,
        secret: b"RigSecretKey1",
    },
];

/// What the core did wrong. Nothing can be relied on then: the image must not go into service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The key was refused.
    Key,
    /// The captured heartbeat was refused.
    Refused(Refusal),
    /// The heartbeat could not be written.
    Emit,
    /// What was written is not what the original wrote.
    Differs,
    /// The heartbeat was accepted with this byte damaged.
    DamageAccepted(usize),
}

impl Case {
    /// Verifies, reads and writes the heartbeat, which must give what the original wrote, byte for
    /// byte or signature for signature; then damages each byte in turn, which must be refused.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn run(&self) -> Result<(), Failure> {
        let key = Key::new(self.method, self.secret).map_err(|_| Failure::Key)?;
        let keys = Keys::new(self.key_number, [(self.key_number, key)]);
        let keys = keys.map_err(|_| Failure::Key)?;
        self.repeat(&keys)?;
        self.damage(&keys)
    }

    fn repeat(&self, keys: &Keys) -> Result<(), Failure> {
        let fields = envelope::authenticate(self.bytes, keys, true).map_err(Failure::Refused)?;
        let heartbeat = message::parse(&fields).map_err(Failure::Refused)?;
        // What the original sends on UDP also has in it the signature of the classic form.
        let classic_signature = fields.get("auth").and_then(Value::text);
        let encoding = classic_signature.map_or(self.encoding, |_| Encoding::Classic);
        let mut frame = [0; FRAME_BYTES_MAX];
        let length = message::emit(&mut frame, encoding, keys, &heartbeat);
        let written = length
            .ok()
            .and_then(|length| frame.get(..length))
            .ok_or(Failure::Emit)?;
        let same = match classic_signature {
            Some(signature) => ends_with_signature(written, signature),
            None => written == self.bytes,
        };
        if same { Ok(()) } else { Err(Failure::Differs) }
    }

    fn damage(&self, keys: &Keys) -> Result<(), Failure> {
        let mut frame = [0; FRAME_BYTES_MAX];
        let frame = frame.get_mut(..self.bytes.len()).ok_or(Failure::Emit)?;
        frame.copy_from_slice(self.bytes);
        for at in 0..self.bytes.len() {
            flip(frame, at);
            if envelope::authenticate(frame, keys, true).is_ok() {
                return Err(Failure::DamageAccepted(at));
            }
            flip(frame, at);
        }
        Ok(())
    }
}

/// Whether a message in the classic form ends with this signature.
fn ends_with_signature(message: &[u8], signature: &str) -> bool {
    message
        .strip_suffix(b"\n<<<\n")
        .and_then(|message| message.strip_suffix(signature.as_bytes()))
        .is_some_and(|message| message.ends_with(b"\nauth="))
}

/// Damages one byte; a second time mends it.
fn flip(frame: &mut [u8], at: usize) {
    if let Some(byte) = frame.get_mut(at) {
        *byte ^= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: the self-test passes on the host too, so that a failure on a board is the board's.
    #[test]
    fn passes_here() {
        for case in CASES {
            assert_eq!(case.run(), Ok(()), "{}", case.name);
        }
    }

    /// Aim: the self-test can fail: a wrong key and a damaged capture are noticed.
    #[test]
    fn can_fail() {
        let [good, ..] = CASES;
        let wrong_key = Case {
            secret: b"AnotherKey",
            ..good
        };
        assert_eq!(wrong_key.run(), Err(Failure::Refused(Refusal::Signature)));
        let no_key = Case {
            secret: b"",
            ..good
        };
        assert_eq!(no_key.run(), Err(Failure::Key));
        let truncated = Case {
            bytes: good.bytes.get(..100).unwrap(),
            ..good
        };
        assert_eq!(truncated.run(), Err(Failure::Refused(Refusal::Envelope)));
        let other_form = Case {
            encoding: Encoding::Classic,
            ..good
        };
        assert_eq!(other_form.run(), Err(Failure::Differs));
    }
}
