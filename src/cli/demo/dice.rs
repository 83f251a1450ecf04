//! Chance that repeats itself: the same seed tells the same story.

use crate::base::Random;

/// A source of small decisions.
#[derive(Debug)]
pub struct Dice(Random);

impl Dice {
    /// Dice that fall the same way for the same `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Random::seeded(seed))
    }

    /// Where the bytes come from, for ids and codes.
    #[must_use]
    pub fn random(&self) -> &Random {
        &self.0
    }

    /// A number from `low` to `high`, both included.
    #[must_use]
    pub fn between(&self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low).unwrap_or(0) + 1;
        let roll = u64::from_be_bytes(self.0.bytes()) % span;
        low + i64::try_from(roll).unwrap_or(0)
    }

    /// Whether something happens that happens `per_mille` times in a thousand.
    #[must_use]
    pub fn chance(&self, per_mille: i64) -> bool {
        self.between(1, 1000) <= per_mille
    }

    /// One of `from`; `None` when there is none.
    #[must_use]
    pub fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        let last = i64::try_from(from.len()).ok()?.checked_sub(1)?;
        from.get(usize::try_from(self.between(0, last.max(0))).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_included_and_seeds_repeat() {
        let rolls = |seed| {
            let dice = Dice::new(seed);
            (0..200).map(|_| dice.between(1, 3)).collect::<Vec<_>>()
        };
        let one = rolls(1);
        assert_eq!(one, rolls(1));
        assert_ne!(one, rolls(2));
        assert!((1..=3).all(|n| one.contains(&n)) && one.iter().all(|n| (1..=3).contains(n)));
        assert_eq!(Dice::new(1).pick::<u8>(&[]), None);
        assert!(Dice::new(1).chance(1000) && !Dice::new(1).chance(0));
    }
}
