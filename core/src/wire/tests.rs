extern crate std;

use std::string::String;
use std::vec::Vec;
use std::{format, vec};

use proptest::prelude::*;

use super::envelope::{Fields, Value, authenticate};
use super::golden::{self, Golden};
use super::writer::{EmitError, Writer};
use super::*;
use crate::auth::{Key, Keys, Method};
use crate::config::Encoding;
use crate::limits::{FIELDS_MAX, FRAME_BYTES_MAX};
use crate::report::Refusal;

const BOTH: [Encoding; 2] = [Encoding::Netstring, Encoding::Classic];

fn keys() -> Keys {
    Keys::new(2, [(2, Key::new(Method::Crc, b"").unwrap())]).unwrap()
}

/// Wraps what stands between the markers into a well signed packet.
fn seal(encoding: Encoding, body: &[u8]) -> Vec<u8> {
    let crc = Key::new(Method::Crc, b"").unwrap();
    match encoding {
        Encoding::Netstring => {
            let mut packet = [netstring::START, body, netstring::END].concat();
            let token = crc.token(&[&packet]);
            let token = format!("2 {}", token.as_str());
            packet.extend(format!("{}:{token},", token.len()).bytes());
            packet
        }
        Encoding::Classic => {
            let token = crc.token(&[body]);
            let auth = format!("auth=2 {}\n", token.as_str());
            [classic::START, body, auth.as_bytes(), classic::END].concat()
        }
    }
}

fn netstring(field: &str) -> String {
    format!("{}:{field},", field.len())
}

fn open(packet: &[u8]) -> Result<Fields<'_>, Refusal> {
    authenticate(packet, &keys(), true)
}

/// Writes fields again, the `auth` field only where it is an inner one.
fn emit_again(fields: &Fields<'_>, encoding: Encoding, keys: &Keys, inner: bool) -> Vec<u8> {
    let mut frame = [0; FRAME_BYTES_MAX];
    let mut writer = Writer::new(&mut frame, encoding).unwrap();
    for field in fields {
        let name = core::str::from_utf8(field.name).unwrap();
        match field.value {
            Value::Text(_) if name == "auth" && !inner => {}
            Value::Text(_) => {
                let text = field.value.text().unwrap();
                writer.text(name, format_args!("{text}")).unwrap();
            }
            Value::Binary(_) | Value::Base64(_) => {
                let bytes: [u8; 16] = field.value.binary().unwrap();
                writer.binary(name, &bytes).unwrap();
            }
            Value::Opaque => panic!("no golden packet has such a field"),
        }
    }
    let len = writer.finish(keys).unwrap();
    frame[..len].to_vec()
}

fn golden(name: &str) -> Golden {
    golden::all()
        .into_iter()
        .find(|golden| golden.name == name)
        .unwrap()
}

/// Aim: every captured packet is authentic and splits into the fields that were noted for it.
#[test]
fn goldens_parse() {
    for golden in golden::all() {
        let fields = authenticate(&golden.bytes, &golden.keys, false).unwrap();
        let found: Vec<(bool, String, String)> = fields
            .iter()
            .map(|field| {
                let name = String::from_utf8(field.name.to_vec()).unwrap();
                if let Some(text) = field.value.text() {
                    return (false, name, text.into());
                }
                let bytes: [u8; 16] = field.value.binary().unwrap();
                let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
                (true, name, digits.collect())
            })
            .collect();
        assert_eq!(found, golden.fields, "{}", golden.name);
    }
}

/// Aim: every captured packet can be written again byte for byte.
#[test]
fn goldens_emit() {
    for golden in golden::all() {
        let fields = authenticate(&golden.bytes, &golden.keys, false).unwrap();
        let inner = golden.encoding == Encoding::Netstring;
        let again = emit_again(&fields, golden.encoding, &golden.keys, inner);
        assert_eq!(again, golden.bytes, "{}", golden.name);
    }
}

