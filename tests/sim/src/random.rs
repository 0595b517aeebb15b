//! The one source of chance: everything a run does follows from one 64-bit seed.

/// A splitmix64 stream.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// One in a million, the unit of every probability here.
pub type Ppm = u64;

impl Random {
    /// A stream that follows from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.bits() % bound }
    }

    /// A number from a range, both ends included.
    pub const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// Whether something with this probability happens. Costs nothing when it cannot.
    pub const fn chance(&mut self, ppm: Ppm) -> bool {
        ppm > 0 && self.below(1_000_000) < ppm
    }

    /// One of several.
    ///
    /// # Panics
    /// When there is nothing to choose from.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from[index].clone()
    }

    /// A stream of its own for one part of a run, so that a change in one part leaves the others.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self(self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Aim: ranges hold both ends and nothing else, and a chance of nothing never happens.
    #[test]
    fn ranges() {
        let mut random = Random::new(1);
        let mut seen = [false; 3];
        for _ in 0..100 {
            let value = random.between(5, 7);
            seen[usize::try_from(value - 5).unwrap()] = true;
            assert!(!random.chance(0) && random.chance(1_000_000));
        }
        assert_eq!(seen, [true; 3]);
        assert_eq!(random.between(9, 9), 9);
    }
}
