//! A user's roles here, and the organizations that they are in.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, memberships, organizations, roles};
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::user::page::subject;
use crate::http::console::users::page::{Tick, role_boxes};
use crate::http::console::visit::Visit;
use crate::model::organization::Organization;
use crate::model::role::API_USER;
use crate::store::user_profiles::UserProfile;

#[derive(Template)]
#[template(path = "user/roles.html")]
struct Roles {
    shell: Shell,
    tab: &'static str,
    user: UserProfile,
    organization: String,
    roles: Vec<Tick>,
    form: Form,
}

struct Place {
    organization: Organization,
    is_home: bool,
    roles: Vec<String>,
}

#[derive(Template)]
#[template(path = "user/organizations.html")]
struct Organizations {
    shell: Shell,
    tab: &'static str,
    user: UserProfile,
    places: Vec<Place>,
    further: Vec<(String, String)>,
    form: Form,
}

async fn roles_page(visit: &Visit, key: &str) -> Result<Roles, AdminError> {
    let user = subject(visit, key).await?;
    let all = roles::list(visit.context(), &visit.by, None).await?;
    let here = &visit.principal.organization;
    let places = memberships::list(visit.context(), &visit.by, &user.id).await?;
    let held = places.into_iter().filter(|place| place.organization_id == here.id).flat_map(|place| place.role_ids);
    let fields = held.fold(Fields::default(), |fields, id| fields.with("roles", &id));
    let shell = visit.shell(&user.username);
    let (organization, roles) = (here.name.clone(), role_boxes(all));
    Ok(Roles { shell, tab: "roles", user, organization, roles, form: Form::with(fields) })
}

/// `GET /console/users/{user}/roles`.
pub async fn show_roles(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match roles_page(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/users/{user}/roles`.
pub async fn save_roles(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let ticked: Vec<String> = sent.fields.all("roles").map(str::to_owned).collect();
    match memberships::set(visit.context(), &visit.by, &key, None, &ticked).await {
        Ok(user) => answer::see_other(&format!("/console/users/{}/roles", user.id), "saved"),
        Err(error) => match roles_page(visit, &key).await {
            Ok(page) => answer::again(sent, error, |_, form| Roles { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

async fn organizations_page(visit: &Visit, key: &str) -> Result<Organizations, AdminError> {
    let user = subject(visit, key).await?;
    let context = visit.context();
    let known = organizations::of_caller(context, &visit.by).await?;
    let snapshot = context.registry.snapshot();
    let found = memberships::places(context, &visit.by, &user.id).await?;
    let is_in = |id: &str| found.iter().any(|(organization, _)| organization.id == id);
    let further = known.iter().filter(|one| !is_in(&one.id));
    let further = further.map(|one| (one.id.clone(), format!("{} ({})", one.name, one.number))).collect();
    let place = |(organization, place): &(Organization, crate::model::user::Membership)| Place {
        is_home: organization.id == user.organization_id,
        organization: organization.clone(),
        roles: place.role_ids.iter().filter_map(|id| snapshot.role(id)).map(|role| role.name.clone()).collect(),
    };
    let places = found.iter().map(place).collect();
    let shell = visit.shell(&user.username);
    Ok(Organizations { shell, tab: "organizations", user, places, further, form: Form::default() })
}

/// `GET /console/users/{user}/organizations`.
pub async fn show_organizations(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match organizations_page(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/users/{user}/organizations`: makes the user a member of another one.
pub async fn add_organization(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let (organization, roles) = (sent.fields.text("organization"), [API_USER.to_owned()]);
    match memberships::set(visit.context(), &visit.by, &key, Some(organization), &roles).await {
        Ok(user) => answer::see_other(&format!("/console/users/{}/organizations", user.id), "saved"),
        Err(error) => match organizations_page(visit, &key).await {
            Ok(page) => answer::again(sent, error, |_, form| Organizations { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

/// `POST /console/users/{user}/organizations/{organization}/end`.
pub async fn end_organization(sent: Submission, keys: web::Path<(String, String)>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let (key, organization) = keys.into_inner();
    match memberships::end(visit.context(), &visit.by, &key, &organization).await {
        Ok(user) => answer::see_other(&format!("/console/users/{}/organizations", user.id), "membership-ended"),
        Err(error) => answer::refuse(visit, &error),
    }
}
