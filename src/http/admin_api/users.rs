//! `/api/v1/users`: people and accounts for programs.
//!
//! Longer than most files: every verb has its shapes and its page of the description beside it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::users::{self, MadeUser, UserRequest};
use crate::admin::{AdminError, passwords, profiles};
use crate::crypto::secret::SecretString;
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members::{self, some};
use crate::http::paging::{Page, Paging};
use crate::model::user::UserStatus;
use crate::store::user_profiles::{UserChange, UserFilter, UserProfile};

const LIST: &str = "users";

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// The `sub` of their tokens.
    id: String,
    /// Case-sensitive; it never changes.
    username: String,
    /// `person` or `api_user`.
    kind: String,
    /// `invited`, `active`, `disabled` or `locked`.
    status: String,
    name: String,
    description: String,
    first_name: String,
    last_name: String,
    #[schema(required = true)]
    email: Option<String>,
    #[schema(required = true)]
    phone: Option<String>,
    /// `admin` or `basic`.
    administration: String,
    /// `console`, `api` or both.
    access: Vec<String>,
    /// The organization that they were made in.
    organization_id: String,
    /// Who chose the password: `human`, `generated`, or null where there is none.
    #[schema(required = true)]
    password_kind: Option<String>,
    #[schema(required = true, format = DateTime)]
    password_changed_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<UserProfile> for User {
    fn from(user: UserProfile) -> Self {
        let access = [("console", user.access_console), ("api", user.access_api)];
        Self {
            id: user.id,
            username: user.username,
            kind: user.kind.to_string(),
            status: user.status.to_string(),
            name: user.name,
            description: user.description,
            first_name: user.first_name,
            last_name: user.last_name,
            email: user.email,
            phone: user.phone,
            administration: user.administration.to_string(),
            access: access.into_iter().filter(|(_, has)| *has).map(|(word, _)| word.to_owned()).collect(),
            organization_id: user.organization_id,
            password_kind: user.password_kind.map(|kind| kind.to_string()),
            password_changed_at: user.password_changed_at.map(crate::model::time::Timestamp::rfc3339),
            created_at: user.created_at.rfc3339(),
        }
    }
}

/// A user who was made, with the password where it was generated: it is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewUser {
    id: String,
    username: String,
    kind: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// What the maker should think about.
    warnings: Vec<String>,
}

impl From<MadeUser> for NewUser {
    fn from(made: MadeUser) -> Self {
        Self {
            id: made.id,
            username: made.username,
            kind: made.kind.to_string(),
            status: made.status.to_string(),
            password: made.password.map(SecretString::into_exposed),
            warnings: made.warnings,
        }
    }
}

impl Made for NewUser {
    const IS_SECRET: bool = true;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// A user to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserToMake {
    /// It never changes.
    username: String,
    /// `person` (if nothing is said) or `api_user`.
    kind: Option<String>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    email: Option<String>,
    phone: Option<String>,
    /// `basic` (if nothing is said) or `admin`.
    administration: Option<String>,
    /// `console`, `api` or both.
    #[serde(default)]
    access: Vec<String>,
    /// By name or id; `api user` if none is named.
    #[serde(default)]
    roles: Vec<String>,
    /// Without one it is generated.
    password: Option<String>,
}

/// What of a user is to be changed; members that are not there stay as they are, null takes a value away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserToChange {
    name: Option<String>,
    description: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    administration: Option<String>,
    access: Option<Vec<String>>,
    /// Refused: a username never changes.
    username: Option<String>,
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    kind: Option<String>,
    status: Option<String>,
    username: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The users of the organization.
#[utoipa::path(get, path = "/api/v1/users", tag = "Users",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query),
        ("kind" = Option<String>, Query, description = "person or api_user"),
        ("status" = Option<String>, Query, description = "invited, active, disabled or locked"),
        ("username" = Option<String>, Query, description = "to the letter")),
    responses((status = 200, body = Page<User>)))]
pub async fn list(call: Call, query: members::Query<UserQuery>) -> HttpResponse {
    call.answer(page(&call, query).await)
}

async fn page(call: &Call, query: members::Query<UserQuery>) -> Result<Page<User>, AdminError> {
    let query = query.read()?;
    let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
    let filter = UserFilter {
        organization_id: None,
        programmatic: Some(false),
        kind: members::word("kind", query.kind.as_deref())?,
        status: members::word("status", query.status.as_deref())?,
        username: query.username,
        search: None,
    };
    let rows = users::page(call.context(), &call.by, filter, &window.after, window.limit).await?;
    Ok(window.page(call.context(), LIST, rows, |user| user.id.clone(), User::from))
}

/// Makes a user. The password is in the answer only where it was generated, and never again.
#[utoipa::path(post, path = "/api/v1/users", tag = "Users", request_body = UserToMake,
    responses((status = 201, body = NewUser)))]
