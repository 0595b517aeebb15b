//! The paths between the two nodes, each direction of each link with faults of its own.

use std::rc::Rc;

use crate::clock::{MILLI, Micros};
use crate::random::{Ppm, Random};

/// One direction of one link.
#[derive(Clone, Debug)]
pub struct Path {
    /// Nothing gets through.
    pub cut: bool,
    /// Time on the way.
    pub latency: Micros,
    /// Up to this much more, without changing the order.
    pub jitter: Micros,
    /// Lost on the way.
    pub loss: Ppm,
    /// Arrives twice.
    pub duplicate: Ppm,
    /// Arrives with one bit changed.
    pub corrupt: Ppm,
    /// Arrives behind later ones.
    pub reorder: Ppm,
    /// How far behind, at most.
    pub reorder_by: Micros,
    last_arrival: Micros,
}

impl Default for Path {
    /// A good local network.
    fn default() -> Self {
        Self {
            cut: false,
            latency: MILLI / 5,
            jitter: 0,
            loss: 0,
            duplicate: 0,
            corrupt: 0,
            reorder: 0,
            reorder_by: 0,
            last_arrival: 0,
        }
    }
}

impl Path {
    /// Takes its faults away; the times on the way stay.
    pub fn smooth(&mut self) {
        *self = Self {
            latency: self.latency,
            jitter: self.jitter,
            last_arrival: self.last_arrival,
            ..Self::default()
        };
    }
}

/// One copy of a frame that will arrive.
#[derive(Clone, Debug)]
pub struct Copy {
    /// When.
    pub at: Micros,
    /// What.
    pub bytes: Rc<[u8]>,
    /// Whether it differs from what was sent.
    pub altered: bool,
}

/// How often each fault has struck, for the proof that a sweep was not vacuous.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Frames given to the network.
    pub sent: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Swallowed by a cut.
    pub cut: u64,
    /// Doubled.
    pub duplicated: u64,
    /// Altered.
    pub corrupted: u64,
    /// Overtaken.
    pub reordered: u64,
}

/// All links.
#[derive(Clone, Debug)]
pub struct Network {
    /// Per link, the direction from node 0 and the one from node 1.
    pub paths: Vec<[Path; 2]>,
    /// What has happened.
    pub counts: Counts,
    random: Random,
}

impl Network {
    /// Good links.
    #[must_use]
    pub fn new(links: usize, random: Random) -> Self {
        Self {
            paths: vec![<[Path; 2]>::default(); links],
            counts: Counts::default(),
            random,
        }
    }

    /// Cuts or joins both directions of a link.
    pub fn set_cut(&mut self, link: usize, cut: bool) {
        for path in &mut self.paths[link] {
            path.cut = cut;
        }
    }

    /// Takes the faults away: nothing is cut, lost or changed; the times on the way stay.
    pub fn heal(&mut self) {
        for path in self.paths.iter_mut().flatten() {
            path.smooth();
        }
    }

    /// Takes one frame; gives the copies that will arrive.
    pub fn send(
        &mut self,
        now: Micros,
        link: usize,
        sender: usize,
        bytes: &Rc<[u8]>,
    ) -> [Option<Copy>; 2] {
        let (path, random) = (&mut self.paths[link][sender], &mut self.random);
        let counts = &mut self.counts;
        counts.sent += 1;
        if path.cut {
            counts.cut += 1;
            return [None, None];
        }
        if random.chance(path.loss) {
            counts.lost += 1;
            return [None, None];
        }
        let copies = 1 + usize::from(random.chance(path.duplicate));
        counts.duplicated += copies as u64 - 1;
        let mut arriving = [None, None];
        for slot in arriving.iter_mut().take(copies) {
            let mut at = now + path.latency + random.below(path.jitter);
            if random.chance(path.reorder) {
                counts.reordered += 1;
                at += random.below(path.reorder_by);
            } else {
                at = at.max(path.last_arrival);
                path.last_arrival = at;
            }
            let altered = random.chance(path.corrupt);
            let bytes = if altered {
                counts.corrupted += 1;
                alter(bytes, random)
            } else {
                Rc::clone(bytes)
            };
            *slot = Some(Copy { at, bytes, altered });
        }
        arriving
    }
}

/// Changes one bit of what is signed.
pub fn alter(bytes: &[u8], random: &mut Random) -> Rc<[u8]> {
    let mut changed = bytes.to_vec();
    // The last bytes are the end of the classic form, which nobody signs or needs.
    let index = usize::try_from(random.below(bytes.len().saturating_sub(6) as u64)).unwrap_or(0);
    changed[index] ^= 1 << random.below(8);
    changed.into()
}

/// The sequence number in a frame's bytes, as they were sent.
#[must_use]
pub fn sequence_of(bytes: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"seq=";
    let at = bytes.windows(NAME.len() + 1).position(|window| {
        window.ends_with(NAME) && !window.first().is_some_and(u8::is_ascii_alphabetic)
    })?;
    let digits = bytes.get(at + NAME.len() + 1..)?;
    let mut value = None;
    for digit in digits {
        let Some(digit) = char::from(*digit).to_digit(16) else {
            break;
        };
        value = Some(value.unwrap_or(0) * 16 + u64::from(digit));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Rc<[u8]> {
        b"###\n12:(0)t=status,9:(0)seq=1f,%%%\n".as_slice().into()
    }

    /// Aim: the number is found in both encodings and not mistaken for another field's.
    #[test]
    fn finds_the_sequence() {
        assert_eq!(sequence_of(&frame()), Some(31));
        assert_eq!(sequence_of(b">>>\nackseq=5\nseq=a\n<<<\n"), Some(10));
        assert_eq!(sequence_of(b">>>\nfirstseq=5\n<<<\n"), None);
    }

    /// Aim: every fault does what it says: a cut and a loss swallow, a duplicate doubles, a
    /// corruption changes exactly one bit, and without reordering the order stays.
    #[test]
    fn faults() {
        let mut network = Network::new(1, Random::new(7));
        let bytes = frame();
        network.set_cut(0, true);
        assert!(network.send(0, 0, 0, &bytes).iter().all(Option::is_none));
        network.heal();
        network.paths[0][0].loss = 1_000_000;
        assert!(network.send(0, 0, 0, &bytes).iter().all(Option::is_none));
        assert!(network.send(0, 0, 1, &bytes)[0].is_some(), "the other way");
        network.heal();
        network.paths[0][0].duplicate = 1_000_000;
        network.paths[0][0].corrupt = 1_000_000;
        for copy in network.send(0, 0, 0, &bytes) {
            let copy = copy.unwrap();
            let pairs = bytes.iter().zip(copy.bytes.iter());
            let bits: u32 = pairs.map(|(a, b)| (a ^ b).count_ones()).sum();
            assert!(copy.altered && bits == 1);
        }
        network.heal();
        network.paths[0][0].jitter = 50 * MILLI;
        let mut last = 0;
        for now in 0..100 {
            let at = network.send(now * MILLI, 0, 0, &bytes)[0]
                .as_ref()
                .unwrap()
                .at;
            assert!(at >= last);
            last = at;
        }
        network.paths[0][0].reorder = 500_000;
        network.paths[0][0].reorder_by = 100 * MILLI;
        let times: Vec<Micros> = (0..100)
            .map(|now| network.send(now, 0, 0, &bytes)[0].as_ref().unwrap().at)
            .collect();
        assert!(!times.is_sorted());
    }
}
