//! A client's secret on the page that shows it, with programs that use it.

use actix_web::HttpResponse;

use crate::crypto::secret::SecretString;
use crate::developer::call::{CLIENT_SECRET, Call, ClientAccess, PASSWORD, USERNAME, Value};
use crate::developer::snippets::{self, Language};
use crate::http::console::answer;
use crate::http::console::once::page::{Once, Row};
use crate::http::console::visit::Visit;
use crate::model::client::{Client, ClientKind};
use crate::model::grant_type::GrantType;
use crate::model::reveal::RevealPolicy;

/// What its reader must know about a new secret.
#[must_use]
pub fn lead(visit: &Visit, client_id: &str) -> String {
    match visit.context().credentials.reveal.client_secret {
        RevealPolicy::Once => {
            format!("The secret of {client_id} is shown only now. Copy it, or take it along as a file.")
        }
        RevealPolicy::Always => {
            format!("Keep the secret of {client_id} where only your program finds it. It can be viewed again.")
        }
    }
}

/// The page with a client's id and secret.
#[must_use]
pub fn once(
    visit: &Visit,
    title: &str,
    client: &Client,
    secret: &SecretString,
    lead: String,
    back: (String, String),
) -> HttpResponse {
    let value = Value::Known(secret.expose().to_owned());
    let programs = calls(visit, client, &value).into_iter();
    answer::ok(&Once {
        shell: visit.shell(title),
        lead,
        rows: vec![
            Row::plain("Client ID", "client_id", &client.client_id),
            Row::secret("Client secret", "client_secret", secret),
        ],
        programs: programs
            .map(|(label, call)| (format!("{label}, with curl"), snippets::program(Language::Curl, &call)))
            .collect(),
        file_name: "client-credentials".to_owned(),
        back,
    })
}

/// The calls that a client can make, and what each is for.
fn calls(visit: &Visit, client: &Client, secret: &Value) -> Vec<(&'static str, Call)> {
    let site = &visit.state.console().site;
    let access = ClientAccess::of(client, secret.clone());
    let mut calls = Vec::new();
    if client.may_use(GrantType::Password) {
        calls.push(("A token for a user", Call::password(site, &access, USERNAME, PASSWORD)));
    }
    if client.kind == ClientKind::Confidential {
        if client.may_use(GrantType::ClientCredentials) {
            calls.push(("A token for the application itself", Call::client_credentials(site, &access)));
        }
        calls.push(("ID and secret as headers", Call::client_headers(site, &access)));
    }
    calls
}

/// Programs that use the client, with everything in them but its secret: what each is called, and its text.
#[must_use]
pub fn programs(visit: &Visit, client: &Client) -> Vec<(String, String)> {
    let calls = calls(visit, client, &CLIENT_SECRET);
    let mut programs = Vec::new();
    for (index, (label, call)) in calls.iter().enumerate() {
        // All languages for the first way, and the shell for the others: the page stays small.
        for language in Language::ALL.iter().filter(|language| index == 0 || **language == Language::Curl) {
            programs.push((format!("{label}: {language}"), snippets::program(*language, call)));
        }
    }
    programs
}
