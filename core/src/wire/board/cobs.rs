//! Consistent overhead byte stuffing, within one buffer: no zero byte remains.

/// The longest run without a zero.
const RUN: usize = 254;

/// How far the plain bytes must be from the start of the buffer to be encoded within it.
pub(super) const fn room(len: usize) -> usize {
    len / RUN + 1
}

/// Encodes the `len` bytes that begin at `room(len)` or later, at `from`, to the start of the buffer;
/// gives their new length. `None` when they are not there.
pub(super) fn encode(buffer: &mut [u8], from: usize, len: usize) -> Option<usize> {
    let end = from.checked_add(len)?;
    let (mut code_at, mut written, mut code) = (0, 1, 1_u8);
    for at in from..end {
        let byte = *buffer.get(at)?;
        if byte != 0 {
            *buffer.get_mut(written)? = byte;
            written += 1;
            code += 1;
        }
        let full = usize::from(code) > RUN;
        // A full run at the very end needs no empty one after it.
        if byte == 0 || (full && at + 1 < end) {
            *buffer.get_mut(code_at)? = code;
            code_at = written;
            written += 1;
            code = 1;
        }
    }
    *buffer.get_mut(code_at)? = code;
    Some(written)
}

/// Decodes a whole buffer in place; gives the new length. `None` when no encoder has written it.
pub(super) fn decode(buffer: &mut [u8]) -> Option<usize> {
    let (mut read, mut written) = (0, 0);
    while let Some(code) = buffer.get(read).copied() {
        let run = usize::from(code).checked_sub(1)?;
        read += 1;
        for _ in 0..run {
            let byte = *buffer.get(read).filter(|byte| **byte != 0)?;
            *buffer.get_mut(written)? = byte;
            read += 1;
            written += 1;
        }
        if run < RUN && read < buffer.len() {
            *buffer.get_mut(written)? = 0;
            written += 1;
        }
    }
    Some(written)
}
