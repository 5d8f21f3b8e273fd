//! What one user was used for, by username and password and by token.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::usage::CredentialUsage;
use crate::admin::{AdminError, users};
use crate::http::console::answer;
use crate::http::console::chart::{self, Chart};
use crate::http::console::shell::Shell;
use crate::http::console::user::page::subject;
use crate::http::console::visit::Visit;
use crate::model::usage::CredentialKind;
use crate::store::user_profiles::UserProfile;

#[derive(Template)]
#[template(path = "user/usage.html")]
struct Usage {
    shell: Shell,
    tab: &'static str,
    user: UserProfile,
    charts: Vec<Chart>,
    month: CredentialUsage,
}

/// `GET /console/users/{user}/usage`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    let page = async {
        let user = subject(&visit, &key).await?;
        // What a guest does elsewhere is counted with it.
        users::account(visit.context(), &visit.by, &user.id).await?;
        let (charts, month) = chart::of_one(visit.context(), CredentialKind::User, &user.id).await?;
        Ok::<_, AdminError>(Usage { shell: visit.shell(&user.username), tab: "usage", user, charts, month })
    };
    match page.await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}
