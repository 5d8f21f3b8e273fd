//! What one application was used for.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::usage::{self, CredentialUsage, Step, Window};
use crate::admin::{AdminError, client_views};
use crate::http::console::answer;
use crate::http::console::application::head::Head;
use crate::http::console::chart::Chart;
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
    let now = context.clock.now();
    // The present hour is still counted in: the end is the next one.
    let window = |seconds: i64| Window { since: now.plus_seconds(-seconds), until: now.plus_seconds(3600) };
    let (kind, id) = (CredentialKind::Client, client.client_id.as_str());
    // Whoever sees the client sees its use, without the permission to read the whole audit log.
    let hours = usage::read(context, kind, id, window(47 * 3600), Step::Hour).await?;
    let month =
        usage::read(context, kind, id, Window { since: now.day().plus_seconds(-29 * 86_400), ..window(0) }, Step::Day);
    let month = month.await?;
    Ok(Usage {
        shell: head.shell(visit),
        charts: vec![
            Chart::of("hours", "The last 48 hours", &hours.steps, Step::Hour, 48, now),
            Chart::of("days", "The last 30 days", &month.steps, Step::Day, 30, now),
        ],
        head,
        month,
    })
}

/// `GET /console/applications/{client}/usage`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match page(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}
