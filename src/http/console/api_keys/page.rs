//! The panel of API keys: one's own beside the profile, and those of an API user for administrators. The same page,
//! with another owner.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::api_keys::{self, MadeApiKey, NewApiKey};
use crate::admin::{AdminError, memberships, roles, users};
use crate::developer::call::{Call, Value};
use crate::developer::snippets::{Language, program};
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::once::page::{Once, Row};
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::api_key::{ApiKey, ApiKeyStatus};
use crate::model::reveal::RevealPolicy;
use crate::model::role::{API_KEYS_MANAGE, BUILT_IN_PERMISSIONS, USERS_MANAGE};
use crate::model::time::Timestamp;
use crate::model::user::UserKind;

/// Whose keys they are.
pub(in crate::http::console) struct Owner {
    id: String,
    username: String,
    /// The page's own path, which every action's begins with.
    pub(in crate::http::console) path: String,
    is_self: bool,
    /// People make their own keys; an administrator those of API users.
    may_add: bool,
}

impl Owner {
    /// The visitor, or the user whom the path names.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`], [`AdminError::NotFound`].
    pub(in crate::http::console) async fn of(visit: &Visit) -> Result<Self, AdminError> {
        visit.by.require(API_KEYS_MANAGE)?;
        let Some(named) = visit.request.match_info().get("user") else {
            return Ok(Self {
                id: visit.user_id().to_owned(),
                username: visit.principal.username.clone().unwrap_or_default(),
                path: "/console/profile/api-keys".to_owned(),
                is_self: true,
                may_add: true,
            });
        };
        visit.by.require(USERS_MANAGE)?;
        let user = users::find(visit.context(), &visit.by, named).await?;
        Ok(Self {
            path: format!("/console/users/{}/api-keys", user.id),
            is_self: visit.user_id() == user.id,
            may_add: user.kind == UserKind::ApiUser || visit.user_id() == user.id,
            id: user.id,
            username: user.username,
        })
    }

    /// The key that the path names, if it is one of the owner's.
    ///
    /// # Errors
    /// [`AdminError::NotFound`].
    pub(in crate::http::console) async fn key(&self, visit: &Visit) -> Result<ApiKey, AdminError> {
        let id = visit.request.match_info().get("key").unwrap_or_default();
        let key = api_keys::find(visit.context(), &visit.by, id).await?;
        if key.user_id == self.id { Ok(key) } else { Err(AdminError::not_found("api key", id)) }
    }
}

#[derive(Template)]
#[template(path = "api_keys/page.html")]
struct Panel {
    shell: Shell,
    has_api_keys: bool,
    owner: Owner,
    business_id: String,
    keys: Vec<ApiKey>,
    pager: Pager,
    now: Timestamp,
    /// What a key can be cut down to: value, label, explanation.
    scopes: Vec<(String, String, String)>,
    is_revealed: bool,
    form: Form,
}

impl Panel {
    async fn of(visit: &Visit, owner: Owner, form: Form) -> Result<Self, AdminError> {
        let context = visit.context();
        let list = format!("api keys of {}", owner.id);
        let cursor = visit.query("cursor").filter(|_| visit.request.method() == actix_web::http::Method::GET);
        let is_later = cursor.is_some();
        let window = Paging { limit: None, cursor }.window(context, &list)?;
        let keys = api_keys::page(context, &visit.by, Some(&owner.id), &window.after, window.limit).await?;
        let page = window.page(context, &list, keys, |key| key.id.clone(), |key| key);
        let business_id = visit.principal.organization.id.clone();
        let places = memberships::list(context, &visit.by, &owner.id).await?;
        let here = places.into_iter().filter(|place| place.organization_id == business_id);
        let role_ids: Vec<String> = here.flat_map(|place| place.role_ids).collect();
        let snapshot = context.registry.snapshot();
        let mut held: Vec<String> = roles::permissions(&snapshot, &role_ids).into_iter().collect();
        // The scopes of the platform first: they are what keys are cut down to.
        held.sort_by_key(|name| (BUILT_IN_PERMISSIONS.contains(&name.as_str()), name.clone()));
        let explained = |name: String| {
            let explanation = snapshot.scope(&name).map(|scope| scope.description.clone()).unwrap_or_default();
            (name.clone(), name, explanation)
        };
        let scopes = held.into_iter().map(explained).collect();
        let title = if owner.is_self {
            visit.shell("").say("profile").to_owned()
        } else {
            format!("{} of {}", visit.shell("").say("api_keys"), owner.username)
        };
        Ok(Self {
            shell: visit.shell(&title),
            has_api_keys: true,
            pager: Pager::of(&page, &owner.path, &[], is_later),
            owner,
            business_id,
            keys: page.items,
            now: context.clock.now(),
            scopes,
            is_revealed: context.credentials.reveal.api_key == RevealPolicy::Always,
            form,
        })
    }

    /// The state of a key, as a word.
    fn state(&self, key: &ApiKey) -> &'static str {
        if key.status == ApiKeyStatus::Active && !key.is_live(self.now) { "expired" } else { key.status.as_str() }
    }
}

