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
