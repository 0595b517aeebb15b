//! Randomness from the kernel.

use std::fs::File;
use std::io::{self, Read as _};

/// Where it comes from; named in errors.
pub const SOURCE: &str = "/dev/urandom";

/// Random bytes, fit for keys.
///
/// # Errors
/// When the kernel's device cannot be read, as in a chroot without `/dev`.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open(SOURCE)?.read_exact(&mut bytes)?;
    Ok(bytes)
}
