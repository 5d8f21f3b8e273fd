//! The settings of one application: its client id and its secrets.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::client_secrets::{self, NewClientSecret};
use crate::admin::{AdminError, client_views, clients};
use crate::http::console::answer;
use crate::http::console::application::head::{Head, address, reveal_path, segment, shows_id};
use crate::http::console::application::shown;
use crate::http::console::fields::Form;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::client::{Client, ClientKind};
use crate::model::reveal::RevealPolicy;
use crate::model::time::Timestamp;
use crate::store::clients::SecretDetails;

/// A row of the table of secrets.
struct Line {
    name: String,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    is_over: bool,
    last_used_at: Option<Timestamp>,
    last_used_ip: String,
    reveal: Option<String>,
    end: String,
}

/// How a secret is told from the others: by its label, and the end of its id, which events name.
#[must_use]
pub fn name(label: &str, id: &str) -> String {
    let end = id.get(id.len().saturating_sub(8)..).unwrap_or(id);
    if label.is_empty() { format!("…{end}") } else { format!("{label} (…{end})") }
}

#[derive(Template)]
#[template(path = "application/settings.html")]
struct Settings {
    shell: Shell,
    head: Head,
    client_id: Option<String>,
    is_public: bool,
    shows_again: bool,
    lines: Vec<Line>,
    overlaps: Vec<(&'static str, &'static str)>,
    form: Form,
}

async fn page(visit: &Visit, key: &str, form: Form) -> Result<Settings, AdminError> {
    let context = visit.context();
    let client = client_views::one(context, &visit.by, key).await?.client;
    let secrets = client_secrets::list(context, &visit.by, &client.client_id).await?;
    let (head, now) = (Head::of(&client, "settings"), context.clock.now());
    let shows_again = context.credentials.reveal.client_secret == RevealPolicy::Always;
    let line = |secret: SecretDetails| {
        let expires_at = secret.expires_at.map(Timestamp::from_micros);
        let is_over = expires_at.is_some_and(|end| end <= now);
        let can_be_shown = shows_again && secret.sealed.is_some() && !is_over;
        Line {
            name: name(&secret.label, &secret.id),
            created_at: Timestamp::from_micros(secret.created_at),
            expires_at,
            is_over,
            last_used_at: secret.last_used_at.map(Timestamp::from_micros),
            last_used_ip: secret.last_used_ip.unwrap_or_default(),
            reveal: can_be_shown.then(|| reveal_path(&client.client_id, &secret.id)),
            end: format!("{}/secrets/{}/end", head.path, segment(&secret.id)),
        }
    };
    Ok(Settings {
        shell: head.shell(visit),
        is_public: client.kind == ClientKind::Public,
        lines: secrets.into_iter().map(line).collect(),
        client_id: shows_id(client.status).then(|| client.client_id.clone()),
        head,
        shows_again,
        overlaps: vec![
            ("0", "no: the old secret ends at once"),
            ("3600", "for 1 hour"),
            ("86400", "for 24 hours"),
            ("604800", "for 7 days"),
        ],
        form,
    })
}

/// `GET /console/applications/{client}/settings`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match page(&visit, &key, Form::default()).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// The form again, with what is wrong with it.
async fn again(sent: Submission, key: &str, error: AdminError) -> HttpResponse {
    match page(&sent.visit, key, Form::default()).await {
        Ok(page) => answer::again(sent, error, |_, form| Settings { form, ..page }),
        Err(error) => answer::refuse(&sent.visit, &error),
    }
}

fn settings_of(client: &Client) -> (String, String) {
    (format!("{}/settings", address(&client.client_id)), "Done".to_owned())
}

fn show_new(visit: &Visit, made: &NewClientSecret, lead: &str) -> HttpResponse {
    let title = format!("A new secret of {}", made.client.label);
    let lead = format!("{lead} {}", shown::lead(visit, &made.client.client_id));
    shown::once(visit, &title, &made.client, &made.secret, lead, settings_of(&made.client))
}

