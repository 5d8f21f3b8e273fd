//! Signing keys: where each stands, and what can be done to it. Only for whoever governs the installation.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::AdminError;
use crate::admin::signing_keys::{self, KeyAndState};
use crate::http::console::answer;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::signing_key::SigningAlgorithm;

#[derive(Template)]
#[template(path = "keys/page.html")]
struct Keys {
    shell: Shell,
    keys: Vec<KeyAndState>,
    algorithms: &'static [SigningAlgorithm],
    usual: SigningAlgorithm,
    ahead: i64,
    days: i64,
}

const PATH: &str = "/console/keys";

/// `GET /console/keys`.
pub async fn show(visit: Visit) -> HttpResponse {
    match signing_keys::list(visit.context(), &visit.by).await {
        Ok(mut keys) => {
            // The newest first: what signs, and what comes next.
            keys.reverse();
            let (title, settings) = (visit.shell("").say("keys").to_owned(), &visit.context().settings);
            answer::ok(&Keys {
                shell: visit.shell(&title),
                keys,
                algorithms: SigningAlgorithm::ALL,
                usual: settings.signing_algorithm,
                ahead: settings.publish_ahead,
                days: settings.rotation_interval / 86_400,
            })
        }
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/keys/rotate`.
pub async fn rotate(sent: Submission) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let rotated = async {
        let algorithm = sent.fields.text("algorithm").parse().map_err(AdminError::from)?;
        signing_keys::rotate(visit.context(), &visit.by, algorithm).await
    };
    match rotated.await {
        Ok(_) => answer::see_other(PATH, "rotated"),
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/keys/{kid}/revoke`.
pub async fn revoke(sent: Submission, kid: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match signing_keys::revoke(visit.context(), &visit.by, &kid).await {
        Ok(_) => answer::see_other(PATH, "revoked"),
        Err(error) => answer::refuse(visit, &error),
    }
}
