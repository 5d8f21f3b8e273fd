//! Randomness as an argument, so that a test can bring its own.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use zeroize::Zeroize;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DIGITS: &[u8; 10] = b"0123456789";

/// A source of random bytes. Cloning is cheap; clones of a seeded source share its sequence.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// The thread's cryptographically secure generator, seeded and reseeded by the operating system.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A predictable sequence, for tests only: the same seed gives the same bytes.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let generator = StdRng::seed_from_u64(seed);
        Self(Source::Seeded(Arc::new(Mutex::new(generator))))
    }

    /// Overwrites the whole of `target` with random bytes.
    pub fn fill(&self, target: &mut [u8]) {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
            Source::System => rand::rng().fill_bytes(target),
            Source::Seeded(generator) => generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(target),
        }
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// `len` characters out of `0-9A-Za-z`, each equally likely: 5.95 bits a character.
    #[must_use]
    pub fn base62(&self, len: usize) -> String {
        self.characters(BASE62, len)
    }

    /// `len` decimal digits, each equally likely: 3.32 bits a digit.
    #[must_use]
    pub fn digits(&self, len: usize) -> String {
        self.characters(DIGITS, len)
    }

    /// The random part of a version 7 UUID (RFC 9562 §5.7), 80 bits, of which the UUID keeps 74.
    #[must_use]
    pub fn uuid_v7_bits(&self) -> [u8; 10] {
        self.bytes()
    }

    fn characters(&self, alphabet: &[u8], len: usize) -> String {
        // Bytes past the last whole multiple of the alphabet are thrown away: a remainder of them
        // would make the first characters likelier.
        let usable = 256 / alphabet.len() * alphabet.len();
        let mut text = Vec::with_capacity(len);
        let mut pool = [0; 64];
        while text.len() < len {
            self.fill(&mut pool);
            let accepted = pool.iter().map(|byte| usize::from(*byte)).filter(|value| *value < usable);
            text.extend(accepted.map(|value| alphabet[value % alphabet.len()]).take(len - text.len()));
        }
        pool.zeroize();
        // The alphabets are ASCII.
        String::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_the_system_does_not() {
        let (one, other) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(one.bytes::<32>(), other.bytes::<32>());
        assert_ne!(one.bytes::<32>(), one.bytes::<32>());
        let system = Random::system();
        assert_ne!(system.bytes::<32>(), system.bytes::<32>());
    }

    #[test]
    fn text_has_the_length_asked_for_and_uses_the_whole_alphabet_evenly() {
        let random = Random::seeded(1);
        assert_eq!(random.base62(0), "");
        assert_eq!(random.base62(43).len(), 43);
        let text = random.base62(62_000);
        for letter in BASE62 {
            let count = text.bytes().filter(|byte| byte == letter).count();
            assert!((850..1150).contains(&count), "{letter}: {count}");
        }
        let digits = random.digits(12);
        assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    }
}
