//! `/api/v1/users/{user}/verification`: whether a user's address is known to be theirs, and the message that asks.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::links;
use crate::http::admin_api::call::{Call, Made};
use crate::store::recipients::Recipient;

/// How far a user is on the way from an invitation to a sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verification {
    user_id: String,
    /// `invited`, `active`, `disabled` or `locked`.
    status: String,
    #[schema(required = true)]
    email: Option<String>,
    /// Whether a link to the address was used, or whoever made the user vouched for it.
    verified: bool,
    /// What the next message brings: `verify_email`, `set_password`, or null where none is needed.
    #[schema(required = true)]
    waits_for: Option<String>,
}

impl From<Recipient> for Verification {
    fn from(user: Recipient) -> Self {
        Self {
            waits_for: links::awaited(&user).map(|kind| kind.to_string()),
            user_id: user.id,
            status: user.status.to_string(),
            verified: user.email.is_some() && user.is_verified,
            email: user.email,
        }
    }
}

impl Made for Verification {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        self.user_id.clone()
    }
}

/// Whether a user's address is verified, and what they wait for. Everybody sees their own.
#[utoipa::path(get, path = "/api/v1/users/{user}/verification", tag = "Users", params(("user" = String, Path)),
    responses((status = 200, body = Verification)))]
pub async fn verification(call: Call, key: web::Path<String>) -> HttpResponse {
    call.answer(links::verification(call.context(), &call.by, &key).await.map(Verification::from))
}

/// Sends again what the user waits for: the link that verifies their address, or the one that sets a first password.
/// Links that were sent before open nothing any more. 409 where the user waits for no message.
#[utoipa::path(post, path = "/api/v1/users/{user}/verification", tag = "Users", params(("user" = String, Path)),
    responses((status = 202, body = Verification)))]
pub async fn send_verification(call: Call, key: web::Path<String>) -> HttpResponse {
    let verb = async { links::resend(call.context(), &call.by, &key).await.map(Verification::from) };
    call.once(b"", StatusCode::ACCEPTED, verb).await
}
