//! The application's requests for Postman, with its own values.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::{HttpResponse, web};

use crate::admin::{AdminError, client_secrets, client_views};
use crate::developer::call::{CLIENT_SECRET, ClientAccess, Value};
use crate::developer::postman::Workspace;
use crate::http::console::answer;
use crate::http::console::submission::Submission;
use crate::model::client::ClientStatus;

/// `POST /console/applications/{client}/postman`: the collection, or its environment. The secret is in it only where
/// it can be shown again, and after one's own password.
pub async fn download(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let wants_secret = sent.fields.given("secret").is_some() && sent.fields.text("file") == "environment";
    let sent = if wants_secret {
        match sent.proven().await {
            Ok(sent) => sent,
            Err(page) => return page,
        }
    } else {
        sent
    };
    match file(&sent, &key, wants_secret).await {
        Ok(answer) => answer,
        Err(error) => answer::refuse(&sent.visit, &error),
    }
}

async fn file(sent: &Submission, key: &str, with_secret: bool) -> Result<HttpResponse, AdminError> {
    let visit = &sent.visit;
    let view = client_views::one(visit.context(), &visit.by, key).await?;
    let client = &view.client;
    if client.status != ClientStatus::Active {
        return Err(AdminError::Refused("the application does not work: there is nothing to send with it".to_owned()));
    }
    let secret = match view.revealable.filter(|_| with_secret) {
        Some(id) => {
            let secret = client_secrets::reveal(visit.context(), &visit.by, &client.client_id, &id).await?;
            Value::Known(secret.into_exposed())
        }
        None => CLIENT_SECRET,
    };
    let access = ClientAccess::of(client, secret);
    let workspace = Workspace {
        name: &client.label,
        site: &visit.state.console().site,
        client: &access,
        grants: &client.grant_types,
        username: sent.fields.given("username"),
        password: None,
    };
    let (name, content) = match sent.fields.text("file") {
        "environment" => ("environment", workspace.environment()),
        _ => ("collection", workspace.collection()),
    };
    let text = serde_json::to_string_pretty(&content).unwrap_or_default() + "\n";
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"api.postman_{name}.json\"")))
        .content_type("application/json")
        .body(text))
}
