//! Where things are on a shelf: a hash table that holds positions only.
//!
//! The keys stay on the shelf, so that an entry costs five to eight bytes instead of the forty of a
//! `HashMap` that repeats each key. Nothing is ever removed, because checkpoints are only closed.

/// No position: a free place.
const FREE: u32 = u32::MAX;

/// Positions on a shelf by the hash of their keys.
#[derive(Debug, Default)]
pub(super) struct Index {
    places: Vec<u32>,
    len: usize,
}

impl Index {
    /// With room for `keys` keys.
    pub(super) fn with_room(keys: usize) -> Self {
        let mut index = Self::default();
        // A fifth stays free, or looking for what is not there takes long.
        index.places.resize(keys + keys / 4 + 8, FREE);
        index
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The position of the key with this `hash` that `is` recognises.
    pub(super) fn find(&self, hash: u64, is: impl Fn(u32) -> bool) -> Option<u32> {
        self.from(hash)
            .map_while(|place| self.places.get(place).copied().filter(|at| *at != FREE))
            .find(|at| is(*at))
    }

    /// Add the position of a key that is not there. `hash_of` gives the hash of a key that is.
    pub(super) fn insert(&mut self, hash: u64, at: u32, hash_of: impl Fn(u32) -> u64) {
        if (self.len + 1) * 5 > self.places.len() * 4 {
            let mut larger = Self::with_room(self.len + self.len / 2 + 8);
            for held in self.places.iter().copied().filter(|held| *held != FREE) {
                larger.place(hash_of(held), held);
            }
            *self = larger;
        }
        self.place(hash, at);
    }

    fn place(&mut self, hash: u64, at: u32) {
        let free = self
            .from(hash)
            .find(|place| self.places.get(*place) == Some(&FREE));
        if let Some(place) = free.and_then(|place| self.places.get_mut(place)) {
            *place = at;
            self.len += 1;
        }
    }

    /// All places, beginning with the one where a key of this `hash` belongs.
    fn from(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let places = self.places.len();
        // The upper bits of the hash say how far along the table.
        let wide = (u128::from(hash) * u128::try_from(places).unwrap_or_default()) >> 64;
        let home = usize::try_from(wide).unwrap_or_default();
        (home..places).chain(0..home)
    }
}

/// The hash of 16 random bytes: no more than spreading what is random already.
pub(super) fn hash_of_random(bytes: [u8; 16]) -> u64 {
    let bits = u128::from_be_bytes(bytes);
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
    hash_of_bits(half(bits) ^ half(bits >> 64))
}

/// The hash of a number that counts up.
pub(super) fn hash_of_number(number: i64) -> u64 {
    hash_of_bits(number.cast_unsigned())
}

/// Fibonacci hashing: the golden ratio as a fraction of 2^64 carries every bit to the top.
fn hash_of_bits(bits: u64) -> u64 {
    bits.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_found_and_nothing_else() {
        let keys: Vec<i64> = (0..5_000).map(|n| n * n + 1).collect();
        let key = |at: u32| keys[usize::try_from(at).unwrap()];
        for room in [0, 100, 5_000] {
            let mut index = Index::with_room(room);
            for (at, number) in (0..).zip(&keys) {
                index.insert(hash_of_number(*number), at, |at| hash_of_number(key(at)));
            }
            assert_eq!(index.len(), keys.len());
            for (at, number) in (0..).zip(&keys) {
                let found = index.find(hash_of_number(*number), |at| key(at) == *number);
                assert_eq!(found, Some(at));
            }
            assert_eq!(index.find(hash_of_number(3), |at| key(at) == 3), None);
        }
    }

    /// Keys that all belong at the end of the table go on at its start.
    #[test]
    fn the_table_goes_round() {
        let mut index = Index::with_room(4);
        for at in 0..4 {
            index.insert(u64::MAX, at, |_| u64::MAX);
        }
        for at in 0..4 {
            assert_eq!(index.find(u64::MAX, |held| held == at), Some(at));
        }
        assert_eq!(index.find(u64::MAX, |_| false), None);
    }

    #[test]
    fn an_empty_table_holds_nothing() {
        assert_eq!(Index::default().find(7, |_| true), None);
    }
}
