//! What one application was used for.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::usage::CredentialUsage;
use crate::admin::{AdminError, client_views};
use crate::http::console::answer;
use crate::http::console::application::head::Head;
use crate::http::console::chart::{self, Chart};
use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;
use crate::model::usage::CredentialKind;

#[derive(Template)]
#[template(path = "application/usage.html")]
struct Usage {
    shell: Shell,
    head: Head,
    charts: Vec<Chart>,
    month: CredentialUsage,
}

async fn page(visit: &Visit, key: &str) -> Result<Usage, AdminError> {
    let context = visit.context();
    let client = client_views::one(context, &visit.by, key).await?.client;
    let head = Head::of(&client, "usage");
    let (charts, month) = chart::of_one(context, CredentialKind::Client, &client.client_id).await?;
    Ok(Usage { shell: head.shell(visit), charts, head, month })
}

/// `GET /console/applications/{client}/usage`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match page(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}