/// Whose the application is, first: nobody types a password to learn that there is none.
async fn proven(sent: Submission, key: &str) -> Result<Submission, HttpResponse> {
    let visit = &sent.visit;
    if let Err(error) = client_views::one(visit.context(), &visit.by, key).await {
        return Err(answer::refuse(visit, &error));
    }
    sent.proven().await
}

/// `POST /console/applications/{client}/rotate`: another secret in the place of those that are there.
pub async fn rotate(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match proven(sent, &key).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let Ok(overlap) = sent.fields.given("overlap").unwrap_or("0").parse() else {
        return again(sent, &key, AdminError::invalid("overlap", "is a number of seconds")).await;
    };
    let back = format!("{}/settings", address(&key));
    let rotated = client_secrets::rotate(visit.context(), &visit.by, &key, Some(overlap));
    let rotated = match sent.once(&back, rotated).await {
        Ok(rotated) => rotated,
        Err(page) => return page,
    };
    match rotated {
        Ok(made) => {
            let lead = match made.previous_expires_at {
                None => "The old secret opens nothing any more.".to_owned(),
                Some(end) => format!("The old secret works until {}.", end.readable()),
            };
            show_new(visit, &made, &lead)
        }
        Err(error) => again(sent, &key, error).await,
    }
}

/// The last second of a day, as a field for dates sends it.
fn end_of_day(text: &str) -> Option<Timestamp> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(Timestamp::from_seconds(day.and_hms_opt(23, 59, 59)?.and_utc().timestamp()))
}

/// `POST /console/applications/{client}/secrets`: one more secret beside the others.
pub async fn add(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match proven(sent, &key).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let expires_at = sent.fields.given("expires_at").map(end_of_day);
    if expires_at == Some(None) {
        return again(sent, &key, AdminError::invalid("expires_at", "is a day, as 2027-12-31")).await;
    }
    let label = sent.fields.text("label");
    let back = format!("{}/settings", address(&key));
    let added = client_secrets::add(visit.context(), &visit.by, &key, label, expires_at.flatten());
    let added = match sent.once(&back, added).await {
        Ok(added) => added,
        Err(page) => return page,
    };
    match added {
        Ok(made) => show_new(visit, &made, "The other secrets go on working."),
        Err(error) => again(sent, &key, error).await,
    }
}

/// `POST /console/applications/{client}/secrets/{secret}/reveal`.
pub async fn reveal(sent: Submission, keys: web::Path<(String, String)>) -> HttpResponse {
    let (key, secret_id) = keys.into_inner();
    let sent = match proven(sent, &key).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let found = async {
        let client = clients::find(visit.context(), &visit.by, &key).await?;
        let secret = client_secrets::reveal(visit.context(), &visit.by, &client.client_id, &secret_id).await?;
        Ok::<_, AdminError>((client, secret))
    };
    match found.await {
        Ok((client, secret)) => {
            let lead = "You have seen it: the audit log says so.".to_owned();
            shown::once(visit, &format!("The secret of {}", client.label), &client, &secret, lead, settings_of(&client))
        }
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/applications/{client}/secrets/{secret}/end`.
pub async fn end(sent: Submission, keys: web::Path<(String, String)>) -> HttpResponse {
    let (key, secret_id) = keys.into_inner();
    let sent = match proven(sent, &key).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match client_secrets::end(visit.context(), &visit.by, &key, &secret_id).await {
        Ok(client) => answer::see_other(&settings_of(&client).0, "secret-ended"),
        Err(error) => again(sent, &key, error).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_with_its_last_second() {
        assert_eq!(end_of_day("2027-12-31").unwrap().readable(), "2027-12-31 23:59 UTC");
        assert!(end_of_day("31.12.2027").is_none() && end_of_day("2027-02-30").is_none());
    }

    #[test]
    fn a_secret_is_named_by_the_end_of_its_id() {
        assert_eq!(name("", "0193-abcdefgh"), "…abcdefgh");
        assert_eq!(name("robot", "short"), "robot (…short)");
    }
}
