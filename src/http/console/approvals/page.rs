//! What waits for an administrator: applications, and requests for scopes. Nobody decides about their own.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::client_views::{self, ClientView};
use crate::admin::{AdminError, clients, scope_requests};
use crate::http::console::answer;
use crate::http::console::application::head::{address, segment};
use crate::http::console::application::scopes::{called, people};
use crate::http::console::application::shown;
use crate::http::console::fields::Form;
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::{Paging, Window};
use crate::model::client::ClientStatus;
use crate::model::reveal::RevealPolicy;
use crate::model::role::{APPLICATIONS_MANAGE, SCOPES_MANAGE};
use crate::model::scope_request::{ScopeRequest, ScopeRequestStatus};
use crate::store::clients::{ClientFilter, ClientOrder, place};
use crate::store::scope_requests::ScopeRequestFilter;

const PATH: &str = "/console/approvals";

/// The names of the two lists, for their cursors, which are the parameters of the query too.
const APPLICATIONS: &str = "applications";
const REQUESTS: &str = "requests";

/// An application that waits.
struct Waiting {
    view: ClientView,
    address: String,
    path: String,
    is_own: bool,
}

/// A request for a scope that waits.
struct Asked {
    request: ScopeRequest,
    application: String,
    address: String,
    path: String,
    requested_by: String,
    is_own: bool,
}

#[derive(Template)]
#[template(path = "approvals/page.html")]
struct Approvals {
    shell: Shell,
    applications: Vec<Waiting>,
    further_applications: Pager,
    requests: Vec<Asked>,
    further_requests: Pager,
    form: Form,
}

/// The place of one of the two lists in the query; a form that is shown again shows their first pages.
fn window(visit: &Visit, list: &str) -> Result<(Window, bool), AdminError> {
    let cursor = visit.query(list).filter(|_| visit.request.method() == actix_web::http::Method::GET);
    let is_later = cursor.is_some();
    Ok((Paging { limit: None, cursor }.window(visit.context(), &format!("waiting {list}"))?, is_later))
}

async fn page(visit: &Visit, form: Form) -> Result<Approvals, AdminError> {
    let (context, by) = (visit.context(), &visit.by);
    by.require(APPLICATIONS_MANAGE)?;
    by.require(SCOPES_MANAGE)?;
    let (status, order) = (Some(ClientStatus::Pending), ClientOrder::Label);
    let filter = ClientFilter { status, order, ..ClientFilter::default() };
    let (place_in_applications, is_later_application) = window(visit, APPLICATIONS)?;
    let rows =
        client_views::page(context, by, filter, &place_in_applications.after, place_in_applications.limit).await?;
    let at = |row: &ClientView| place(&row.client, row.created_at, order);
    let waiting = place_in_applications.page(context, "waiting applications", rows, at, |row| row);
    let filter = ScopeRequestFilter { status: Some(ScopeRequestStatus::Pending), ..ScopeRequestFilter::default() };
    let (place_in_requests, is_later_request) = window(visit, REQUESTS)?;
    let rows = scope_requests::page(context, by, filter, &place_in_requests.after, place_in_requests.limit).await?;
    let asked = place_in_requests.page(context, "waiting requests", rows, |row| row.id.clone(), |row| row);
    let further_applications = Pager::named(APPLICATIONS, &waiting, PATH, &[], is_later_application);
    let further_requests = Pager::named(REQUESTS, &asked, PATH, &[], is_later_request);
    let (waiting, asked) = (waiting.items, asked.items);
    let names = client_views::usernames(context, by, people(&asked)).await?;
    let snapshot = context.registry.snapshot().as_ref().clone();
    let own = |id: Option<&str>| id.is_some() && id == by.user_id();
    let title = visit.shell("").say("approvals").to_owned();
    Ok(Approvals {
        shell: visit.shell(&title),
        applications: waiting
            .into_iter()
            .map(|view| Waiting {
                address: address(&view.client.client_id),
                path: format!("{PATH}/applications/{}", segment(&view.client.client_id)),
                is_own: own(view.client.owner_id.as_deref()),
                view,
            })
            .collect(),
        further_applications,
        requests: asked
            .into_iter()
            .filter_map(|request| {
                let client = snapshot.client(&request.client_id)?;
                // What was asked for an application that is gone is nobody's to decide.
                (client.status != ClientStatus::Deleted).then(|| Asked {
                    application: client.label.clone(),
                    address: address(&request.client_id),
                    path: format!("{PATH}/scopes/{}", segment(&request.id)),
                    requested_by: called(&names, &request.requested_by),
                    is_own: own(Some(&request.requested_by)),
                    request,
                })
            })
            .collect(),
        further_requests,
        form,
    })
}

/// `GET /console/approvals`.
pub async fn show(visit: Visit) -> HttpResponse {
    match page(&visit, Form::default()).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

async fn again(sent: Submission, error: AdminError) -> HttpResponse {
    match page(&sent.visit, Form::default()).await {
        Ok(page) => answer::again(sent, error, |_, form| Approvals { form, ..page }),
        Err(error) => answer::refuse(&sent.visit, &error),
    }
}

/// `POST /console/approvals/applications/{client}/approve`: which makes client id and secret.
pub async fn approve_application(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let made = match sent.once(PATH, clients::approve(visit.context(), &visit.by, &key)).await {
        Ok(made) => made,
        Err(page) => return page,
    };
    match made {
        Ok(made) => match &made.secret {
            Some(secret) => {
                let lead = match visit.context().credentials.reveal.client_secret {
                    RevealPolicy::Always => {
                        "Its developer is told by mail, and finds client ID and secret in the application's settings."
                    }
                    RevealPolicy::Once => {
                        "The secret is shown only now, and to you: hand it over where nobody else reads it. Its \
                         developer is told of the approval by mail, and can make a secret of their own in the \
                         application's settings."
                    }
                };
                let back = (PATH.to_owned(), visit.shell("").say("approvals").to_owned());
                let title = format!("{} is approved", made.client.label);
                shown::once(visit, &title, &made.client, secret, lead.to_owned(), back)
            }
            None => answer::see_other(PATH, "approved"),
        },
        Err(error) => again(sent, error).await,
    }
}

/// `POST /console/approvals/applications/{client}/deny`.
pub async fn deny_application(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    match clients::deny(visit.context(), &visit.by, &key, sent.fields.text("reason")).await {
        Ok(_) => answer::see_other(PATH, "denied"),
        Err(error) => again(sent, error).await,
    }
}

async fn decide(sent: Submission, id: &str, approved: bool) -> HttpResponse {
    let visit = &sent.visit;
    let reason = sent.fields.text("reason");
    if !approved && reason.is_empty() {
        return again(sent, AdminError::invalid("reason", "is missing")).await;
    }
    match scope_requests::decide(visit.context(), &visit.by, id, approved, reason).await {
        Ok(_) => answer::see_other(PATH, if approved { "approved" } else { "denied" }),
        Err(error) => again(sent, error).await,
    }
}

/// `POST /console/approvals/scopes/{request}/approve`.
pub async fn approve_scope(sent: Submission, id: web::Path<String>) -> HttpResponse {
    match sent.proven().await {
        Ok(sent) => decide(sent, &id, true).await,
        Err(page) => page,
    }
}

/// `POST /console/approvals/scopes/{request}/deny`.
pub async fn deny_scope(sent: Submission, id: web::Path<String>) -> HttpResponse {
    decide(sent, &id, false).await
}
