//! A table that every request looks into and that seldom changes.
//!
//! It is a hash table cut in pieces: a look-up touches half as much memory as in a tree that shares its branches, and a
//! new picture copies the one piece that changed (`bench/grown latency`, `bench/grown registry`).

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Of 100,000 entries a change copies four hundred.
const PIECES: usize = 256;

/// A table by text. Cheap to clone: the pieces are shared until they change.
#[derive(Debug, Clone)]
pub(super) struct Shards<V> {
    spread: RandomState,
    /// None until there is an entry.
    pieces: Arc<Vec<Arc<HashMap<String, V>>>>,
}

impl<V> Default for Shards<V> {
    fn default() -> Self {
        Self { spread: RandomState::new(), pieces: Arc::default() }
    }
}

impl<V: Clone> Shards<V> {
    pub(super) fn get(&self, key: &str) -> Option<&V> {
        self.pieces.get(self.piece_of(key))?.get(key)
    }

    pub(super) fn insert(&mut self, entries: impl IntoIterator<Item = (String, V)>) {
        for (key, value) in entries {
            let number = self.piece_of(&key);
            let pieces = Arc::make_mut(&mut self.pieces);
            if pieces.is_empty() {
                pieces.resize_with(PIECES, Arc::default);
            }
            Arc::make_mut(&mut pieces[number]).insert(key, value);
        }
    }

    fn piece_of(&self, key: &str) -> usize {
        // The remainder is below `PIECES`.
        usize::try_from(self.spread.hash_one(key) % PIECES as u64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(range: std::ops::Range<i32>, value: i32) -> impl Iterator<Item = (String, i32)> {
        range.map(move |number| (number.to_string(), value))
    }

    #[test]
    fn a_change_is_in_the_new_picture_alone_and_copies_one_piece() {
        let mut before = Shards::default();
        assert_eq!(before.get("1"), None);
        before.insert(entries(0..2000, 1));
        let mut after = before.clone();
        after.insert(entries(7..8, 2));
        after.insert(entries(2000..2001, 3));
        assert_eq!((before.get("7"), before.get("2000")), (Some(&1), None));
        assert_eq!((after.get("7"), after.get("2000"), after.get("8")), (Some(&2), Some(&3), Some(&1)));
        let copied = before.pieces.iter().zip(&*after.pieces).filter(|(one, other)| !Arc::ptr_eq(one, other)).count();
        assert!((1..=2).contains(&copied), "{copied} of {PIECES} pieces");
        assert!((0..2000).all(|number| before.get(&number.to_string()) == Some(&1)));
    }
}