/// Aim: the classic form of every captured packet gets the signature that the original computed for
/// its inner `auth` field, and is read back with the same content.
#[test]
fn goldens_translate() {
    let mut compared = 0;
    for golden in golden::all() {
        let fields = authenticate(&golden.bytes, &golden.keys, false).unwrap();
        let classic = emit_again(&fields, Encoding::Classic, &golden.keys, false);
        let text = String::from_utf8(classic.clone()).unwrap();
        if let Some((_, _, inner)) = golden.fields.iter().find(|field| field.1 == "auth") {
            assert!(
                text.ends_with(&format!("\nauth={inner}\n<<<\n")),
                "{}",
                golden.name
            );
            compared += 1;
        }
        let direct = emit_again(&fields, Encoding::Netstring, &golden.keys, false);
        for nuls in 0..3 {
            let packet = [classic.as_slice(), &[0; 2][..nuls]].concat();
            // One NUL follows over UDP; two are no packet.
            match authenticate(&packet, &golden.keys, false) {
                Ok(read) => {
                    let back = emit_again(&read, Encoding::Netstring, &golden.keys, false);
                    assert!(nuls < 2 && back == direct, "{}", golden.name);
                }
                Err(refusal) => assert_eq!((nuls, refusal), (2, Refusal::Envelope)),
            }
        }
    }
    assert!(compared > 50);
}

/// Aim: a packet that is cut anywhere is refused before its fields are looked at.
#[test]
fn every_truncation() {
    for golden in golden::all() {
        for len in 0..golden.bytes.len() {
            assert_eq!(
                authenticate(&golden.bytes[..len], &golden.keys, true),
                Err(Refusal::Envelope),
                "{} cut to {len} bytes",
                golden.name
            );
        }
    }
}

/// Aim: no single changed byte goes unnoticed, in any method and encoding.
#[test]
fn every_byte_counts() {
    for name in [
        "crc-starting",
        "md5-ackmsg",
        "sha1-repnodes",
        "classic-resource",
    ] {
        let golden = golden(name);
        for at in 0..golden.bytes.len() {
            for flip in [0x01, 0x20, 0x80, 0xff] {
                let mut bytes = golden.bytes.clone();
                bytes[at] ^= flip;
                let refused = authenticate(&bytes, &golden.keys, true);
                assert!(
                    matches!(
                        refused,
                        Err(Refusal::Envelope | Refusal::Key | Refusal::Signature)
                    ),
                    "{name}: byte {at} with {flip:#x} gives {refused:?}"
                );
            }
        }
    }
}

/// Aim: another cluster's packets are refused for their signature.
#[test]
fn foreign_key() {
    let golden = golden("sha1-status-active");
    let other = Key::new(Method::Sha1, b"AnotherSecret").unwrap();
    let other = Keys::new(1, [(1, other)]).unwrap();
    assert_eq!(
        authenticate(&golden.bytes, &other, true),
        Err(Refusal::Signature)
    );
    let elsewhere = Key::new(Method::Sha1, b"RigSecretKey1").unwrap();
    let elsewhere = Keys::new(3, [(3, elsewhere)]).unwrap();
    assert_eq!(
        authenticate(&golden.bytes, &elsewhere, true),
        Err(Refusal::Key)
    );
}

/// Aim: what is no packet is told from what is a badly signed one, and nothing in it is believed:
/// the 14-byte packet that kills the original, immense lengths, markers in wrong places.
#[test]
fn no_envelope() {
    let cases: [&[u8]; 16] = [
        b"",
        b"\0",
        b"###",
        b"###\n",
        b"###\n%%%\n",
        b"###\n3:abc,%%%\n",
        b"###\n99999999999:(0)t=x,%%%\n",
        b"###\n%%%\n99999999999:1 0,",
        b"###\n%%%\n3:1 0",
        b"###\n%%%\n3:1 0,x",
        b"###\n%%%\n0:,",
        b">>>\n<<<\n",
        b">>>\nt=x\n<<<\n",
        b">>>\nauth=1 0\nauth=1 0\n<<<\n",
        b">>>\nauth=1 0<<<\n",
        b"<<<\n>>>\nauth=1 0\n",
    ];
    for packet in cases {
        assert_eq!(open(packet), Err(Refusal::Envelope), "{packet:?}");
    }
    assert_eq!(open(b"###\n%%%\n3:2 0,"), Err(Refusal::Signature));
    assert_eq!(open(b">>>\nauth=2 0\n<<<\n"), Err(Refusal::Signature));
    assert_eq!(open(b"###\n%%%\n3:1 0,"), Err(Refusal::Key));
    assert_eq!(open(&[b'#'; FRAME_BYTES_MAX + 1]), Err(Refusal::Oversize));
    assert_eq!(open(&[b'#'; FRAME_BYTES_MAX]), Err(Refusal::Envelope));
}

