extern crate std;

use std::format;
use std::string::ToString as _;
use std::vec::Vec;

use super::*;

const DATA: &[u8] = b"t=status\nsrc=rproxy1\n";

fn key(method: Method, secret: &str) -> Key {
    Key::new(method, secret.as_bytes()).unwrap()
}

/// The keys of a node that sends with 1 and still accepts 2, 3 and 4.
fn keys() -> Keys {
    let keys = [
        (1, key(Method::Sha1, "own")),
        (2, key(Method::Sha1, "old")),
        (3, key(Method::Md5, "other")),
        (4, key(Method::Crc, "")),
    ];
    Keys::new(1, keys).unwrap()
}

fn verify(keys: &Keys, text: &str, encoding: Encoding, crc_allowed: bool) -> Result<(), Refusal> {
    let signature = Signature::parse(text.as_bytes()).unwrap();
    keys.verify(signature, &[DATA], encoding, crc_allowed)
}

fn signed(index: u8, method: Method, secret: &str) -> std::string::String {
    let token = key(method, secret).token(&[DATA]);
    format!("{index} {}", token.as_str())
}

/// Aim: both HMACs give the digests of RFC 2202, keys longer than a block included, and the parts
/// of a text sign like the whole.
#[test]
fn rfc_2202() {
    let count: Vec<u8> = (1..=25).collect();
    let large = b"Test Using Larger Than Block-Size Key - Hash Key First";
    let larger = b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data";
    let cases: [(&[u8], &[u8], &str); 14] = [
        (&[0x0b; 16], b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "750c783e6ab0b503eaa86e310a5db738",
        ),
        (&[0xaa; 16], &[0xdd; 50], "56be34521d144c88dbb8c733f0e8b3f6"),
        (&count, &[0xcd; 50], "697eaf0aca3a3aea3a75164746ffaa79"),
        (
            &[0x0c; 16],
            b"Test With Truncation",
            "56461ef2342edc00f9bab995690efd4c",
        ),
        (&[0xaa; 80], large, "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"),
        (&[0xaa; 80], larger, "6f630fad67cda0ee1fb1f562db3aa53e"),
        (
            &[0x0b; 20],
            b"Hi There",
            "b617318655057264e28bc0b6fb378c8ef146be00",
        ),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        ),
        (
            &[0xaa; 20],
            &[0xdd; 50],
            "125d7342b9ac11cd91a39af48aa17b4f63f175d3",
        ),
        (
            &count,
            &[0xcd; 50],
            "4c9007f4026250c6bc8414f9bf50c86c2d7235da",
        ),
        (
            &[0x0c; 20],
            b"Test With Truncation",
            "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
        ),
        (
            &[0xaa; 80],
            large,
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        ),
        (
            &[0xaa; 80],
            larger,
            "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
        ),
    ];
    for (secret, data, digest) in cases {
        let method = if digest.len() == 32 {
            Method::Md5
        } else {
            Method::Sha1
        };
        let key = Key::new(method, secret).unwrap();
        let (left, right) = data.split_at(data.len() / 2);
        assert_eq!(key.token(&[data]).as_str(), digest);
        assert_eq!(key.token(&[left, right]).as_str(), digest);
    }
}

/// Aim: crc is the polynomial of cksum without the length, printed without leading zeros.
#[test]
fn crc_is_printed_unpadded() {
    let crc = key(Method::Crc, "");
    assert_eq!(crc.token(&[b"123456789"]).as_str(), "765e7680");
    assert_eq!(crc.token(&[b"12345", b"6789"]).as_str(), "765e7680");
    assert_eq!(crc.token(&[b"2784"]).as_str(), "565a");
    assert!(crc.token(&[b"2784"]).matches(b"565a"));
    assert!(!crc.token(&[b"2784"]).matches(b"0000565a"));
}

/// Aim: a token matches itself alone: no other digit at any place, no upper case, no other length.
///
/// That the comparison takes the same time wherever they differ is the promise of `subtle`; a test
/// that measures it would fail on a busy machine and prove nothing on an idle one.
#[test]
fn tokens_match_exactly() {
    let token = key(Method::Sha1, "secret").token(&[DATA]);
    let text = token.as_str().as_bytes();
    assert!(token.matches(text));
    assert!(!token.matches(token.as_str().to_uppercase().as_bytes()));
    assert!(!token.matches(b""));
    assert!(!token.matches(&text[..39]));
    assert!(!token.matches(&[text, b"0"].concat()));
    for at in 0..text.len() {
        let mut other = text.to_vec();
        other[at] ^= 1;
        assert!(!token.matches(&other), "digit {at} is not compared");
    }
}

/// Aim: the number in the packet selects method and key, in both encodings, so that keys can be
/// changed one node at a time.
#[test]
fn number_selects_key() {
    for encoding in [Encoding::Netstring, Encoding::Classic] {
        let check = |text: &str| verify(&keys(), text, encoding, false);
        assert_eq!(check(&signed(1, Method::Sha1, "own")), Ok(()));
        assert_eq!(check(&signed(2, Method::Sha1, "old")), Ok(()));
        assert_eq!(check(&signed(3, Method::Md5, "other")), Ok(()));
        assert_eq!(
            check(&signed(1, Method::Sha1, "old")),
            Err(Refusal::Signature)
        );
        assert_eq!(
            check(&signed(1, Method::Md5, "own")),
            Err(Refusal::Signature)
        );
        assert_eq!(
            check(&signed(2, Method::Sha1, "wrong")),
            Err(Refusal::Signature)
        );
        assert_eq!(check(&signed(5, Method::Sha1, "own")), Err(Refusal::Key));
        assert_eq!(check(&signed(16, Method::Sha1, "own")), Err(Refusal::Key));
        assert_eq!(check(&signed(255, Method::Sha1, "own")), Err(Refusal::Key));
    }
}

