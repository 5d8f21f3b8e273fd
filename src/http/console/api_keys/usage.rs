//! What one API key was used for.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::AdminError;
use crate::admin::usage::CredentialUsage;
use crate::http::console::answer;
use crate::http::console::api_keys::page::Owner;
use crate::http::console::chart::{self, Chart};
use crate::http::console::shell::Shell;
use crate::http::console::visit::Visit;
use crate::model::usage::CredentialKind;

#[derive(Template)]
#[template(path = "api_keys/usage.html")]
struct Usage {
    shell: Shell,
    /// The list that the key is in.
    back: String,
    prefix: String,
    charts: Vec<Chart>,
    month: CredentialUsage,
}

/// `GET /console/profile/api-keys/{key}/usage`, `GET /console/users/{user}/api-keys/{key}/usage`.
pub async fn show(visit: Visit) -> HttpResponse {
    let page = async {
        let owner = Owner::of(&visit).await?;
        let key = owner.key(&visit).await?;
        let (charts, month) = chart::of_one(visit.context(), CredentialKind::ApiKey, &key.id).await?;
        Ok::<_, AdminError>(Usage {
            shell: visit.shell(&key.name),
            back: owner.path,
            prefix: key.prefix,
            charts,
            month,
        })
    };
    match page.await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}
