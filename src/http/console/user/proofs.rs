//! How a user proves who they are: their sessions and their password.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, links, passwords, sessions};
use crate::crypto::secret::SecretString;
use crate::http::console::answer;
use crate::http::console::application::head::segment;
use crate::http::console::fields::Form;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::user::page::subject;
use crate::http::console::users::page::password_once;
use crate::http::console::visit::Visit;
use crate::model::session::Session;
use crate::store::user_profiles::UserProfile;

#[derive(Template)]
#[template(path = "user/sessions.html")]
struct Sessions {
    shell: Shell,
    tab: &'static str,
    user: UserProfile,
    sessions: Vec<Session>,
}

#[derive(Template)]
#[template(path = "user/password.html")]
struct Password {
    shell: Shell,
    tab: &'static str,
    user: UserProfile,
    hint: String,
    /// Whether the form asks for one's own password too.
    asks: bool,
    form: Form,
}

/// `GET /console/users/{user}/sessions`.
pub async fn show_sessions(visit: Visit, key: web::Path<String>) -> HttpResponse {
    let found = async {
        let user = subject(&visit, &key).await?;
        let sessions = sessions::list(visit.context(), &visit.by, &user.id).await?;
        Ok::<_, AdminError>(Sessions { shell: visit.shell(&user.username), tab: "sessions", user, sessions })
    };
    match found.await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/users/{user}/sessions/{session}/end`.
pub async fn end_session(sent: Submission, keys: web::Path<(String, String)>) -> HttpResponse {
    let visit = &sent.visit;
    let (key, session) = keys.into_inner();
    let ended = async {
        let user = subject(visit, &key).await?;
        sessions::end(visit.context(), &visit.by, &user.id, &session).await.map(|()| user.id)
    };
    match ended.await {
        Ok(id) => answer::see_other(&format!("/console/users/{id}/sessions"), "session-ended"),
        Err(error) => answer::refuse(visit, &error),
    }
}

fn password_page(visit: &Visit, user: UserProfile, form: Form) -> Password {
    let least = visit.context().login.policy().min_length;
    let hint = format!("At least {least} characters.");
    let (shell, asks) = (visit.shell(&user.username), !visit.is_proven());
    Password { shell, tab: "password", user, hint, asks, form }
}

/// `GET /console/users/{user}/password`.
pub async fn show_password(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match subject(&visit, &key).await {
        Ok(user) => answer::ok(&password_page(&visit, user, Form::default())),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/users/{user}/password`.
pub async fn set_password(mut sent: Submission, key: web::Path<String>) -> HttpResponse {
    let proven = sent.proven_in_itself().await;
    let visit = &sent.visit;
    let changed = async {
        proven?;
        if sent.fields.raw("password") != sent.fields.raw("repeated") {
            return Err(AdminError::invalid("repeated", "is not the same"));
        }
        let chosen = SecretString::from(sent.fields.raw("password"));
        passwords::set(visit.context(), &visit.by, &key, &chosen).await
    };
    match changed.await {
        Ok(user) => answer::see_other(&format!("/console/users/{}/password", user.id), "password-of-user"),
        Err(error) => match subject(visit, &key).await {
            Ok(user) => answer::again(sent, error, |visit, form| password_page(visit, user, form)),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

/// `POST /console/users/{user}/password/generate`.
pub async fn generate_password(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let back = format!("/console/users/{}/password", segment(&key));
    let rotated = match sent.once(&back, passwords::rotate(visit.context(), &visit.by, &key)).await {
        Ok(rotated) => rotated,
        Err(page) => return page,
    };
    match rotated {
        Ok((user, password)) => {
            let back = format!("/console/users/{}/password", user.id);
            answer::ok(&password_once(visit, "New password", &user.username, &password, &[], back))
        }
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/users/{user}/password/link`: a message with a link that sets the password.
pub async fn send_link(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match links::send_reset(visit.context(), &visit.by, &key).await {
        Ok(user) => answer::see_other(&format!("/console/users/{}/password", user.id), "message-sent"),
        Err(error) => answer::refuse(visit, &error),
    }
}
