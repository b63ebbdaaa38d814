//! Numbers that look random and are the same every time.

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng};

/// One seed out of several numbers: the same ones give the same seed.
pub(crate) fn mix(parts: &[u64]) -> u64 {
    // splitmix64's finaliser over a running sum: every bit of every part reaches every bit of the result.
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |sum: u64, part| {
        let mut z = (sum ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A source of draws for one thing of the world.
pub(crate) struct Draw(SmallRng);

impl Draw {
    pub(crate) fn of(parts: &[u64]) -> Self {
        Self(SmallRng::seed_from_u64(mix(parts)))
    }

    /// A number of `from..to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0.random_range(from..to)
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        from.choose(&mut self.0)
            .expect("tables to pick from are not empty")
    }

    /// Fills `bytes`.
    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        use rand::Rng as _;
        self.0.fill_bytes(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_draw_the_same_and_others_do_not() {
        let ten = |parts: &[u64]| {
            let mut draw = Draw::of(parts);
            std::array::from_fn::<u64, 10, _>(|_| draw.between(0, 1_000_000))
        };
        assert_eq!(ten(&[1, 2]), ten(&[1, 2]));
        assert_ne!(ten(&[1, 2]), ten(&[2, 1]));
        assert_ne!(ten(&[1]), ten(&[1, 0]));
    }
}
