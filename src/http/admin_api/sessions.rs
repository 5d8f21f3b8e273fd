//! `/api/v1/users/{user}/sessions`: where a user is signed in to the console.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::sessions;
use crate::http::admin_api::call::Call;
use crate::http::admin_api::members;
use crate::model::session;

/// A sign-in to the console.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// By which it is ended; it opens nothing.
    id: String,
    /// What the browser calls itself.
    user_agent: String,
    /// The address that it began from.
    ip: String,
    /// The organization whose pages are shown.
    organization_id: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// To the minute.
    #[schema(format = DateTime)]
    last_seen_at: String,
}

impl From<session::Session> for Session {
    fn from(session: session::Session) -> Self {
        Self {
            id: session.id,
            user_agent: session.user_agent,
            ip: session.ip,
            organization_id: session.organization_id,
            created_at: session.created_at.rfc3339(),
            last_seen_at: session.last_seen_at.rfc3339(),
        }
    }
}

/// A user's sessions that are not over, the latest first. Everybody sees their own.
#[utoipa::path(get, path = "/api/v1/users/{user}/sessions", tag = "Sessions", params(("user" = String, Path)),
    responses((status = 200, body = Vec<Session>)))]
pub async fn list(call: Call, key: web::Path<String>, query: members::Query<members::Unpaged>) -> HttpResponse {
    if let Err(error) = query.read() {
        return call.refuse(&error);
    }
    let found = sessions::list(call.context(), &call.by, &key).await;
    call.answer(found.map(|all| all.into_iter().map(Session::from).collect::<Vec<_>>()))
}

/// Ends a session at its next page. Everybody ends their own.
#[utoipa::path(delete, path = "/api/v1/users/{user}/sessions/{session}", tag = "Sessions",
    params(("user" = String, Path), ("session" = String, Path)), responses((status = 204)))]
pub async fn end(call: Call, keys: web::Path<(String, String)>) -> HttpResponse {
    let (user, session) = keys.into_inner();
    call.done(sessions::end(call.context(), &call.by, &user, &session).await)
}
