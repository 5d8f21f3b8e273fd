//! What stands above every page of one application, and the addresses of these pages.

use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;
use crate::model::client::{Client, ClientStatus};

/// A segment of a path: an id may hold whatever its chooser liked.
#[must_use]
pub fn segment(text: &str) -> String {
    // A form's plus sign stands for a space, which paths write in another way.
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// The page of an application.
#[must_use]
pub fn address(client_id: &str) -> String {
    format!("/console/applications/{}", segment(client_id))
}

/// Where a secret is shown again.
#[must_use]
pub fn reveal_path(client_id: &str, secret_id: &str) -> String {
    format!("{}/secrets/{}/reveal", address(client_id), segment(secret_id))
}

/// Whether the client id is told: it is one of the credentials that an approval makes.
#[must_use]
pub fn shows_id(status: ClientStatus) -> bool {
    !matches!(status, ClientStatus::Pending | ClientStatus::Denied)
}

/// The head. The template `application/head.html` shows what is called `head`.
pub struct Head {
    /// The page of the application.
    pub path: String,
    /// What it is called.
    pub label: String,
    /// Its status.
    pub status: ClientStatus,
    /// The tab that is open, as its path ends.
    pub tab: &'static str,
}

impl Head {
    /// Of an application.
    #[must_use]
    pub fn of(client: &Client, tab: &'static str) -> Self {
        Self { path: address(&client.client_id), label: client.label.clone(), status: client.status, tab }
    }

    /// What a form of the page is sent to.
    #[must_use]
    pub fn to(&self, verb: &str) -> String {
        format!("{}/{verb}", self.path)
    }

    /// What surrounds the page.
    #[must_use]
    pub fn shell(&self, visit: &Visit) -> Shell {
        visit.shell(&self.label)
    }
}
