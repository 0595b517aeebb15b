//! Base64 with padding (RFC 4648), as binary values travel in the classic encoding.

/// Encodes one to three bytes as four digits; further bytes are not looked at.
pub(super) fn encode(chunk: &[u8]) -> [u8; 4] {
    let mut bytes = chunk.iter().copied();
    let [a, b, c] = [bytes.next(), bytes.next(), bytes.next()];
    let word = u32::from_be_bytes([0, a.unwrap_or(0), b.unwrap_or(0), c.unwrap_or(0)]);
    [
        digit(word >> 18),
        digit(word >> 12),
        if b.is_some() { digit(word >> 6) } else { b'=' },
        if c.is_some() { digit(word) } else { b'=' },
    ]
}

/// Decodes exactly `N` bytes in their only valid spelling.
pub(super) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N.div_ceil(3) * 4 {
        return None;
    }
    let mut out = [0; N];
    for (digits, bytes) in text.chunks(4).zip(out.chunks_mut(3)) {
        let mut word = 0;
        for digit in digits.iter().take(bytes.len() + 1) {
            word = word << 6 | value(*digit)?;
        }
        word <<= 6 * (3 - bytes.len());
        for (byte, decoded) in bytes.iter_mut().zip(word.to_be_bytes().into_iter().skip(1)) {
            *byte = decoded;
        }
        // Refuses wrong padding and stray bits behind the last byte.
        if encode(bytes) != digits {
            return None;
        }
    }
    Some(out)
}

/// The digit of the lowest six bits.
fn digit(word: u32) -> u8 {
    let [.., low] = word.to_be_bytes();
    match low & 63 {
        value @ 0..=25 => b'A' + value,
        value @ 26..=51 => b'a' + (value - 26),
        value @ 52..=61 => b'0' + (value - 52),
        62 => b'+',
        _ => b'/',
    }
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}
