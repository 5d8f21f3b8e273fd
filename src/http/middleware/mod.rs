//! What surrounds every handler.

mod observe;

pub use observe::observe;
