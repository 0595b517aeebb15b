//! Two boards on a cable, with a pretended host at each.

extern crate std;

use std::collections::VecDeque;
use std::vec::Vec;

use super::*;
use crate::auth::{Key, Method};
use crate::limits::FRAME_BYTES_MAX;
use crate::random::Random;
use crate::wire::board::{Arm, BoardKey, FenceRequest, FenceToken, Phase, Verdict};

const TIMEOUT: u32 = 1_000;
const HOLD: u32 = 200;

fn at(millis: u64) -> Instant {
    Instant::from_micros(millis * 1_000)
}

fn key() -> Key {
    Key::new(Method::Crc, b"").unwrap()
}

fn bytes(frame: &Frame<'_>) -> Vec<u8> {
    let mut buffer = [0; BOARD_BYTES_MAX];
    let len = emit(frame, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

/// What a host has heard from its board.
#[derive(Default)]
struct Heard {
    heartbeats: Vec<Vec<u8>>,
    answers: Vec<(u64, Verdict)>,
    state: Option<State>,
    peer_state: Option<State>,
    hellos: usize,
    self_test: Option<u8>,
    bad: usize,
}

impl Heard {
    fn take(&mut self, now: u64, read: Result<Frame<'_>, crate::wire::board::FrameError>) {
        match read {
            Ok(Frame::Heartbeat(bytes)) => self.heartbeats.push(bytes.to_vec()),
            Ok(Frame::FenceAnswer(answer)) => self.answers.push((now, answer.verdict)),
            Ok(Frame::State(state)) => self.state = Some(state),
            Ok(Frame::PeerState(state)) => self.peer_state = Some(state),
            Ok(Frame::Hello(_)) => self.hellos += 1,
            Ok(Frame::SelfTestDone(failed)) => self.self_test = Some(failed),
            Ok(frame) => panic!("a host was sent {frame:?}"),
            Err(_) => self.bad += 1,
        }
    }
}

struct Station {
    board: Option<Board>,
    reader: BoardReader,
    heard: Heard,
    line: Vec<(u64, bool)>,
}

/// Two boards; `noise` of a million bits between them are wrong.
struct Pair {
    stations: [Station; 2],
    /// What is under way to the other board, and to which.
    wire: VecDeque<(usize, Vec<u8>)>,
    now: u64,
    noise: u64,
    random: Random,
}

impl Pair {
    /// Both boards switched on.
    fn new() -> Self {
        let mut pair = Self::off();
        pair.switch_on(0);
        pair.switch_on(1);
        pair
    }

    fn off() -> Self {
        let station = || Station {
            board: None,
            reader: BoardReader::new(),
            heard: Heard::default(),
            line: Vec::new(),
        };
        Self {
            stations: [station(), station()],
            wire: VecDeque::new(),
            now: 0,
            noise: 0,
            random: Random::new(7),
        }
    }

    fn switch_on(&mut self, number: usize) {
        let boot = u32::try_from(self.now * 2).unwrap() + u32::try_from(number).unwrap();
        self.stations[number].board = Some(Board::new(at(self.now), boot, "test"));
        self.actions(number);
        self.deliver();
    }

    fn damage(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            for bit in 0..8 {
                if self.random.below(1_000_000) < self.noise {
                    *byte ^= 1 << bit;
                }
            }
        }
    }

    /// Bytes arrive at a board, and what follows from that.
    fn arrive(&mut self, number: usize, line: Line, bytes: &[u8]) {
        self.pieces(number, line, bytes);
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some((to, bytes)) = self.wire.pop_front() {
            self.pieces(to, Line::Peer, &bytes);
        }
    }

    fn pieces(&mut self, number: usize, line: Line, bytes: &[u8]) {
        for piece in bytes.chunks(13) {
            let mut piece = piece;
            let mut out = [0; BOARD_BYTES_MAX];
            while let Some(action) = self.stations[number]
                .board
                .as_mut()
                .and_then(|board| board.handle_bytes(at(self.now), line, &mut piece, &mut out))
            {
                self.carry_out(number, action, &out);
            }
            self.actions(number);
        }
    }

    fn actions(&mut self, number: usize) {
        let mut out = [0; BOARD_BYTES_MAX];
        while let Some(action) = self.stations[number]
            .board
            .as_mut()
            .and_then(|board| board.poll_action(&mut out))
        {
            self.carry_out(number, action, &out);
        }
    }

    fn carry_out(&mut self, number: usize, action: BoardAction, out: &Outgoing) {
        let now = self.now;
        match action {
            BoardAction::Transmit { line, len } => {
                let mut sent = out[..len].to_vec();
                if line == Line::Peer {
                    self.damage(&mut sent);
                    return self.wire.push_back((1 - number, sent));
                }
                let Station { reader, heard, .. } = &mut self.stations[number];
                let mut sent = &sent[..];
                while let Some(read) = reader.read(&mut sent) {
                    heard.take(now, read);
                }
            }
            BoardAction::ResetLine { low } => self.stations[number].line.push((now, low)),
            BoardAction::SelfTest => {
                self.stations[number]
                    .board
                    .as_mut()
                    .unwrap()
                    .on_self_test(4);
            }
            BoardAction::Report(_) => {}
        }
    }

    /// A host says something to its board.
    fn say(&mut self, number: usize, frame: &Frame<'_>) {
        self.arrive(number, Line::Host, &bytes(frame));
    }

    fn arm(&mut self, number: usize, session: u64) {
        let key = key();
        self.say(
            number,
            &Frame::Arm(Arm {
                session,
                timeout_ms: TIMEOUT,
                hold_ms: HOLD,
                operator: false,
                key: BoardKey::new(&key),
            }),
        );
    }

    /// Lets time pass, millisecond by millisecond.
    fn until(&mut self, millis: u64) {
        while self.now < millis {
            self.now += 1;
            for number in 0..2 {
                let now = at(self.now);
                if let Some(board) = &mut self.stations[number].board
                    && board.deadline() <= now
                {
                    board.handle_tick(now);
                    assert!(board.deadline() > now, "a deadline that stays");
                    self.actions(number);
                    self.deliver();
                }
            }
        }
    }

    fn heard(&self, number: usize) -> &Heard {
        &self.stations[number].heard
    }

    fn state(&self, number: usize) -> State {
        self.stations[number].board.as_ref().unwrap().state()
    }
}

fn heartbeat(number: u32) -> Vec<u8> {
    let mut bytes = std::format!(">>>\nt=status\nseq={number:x}\n").into_bytes();
    bytes.resize(350, b'v');
    bytes.extend_from_slice(b"\n<<<\n\0");
    bytes
}

/// Aim: heartbeats of any bytes go from host to host, both ways, whole and in order, with no loss.
#[test]
fn relay_end_to_end() {
    let mut pair = Pair::new();
    let sent: Vec<_> = (0..500).map(heartbeat).collect();
    for message in &sent {
        pair.say(0, &Frame::Heartbeat(message));
        pair.say(1, &Frame::Heartbeat(message));
    }
    let longest = [0; FRAME_BYTES_MAX];
    pair.say(0, &Frame::Heartbeat(&longest));
    assert_eq!(pair.heard(0).heartbeats, sent);
    assert_eq!(pair.heard(1).heartbeats[..500], sent);
    assert_eq!(pair.heard(1).heartbeats[500], longest);
    assert_eq!(pair.state(0).host.frames, 501);
}

/// Aim: a silent host is reset by its own board, and the other host hears "fenced" when the line has
/// been held for its time, and before that whom it could ask about.
#[test]
fn silence_is_told_to_the_other_host() {
    let mut pair = Pair::new();
    pair.arm(0, 77);
    pair.until(500);
    assert_eq!(
        pair.heard(1).peer_state.map(|state| state.session),
        Some(77)
    );
    pair.say(0, &Frame::Feed { session: 77 });
    pair.until(5_000);
    assert_eq!(pair.stations[0].line, [(1_500, true), (1_700, false)]);
    assert_eq!(pair.stations[1].line, []);
    assert_eq!(pair.heard(1).answers, [(1_700, Verdict::Fenced)]);
    assert_eq!(
        pair.heard(1).peer_state.map(|state| state.phase),
        Some(Phase::HoldOff)
    );
    assert_eq!(pair.heard(0).state.map(|state| state.resets), Some(1));
}

/// Aim: a request goes through both boards, and so does the answer.
#[test]
fn a_request_and_its_answer() {
    let mut pair = Pair::new();
    pair.arm(0, 77);
    pair.until(600);
    let (key, mut token) = (key(), FenceToken::default());
    let request = FenceRequest::new(77, &key, &mut token);
    pair.say(1, &Frame::FenceRequest(request));
    pair.until(900);
    assert_eq!(pair.stations[0].line, [(600, true), (800, false)]);
    let answers = [(600, Verdict::UnderWay), (800, Verdict::Fenced)];
    assert_eq!(pair.heard(1).answers, answers);
}

/// Aim: with one bit in ten thousand wrong most heartbeats arrive, with one in a hundred none does;
/// never is a wrong one passed on, nor anybody reset.
#[test]
fn bit_errors() {
    for (noise, least, most) in [(100, 550, 900), (10_000, 0, 0)] {
        let mut pair = Pair::new();
        pair.noise = noise;
        let sent: Vec<_> = (0..1_000).map(heartbeat).collect();
        for message in &sent {
            pair.say(0, &Frame::Heartbeat(message));
        }
        let arrived = &pair.heard(1).heartbeats;
        assert!((least..=most).contains(&arrived.len()), "{}", arrived.len());
        let mut rest = sent.iter();
        assert!(
            arrived
                .iter()
                .all(|message| rest.any(|sent| sent == message))
        );
        assert!(pair.state(1).peer.damaged > 0);
        assert_eq!(pair.heard(1).bad, 0);
        assert!(pair.stations.iter().all(|station| station.line.is_empty()));
    }
}

/// Aim: garbage on either line of an armed board is counted, costs the next frame at most, and resets
/// nobody who feeds.
#[test]
fn garbage_is_counted() {
    let mut pair = Pair::new();
    pair.arm(0, 1);
    for step in 0..20_u64 {
        let garbage: Vec<u8> = (0..700)
            .map(|_| u8::try_from(pair.random.below(256)).unwrap())
            .collect();
        pair.arrive(0, Line::Host, &garbage);
        pair.arrive(0, Line::Peer, &garbage);
        pair.arrive(0, Line::Host, &[0]);
        pair.say(0, &Frame::Feed { session: 1 });
        pair.until((step + 1) * 400);
    }
    let state = pair.state(0);
    assert_eq!((state.phase, state.resets), (Phase::Armed, 0));
    assert!(
        state.host.damaged > 10 && state.peer.damaged > 10,
        "{state:?}"
    );
    assert_eq!(state.host.frames, 21);
}

/// Aim: frames that belong on the other line have no effect and are counted there.
#[test]
fn misplaced_frames() {
    let mut pair = Pair::new();
    pair.arm(0, 1);
    for _ in 0..3 {
        pair.arrive(0, Line::Peer, &bytes(&Frame::Disarm { session: 1 }));
    }
    pair.say(0, &Frame::State(State::default()));
    assert_eq!(pair.state(0).phase, Phase::Armed);
    assert_eq!(
        (pair.state(0).peer.misplaced, pair.state(0).host.misplaced),
        (3, 1)
    );
}

/// Aim: boards that start one after the other, and one that starts again, know each other soon, and
/// do not greet each other for ever.
#[test]
fn any_order_of_power() {
    let mut pair = Pair::off();
    pair.switch_on(1);
    pair.until(700);
    assert_eq!(pair.heard(0).hellos + pair.heard(1).hellos, 1);
    pair.switch_on(0);
    pair.until(701);
    assert!(pair.heard(0).peer_state.is_some() && pair.heard(1).peer_state.is_some());
    pair.switch_on(0);
    pair.until(3_000);
    assert_eq!(pair.heard(0).hellos, 2, "once at each start");
    let frames = pair.state(1).peer.frames;
    pair.until(8_000);
    assert_eq!(pair.state(1).peer.frames, frames + 5, "one state a second");
}

/// Aim: a host that starts is greeted, and a self-test goes to the hardware and back.
#[test]
fn greeting_and_self_test() {
    let mut pair = Pair::new();
    let hello = |boot| {
        Frame::Hello(Hello {
            board: false,
            boot,
            software: "daemon",
        })
    };
    let before = pair.heard(0).hellos;
    pair.say(0, &hello(9));
    assert_eq!(pair.heard(0).hellos, before + 1);
    assert!(pair.heard(0).state.is_some());
    pair.say(0, &Frame::SelfTest);
    assert_eq!(pair.heard(0).self_test, Some(4));
    assert_eq!(pair.stations[0].line, []);
}
