//! What somebody finds first.

use actix_web::HttpResponse;
use askama::Template;

use crate::http::console::answer;
use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;

#[derive(Template)]
#[template(path = "home/page.html")]
struct Home {
    shell: Shell,
    organization: String,
}

/// `/` and `/console` lead to `/console/`.
pub async fn to_console() -> HttpResponse {
    answer::see_other("/console/", "")
}

/// `GET /console/`.
pub async fn show(visit: Visit) -> HttpResponse {
    answer::ok(&Home { shell: visit.shell("Home"), organization: visit.principal.organization.name.clone() })
}