/// Aim: a good signature does not make bad fields good.
#[test]
fn malformed_netstrings() {
    let cases = [
        "3:abc,",
        "4:t=st,",
        "5:(0)t,",
        "5:(0)=,",
        "6:(0)=x,",
        "7:(6)t=xy,",
        "7:(9)t=xy,",
        "7:(x)t=xy,",
        "7:[0]t=xy,",
        "7:(00)t=x,",
        "0:,",
        ":,",
        ",",
        "x",
        "7:(0)t=xy",
        "7:(0)t=xy;",
        "8:(0)t=xy,",
        "6:(0)t=xy,",
        "99999999999:(0)t=x,",
        "00007:(0)t=xy,",
        "+7:(0)t=xy,",
        "-1:(0)t=xy,",
        "7:(0)t=xy,7:(0)t=xy,",
        "7:(0)t=xy,7:(1)t=xy,",
        "%%%\n",
    ];
    for body in cases {
        let packet = seal(Encoding::Netstring, body.as_bytes());
        assert_eq!(open(&packet), Err(Refusal::Malformed), "{body}");
    }
}

/// Aim: the same for lines.
#[test]
fn malformed_lines() {
    let cases = [
        "\n",
        "t\n",
        "=x\n",
        "=\n",
        "(0)=x\n",
        "(6)t=x\n",
        "(9)t=x\n",
        "(x)t=x\n",
        "t=x\nt=y\n",
        "t=x\n(1)t=y\n",
        "<<<\n",
        ">>>\n",
        "t=x\n\n",
    ];
    for body in cases {
        let packet = seal(Encoding::Classic, body.as_bytes());
        assert_eq!(open(&packet), Err(Refusal::Malformed), "{body:?}");
    }
}

/// Aim: values may hold what looks like structure; the lengths and the last end marker decide.
#[test]
fn values_may_hold_anything() {
    let value = "a=b,%%%\n3:1 0,###\n>>>\n(0)x\0\u{e4}";
    let packet = seal(
        Encoding::Netstring,
        netstring(&format!("(0)info={value}")).as_bytes(),
    );
    let fields = open(&packet).unwrap();
    assert_eq!(fields.get("info"), Some(Value::Text(value.as_bytes())));
    assert_eq!(fields.iter().count(), 1);
    let mut frame = [0; FRAME_BYTES_MAX];
    let mut writer = Writer::new(&mut frame, Encoding::Classic).unwrap();
    writer.text("info", format_args!("{value}")).unwrap();
    let len = writer.finish(&keys()).unwrap();
    let read = open(&frame[..len]).unwrap();
    let expected = value.replace('\n', "\u{13}");
    assert_eq!(read.get("info"), Some(Value::Text(expected.as_bytes())));
}

/// Aim: types that R1 does not use are carried along, not looked into.
#[test]
fn other_types_are_opaque() {
    for kind in 2..=5 {
        let packet = seal(
            Encoding::Netstring,
            netstring(&format!("({kind})list=3:abc,")).as_bytes(),
        );
        assert_eq!(open(&packet).unwrap().get("list"), Some(Value::Opaque));
    }
    assert_eq!(Value::Opaque.text(), None);
    assert_eq!(Value::Opaque.binary::<16>(), None);
    assert_eq!(Value::Text(b"\xff").text(), None);
    assert_eq!(Value::Binary(b"short").binary::<16>(), None);
}

/// Aim: the limit of fields is the limit, exactly, in both encodings (`auth` counts in one).
#[test]
fn field_limit() {
    for (encoding, most) in [
        (Encoding::Netstring, FIELDS_MAX),
        (Encoding::Classic, FIELDS_MAX - 1),
    ] {
        let body = |count: usize| -> Vec<u8> {
            let field = |index| match encoding {
                Encoding::Netstring => netstring(&format!("(0)f{index}=")),
                Encoding::Classic => format!("f{index}=\n"),
            };
            (0..count)
                .flat_map(|index| field(index).into_bytes())
                .collect()
        };
        assert!(open(&seal(encoding, &body(most))).is_ok());
        assert_eq!(
            open(&seal(encoding, &body(most + 1))),
            Err(Refusal::Malformed)
        );
    }
}

