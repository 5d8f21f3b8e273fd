//! Organizations: only whoever governs them all sees this page.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, organizations};
use crate::http::console::answer;
use crate::http::console::fields::Form;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::organization::{Organization, OrganizationStatus};

#[derive(Template)]
#[template(path = "organizations/page.html")]
struct Organizations {
    shell: Shell,
    organizations: Vec<Organization>,
    form: Form,
}

const PATH: &str = "/console/organizations";

fn page(visit: &Visit, organizations: Vec<Organization>, form: Form) -> Organizations {
    let title = visit.shell("").say("organizations").to_owned();
    Organizations { shell: visit.shell(&title), organizations, form }
}

/// `GET /console/organizations`.
pub async fn show(visit: Visit) -> HttpResponse {
    match organizations::all(visit.context(), &visit.by).await {
        Ok(all) => answer::ok(&page(&visit, all, Form::default())),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/organizations`.
pub async fn create(sent: Submission) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let (visit, slug) = (&sent.visit, sent.fields.text("slug"));
    let taken = format!("there is an organization `{slug}` already");
    match organizations::create(visit.context(), &visit.by, sent.fields.text("name"), slug).await {
        Ok(_) => answer::see_other(PATH, "created"),
        Err(error) => {
            let error = match error {
                AdminError::Refused(why) if why == taken => AdminError::invalid("slug", "is taken"),
                other => other,
            };
            match organizations::all(visit.context(), &visit.by).await {
                Ok(all) => answer::again(sent, error, |visit, form| page(visit, all, form)),
                Err(error) => answer::refuse(visit, &error),
            }
        }
    }
}

fn done(visit: &Visit, outcome: Result<Organization, AdminError>, notice: &str) -> HttpResponse {
    match outcome {
        Ok(_) => answer::see_other(PATH, notice),
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/organizations/{organization}/rename`.
pub async fn rename(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    let outcome = organizations::rename(visit.context(), &visit.by, &key, sent.fields.text("name")).await;
    done(visit, outcome, "saved")
}

/// `POST /console/organizations/{organization}/disable`.
pub async fn disable(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let status = OrganizationStatus::Disabled;
    done(visit, organizations::set_status(visit.context(), &visit.by, &key, status).await, "disabled")
}

/// `POST /console/organizations/{organization}/enable`.
pub async fn enable(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let status = OrganizationStatus::Active;
    done(visit, organizations::set_status(visit.context(), &visit.by, &key, status).await, "enabled")
}
