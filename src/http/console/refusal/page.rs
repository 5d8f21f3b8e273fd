//! A page that says why there is no other.

use askama::Template;

use crate::http::console::shell::Shell;

/// The page.
#[derive(Template)]
#[template(path = "refusal/page.html")]
pub struct Refusal {
    shell: Shell,
    text: String,
    request_id: String,
}

impl Refusal {
    /// With its reason; the shell bears the title.
    #[must_use]
    pub fn new(shell: Shell, text: String, request_id: &str) -> Self {
        Self { shell, text, request_id: request_id.to_owned() }
    }
}