pub async fn create(call: Call, body: Body<UserToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let new = given.value;
    let request = UserRequest {
        username: new.username,
        kind: new.kind,
        first_name: new.first_name,
        last_name: new.last_name,
        email: new.email,
        phone: new.phone,
        organization: None,
        access: new.access,
        administration: new.administration,
        roles: new.roles,
        password: new.password.map(SecretString::from),
        name: new.name,
        description: new.description,
        programmatic: false,
    };
    let verb = async { users::create(call.context(), &call.by, &request).await.map(NewUser::from) };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// One user, by id or username. Everybody sees themselves.
#[utoipa::path(get, path = "/api/v1/users/{user}", tag = "Users", params(("user" = String, Path)),
    responses((status = 200, body = User)))]
pub async fn show(call: Call, key: web::Path<String>) -> HttpResponse {
    let found = async {
        let user = users::visible(call.context(), &call.by, &key).await?;
        users::profile(call.context(), &user).await.map(User::from)
    };
    call.answer(found.await)
}

/// Changes a user. A basic user changes their own names and telephone number alone.
#[utoipa::path(patch, path = "/api/v1/users/{user}", tag = "Users", params(("user" = String, Path)),
    request_body = UserToChange, responses((status = 200, body = User)))]
pub async fn update(call: Call, key: web::Path<String>, body: Body<UserToChange>) -> HttpResponse {
    let new = match body.read() {
        Ok(given) => given.value,
        Err(answer) => return answer,
    };
    let changed = async {
        if new.username.is_some() {
            return Err(AdminError::invalid("username", "a username never changes"));
        }
        let change = UserChange {
            name: new.name,
            description: new.description,
            first_name: new.first_name,
            last_name: new.last_name,
            email: new.email,
            phone: new.phone,
            administration: members::word("administration", new.administration.as_deref())?,
            access: new.access.as_deref().map(users::access_of).transpose()?,
        };
        profiles::update(call.context(), &call.by, &key, &change).await.map(User::from)
    };
    call.answer(changed.await)
}

/// Deletes a user: their tokens are dead at once, the username is not given out again.
#[utoipa::path(delete, path = "/api/v1/users/{user}", tag = "Users", params(("user" = String, Path)),
    responses((status = 204)))]
pub async fn delete(call: Call, key: web::Path<String>) -> HttpResponse {
    call.done(users::set_status(call.context(), &call.by, &key, UserStatus::Deleted).await)
}

/// Stops a user: nothing is issued for them, their tokens are dead at once.
#[utoipa::path(post, path = "/api/v1/users/{user}/disable", tag = "Users", params(("user" = String, Path)),
    responses((status = 200, body = User)))]
pub async fn disable(call: Call, key: web::Path<String>) -> HttpResponse {
    call.once_changed(b"", set_status(&call, &key, UserStatus::Disabled)).await
}

/// Lets a user in again.
#[utoipa::path(post, path = "/api/v1/users/{user}/enable", tag = "Users", params(("user" = String, Path)),
    responses((status = 200, body = User)))]
pub async fn enable(call: Call, key: web::Path<String>) -> HttpResponse {
    call.once_changed(b"", set_status(&call, &key, UserStatus::Active)).await
}

/// Lifts the lock after too many failed sign-ins.
#[utoipa::path(post, path = "/api/v1/users/{user}/unlock", tag = "Users", params(("user" = String, Path)),
    responses((status = 200, body = User)))]
pub async fn unlock(call: Call, key: web::Path<String>) -> HttpResponse {
    let unlocked = async {
        let user = users::unlock(call.context(), &call.by, &key).await?;
        users::profile(call.context(), &user).await.map(User::from)
    };
    call.once_changed(b"", unlocked).await
}

async fn set_status(call: &Call, key: &str, status: UserStatus) -> Result<User, AdminError> {
    let user = users::set_status(call.context(), &call.by, key, status).await?;
    users::profile(call.context(), &user).await.map(User::from)
}

/// The password to set; without one it is generated.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordToSet {
    password: Option<String>,
}

/// A password that was set or generated.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewPassword {
    id: String,
    username: String,
    /// Where it was generated, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Made for NewPassword {
    const IS_SECRET: bool = true;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// Sets a user's password, or generates one. Their tokens are dead at once.
#[utoipa::path(post, path = "/api/v1/users/{user}/password", tag = "Users", params(("user" = String, Path)),
    request_body = PasswordToSet, responses((status = 200, body = NewPassword)))]
pub async fn password(call: Call, key: web::Path<String>, body: Body<PasswordToSet>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let verb = async {
        let (user, password) = match given.value.password.map(SecretString::from) {
            Some(chosen) => (passwords::set(call.context(), &call.by, &key, &chosen).await?, None),
            None => {
                let (user, generated) = passwords::rotate(call.context(), &call.by, &key).await?;
                (user, Some(generated.into_exposed()))
            }
        };
        Ok(NewPassword { id: user.id, username: user.username, password })
    };
    call.once(&given.bytes, StatusCode::OK, verb).await
}
