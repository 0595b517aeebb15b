extern crate std;

use std::string::{String, ToString as _};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::wire::board::cobs;

const STATE: State = State {
    phase: Phase::HoldOff,
    session: u64::MAX,
    silent_ms: 1,
    uptime_ms: u64::MAX,
    resets: 3,
    refused: Refused {
        foreign: 1,
        unfit: 2,
        quarantine: 3,
        unsigned: 4,
        unfenced: 5,
    },
    host: LineQuality {
        frames: u32::MAX,
        damaged: 1,
        unknown: 2,
        oversize: 3,
        misplaced: 4,
    },
    peer: LineQuality {
        frames: 0,
        damaged: 0,
        unknown: 0,
        oversize: 0,
        misplaced: 0,
    },
};

fn bytes(frame: &Frame<'_>) -> Vec<u8> {
    let mut buffer = [0xaa; BOARD_BYTES_MAX];
    let len = emit(frame, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

/// What a reader makes of bytes that come in pieces.
fn read(bytes: &[u8], pieces: usize) -> Vec<String> {
    let mut reader = BoardReader::new();
    let mut found = Vec::new();
    for mut piece in bytes.chunks(pieces) {
        while let Some(frame) = reader.read(&mut piece) {
            found.push(std::format!("{frame:?}"));
        }
    }
    found
}

fn shown(frame: Frame<'_>) -> String {
    std::format!("{:?}", Ok::<_, FrameError>(frame))
}

/// Calls `with` with one frame of each kind, in the order of their numbers.
fn each_kind(mut with: impl FnMut(u8, Frame<'_>)) {
    let key = Key::new(Method::Sha1, b"secret").unwrap();
    let mut token = FenceToken::default();
    let request = FenceRequest::new(7, &key, &mut token);
    let hello = Hello {
        board: true,
        boot: 5,
        software: "0.1.0",
    };
    let arm = Arm {
        session: 7,
        timeout_ms: 5_000,
        hold_ms: 500,
        operator: false,
        key: BoardKey::new(&key),
    };
    let answer = FenceAnswer {
        session: 7,
        verdict: Verdict::Fenced,
    };
    let frames = [
        Frame::Heartbeat(b">>>\nt=status\n\0<<<\n"),
        Frame::Hello(hello),
        Frame::Arm(arm),
        Frame::Feed { session: 7 },
        Frame::Disarm { session: 7 },
        Frame::State(STATE),
        Frame::PeerState(STATE),
        Frame::FenceRequest(request),
        Frame::FenceAnswer(answer),
        Frame::SelfTest,
        Frame::SelfTestDone(3),
        Frame::Log(&[0, 1, 2]),
    ];
    assert_eq!(frames.len(), usize::from(Frame::KINDS));
    for (number, frame) in (0..).zip(frames) {
        with(number, frame);
    }
}

/// Aim: the bytes of a frame are fixed: a board of an older build must understand them.
#[test]
fn known_bytes() {
    let expected = [
        0x0a, 0x01, 0x03, 0x87, 0xad, 0x4b, 0xfa, 0x26, 0x2a, 0xf7, 0x00,
    ];
    let feed = Frame::Feed { session: 1_234_567 };
    let sent = bytes(&feed);
    assert_eq!(sent, expected, "{sent:02x?}");
    assert_eq!(read(&sent, 1), [shown(feed)]);
}

/// Aim: every kind comes back as it was sent, under its number, without a zero byte inside.
#[test]
fn round_trip() {
    each_kind(|number, frame| {
        let sent = bytes(&frame);
        assert_eq!(
            sent.iter().position(|byte| *byte == 0),
            Some(sent.len() - 1)
        );
        let again = [&sent[..], &[0, 0], &sent[..]].concat();
        for pieces in [1, 7, 2_000] {
            assert_eq!(read(&again, pieces), [shown(frame), shown(frame)]);
        }
        let mut plain = sent[..sent.len() - 1].to_vec();
        assert!(cobs::decode(&mut plain).is_some());
        assert_eq!(plain[..2], [VERSION, number]);
    });
}

/// Aim: the longest heartbeat fits, whatever its bytes; a longer one is refused at the sender.
#[test]
fn longest_heartbeat() {
    for byte in [0, 1, 0xff] {
        let longest = [byte; FRAME_BYTES_MAX];
        assert_eq!(
            read(&bytes(&Frame::Heartbeat(&longest)), 100),
            [shown(Frame::Heartbeat(&longest))]
        );
    }
    let too_long = [1; BOARD_BYTES_MAX];
    assert_eq!(
        emit(&Frame::Log(&too_long), &mut [0; BOARD_BYTES_MAX]),
        None
    );
}

/// Aim: no truncated frame and no frame with one wrong bit is accepted.
#[test]
fn damage_is_found() {
    each_kind(|_, frame| {
        let sent = bytes(&frame);
        for len in 1..sent.len() - 1 {
            let cut = [&sent[..len], &[0]].concat();
            assert_eq!(read(&cut, 50), ["Err(Damaged)"], "cut at {len}");
        }
        for at in 0..sent.len() - 1 {
            for bit in 0..8 {
                let mut flipped = sent.clone();
                flipped[at] ^= 1 << bit;
                let found = read(&flipped, 50);
                assert!(
                    found.iter().all(|found| found == "Err(Damaged)"),
                    "{found:?}"
                );
            }
        }
    });
}

/// Puts plain bytes on the line with a right checksum.
fn sealed(plain: &[u8]) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let sum = crc.checksum(plain).to_le_bytes();
    let mut buffer = std::vec![0; 16];
    buffer.extend_from_slice(plain);
    buffer.extend_from_slice(&sum);
    let len = cobs::encode(&mut buffer, 16, plain.len() + 4).unwrap();
    buffer.truncate(len);
    buffer.push(0);
    buffer
}

/// Aim: frames of another version and of an unknown kind are told apart from damage, and a right
/// checksum does not make wrong fields right.
#[test]
fn other_versions_and_kinds() {
    assert_eq!(read(&sealed(&[2, 3, 7]), 9), ["Err(Version(2))"]);
    assert_eq!(read(&sealed(&[VERSION, 12]), 9), ["Err(Kind(12))"]);
    assert_eq!(read(&sealed(&[VERSION]), 9), ["Err(Damaged)"]);
    assert_eq!(read(&sealed(&[VERSION, 3]), 9), ["Err(Damaged)"]);
    assert_eq!(read(&sealed(&[VERSION, 9, 0]), 9), ["Err(Damaged)"]);
    assert_eq!(read(&sealed(&[VERSION, 9]), 9), [shown(Frame::SelfTest)]);
}

/// Aim: endless garbage is told once for each piece without an end, and the next frame is read.
#[test]
fn garbage_without_an_end() {
    let garbage = std::vec![b'x'; 5 * BOARD_BYTES_MAX];
    let all = [&garbage[..], &[0], &bytes(&Frame::SelfTest)].concat();
    assert_eq!(
        read(&all, 77),
        ["Err(Oversize)".to_string(), shown(Frame::SelfTest)]
    );
    let mut quality = LineQuality::default();
    quality.count(Err(FrameError::Oversize));
    quality.count(Err(FrameError::Kind(99)));
    quality.count(Ok(()));
    assert_eq!(
        (quality.frames, quality.unknown, quality.oversize),
        (1, 1, 1)
    );
}

/// Aim: a fence request is good with the right key and for its own session only.
#[test]
fn fence_requests_are_signed() {
    for (method, secret) in [
        (Method::Crc, &b""[..]),
        (Method::Md5, b"a"),
        (Method::Sha1, b"b"),
    ] {
        let key = Key::new(method, secret).unwrap();
        let key = BoardKey::new(&key).key().unwrap();
        let mut token = FenceToken::default();
        let request = FenceRequest::new(7, &key, &mut token);
        assert!(request.is_signed(&key));
        let replayed = FenceRequest {
            session: 8,
            ..request
        };
        assert!(!replayed.is_signed(&key));
        let other = Key::new(Method::Sha1, b"other").unwrap();
        assert!(!request.is_signed(&other));
    }
    let strange = BoardKey {
        method: 3,
        secret: b"x",
    };
    assert!(strange.key().is_none());
    assert!(!std::format!("{strange:?}").contains('x'));
}

proptest! {
    /// Aim: no bytes make the reader panic, and after a zero byte it is in step.
    #[test]
    fn any_bytes(noise in prop::collection::vec(any::<u8>(), 0..3000), pieces in 1_usize..500) {
        let all = [&noise[..], &[0], &bytes(&Frame::SelfTest)].concat();
        let found = read(&all, pieces);
        prop_assert_eq!(found.last(), Some(&shown(Frame::SelfTest)));
    }

    /// Aim: fields that no sender wrote, under a right checksum, give a frame or an error, no panic.
    #[test]
    fn any_fields(kind in 0..Frame::KINDS, fields in prop::collection::vec(any::<u8>(), 0..300)) {
        let plain = [&[VERSION, kind], &fields[..]].concat();
        prop_assert_eq!(read(&sealed(&plain), 50).len(), 1);
    }

    /// Aim: stuffing comes back as it was, whatever the bytes, and grows no more than it may.
    #[test]
    fn stuffing(plain in prop::collection::vec(prop_oneof![1 => Just(0_u8), 300 => 1..=u8::MAX], 0..1100)) {
        let from = cobs::room(plain.len());
        let mut buffer = std::vec![0; from];
        buffer.extend_from_slice(&plain);
        let len = cobs::encode(&mut buffer, from, plain.len()).unwrap();
        prop_assert!(len <= plain.len() + from);
        prop_assert!(!buffer[..len].contains(&0));
        let len = cobs::decode(&mut buffer[..len]).unwrap();
        prop_assert_eq!(&buffer[..len], &plain[..]);
    }
}
