//! What concerns one application's security: uses that were refused, and what was done with its secrets.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, client_secrets, client_views};
use crate::http::console::answer;
use crate::http::console::application::head::Head;
use crate::http::console::application::scopes::called;
use crate::http::console::application::settings::name;
use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;
use crate::model::time::Timestamp;
use crate::store::audit::RecordedEvent;

/// Rows of a page.
const ROWS: usize = 50;

/// A row of the table.
struct Line {
    at: Timestamp,
    what: String,
    credential: String,
    network: String,
    who: String,
    count: String,
    reason: String,
    is_refused: bool,
}

#[derive(Template)]
#[template(path = "application/events.html")]
struct Events {
    shell: Shell,
    head: Head,
    lines: Vec<Line>,
    next: Option<String>,
    is_later: bool,
}

fn in_words(action: &str) -> String {
    match action {
        "client.dead_secret_used" => "A secret that has ended was used".to_owned(),
        "client.refused" => "Refused".to_owned(),
        "client.secret_rotated" => "The secret was replaced".to_owned(),
        "client.secret_added" => "A secret was added".to_owned(),
        "client.secret_deleted" => "A secret was ended".to_owned(),
        "client.secret_revealed" => "A secret was viewed".to_owned(),
        "client.status_changed" => "The status was changed".to_owned(),
        "client.approved" => "Approved".to_owned(),
        "client.denied" => "Denied".to_owned(),
        other => other.to_owned(),
    }
}

/// The value of a member of an event's details; `reason` is the last one and may have spaces.
fn member<'a>(details: &'a str, name: &str) -> &'a str {
    let after = details.split_once(name).map_or("", |(_, after)| after);
    if name == "reason=" { after } else { after.split(' ').next().unwrap_or_default() }
}

fn line(event: RecordedEvent, labels: &HashMap<String, String>, names: &HashMap<String, String>) -> Line {
    let details = &event.details;
    let is_refused = event.result == "refused";
    let secret_id =
        if event.target_kind == "client_secret" { event.target_id.as_str() } else { member(details, "secret=") };
    let credential = match secret_id {
        "" if is_refused => "client ID".to_owned(),
        "" => String::new(),
        id => format!("secret {}", name(labels.get(id).map_or("", String::as_str), id)),
    };
    let reason = match member(details, "reason=") {
        "" => member(details, "status="),
        reason => reason,
    };
    Line {
        at: Timestamp::from_micros(event.occurred_at),
        what: in_words(&event.action),
        credential,
        network: event.ip.unwrap_or_default(),
        who: if is_refused || event.actor_kind == "client" { String::new() } else { called(names, &event.actor_id) },
        count: member(details, "count=").to_owned(),
        reason: reason.to_owned(),
        is_refused,
    }
}

async fn page(visit: &Visit, key: &str) -> Result<Events, AdminError> {
    let context = visit.context();
    let client = client_views::one(context, &visit.by, key).await?.client;
    let head = Head::of(&client, "events");
    let before: Option<i64> = visit.query("before").and_then(|text| text.parse().ok());
    let (events, next) = client_views::security_events(context, &client, before, ROWS).await?;
    let secrets = client_secrets::list(context, &visit.by, &client.client_id).await?;
    let labels = secrets.into_iter().map(|secret| (secret.id, secret.label)).collect();
    let actors = events.iter().filter(|event| event.actor_kind == "user").map(|event| event.actor_id.clone());
    let names = client_views::usernames(context, &visit.by, actors.collect()).await?;
    Ok(Events {
        shell: head.shell(visit),
        next: next.map(|seq| format!("{}/events?before={seq}", head.path)),
        is_later: before.is_some(),
        lines: events.into_iter().map(|event| line(event, &labels, &names)).collect(),
        head,
    })
}

/// `GET /console/applications/{client}/events`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match page(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_details_are_told_apart() {
        let details = "count=3 further reason=the secret was replaced or has expired";
        assert_eq!(member(details, "count="), "3");
        assert_eq!(member(details, "reason="), "the secret was replaced or has expired");
        assert_eq!(member("secret=abc overlap=0", "secret="), "abc");
        assert_eq!(member("", "secret="), "");
    }
}
