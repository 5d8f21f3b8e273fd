//! The scopes of one application: those that it has, those that it waits for, and those that it was denied.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, client_views, scope_requests, scopes};
use crate::http::console::answer;
use crate::http::console::application::head::{Head, address};
use crate::http::console::application::page::proven_for;
use crate::http::console::fields::Form;
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::client::ClientStatus;
use crate::model::scope_request::{ScopeRequest, ScopeRequestStatus};
use crate::store::scope_requests::ScopeRequestFilter;

/// A request, with the names of people.
struct Line {
    request: ScopeRequest,
    requested_by: String,
    decided_by: String,
}

/// What somebody is called who is known by an id; the command line calls itself `cli`.
pub(in crate::http::console) fn called(names: &HashMap<String, String>, id: &str) -> String {
    match (names.get(id), id) {
        (Some(name), _) => name.clone(),
        (None, "" | "cli") => "operator".to_owned(),
        (None, _) => "somebody of another organization".to_owned(),
    }
}

/// The ids of the people in requests.
pub(in crate::http::console) fn people(requests: &[ScopeRequest]) -> Vec<String> {
    requests.iter().flat_map(|one| [Some(one.requested_by.clone()), one.decided_by.clone()]).flatten().collect()
}

#[derive(Template)]
#[template(path = "application/scopes.html")]
struct Scopes {
    shell: Shell,
    head: Head,
    approved: Vec<(String, String)>,
    lines: Vec<Line>,
    pager: Pager,
    choices: Vec<(String, String)>,
    may_ask: bool,
    form: Form,
}

async fn page(visit: &Visit, key: &str, form: Form) -> Result<Scopes, AdminError> {
    let context = visit.context();
    let client = client_views::one(context, &visit.by, key).await?.client;
    let head = Head::of(&client, "scopes");
    let catalogue = scopes::list(context).await?;
    let (cursor, list) = (visit.query("cursor"), format!("scope requests of {}", client.client_id));
    let is_later = cursor.is_some();
    let window = Paging { limit: None, cursor }.window(context, &list)?;
    let filter = ScopeRequestFilter { client_id: Some(client.client_id.clone()), ..ScopeRequestFilter::default() };
    let rows = scope_requests::page(context, &visit.by, filter, &window.after, window.limit).await?;
    let names = client_views::usernames(context, &visit.by, people(&rows)).await?;
    let waits: Vec<String> =
        rows.iter().filter(|one| one.status == ScopeRequestStatus::Pending).map(|one| one.scope.clone()).collect();
    let line = |request: ScopeRequest| Line {
        requested_by: called(&names, &request.requested_by),
        decided_by: request.decided_by.as_deref().map(|id| called(&names, id)).unwrap_or_default(),
        request,
    };
    let shown = window.page(context, &list, rows, |row| row.id.clone(), line);
    let pager = Pager::of(&shown, &format!("{}/scopes", head.path), &[], is_later);
    let described = |name: &str| {
        let known = catalogue.iter().find(|scope| scope.name == name);
        known.map(|scope| scope.description.clone()).unwrap_or_default()
    };
    let approved = client.scopes.iter().map(|name| (name.to_owned(), described(name))).collect();
    let open = catalogue.iter().filter(|scope| !client.scopes.contains(&scope.name) && !waits.contains(&scope.name));
    let choices = open.map(|scope| {
        let at_once = if scope.requires_approval { "" } else { " (given at once)" };
        (scope.name.clone(), format!("{}{at_once}", scope.name))
    });
    Ok(Scopes {
        shell: head.shell(visit),
        approved,
        choices: choices.collect(),
        lines: shown.items,
        pager,
        may_ask: client.status != ClientStatus::Denied,
        head,
        form,
    })
}

/// `GET /console/applications/{client}/scopes`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match page(&visit, &key, Form::default()).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/applications/{client}/scopes`: asks for one more.
pub async fn ask(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match proven_for(sent, &key).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let (scope, justification) = (sent.fields.text("scope"), sent.fields.text("justification"));
    match scope_requests::create(visit.context(), &visit.by, &key, scope, justification).await {
        Ok(request) => {
            let notice = if request.status == ScopeRequestStatus::Approved { "approved" } else { "requested" };
            answer::see_other(&format!("{}/scopes", address(&request.client_id)), notice)
        }
        Err(error) => match page(visit, &key, Form::default()).await {
            Ok(page) => answer::again(sent, error, |_, form| Scopes { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}