/// Aim: the `auth` line is found wherever it stands, and all other lines are signed.
#[test]
fn auth_line_anywhere() {
    let crc = Key::new(Method::Crc, b"").unwrap();
    let token = crc.token(&[b"t=x\nsrc=y\n"]);
    for (before, after) in [
        ("", "t=x\nsrc=y\n"),
        ("t=x\n", "src=y\n"),
        ("t=x\nsrc=y\n", ""),
    ] {
        let packet = format!(">>>\n{before}auth=2 {}\n{after}<<<\n", token.as_str());
        let fields = open(packet.as_bytes()).unwrap();
        assert_eq!(fields.get("src"), Some(Value::Text(b"y")));
    }
}

/// Aim: a message that does not fit is refused at every size below its own, never cut.
#[test]
fn emit_needs_room() {
    for encoding in BOTH {
        let write = |frame: &mut [u8]| -> Result<usize, EmitError> {
            let mut writer = Writer::new(frame, encoding)?;
            writer.text("t", format_args!("status"))?;
            writer.binary("srcuuid", &[7; 16])?;
            writer.finish(&keys())
        };
        let mut frame = [0; 200];
        let len = write(&mut frame).unwrap();
        for short in 0..len {
            assert_eq!(write(&mut frame[..short]), Err(EmitError::TooLong));
        }
        assert_eq!(write(&mut frame[..len]), Ok(len));
    }
}

/// Aim: numbers are digits and nothing else, and never wrap.
#[test]
fn numbers() {
    assert_eq!(number(b"ff", 16), Some(255));
    assert_eq!(number(b"ffffffffffffffff", 16), Some(u64::MAX));
    assert_eq!(number(b"18446744073709551615", 10), Some(u64::MAX));
    for text in ["", "10000000000000000", "+1", "-1", " 1", "0x1", "g"] {
        assert_eq!(number(text.as_bytes(), 16), None, "{text:?}");
    }
    assert_eq!(number(b"18446744073709551616", 10), None);
}

/// Aim: base64 has one spelling for each value: padded, nothing in the unused bits.
#[test]
fn base64_is_strict() {
    for (bytes, text) in [(*b"Man", b"TWFu"), (*b"\xfb\xff\xbf", b"+/+/")] {
        assert_eq!(base64::encode(&bytes), *text);
        assert_eq!(base64::decode(text), Some(bytes));
    }
    assert_eq!(base64::decode(b"TWE="), Some(*b"Ma"));
    assert_eq!(base64::decode(b"TQ=="), Some(*b"M"));
    for text in [
        "TWF=", "TR==", "TQ=A", "TQ", "TQ=", "T===", "TQ==TQ==", "TWFu", "T-==", "====",
    ] {
        assert_eq!(base64::decode::<1>(text.as_bytes()), None, "{text}");
    }
}

/// Bytes that come close to a message more often than random ones.
fn near_message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        prop::sample::select(vec![
            "(0)t=status",
            "(1)srcuuid=",
            "4:",
            ",",
            "\n",
            "=",
            "%%%\n",
            "###\n",
            ">>>\n",
            "<<<\n",
            "auth=2 0\n",
            "8:(0)st=up,",
            "11:(0)t=status,",
            "t=status\n",
            "src=a\n",
            "ts=1\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Aim: no bytes make the way from frame to message panic, whether signed or not.
    #[test]
    fn arbitrary_bytes(bytes in near_message(), start in 0..3) {
        let start: &[u8] = match start {
            0 => netstring::START,
            1 => classic::START,
            _ => b"",
        };
        let raw = [start, &bytes].concat();
        prop_assert!(open(&raw).is_err());
        for encoding in BOTH {
            if let Ok(fields) = open(&seal(encoding, &bytes)) {
                prop_assert!(fields.iter().all(|field| !field.name.is_empty()));
                let _ = message::parse(&fields);
            }
        }
    }

    /// Aim: every 16 bytes survive base64, alone and as a field in both encodings.
    #[test]
    fn binary_round_trip(bytes: [u8; 16]) {
        for encoding in BOTH {
            let mut frame = [0; 128];
            let mut writer = Writer::new(&mut frame, encoding).unwrap();
            writer.binary("srcuuid", &bytes).unwrap();
            let len = writer.finish(&keys()).unwrap();
            let fields = open(&frame[..len]).unwrap();
            prop_assert_eq!(fields.get("srcuuid").and_then(Value::binary), Some(bytes));
        }
    }
}
