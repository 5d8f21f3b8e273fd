//! Messages to people: what they say, how they are written, and the way to the mail server. Nothing here knows the
//! database.

mod letter;
mod mailer;

pub use letter::{Letter, Subject};
pub use mailer::{Mailer, NotSent, is_address, is_one_line};
