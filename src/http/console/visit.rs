//! Somebody who asks for a page: a visitor, or a user with a session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use crate::admin::{Authority, sessions};
use crate::credentials::Principal;
use crate::http::console::answer;
use crate::http::console::browser::{self, csrf_token, secret_of};
use crate::http::console::shell::Shell;
use crate::http::extract::{RequestId, authority_of};
use crate::http::state::State;
use crate::login::Secret;
use crate::model::session::Session;
use crate::oauth::Context;

/// Seconds for which a password that was given counts for risky acts.
const PROVEN_FOR: i64 = 300;

/// Somebody who may be signed in or not.
pub struct Guest {
    /// The node.
    pub state: web::Data<State>,
    /// The secret of their cookie; a new one where they brought none.
    pub secret: Secret,
    /// Whether the secret is new.
    pub is_new: bool,
    /// The request.
    pub request: HttpRequest,
    /// The request's id.
    pub id: Arc<str>,
}

/// A user with a session.
pub struct Visit {
    /// The node.
    pub state: web::Data<State>,
    /// Who.
    pub principal: Principal,
    /// On whose authority verbs are asked for.
    pub by: Authority,
    /// Their session.
    pub session: Session,
    /// The token that forms bear.
    pub csrf: String,
    /// The request.
    pub request: HttpRequest,
    /// The request's id.
    pub id: Arc<str>,
}

pub(super) fn refusal(answer: HttpResponse) -> actix_web::Error {
    InternalError::from_response("refused", answer).into()
}

impl Guest {
    pub(in crate::http::console) fn of(request: &HttpRequest) -> Option<Self> {
        let state = request.app_data::<web::Data<State>>().cloned()?;
        let brought = secret_of(request, &state);
        let is_new = brought.is_none();
        let secret = brought.unwrap_or_else(|| Secret::make(&state.context().random));
        Some(Self { state, secret, is_new, request: request.clone(), id: RequestId::of(request).0 })
    }

    /// The parts of the node.
    #[must_use]
    pub fn context(&self) -> &Context {
        self.state.context()
    }

    /// The token that forms bear.
    #[must_use]
    pub fn csrf(&self) -> String {
        csrf_token(&self.state, &self.secret)
    }

    /// What surrounds every page.
    #[must_use]
    pub fn shell(&self, title: &str) -> Shell {
        Shell::of_guest(self, title)
    }

    /// An answer that gives the browser its cookie, where it has none yet.
    #[must_use]
    pub fn remember(&self, mut answer: HttpResponse) -> HttpResponse {
        if self.is_new {
            // The name and the value are ours: nothing in them can be refused.
            let _ = answer.add_cookie(&browser::cookie(&self.state, &self.secret));
        }
        answer
    }
}

impl FromRequest for Guest {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(request).ok_or_else(|| refusal(HttpResponse::InternalServerError().finish())))
    }
}

impl Visit {
    pub(in crate::http::console) async fn of(request: &HttpRequest) -> Result<Self, HttpResponse> {
        let Some(guest) = Guest::of(request) else { return Err(HttpResponse::InternalServerError().finish()) };
        let found = if guest.is_new { Ok(None) } else { guest.state.credentials().of_session(&guest.secret).await };
        let (principal, session) = match found {
            Ok(Some(found)) => found,
            Err(error) if error.status >= 500 => return Err(answer::unavailable(&guest, &error)),
            Ok(None) | Err(_) => return Err(answer::to_sign_in(request)),
        };
        let csrf = guest.csrf();
        let Guest { state, id, .. } = guest;
        if let Err(error) = sessions::touch(state.context(), &session).await {
            // The page is shown all the same: what is lost is a minute of the session's life.
            tracing::warn!(request_id = &*id, %error, "a session's last use is not noted");
        }
        let by = authority_of(&principal, request, &state).at_the_console();
        Ok(Self { state, principal, by, session, csrf, request: request.clone(), id })
    }

    /// The parts of the node.
    #[must_use]
    pub fn context(&self) -> &Context {
        self.state.context()
    }

    /// Whether the user holds a permission in the organization that they look at.
    #[must_use]
    pub fn holds(&self, permission: &str) -> bool {
        self.by.holds(permission)
    }

    /// The user's id.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.principal.subject
    }

    /// Whether the password was given a short while ago.
    #[must_use]
    pub fn is_proven(&self) -> bool {
        self.context().clock.now() < self.session.authenticated_at.plus_seconds(PROVEN_FOR)
    }

    /// What surrounds every page.
    #[must_use]
    pub fn shell(&self, title: &str) -> Shell {
        Shell::of_visit(self, title)
    }

    /// The value of a parameter of the query, decoded; the first where it is repeated.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.request.query_string();
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(&request).await.map_err(refusal) })
    }
}
