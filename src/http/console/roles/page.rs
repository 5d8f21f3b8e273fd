//! The roles of an organization, and the form that makes one.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::roles::{self, RoleRequest};
use crate::admin::{AdminError, Authority};
use crate::http::console::answer;
use crate::http::console::fields::Form;
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::role::{ROLES_MANAGE, Role, USERS_MANAGE};

/// The name of the list, for its cursors.
const LIST: &str = "roles";

#[derive(Template)]
#[template(path = "roles/page.html")]
struct Roles {
    shell: Shell,
    roles: Vec<Role>,
    pager: Pager,
    has_own: bool,
    may_create: bool,
}

#[derive(Template)]
#[template(path = "roles/new.html")]
struct New {
    shell: Shell,
    form: Form,
}

/// Roles are read by those who make them, and by those who give them to others.
///
/// # Errors
/// [`AdminError::Forbidden`].
pub(in crate::http::console) fn may_read(by: &Authority) -> Result<(), AdminError> {
    if by.holds(USERS_MANAGE) { Ok(()) } else { by.require(ROLES_MANAGE) }
}

/// `GET /console/roles`.
pub async fn show(visit: Visit) -> HttpResponse {
    match list(&visit).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

async fn list(visit: &Visit) -> Result<Roles, AdminError> {
    may_read(&visit.by)?;
    let context = visit.context();
    let cursor = visit.query("cursor");
    let is_later = cursor.is_some();
    let window = Paging { limit: None, cursor }.window(context, LIST)?;
    let mut all = roles::list(context, &visit.by, None).await?;
    let has_own = all.iter().any(|role| role.organization_id.is_some());
    // No two roles of an organization have one name.
    all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    all.retain(|role| role.name > window.after);
    all.truncate(usize::try_from(window.limit).unwrap_or_default());
    let page = window.page(context, LIST, all, |role| role.name.clone(), |role| role);
    let pager = Pager::of(&page, "/console/roles", &[], is_later);
    let title = visit.shell("").say("roles").to_owned();
    Ok(Roles { shell: visit.shell(&title), roles: page.items, pager, has_own, may_create: visit.holds(ROLES_MANAGE) })
}

fn new_page(visit: &Visit, form: Form) -> New {
    let title = visit.shell("").say("new_role").to_owned();
    New { shell: visit.shell(&title), form }
}

/// `GET /console/roles/new`.
pub async fn form(visit: Visit) -> HttpResponse {
    match visit.by.require(ROLES_MANAGE) {
        Ok(()) => answer::ok(&new_page(&visit, Form::default())),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/roles/new`: it permits nothing yet, and the page of its permissions comes next.
pub async fn create(sent: Submission) -> HttpResponse {
    let visit = &sent.visit;
    let request = RoleRequest {
        name: sent.fields.text("name").to_owned(),
        description: sent.fields.text("description").to_owned(),
        permissions: Vec::new(),
    };
    match roles::create(visit.context(), &visit.by, None, &request).await {
        Ok(role) => answer::see_other(&format!("/console/roles/{}/permissions", role.id), "created"),
        Err(error) => answer::again(sent, at_field(error, &request.name), new_page),
    }
}

/// That a name is taken is said where the name stands.
pub(in crate::http::console) fn at_field(error: AdminError, name: &str) -> AdminError {
    match error {
        AdminError::Refused(why) if why == roles::taken(name) => {
            AdminError::invalid("name", "is taken: there is a role of that name already")
        }
        other => other,
    }
}
