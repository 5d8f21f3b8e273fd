//! What the targets do with an input: one file each. They panic where an input shows a fault of Grantor.
//!
//! The suite includes this file and runs the kept corpus through it, so nothing here is of cargo-fuzz.

pub mod basic;
pub mod cookie;
pub mod form;
pub mod json;
pub mod jwt;
pub mod scope;
pub mod token_format;
pub mod verify_headers;

/// The name of a target, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 8] = [
    ("basic", basic::run),
    ("cookie", cookie::run),
    ("form", form::run),
    ("json", json::run),
    ("jwt", jwt::run),
    ("scope", scope::run),
    ("token_format", token_format::run),
    ("verify_headers", verify_headers::run),
];
