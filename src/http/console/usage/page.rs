//! The use of all credentials of a kind.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::AdminError;
use crate::admin::usage::{self, Step, Window};
use crate::http::console::answer;
use crate::http::console::chart::Chart;
use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;
use crate::model::usage::CredentialKind;

#[derive(Template)]
#[template(path = "usage/page.html")]
struct Usage {
    shell: Shell,
    kind: CredentialKind,
    charts: Vec<Chart>,
}

async fn page(visit: &Visit) -> Result<Usage, AdminError> {
    let (context, now) = (visit.context(), visit.context().clock.now());
    // One use counts for the client and for its secret, and for the user too: sums over kinds would count it twice.
    let asked = visit.query("kind").and_then(|word| word.parse().ok());
    let kind = asked.filter(|kind| *kind != CredentialKind::ClientSecret).unwrap_or(CredentialKind::Client);
    let until = now.plus_seconds(3600);
    let hours = Window { since: now.plus_seconds(-47 * 3600), until };
    let days = Window { since: now.day().plus_seconds(-29 * 86_400), until };
    let hours = usage::of_all(context, &visit.by, kind, hours, Step::Hour).await?;
    let days = usage::of_all(context, &visit.by, kind, days, Step::Day).await?;
    Ok(Usage {
        shell: visit.shell("Usage"),
        kind,
        charts: vec![
            Chart::of("hours", "The last 48 hours", &hours, Step::Hour, 48, now),
            Chart::of("days", "The last 30 days", &days, Step::Day, 30, now),
        ],
    })
}

/// `GET /console/usage`.
pub async fn show(visit: Visit) -> HttpResponse {
    match page(&visit).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}