/// `GET /console/profile/api-keys`, `GET /console/users/{user}/api-keys`.
pub async fn show(visit: Visit) -> HttpResponse {
    let panel = async { Panel::of(&visit, Owner::of(&visit).await?, Form::default()).await };
    match panel.await {
        Ok(panel) => answer::ok(&panel),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST` to the same: one click makes a key; the form below has more to say. The answer shows it.
pub async fn create(sent: Submission) -> HttpResponse {
    let owner = match Owner::of(&sent.visit).await {
        Ok(owner) => owner,
        Err(error) => return answer::refuse(&sent.visit, &error),
    };
    let sent = match proven_for(&owner, sent).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let made = async {
        let new = asked(&sent.fields, &owner, visit.context().credentials.reveal.api_key)?;
        api_keys::create(visit.context(), &visit.by, &new).await
    };
    let made = match sent.once(&owner.path, made).await {
        Ok(made) => made,
        Err(page) => return page,
    };
    match made {
        Ok(made) => {
            let title = visit.shell("").say("api_key_created").to_owned();
            let lead = if made.key.sealed.is_some() {
                "Copy the three values, or take them along as a file, and keep them somewhere safe. The key can be \
                 viewed again, with your password."
            } else {
                "The key is shown only now. Copy the three values, or take them along as a file, and keep them \
                 somewhere safe: nobody can show the key again."
            };
            answer::ok(&once(visit, &owner, &title, lead, &made))
        }
        Err(error) => match Panel::of(visit, owner, Form::default()).await {
            Ok(panel) => answer::again(sent, error, |_, form| Panel { form, ..panel }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

/// What is done with somebody else's keys is asked twice.
async fn proven_for(owner: &Owner, sent: Submission) -> Result<Submission, HttpResponse> {
    sent.proven_if(!owner.is_self).await
}

/// The key that a form asks for.
fn asked(fields: &Fields, owner: &Owner, reveal: RevealPolicy) -> Result<NewApiKey, AdminError> {
    let scopes: Vec<String> = fields.all("scopes").map(str::to_owned).collect();
    let expires_at = fields.given("expires_at").map(end_of_day).transpose()?;
    Ok(NewApiKey {
        user: Some(owner.id.clone()),
        name: fields.given("name").map(str::to_owned),
        organization: None,
        scopes: (!scopes.is_empty()).then_some(scopes),
        expires_at,
        networks: fields.text("networks").split_whitespace().map(str::to_owned).collect(),
        reveal,
    })
}

/// The end of a day in UTC.
fn end_of_day(day: &str) -> Result<Timestamp, AdminError> {
    let day = day.parse::<chrono::NaiveDate>().ok().and_then(|day| day.succ_opt());
    let end = day.and_then(|next| next.and_hms_opt(0, 0, 0)).map(|end| end.and_utc().timestamp());
    end.map(Timestamp::from_seconds).ok_or_else(|| AdminError::invalid("expires_at", "is a day, written as 2030-01-31"))
}

fn once(visit: &Visit, owner: &Owner, title: &str, lead: &str, made: &MadeApiKey) -> Once {
    let site = &visit.state.console().site;
    let (user, business) = (&made.key.user_id, &made.key.organization_id);
    let call = Call::api_key(site, Value::Known(made.secret.expose().to_owned()), user, business);
    Once {
        shell: visit.shell(title),
        lead: lead.to_owned(),
        rows: vec![
            Row::secret("API Key", "api_key", &made.secret),
            Row::plain("User ID", "user_id", user),
            Row::plain("Business ID", "business_id", business),
        ],
        programs: vec![("Try it with curl".to_owned(), program(Language::Curl, &call))],
        file_name: "api-key".to_owned(),
        back: (owner.path.clone(), visit.shell("").say("api_keys").to_owned()),
    }
}

/// `POST …/{key}/view`: the key again, where it was made to be shown again. Asks for the password, and is audited.
pub async fn view(sent: Submission) -> HttpResponse {
    let found = async {
        let owner = Owner::of(&sent.visit).await?;
        let key = owner.key(&sent.visit).await?;
        Ok((owner, key))
    };
    // Before the password is asked for: whoever may not see the key is not made to type one.
    let (owner, key) = match found.await {
        Ok(found) => found,
        Err(error) => return answer::refuse(&sent.visit, &error),
    };
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match api_keys::reveal(visit.context(), &visit.by, &key.id).await {
        Ok(made) => {
            let lead = "This key opens what its user may. That it was viewed stands in the audit log.";
            answer::ok(&once(visit, &owner, &key.name, lead, &made))
        }
        Err(error) => answer::refuse(visit, &error),
    }
}

/// `POST …/{key}/disable`.
pub async fn disable(sent: Submission) -> HttpResponse {
    change(sent, ApiKeyStatus::Disabled, "disabled").await
}

/// `POST …/{key}/enable`.
pub async fn enable(sent: Submission) -> HttpResponse {
    change(sent, ApiKeyStatus::Active, "enabled").await
}

/// `POST …/{key}/delete`.
pub async fn delete(sent: Submission) -> HttpResponse {
    change(sent, ApiKeyStatus::Deleted, "deleted").await
}

async fn change(sent: Submission, status: ApiKeyStatus, notice: &str) -> HttpResponse {
    let found = async {
        let owner = Owner::of(&sent.visit).await?;
        let key = owner.key(&sent.visit).await?;
        Ok((owner, key))
    };
    let (owner, key) = match found.await {
        Ok(found) => found,
        Err(error) => return answer::refuse(&sent.visit, &error),
    };
    let sent = match proven_for(&owner, sent).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match api_keys::set_status(visit.context(), &visit.by, &key.id, status).await {
        Ok(_) => answer::see_other(&owner.path, notice),
        Err(error) => answer::refuse(visit, &error),
    }
}
