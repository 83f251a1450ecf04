//! The Merkle tree of RFC 9162, section 2.1 (as in RFC 6962), over the entries of the log.
//!
//! Pure arithmetic. A tree of n leaves is a row of *whole* subtrees, each of a power of two of leaves,
//! one for each bit of n; their hashes are all that is needed to add a leaf. A whole subtree never
//! changes, so its hash is stored with the leaf that completes it, and every root and proof of every
//! size that the log ever had is made from O(log n) stored hashes.

use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, of a subtree, of the whole tree.
pub type Hash = [u8; 32];

/// The hash of a leaf.
#[must_use]
pub fn leaf(entry: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update([0]);
    sha.update(entry);
    sha.finalize().into()
}

/// The hash of two neighbouring subtrees.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update([1]);
    sha.update(left);
    sha.update(right);
    sha.finalize().into()
}

/// A subtree of 2^`level` leaves, the `index`-th of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whole {
    /// Its height.
    pub level: u32,
    /// Its place among those of its height, from 0.
    pub index: u64,
}

impl Whole {
    /// Leaves up to its end: the number of leaves that a tree has when it is complete.
    #[must_use]
    pub fn end(self) -> u64 {
        (self.index + 1) << self.level
    }
}

/// Leaves from `start` on, up to and without `end`, as the proofs name them: `start` is a multiple of
/// the greatest power of two in the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first leaf, counted from 0.
    pub start: u64,
    /// The first leaf after it.
    pub end: u64,
}

impl Range {
    /// The first `size` leaves.
    #[must_use]
    pub fn first(size: u64) -> Self {
        Self {
            start: 0,
            end: size,
        }
    }

    /// The whole subtrees that it consists of, the greatest first.
    #[must_use]
    pub fn wholes(self) -> Vec<Whole> {
        let mut found = Vec::new();
        let mut start = self.start;
        while start < self.end {
            let level = (self.end - start).ilog2();
            found.push(Whole {
                level,
                index: start >> level,
            });
            start += 1 << level;
        }
        found
    }

    /// Its hash, from those of its whole subtrees; `None` when one is not to be had. The hash of no
    /// leaf at all is that of nothing.
    pub fn hash(self, mut of: impl FnMut(Whole) -> Option<Hash>) -> Option<Hash> {
        let mut wholes = self.wholes().into_iter().rev();
        let Some(last) = wholes.next() else {
            return Some(Sha256::digest([]).into());
        };
        wholes.try_fold(of(last)?, |right, left| Some(node(&of(left)?, &right)))
    }

    /// Where a tree over these leaves is cut in two: at the greatest power of two below its size.
    fn cut(self) -> Option<(Self, Self)> {
        let size = self.end.checked_sub(self.start).filter(|size| *size > 1)?;
        let middle = self.start + (1 << (size - 1).ilog2());
        Some((
            Self {
                end: middle,
                ..self
            },
            Self {
                start: middle,
                ..self
            },
        ))
    }
}

/// The ranges whose hashes prove that leaf `index` is in the tree of `size` leaves, in the order of the
/// proof; `None` when there is no such leaf.
#[must_use]
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Range>> {
    if index >= size {
        return None;
    }
    let mut proof = Vec::new();
    let mut here = Range::first(size);
    while let Some((left, right)) = here.cut() {
        let beside;
        (here, beside) = if index < left.end {
            (left, right)
        } else {
            (right, left)
        };
        proof.push(beside);
    }
    proof.reverse();
    Some(proof)
}

