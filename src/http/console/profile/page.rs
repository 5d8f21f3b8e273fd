//! One's own page: profile, password, sessions. The panel of API keys is beside it.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, profiles, sessions, users};
use crate::crypto::secret::SecretString;
use crate::http::console::answer;
use crate::http::console::browser::{self, browser_of};
use crate::http::console::fields::{Fields, Form};
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::role::API_KEYS_MANAGE;
use crate::model::session::Session;
use crate::store::user_profiles::{UserChange, UserProfile};

#[derive(Template)]
#[template(path = "profile/page.html")]
struct Profile {
    shell: Shell,
    has_api_keys: bool,
    profile: UserProfile,
    roles: Vec<String>,
    form: Form,
}

#[derive(Template)]
#[template(path = "profile/password.html")]
struct Password {
    shell: Shell,
    has_api_keys: bool,
    username: String,
    hint: String,
    form: Form,
}

#[derive(Template)]
#[template(path = "profile/sessions.html")]
struct Sessions {
    shell: Shell,
    has_api_keys: bool,
    sessions: Vec<Session>,
    own: String,
}

fn shell(visit: &Visit) -> Shell {
    let title = visit.shell("").say("profile").to_owned();
    visit.shell(&title)
}

async fn own(visit: &Visit) -> Result<(UserProfile, Vec<String>), AdminError> {
    let user = users::visible(visit.context(), &visit.by, visit.user_id()).await?;
    let snapshot = visit.context().registry.snapshot();
    let place = crate::admin::memberships::list(visit.context(), &visit.by, visit.user_id()).await?;
    let here = place.iter().filter(|one| one.organization_id == visit.principal.organization.id);
    let roles = here.flat_map(|one| &one.role_ids).filter_map(|id| snapshot.role(id)).map(|role| role.name.clone());
    let roles = roles.collect();
    Ok((users::profile(visit.context(), &user).await?, roles))
}

/// `GET /console/profile`.
pub async fn show(visit: Visit) -> HttpResponse {
    match own(&visit).await {
        Ok((profile, roles)) => {
            let fields = Fields::default()
                .with("name", &profile.name)
                .with("first_name", &profile.first_name)
                .with("last_name", &profile.last_name)
                .with("phone", profile.phone.as_deref().unwrap_or_default());
            let (shell, has_api_keys) = (shell(&visit), visit.holds(API_KEYS_MANAGE));
            answer::ok(&Profile { shell, has_api_keys, profile, roles, form: Form::with(fields) })
        }
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/profile`.
pub async fn save(sent: Submission) -> HttpResponse {
    let text = |name: &str| Some(sent.fields.text(name).to_owned());
    let change = UserChange {
        name: text("name"),
        first_name: text("first_name"),
        last_name: text("last_name"),
        phone: Some(sent.fields.given("phone").map(str::to_owned)),
        ..UserChange::default()
    };
    let visit = &sent.visit;
    match profiles::update(visit.context(), &visit.by, visit.user_id(), &change).await {
        Ok(_) => answer::see_other("/console/profile", "saved"),
        Err(error) => match own(visit).await {
            Ok((profile, roles)) => answer::again(sent, error, |visit, form| Profile {
                shell: shell(visit),
                has_api_keys: visit.holds(API_KEYS_MANAGE),
                profile,
                roles,
                form,
            }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

fn password_page(visit: &Visit, form: Form) -> Password {
    let least = visit.context().login.policy().min_length;
    Password {
        shell: shell(visit),
        has_api_keys: visit.holds(API_KEYS_MANAGE),
        username: visit.principal.username.clone().unwrap_or_default(),
        hint: format!("At least {least} characters. A few words that only you would put together are best."),
        form,
    }
}

/// `GET /console/profile/password`.
pub async fn password(visit: Visit) -> HttpResponse {
    answer::ok(&password_page(&visit, Form::default()))
}

/// `POST /console/profile/password`.
pub async fn change_password(sent: Submission) -> HttpResponse {
    let (visit, fields) = (&sent.visit, &sent.fields);
    if fields.raw("password") != fields.raw("repeated") {
        return answer::again(sent, AdminError::invalid("repeated", "is not the same"), password_page);
    }
    let present = SecretString::from(fields.raw("present_password"));
    let new = SecretString::from(fields.raw("password"));
    let browser = browser_of(&visit.request, &visit.state);
    let here = &visit.principal.organization.id;
    match sessions::change_password(visit.context(), &visit.by, &browser, here, &present, &new).await {
        Ok(secret) => {
            let mut answer = answer::see_other("/console/profile/password", "password-changed");
            let _ = answer.add_cookie(&browser::cookie(&visit.state, &secret));
            answer
        }
        Err(error) => answer::again(sent, error, password_page),
    }
}

/// `GET /console/profile/sessions`.
pub async fn sessions(visit: Visit) -> HttpResponse {
    match sessions::list(visit.context(), &visit.by, visit.user_id()).await {
        Ok(found) => {
            let (shell, has_api_keys) = (shell(&visit), visit.holds(API_KEYS_MANAGE));
            answer::ok(&Sessions { shell, has_api_keys, sessions: found, own: visit.session.id.clone() })
        }
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/profile/sessions/{session}/end`.
pub async fn end_session(sent: Submission, session: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    match sessions::end(visit.context(), &visit.by, visit.user_id(), &session).await {
        Ok(()) => answer::see_other("/console/profile/sessions", "session-ended"),
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/organization`: shows another organization of the user's from now on.
pub async fn switch_organization(sent: Submission) -> HttpResponse {
    let visit = &sent.visit;
    let wanted = sent.fields.text("organization");
    let Some(organization) = visit.principal.organization_named(visit.context(), wanted) else {
        return answer::refuse(visit, &AdminError::not_found("organization", wanted));
    };
    match sessions::show_organization(visit.context(), &visit.session, &organization.id).await {
        Ok(()) => answer::see_other("/console/", ""),
        Err(error) => answer::refuse(visit, &error),
    }
}
