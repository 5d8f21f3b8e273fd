//! One role: its name, what it permits, and who has it.
//!
//! Longer than most pages: its three tabs are one thing, kept by one verb.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::roles::{self, RoleRequest};
use crate::admin::{AdminError, memberships, scopes};
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::pager::Pager;
use crate::http::console::parts::Flag;
use crate::http::console::roles::page::{at_field, may_read};
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::users::page::Tick;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::role::{self, BUILT_IN_PERMISSIONS, ROLES_MANAGE, Role, USERS_MANAGE};
use crate::store::user_profiles::UserProfile;

/// The name of the list, for its cursors.
const LIST: &str = "members with a role";

#[derive(Template)]
#[template(path = "role/page.html")]
struct General {
    shell: Shell,
    tab: &'static str,
    role: Role,
    has_users: bool,
    /// Whether the other tabs are buttons that keep what was ticked.
    keeps: bool,
    may_change: bool,
    form: Form,
}

#[derive(Template)]
#[template(path = "role/permissions.html")]
struct Permissions {
    shell: Shell,
    tab: &'static str,
    role: Role,
    has_users: bool,
    /// Whether the other tabs are buttons that keep what was ticked.
    keeps: bool,
    may_change: bool,
    permissions: Vec<Tick>,
    form: Form,
}

#[derive(Template)]
#[template(path = "role/users.html")]
struct Users {
    shell: Shell,
    tab: &'static str,
    role: Role,
    has_users: bool,
    /// Whether the other tabs are buttons that keep what was ticked.
    keeps: bool,
    search: String,
    members: Vec<(UserProfile, bool)>,
    pager: Pager,
}

async fn subject(visit: &Visit, key: &str) -> Result<Role, AdminError> {
    may_read(&visit.by)?;
    roles::find(visit.context(), &visit.by, &visit.principal.organization.id, key).await
}

fn may_change(visit: &Visit, role: &Role) -> bool {
    role.organization_id.is_some() && visit.holds(ROLES_MANAGE)
}

/// Where a form leads: to the tab that was pressed, of these alone, and else back to its own.
fn next(fields: &Fields, id: &str, own: &str) -> String {
    let path = |tab: &str| format!("/console/roles/{id}{tab}");
    match fields.given("next") {
        Some("general") => path(""),
        Some("permissions") => path("/permissions"),
        Some("users") => path("/users"),
        _ => path(own),
    }
}

/// Whether somebody went on to another tab without having changed anything: then nothing is kept, and nothing is asked.
fn only_leaves(fields: &Fields, is_as_before: bool) -> bool {
    fields.given("next").is_some() && is_as_before
}

fn general(visit: &Visit, role: Role, form: Form) -> General {
    General {
        shell: visit.shell(&role.name),
        tab: "general",
        has_users: visit.holds(USERS_MANAGE),
        keeps: may_change(visit, &role),
        may_change: may_change(visit, &role),
        role,
        form,
    }
}

