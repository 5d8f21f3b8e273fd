//! Where oxide-auth meets us: its state machines ask, we answer. Nothing else in the project knows that crate.
//!
//! Of oxide-auth come the order of the steps of each grant, what a request must have, the rule that a refresh token
//! belongs to the client that it was issued to, and the rule that a refresh never widens its scope. Of us come the
//! answers: who the client is ([`Answers`]), what a family holds, and every text that a client sees.

mod password;
mod registrar;
mod request;
mod steps;

pub use registrar::Answers;
pub use request::GrantRequest;
pub use steps::{Negotiated, client_credentials, password_sign_in, refresh};
