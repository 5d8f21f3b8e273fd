//! What surrounds every handler.

mod observe;

pub use observe::{identify, observe};
