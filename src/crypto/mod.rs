//! Cryptography: the only place that touches hashing, sealing, signing and randomness.
//!
//! The layout, from the bottom up:
//!
//! - [`secret`]: types for what must not be printed;
//! - [`random`]: randomness as an argument;
//! - [`token_format`]: the recognisable shape of every credential that Grantor makes;
//! - [`digest`]: keyed digests of random secrets;
//! - [`sealing`]: authenticated encryption of what must be read back;
//! - [`master_key`] and [`master_key_file`]: the one key that lives outside the database;
//! - [`data_keys`]: the keys that live in the database, sealed under the master key;
//! - [`password`] and [`password_hash`]: what people type, and how it is hashed;
//! - [`imported_hash`]: hashes that another program made, until their owner signs in;
//! - [`hash_pool`]: where that slow work runs;
//! - [`signing`] and [`public_jwk`]: the key pairs behind JWTs, and what is
//!   published of them.

pub mod data_keys;
pub mod digest;
pub mod hash_pool;
pub mod identifier;
pub mod imported_hash;
pub mod master_key;
pub mod master_key_file;
pub mod password;
pub mod password_hash;
pub mod public_jwk;
pub mod random;
pub mod sealing;
pub mod secret;
pub mod signing;
pub mod token_format;