/// `GET /console/roles/{role}`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match subject(&visit, &key).await {
        Ok(role) => {
            let fields = Fields::default().with("name", &role.name).with("description", &role.description);
            answer::ok(&general(&visit, role, Form::with(fields)))
        }
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/roles/{role}`.
pub async fn save(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    let known = match subject(visit, &key).await {
        Ok(role) => role,
        Err(error) => return answer::refuse(visit, &error),
    };
    let request = RoleRequest {
        name: sent.fields.text("name").to_owned(),
        description: sent.fields.text("description").to_owned(),
        permissions: known.permissions.iter().cloned().collect(),
    };
    let path = next(&sent.fields, &known.id, "");
    if only_leaves(&sent.fields, request.name == known.name && request.description == known.description) {
        return answer::see_other(&path, "");
    }
    match roles::update(visit.context(), &visit.by, None, &known.id, &request).await {
        Ok(_) => answer::see_other(&path, "saved"),
        Err(error) => answer::again(sent, at_field(error, &request.name), |visit, form| general(visit, known, form)),
    }
}

/// `POST /console/roles/{role}/delete`.
pub async fn delete(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match roles::delete(visit.context(), &visit.by, None, &key).await {
        Ok(_) => answer::see_other("/console/roles", "deleted"),
        Err(error) => answer::refuse(visit, &error),
    }
}

/// What a built-in permission means.
fn meaning(permission: &str) -> &'static str {
    match permission {
        role::API_ACCESS => "Call the API at all: without it the right credential gets 403, with it 200.",
        role::API_KEYS_MANAGE => "Make, show and end API keys: one's own, and those of API users.",
        role::CREDENTIALS_MANAGE => "Make and delete sets of credentials.",
        role::APPLICATIONS_MANAGE => "Register applications.",
        role::USERS_MANAGE => "Make and change users, and give them roles.",
        role::ROLES_MANAGE => "Make and change roles.",
        role::SCOPES_MANAGE => "The catalogue of scopes, and who may have them.",
        role::AUDIT_READ => "Read the audit log, usage and reports.",
        role::KEYS_MANAGE => "Rotate and revoke signing keys.",
        role::SECRETS_REVEAL => "See a secret again where the policy allows it.",
        _ => "",
    }
}

async fn permissions(visit: &Visit, role: Role) -> Result<Permissions, AdminError> {
    let shell = visit.shell(&role.name);
    let built_in = BUILT_IN_PERMISSIONS.iter().map(|name| {
        let label = if *name == role::API_ACCESS { shell.say("api_access") } else { name };
        ((*name).to_owned(), label.to_owned(), meaning(name).to_owned())
    });
    let catalogue = scopes::list(visit.context()).await?;
    let catalogue = catalogue.into_iter().map(|scope| (scope.name.clone(), scope.name, scope.description));
    let all = built_in.chain(catalogue).collect();
    let fields = role.permissions.iter().fold(Fields::default(), |fields, one| fields.with("permissions", one));
    Ok(Permissions {
        shell,
        tab: "permissions",
        has_users: visit.holds(USERS_MANAGE),
        keeps: may_change(visit, &role),
        may_change: may_change(visit, &role),
        permissions: all,
        role,
        form: Form::with(fields),
    })
}

/// `GET /console/roles/{role}/permissions`.
pub async fn show_permissions(visit: Visit, key: web::Path<String>) -> HttpResponse {
    let found = async { permissions(&visit, subject(&visit, &key).await?).await };
    match found.await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// The permissions that are ticked.
fn ticked(fields: &Fields) -> BTreeSet<String> {
    fields.all("permissions").map(str::to_owned).collect()
}

/// `POST /console/roles/{role}/permissions`.
pub async fn save_permissions(sent: Submission, key: web::Path<String>) -> HttpResponse {
    match subject(&sent.visit, &key).await {
        Ok(known) if only_leaves(&sent.fields, ticked(&sent.fields) == known.permissions) => {
            return answer::see_other(&next(&sent.fields, &known.id, "/permissions"), "");
        }
        Ok(_) => {}
        Err(error) => return answer::refuse(&sent.visit, &error),
    }
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let changed = async {
        let known = subject(visit, &key).await?;
        let permissions = ticked(&sent.fields).into_iter().collect();
        let request = RoleRequest { name: known.name, description: known.description, permissions };
        roles::update(visit.context(), &visit.by, None, &known.id, &request).await
    };
    match changed.await {
        Ok(role) => answer::see_other(&next(&sent.fields, &role.id, "/permissions"), "saved"),
        Err(error) => {
            let page = async { permissions(visit, subject(visit, &key).await?).await };
            match page.await {
                Ok(page) => answer::again(sent, error, |_, form| Permissions { form, ..page }),
                Err(error) => answer::refuse(visit, &error),
            }
        }
    }
}

async fn members(visit: &Visit, key: &str) -> Result<Users, AdminError> {
    let context = visit.context();
    let role = subject(visit, key).await?;
    let (search, cursor) = (visit.query("q"), visit.query("cursor"));
    let is_later = cursor.is_some();
    let window = Paging { limit: None, cursor }.window(context, LIST)?;
    let rows = roles::members(context, &visit.by, &role, search.clone(), &window.after, window.limit).await?;
    let page = window.page(context, LIST, rows, |(user, _)| user.id.clone(), |row| row);
    let search = search.unwrap_or_default();
    let pager = Pager::of(&page, &format!("/console/roles/{}/users", role.id), &[("q", &search)], is_later);
    let shell = visit.shell(&role.name);
    let keeps = !page.items.is_empty();
    Ok(Users { shell, tab: "users", role, has_users: true, keeps, search, members: page.items, pager })
}

/// `GET /console/roles/{role}/users`.
pub async fn show_users(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match members(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/roles/{role}/users`: of those whom the page showed, the ticked ones have it and the others do not.
pub async fn save_users(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let of = |name| sent.fields.all(name).collect::<BTreeSet<_>>();
    if only_leaves(&sent.fields, of("holder") == of("had")) {
        return match subject(&sent.visit, &key).await {
            Ok(role) => answer::see_other(&next(&sent.fields, &role.id, "/users"), ""),
            Err(error) => answer::refuse(&sent.visit, &error),
        };
    }
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let ticked = |id: &str| sent.fields.all("holder").any(|one| one == id);
    let wanted: Vec<(String, bool)> = sent.fields.all("shown").map(|id| (id.to_owned(), ticked(id))).collect();
    let assigned = async {
        let role = subject(visit, &key).await?;
        memberships::assign(visit.context(), &visit.by, &role.id, &wanted).await.map(|()| role.id)
    };
    match assigned.await {
        Ok(id) => answer::see_other(&next(&sent.fields, &id, "/users"), "saved"),
        Err(error) => answer::refuse(visit, &error),
    }
}
