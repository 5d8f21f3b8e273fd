//! `/api/v1/credentials`: generated usernames and passwords for programs.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::admin::AdminError;
use crate::admin::credentials::{self, MadeCredentials};
use crate::crypto::secret::SecretString;
use crate::http::admin_api::body::Body;
use crate::http::admin_api::call::{Call, Made};
use crate::http::admin_api::members;
use crate::http::paging::{Page, Paging};
use crate::store::user_profiles::UserProfile;

const LIST: &str = "credentials";

/// A set of credentials, without the password.
#[derive(Debug, Serialize, ToSchema)]
pub struct Credentials {
    id: String,
    name: String,
    description: String,
    username: String,
    /// `active`, `disabled` or `locked`.
    status: String,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<UserProfile> for Credentials {
    fn from(set: UserProfile) -> Self {
        Self {
            id: set.id,
            name: set.name,
            description: set.description,
            username: set.username,
            status: set.status.to_string(),
            created_at: set.created_at.rfc3339(),
        }
    }
}

/// A new set of credentials; the password is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewCredentials {
    id: String,
    username: String,
    password: String,
    client_id: String,
    token_endpoint: String,
    scope: String,
}

impl From<MadeCredentials> for NewCredentials {
    fn from(made: MadeCredentials) -> Self {
        Self {
            id: made.user.id,
            username: made.user.username,
            password: made.user.password.map(SecretString::into_exposed).unwrap_or_default(),
            client_id: made.client_id,
            token_endpoint: made.token_endpoint,
            scope: made.scope,
        }
    }
}

impl Made for NewCredentials {
    const IS_SECRET: bool = true;

    fn made_id(&self) -> String {
        self.id.clone()
    }
}

/// A set of credentials to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialsToMake {
    name: String,
    #[serde(default)]
    description: String,
    /// By name or id; `api user` if none is named.
    #[serde(default)]
    roles: Vec<String>,
}

/// A list's query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsQuery {
    limit: Option<i64>,
    cursor: Option<String>,
    #[serde(rename = "organization")]
    _organization: Option<String>,
}

/// The organization's sets of credentials, without the passwords.
#[utoipa::path(get, path = "/api/v1/credentials", tag = "Credentials",
    params(("limit" = Option<i64>, Query, minimum = 1, maximum = 200), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Page<Credentials>)))]
pub async fn list(call: Call, query: members::Query<CredentialsQuery>) -> HttpResponse {
    let page = async {
        let query = query.read()?;
        let window = Paging { limit: query.limit, cursor: query.cursor }.window(call.context(), LIST)?;
        let rows = credentials::page(call.context(), &call.by, &window.after, window.limit).await?;
        Ok::<_, AdminError>(window.page(call.context(), LIST, rows, |row| row.id.clone(), Credentials::from))
    };
    call.answer(page.await)
}

/// Makes a set of credentials. The password is in this answer, and never again.
#[utoipa::path(post, path = "/api/v1/credentials", tag = "Credentials", request_body = CredentialsToMake,
    responses((status = 201, body = NewCredentials)))]
pub async fn create(call: Call, body: Body<CredentialsToMake>) -> HttpResponse {
    let given = match body.read() {
        Ok(given) => given,
        Err(answer) => return answer,
    };
    let CredentialsToMake { name, description, roles } = given.value;
    let verb = async {
        let made = credentials::create(call.context(), &call.by, &name, &description, &roles).await?;
        Ok(NewCredentials::from(made))
    };
    call.once(&given.bytes, StatusCode::CREATED, verb).await
}

/// One set of credentials, by id, username or name.
#[utoipa::path(get, path = "/api/v1/credentials/{credentials}", tag = "Credentials",
    params(("credentials" = String, Path)), responses((status = 200, body = Credentials)))]
pub async fn show(call: Call, key: web::Path<String>) -> HttpResponse {
    call.answer(credentials::find(call.context(), &call.by, &key).await.map(Credentials::from))
}

/// Deletes a set of credentials: its grant and its tokens are dead at once.
#[utoipa::path(delete, path = "/api/v1/credentials/{credentials}", tag = "Credentials",
    params(("credentials" = String, Path)), responses((status = 204)))]
pub async fn delete(call: Call, key: web::Path<String>) -> HttpResponse {
    call.done(credentials::delete(call.context(), &call.by, &key).await)
}
