//! One user: what they are, and where they stand in their life. Roles, organizations, sessions and password are beside it.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, links, memberships, profiles, users};
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::users::page::{Choice, LEVELS, Tick, accesses, phone_hint};
use crate::http::console::visit::Visit;
use crate::model::role::{API_USER, USERS_MANAGE};
use crate::model::user::UserStatus;
use crate::store::user_profiles::{UserChange, UserProfile};

#[derive(Template)]
#[template(path = "user/page.html")]
struct General {
    shell: Shell,
    tab: &'static str,
    user: UserProfile,
    cautions: Vec<String>,
    can_resend: bool,
    phone_hint: String,
    levels: [Choice; 2],
    accesses: Vec<Tick>,
    form: Form,
}

/// The user of a page, for whoever manages users: everybody else has a page of their own, and no other.
///
/// # Errors
/// [`AdminError::Forbidden`], [`AdminError::NotFound`].
pub(in crate::http::console) async fn subject(visit: &Visit, key: &str) -> Result<UserProfile, AdminError> {
    visit.by.require(USERS_MANAGE)?;
    let user = users::visible(visit.context(), &visit.by, key).await?;
    users::profile(visit.context(), &user).await
}

async fn page(visit: &Visit, user: UserProfile, form: Option<Form>) -> Result<General, AdminError> {
    let places = memberships::list(visit.context(), &visit.by, &user.id).await?;
    let snapshot = visit.context().registry.snapshot();
    let mut roles = places.iter().flat_map(|place| &place.role_ids).filter_map(|id| snapshot.role(id));
    let has_api_role = roles.any(|role| role.name == API_USER);
    let both = user.access_console && user.access_api;
    let fields = || {
        let access = [("console", user.access_console), ("api", user.access_api)];
        let fields = Fields::default()
            .with("name", &user.name)
            .with("description", &user.description)
            .with("first_name", &user.first_name)
            .with("last_name", &user.last_name)
            .with("email", user.email.as_deref().unwrap_or_default())
            .with("phone", user.phone.as_deref().unwrap_or_default())
            .with("administration", user.administration.as_str());
        access.into_iter().filter(|(_, has)| *has).fold(fields, |fields, (word, _)| fields.with("access", word))
    };
    Ok(General {
        shell: visit.shell(&user.username),
        tab: "general",
        cautions: users::cautions(user.kind, both, has_api_role),
        can_resend: user.email.is_some()
            && user.status != UserStatus::Disabled
            && (user.email_verified_at.is_none() || user.password_kind.is_none()),
        phone_hint: phone_hint(&visit.context().profiles.phone),
        levels: LEVELS,
        accesses: accesses(),
        form: form.unwrap_or_else(|| Form::with(fields())),
        user,
    })
}

/// `GET /console/users/{user}`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    let found = async { page(&visit, subject(&visit, &key).await?, None).await };
    match found.await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

fn change(fields: &Fields) -> Result<UserChange, AdminError> {
    let text = |name: &str| Some(fields.text(name).to_owned());
    let access: Vec<String> = fields.all("access").map(str::to_owned).collect();
    if access.is_empty() {
        return Err(AdminError::invalid("access", "need at least one tick"));
    }
    Ok(UserChange {
        name: text("name"),
        description: text("description"),
        first_name: text("first_name"),
        last_name: text("last_name"),
        email: Some(fields.given("email").map(str::to_owned)),
        phone: Some(fields.given("phone").map(str::to_owned)),
        administration: Some(fields.text("administration").parse().map_err(AdminError::from)?),
        access: Some(users::access_of(&access)?),
    })
}

/// Whether a change decides what the account opens, or who gets its links: with another address an account is taken over.
fn is_risky(fields: &Fields, user: &UserProfile) -> bool {
    let ticked = |word: &str| fields.all("access").any(|one| one == word);
    fields.text("administration") != user.administration.as_str()
        || fields.text("email") != user.email.as_deref().unwrap_or_default()
        || (ticked("console"), ticked("api")) != (user.access_console, user.access_api)
}

/// `POST /console/users/{user}`.
pub async fn save(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    let user = match subject(visit, &key).await {
        Ok(user) => user,
        Err(error) => return answer::refuse(visit, &error),
    };
    let risky = is_risky(&sent.fields, &user);
    let sent = match sent.proven_if(risky).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let changed = async {
        let change = change(&sent.fields)?;
        profiles::update(visit.context(), &visit.by, &user.id, &change).await
    };
    match changed.await {
        Ok(user) => answer::see_other(&format!("/console/users/{}", user.id), "saved"),
        Err(error) => match page(visit, user, Some(Form::default())).await {
            Ok(page) => answer::again(sent, users::at_field(error), |_, form| General { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

fn done(visit: &Visit, outcome: Result<String, AdminError>, notice: &str) -> HttpResponse {
    match outcome {
        Ok(id) => answer::see_other(&format!("/console/users/{id}"), notice),
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST /console/users/{user}/disable`.
pub async fn disable(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let outcome = users::set_status(visit.context(), &visit.by, &key, UserStatus::Disabled).await;
    done(visit, outcome.map(|user| user.id), "disabled")
}

/// `POST /console/users/{user}/enable`.
pub async fn enable(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let outcome = users::set_status(visit.context(), &visit.by, &key, UserStatus::Active).await;
    done(visit, outcome.map(|user| user.id), "enabled")
}

/// `POST /console/users/{user}/unlock`.
pub async fn unlock(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let outcome = users::unlock(visit.context(), &visit.by, &key).await;
    done(visit, outcome.map(|user| user.id), "unlocked")
}

/// `POST /console/users/{user}/resend`: the message that the user waits for.
pub async fn resend(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    let outcome = links::resend(visit.context(), &visit.by, &key).await;
    done(visit, outcome.map(|user| user.id), "message-sent")
}

/// `POST /console/users/{user}/delete`.
pub async fn delete(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match users::set_status(visit.context(), &visit.by, &key, UserStatus::Deleted).await {
        Ok(_) => answer::see_other("/console/users", "deleted"),
        Err(error) => answer::refuse(visit, &error),
    }
}