/// Aim: the original's rule, method of the number with the receiver's sending key, holds for the
/// netstring encoding and nowhere else.
#[test]
fn originals_rule() {
    for (text, crossed) in [
        (signed(2, Method::Sha1, "own"), Ok(())),
        (signed(3, Method::Md5, "own"), Ok(())),
        (signed(3, Method::Sha1, "own"), Err(Refusal::Signature)),
        (signed(2, Method::Sha1, "other"), Err(Refusal::Signature)),
        (signed(5, Method::Sha1, "own"), Err(Refusal::Key)),
    ] {
        assert_eq!(verify(&keys(), &text, Encoding::Netstring, false), crossed);
        assert!(verify(&keys(), &text, Encoding::Classic, false).is_err());
    }
}

/// Aim: on a network link a checksum is no signature unless the administrator sends with one.
#[test]
fn crc_cannot_buy_its_way_in() {
    let crc = signed(4, Method::Crc, "");
    for encoding in [Encoding::Netstring, Encoding::Classic] {
        assert_eq!(verify(&keys(), &crc, encoding, false), Err(Refusal::Key));
        assert_eq!(verify(&keys(), &crc, encoding, true), Ok(()));
    }
    let sends_crc = Keys::new(
        4,
        [(4, key(Method::Crc, "")), (2, key(Method::Sha1, "old"))],
    )
    .unwrap();
    assert_eq!(verify(&sends_crc, &crc, Encoding::Netstring, false), Ok(()));
    // The original's rule must not turn the keyless sending key into an empty HMAC key.
    let token = key(Method::Sha1, "x").method.token(b"", &[DATA]);
    let empty = format!("2 {}", token.as_str());
    assert_eq!(
        verify(&sends_crc, &empty, Encoding::Netstring, true),
        Err(Refusal::Signature)
    );
}

/// Aim: a signature that is not `<index> <token>` is not one.
#[test]
fn unreadable_signatures() {
    for text in ["", " ", "1", "1x", "x 1", "-1 a", "+1 a", "256 a", " 1 a"] {
        assert!(Signature::parse(text.as_bytes()).is_none(), "{text:?}");
    }
}

/// Aim: only complete keys and sets can be made, and the reason is given.
#[test]
fn only_valid_sets() {
    assert_eq!(Key::new(Method::Sha1, b"").unwrap_err(), KeyError::Missing);
    assert_eq!(
        Key::new(Method::Crc, b"x").unwrap_err(),
        KeyError::Unexpected
    );
    assert!(Key::new(Method::Md5, &[7; KEY_BYTES_MAX]).is_ok());
    assert_eq!(
        Key::new(Method::Md5, &[7; KEY_BYTES_MAX + 1]).unwrap_err(),
        KeyError::TooLong(KEY_BYTES_MAX)
    );
    let crc = || key(Method::Crc, "");
    let error = |sending, list: &[u8]| {
        Keys::new(sending, list.iter().map(|index| (*index, crc()))).unwrap_err()
    };
    assert_eq!(error(1, &[]), KeysError::NoSendingKey(1));
    assert_eq!(error(16, &[1]), KeysError::NoSendingKey(16));
    assert_eq!(error(1, &[1, 16]), KeysError::Index(16));
    assert_eq!(error(1, &[1, 1]), KeysError::Repeated(1));
    assert_eq!(Method::parse("sha1"), Some(Method::Sha1));
    assert_eq!(Method::parse("SHA1"), None);
    assert_eq!(
        KeysError::NoSendingKey(3).to_string(),
        "key 3 is to sign and is missing"
    );
}

/// Aim: no way of printing a set of keys shows a secret.
#[test]
fn secrets_are_not_shown() {
    let keys = Keys::new(1, [(1, key(Method::Sha1, "hushhush"))]).unwrap();
    let shown = format!("{keys:?} {keys:#?}");
    assert!(shown.contains("Sha1"));
    let bytes = format!("{:?}", b"hush");
    assert!(!shown.contains("hush") && !shown.contains(bytes.trim_matches(['[', ']'])));
}

/// Aim: `serial_auth` changes which key signs on serial lines, and nothing else.
#[test]
fn serial_lines_may_have_a_key_of_their_own() {
    let keys = keys().with_serial(4).unwrap();
    let signing = |encoding| {
        let (index, key) = keys.signing(encoding);
        (index, key.method())
    };
    assert_eq!(signing(Encoding::Classic), (4, Method::Crc));
    assert_eq!(signing(Encoding::Netstring), (1, Method::Sha1));
    let crc = signed(4, Method::Crc, "");
    assert_eq!(verify(&keys, &crc, Encoding::Classic, true), Ok(()));
    for encoding in [Encoding::Classic, Encoding::Netstring] {
        assert_eq!(verify(&keys, &crc, encoding, false), Err(Refusal::Key));
    }
    assert_eq!(
        self::keys().with_serial(5).map(drop),
        Err(KeysError::NoSendingKey(5))
    );
    assert_eq!(self::keys().signing(Encoding::Classic).0, 1);
}
