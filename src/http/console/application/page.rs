//! One application: what it is, and what ends it.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::AdminError;
use crate::admin::client_changes::{self, ClientChange};
use crate::admin::client_views::{self, ClientView};
use crate::admin::clients::{self, approves};
use crate::http::console::answer;
use crate::http::console::application::head::{Head, address, shows_id};
use crate::http::console::application::shown;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::client::ClientStatus;

#[derive(Template)]
#[template(path = "application/page.html")]
struct Application {
    shell: Shell,
    head: Head,
    view: ClientView,
    shows_id: bool,
    approves: bool,
    decides: bool,
    reason: Option<String>,
    programs: Vec<(String, String)>,
    form: Form,
}

async fn page(visit: &Visit, key: &str, form: Option<Form>) -> Result<Application, AdminError> {
    let context = visit.context();
    let view = client_views::one(context, &visit.by, key).await?;
    let head = Head::of(&view.client, "");
    let client = &view.client;
    let form = form.unwrap_or_else(|| {
        let fields = Fields::default()
            .with("label", &client.label)
            .with("description", &client.description)
            .with("purpose", &client.purpose);
        Form::with(fields)
    });
    let works = client.status == ClientStatus::Active;
    Ok(Application {
        shell: head.shell(visit),
        shows_id: shows_id(client.status),
        approves: approves(&visit.by),
        decides: client_views::decides(&visit.by, client.owner_id.as_deref()),
        reason: client_views::reason_of_denial(context, client).await?,
        programs: if works { shown::programs(visit, client) } else { Vec::new() },
        head,
        form,
        view,
    })
}

/// `GET /console/applications/{client}`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match page(&visit, &key, None).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/applications/{client}`: what it is called and for.
pub async fn save(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match proven_for(sent, &key).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let text = |name: &str| Some(sent.fields.text(name).to_owned());
    let change = ClientChange {
        label: text("label"),
        description: text("description"),
        purpose: text("purpose"),
        ..ClientChange::default()
    };
    match client_changes::update(visit.context(), &visit.by, &key, &change).await {
        Ok(client) => answer::see_other(&address(&client.client_id), "saved"),
        Err(error) => match page(visit, &key, Some(Form::default())).await {
            Ok(page) => answer::again(sent, error, |_, form| Application { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

/// What is done to somebody else's application is asked twice. Whether there is one comes first: nobody types a password
/// to learn that there is none.
///
/// # Errors
/// The page that asks, or says that there is no such application.
pub(in crate::http::console) async fn proven_for(sent: Submission, key: &str) -> Result<Submission, HttpResponse> {
    let visit = &sent.visit;
    match client_views::one(visit.context(), &visit.by, key).await {
        Ok(view) => {
            let is_own = view.client.owner_id.as_deref().is_some_and(|owner| Some(owner) == visit.by.user_id());
            sent.proven_if(!is_own).await
        }
        Err(error) => Err(answer::refuse(visit, &error)),
    }
}

async fn changed(visit: &Visit, key: &str, to: ClientStatus, notice: &str) -> HttpResponse {
    let done = match to {
        ClientStatus::Active => clients::enable(visit.context(), &visit.by, key).await,
        other => clients::set_status(visit.context(), &visit.by, key, other).await,
    };
    match done {
        Ok(_) if to == ClientStatus::Deleted => answer::see_other("/console/applications", notice),
        Ok(client) => answer::see_other(&address(&client.client_id), notice),
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/applications/{client}/disable`.
pub async fn disable(sent: Submission, key: web::Path<String>) -> HttpResponse {
    match proven_for(sent, &key).await {
        Ok(sent) => changed(&sent.visit, &key, ClientStatus::Disabled, "disabled").await,
        Err(page) => page,
    }
}

/// `POST /console/applications/{client}/enable`.
pub async fn enable(sent: Submission, key: web::Path<String>) -> HttpResponse {
    // Only whoever approves enables, and what they enable works at once, whosever it is.
    let approves = approves(&sent.visit.by);
    match sent.proven_if(approves).await {
        Ok(sent) => changed(&sent.visit, &key, ClientStatus::Active, "enabled").await,
        Err(page) => page,
    }
}

/// `POST /console/applications/{client}/delete`.
pub async fn delete(sent: Submission, key: web::Path<String>) -> HttpResponse {
    // Whose it is, first: nobody types a password to learn that there is no such application.
    if let Err(error) = client_views::one(sent.visit.context(), &sent.visit.by, &key).await {
        return answer::refuse(&sent.visit, &error);
    }
    match sent.proven().await {
        Ok(sent) => changed(&sent.visit, &key, ClientStatus::Deleted, "deleted").await,
        Err(page) => page,
    }
}