/// The ranges whose hashes prove that the tree of `old` leaves is the beginning of that of `size`
/// leaves, in the order of the proof; `None` unless 0 < `old` <= `size`.
#[must_use]
pub fn consistency(old: u64, size: u64) -> Option<Vec<Range>> {
    if old == 0 || old > size {
        return None;
    }
    let mut proof = Vec::new();
    let mut here = Range::first(size);
    while here.end != old {
        let (left, right) = here.cut()?;
        let beside;
        (here, beside) = if old <= left.end {
            (left, right)
        } else {
            (right, left)
        };
        proof.push(beside);
    }
    // The old root itself is known to whoever asks.
    if here.start > 0 {
        proof.push(here);
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that `leaf` is the leaf `index` of the tree of `size` leaves with this root
/// (RFC 9162, 2.1.3.2).
#[must_use]
pub fn is_included(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut first, mut last) = (index, size - 1);
    let mut hash = leaf;
    for beside in proof {
        if last == 0 {
            return false;
        }
        if first & 1 == 1 || first == last {
            hash = node(beside, &hash);
            while first & 1 == 0 && first != 0 {
                first >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        first >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `old` leaves with `old_root` is the beginning of that of
/// `size` leaves with `root` (RFC 9162, 2.1.4.2).
#[must_use]
pub fn is_consistent(old: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> bool {
    if old == size {
        return proof.is_empty() && old_root == root;
    }
    if old == 0 || old > size {
        return false;
    }
    let mut hashes = proof.iter();
    let begin = if old.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let Some(begin) = begin else {
        return false;
    };
    let (mut first, mut last) = (old - 1, size - 1);
    while first & 1 == 1 {
        first >>= 1;
        last >>= 1;
    }
    let (mut was, mut is) = (*begin, *begin);
    for beside in hashes {
        if last == 0 {
            return false;
        }
        if first & 1 == 1 || first == last {
            was = node(beside, &was);
            is = node(beside, &is);
            while first & 1 == 0 && first != 0 {
                first >>= 1;
                last >>= 1;
            }
        } else {
            is = node(&is, beside);
        }
        first >>= 1;
        last >>= 1;
    }
    last == 0 && was == *old_root && is == *root
}

/// A tree that grows: the hashes of its whole subtrees, the greatest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree of `size` leaves from the hashes of [`Range::wholes`]; `None` unless there is one for
    /// each.
    #[must_use]
    pub fn new(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let wanted = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == wanted).then_some(Self { size, peaks })
    }

    /// Its leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Add a leaf. Gives the hashes of the subtrees that it completes, of one leaf, of two, of four…
    pub fn push(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut whole = leaf;
        let mut completed = vec![leaf];
        for _ in 0..self.size.trailing_ones() {
            // There is a peak for each bit, so there is one for each of these.
            let Some(left) = self.peaks.pop() else { break };
            whole = node(&left, &whole);
            completed.push(whole);
        }
        self.peaks.push(whole);
        self.size += 1;
        completed
    }

    /// The hash of the whole tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Sha256::digest([]).into(),
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// As RFC 9162 defines it, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [one] => leaf(one),
            many => {
                let mut cut = 1;
                while cut * 2 < many.len() {
                    cut *= 2;
                }
                node(&by_definition(&many[..cut]), &by_definition(&many[cut..]))
            }
        }
    }

    /// What the log stores: the hash of every whole subtree.
    fn stored(leaves: &[Vec<u8>]) -> (BTreeMap<Whole, Hash>, Vec<Hash>) {
        let mut tree = Frontier::default();
        let mut hashes = BTreeMap::new();
        let mut roots = vec![tree.root()];
        for entry in leaves {
            let completed = tree.push(leaf(entry));
            for (level, hash) in (0..).zip(completed) {
                let index = (tree.size() >> level) - 1;
                hashes.insert(Whole { level, index }, hash);
            }
            roots.push(tree.root());
        }
        (hashes, roots)
    }

    fn proof(ranges: &[Range], of: &BTreeMap<Whole, Hash>) -> Vec<Hash> {
        let hash = |range: &Range| range.hash(|whole| of.get(&whole).copied()).unwrap();
        ranges.iter().map(hash).collect()
    }

    /// No two alike, as the entries of the log.
    fn leaves() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(any::<[u8; 2]>(), 1..80).prop_map(|texts| {
            let numbered = (0_u8..).zip(texts);
            numbered.map(|(n, [a, b])| vec![n, a, b]).collect()
        })
    }

    /// The roots that the logs of web certificates are tested with.
    #[test]
    fn roots_are_those_of_other_programs() {
        let inputs: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let expected = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let leaves: Vec<Vec<u8>> = inputs.iter().map(|bytes| bytes.to_vec()).collect();
        let (_, roots) = stored(&leaves);
        let hex = |hash: &Hash| {
            hash.iter()
                .fold(String::new(), |s, b| s + &format!("{b:02x}"))
        };
        assert_eq!(roots.iter().map(hex).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_tree_that_grew_is_the_tree_by_definition(leaves in leaves()) {
            let (hashes, roots) = stored(&leaves);
            for (size, root) in roots.iter().enumerate() {
                prop_assert_eq!(*root, by_definition(&leaves[..size]));
                let range = Range::first(size as u64);
                prop_assert_eq!(Some(*root), range.hash(|whole| hashes.get(&whole).copied()));
                let peaks = range.wholes().iter().map(|whole| hashes[whole]).collect();
                prop_assert_eq!(Frontier::new(size as u64, peaks).unwrap().root(), *root);
            }
        }

        #[test]
        fn inclusion_is_proven_for_that_leaf_alone(
            leaves in leaves(), size in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
            bent in any::<prop::sample::Index>(),
        ) {
            let (hashes, roots) = stored(&leaves);
            let size = 1 + size.index(leaves.len());
            let at = at.index(size);
            let ranges = inclusion(at as u64, size as u64).unwrap();
            let mut given = proof(&ranges, &hashes);
            let holds = |at: usize, entry: &[u8], proof: &[Hash]| {
                is_included(leaf(entry), at as u64, size as u64, proof, &roots[size])
            };
            prop_assert!(holds(at, &leaves[at], &given));
            prop_assert!(!holds(at, b"another entry", &given));
            prop_assert!(!holds((at + 1) % (size + 1), &leaves[at], &given));
            prop_assert!(!holds(at, &leaves[at], &[given.clone(), vec![[0; 32]]].concat()));
            if !given.is_empty() {
                let bent = bent.index(given.len());
                given[bent][0] ^= 1;
                prop_assert!(!holds(at, &leaves[at], &given));
                given.pop();
                prop_assert!(!holds(at, &leaves[at], &given));
            }
            prop_assert_eq!(inclusion(size as u64, size as u64), None);
        }

        #[test]
        fn a_beginning_is_proven_and_another_past_is_not(
            leaves in leaves(), size in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(),
            changed in any::<prop::sample::Index>(), bent in any::<prop::sample::Index>(),
        ) {
            let (hashes, roots) = stored(&leaves);
            let size = 1 + size.index(leaves.len());
            let old = 1 + old.index(size);
            let mut given = proof(&consistency(old as u64, size as u64).unwrap(), &hashes);
            let holds = |old_root: &Hash, root: &Hash, proof: &[Hash]| {
                is_consistent(old as u64, old_root, size as u64, root, proof)
            };
            prop_assert!(holds(&roots[old], &roots[size], &given));
            // The same log with another past, and its own best proof.
            let mut other = leaves.clone();
            other[changed.index(old)].push(7);
            let (other_hashes, other_roots) = stored(&other);
            let theirs = proof(&consistency(old as u64, size as u64).unwrap(), &other_hashes);
            for tried in [&given, &theirs] {
                prop_assert!(!holds(&roots[old], &other_roots[size], tried));
            }
            if !given.is_empty() {
                let bent = bent.index(given.len());
                given[bent][0] ^= 1;
                prop_assert!(!holds(&roots[old], &roots[size], &given));
                given.pop();
                prop_assert!(!holds(&roots[old], &roots[size], &given));
            }
            prop_assert_eq!(consistency(size as u64 + 1, size as u64), None);
            prop_assert_eq!(consistency(0, size as u64), None);
        }
    }
}
