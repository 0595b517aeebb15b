//! Frames that must have no effect.

use std::rc::Rc;

use systole_core::auth::{Key, Keys};
use systole_core::config::Encoding;
use systole_core::hold::Hold;
use systole_core::limits::FRAME_BYTES_MAX;
use systole_core::report::NodeStatus;
use systole_core::time::Duration;
use systole_core::wire::message::{Body, Header, Message, emit};

use crate::random::Random;
use crate::setup::{NAMES, Setup};

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// Signed with a key the receiver does not have.
    WrongKey,
    /// Signed well, from a node that ha.cf does not name.
    Stranger,
    /// Signed well, as if from the peer, from a run that never answers.
    Unproven,
    /// Signed well, as if from the peer by the original, which knows no sessions.
    Sessionless,
    /// Signed well, with a field missing.
    Malformed,
    /// Bytes.
    Garbage,
}

impl Forgery {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::WrongKey,
        Self::Stranger,
        Self::Unproven,
        Self::Sessionless,
        Self::Malformed,
        Self::Garbage,
    ];
}

/// Makes one for a receiver.
///
/// # Panics
/// When a message does not fit a frame.
#[must_use]
pub fn forge(
    setup: &Setup,
    receiver: usize,
    encoding: Encoding,
    forgery: Forgery,
    random: &mut Random,
) -> Rc<[u8]> {
    if forgery == Forgery::Garbage {
        let len = random.below(FRAME_BYTES_MAX as u64 + 10);
        return (0..len).map(|_| random.bits().to_le_bytes()[0]).collect();
    }
    let keys = if forgery == Forgery::WrongKey {
        wrong_keys(setup, receiver)
    } else {
        setup.nodes[receiver].authkeys()
    };
    let session = (forgery != Forgery::Sessionless).then(|| random.bits());
    let message = Message {
        header: Header {
            src: if forgery == Forgery::Stranger {
                "stranger"
            } else {
                NAMES[1 - receiver]
            },
            src_uuid: Some([9; 16]),
            seq: (forgery != Forgery::Malformed).then(|| 1 + random.below(100_000)),
            generation: 1_600_000_000 + random.below(300_000_000),
            unix_time: 1_700_000_000,
            ttl: Some(3),
            session,
            own: session.map(|_| (Hold::All, true)),
            ..Header::default()
        },
        body: body(random),
    };
    let mut frame = [0; FRAME_BYTES_MAX];
    let len = emit(&mut frame, encoding, &keys, &message).expect("a short message");
    frame[..len].into()
}

fn body(random: &mut Random) -> Body<'static> {
    match random.below(4) {
        0 => Body::Status {
            status: NodeStatus::Active,
            deadtime: Some(Duration::from_millis(1)),
            protocol: true,
        },
        1 => Body::Shutdone,
        2 => Body::HbTakeover { hold: Hold::All },
        _ => Body::Resource {
            hold: Some(Hold::All),
            full: true,
            stable: Some(true),
            info: None,
        },
    }
}

fn wrong_keys(setup: &Setup, receiver: usize) -> Keys {
    let keys = setup.nodes[receiver]
        .keys
        .iter()
        .filter(|(_, method, _)| method.is_keyed());
    let keys: Vec<(u8, Key)> = keys
        .map(|(index, method, _)| (*index, Key::new(*method, b"a wrong guess").expect("a key")))
        .collect();
    let sending = keys.first().map_or(0, |(index, _)| *index);
    Keys::new(sending, keys).expect("at least one keyed key")
}
