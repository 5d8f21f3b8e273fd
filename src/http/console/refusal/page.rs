//! A page that says why there is no other.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::http::console::answer;
use crate::http::console::shell::Shell;
use crate::http::console::visit::{Guest, Visit};

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

/// For an address that no page has, or that takes forms alone.
pub async fn astray(request: &HttpRequest, status: StatusCode) -> HttpResponse {
    let (title, text) = if status == StatusCode::METHOD_NOT_ALLOWED {
        ("Nothing to show", "This address takes what a page sends, and has no page of its own. Nothing was changed.")
    } else {
        ("Not found", "There is no page at this address.")
    };
    if let Ok(visit) = Visit::of(request).await {
        return answer::page(status, &Refusal::new(visit.shell(title), text.to_owned(), &visit.id));
    }
    match Guest::of(request) {
        Some(guest) => answer::page(status, &Refusal::new(guest.shell(title), text.to_owned(), &guest.id)),
        None => HttpResponse::build(status).finish(),
    }
}
