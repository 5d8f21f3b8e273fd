//! What every operation of the admin API has: a caller with an authority, a request id, an answer written one way.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::{FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use serde::{Deserialize, Serialize};

use crate::admin::idempotency::{self, Claim, Remembered};
use crate::admin::{AdminError, Authority};
use crate::credentials::{Asked, Principal, Shape};
use crate::crypto::secret::SecretString;
use crate::http::extract::{RequestId, authority_of, network_of, principal_of};
use crate::http::problem;
use crate::http::state::State;
use crate::login::{Door, Network, SignInError};
use crate::oauth::Context;

/// The header by which a POST is done once (contract: a repeat is answered, not done again).
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// An authenticated request to the admin API.
pub struct Call {
    /// On whose authority.
    pub by: Authority,
    /// Who.
    pub principal: Principal,
    pub(super) state: web::Data<State>,
    id: Arc<str>,
    idempotency_key: Option<String>,
    operation: String,
    network: Network,
}

/// Which of the caller's organizations is meant: for every operation, in the query.
#[derive(Deserialize)]
struct OrganizationQuery {
    organization: Option<String>,
}

impl FromRequest for Call {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::of(&request).await.map_err(refusal) })
    }
}

/// An answer that an extractor gives in the handler's place.
pub(super) fn refusal(answer: HttpResponse) -> actix_web::Error {
    InternalError::from_response("refused", answer).into()
}

impl Call {
    async fn of(request: &HttpRequest) -> Result<Self, HttpResponse> {
        let id = RequestId::of(request).0;
        let Some(state) = request.app_data::<web::Data<State>>().cloned() else {
            return Err(HttpResponse::InternalServerError().finish());
        };
        // No database of ours takes a NUL, and no name or id has one.
        if request.uri().to_string().contains("%00") {
            return Err(problem::respond(StatusCode::BAD_REQUEST, "the address has a NUL character in it", &id));
        }
        let query = web::Query::<OrganizationQuery>::from_query(request.query_string());
        let organization = query
            .map(|query| query.into_inner().organization)
            .map_err(|_| problem::respond(StatusCode::BAD_REQUEST, "the query names an organization twice", &id))?;
        let audience = Some(state.context().settings.issuer.clone());
        let named = organization.is_some();
        let asked = Asked { organization, audience };
        let principal = principal_of(request, &state, &asked).await.map_err(|error| {
            // An organization that is not the caller's is not there at all.
            if named && error.status == 403 {
                return problem::respond(StatusCode::NOT_FOUND, "there is no such organization", &id);
            }
            problem::refuse(&error, &id)
        })?;
        let idempotency_key = match request.headers().get(IDEMPOTENCY_KEY).map(|value| value.to_str()) {
            None => None,
            Some(Ok(key)) if !key.is_empty() && key.len() <= 255 => Some(key.to_owned()),
            Some(_) => {
                let detail = "an Idempotency-Key has 1 to 255 printable ASCII characters";
                return Err(problem::respond(StatusCode::BAD_REQUEST, detail, &id));
            }
        };
        let by = authority_of(&principal, request, &state);
        let operation = format!("{} {}", request.method(), request.uri());
        let network = network_of(request, &state);
        Ok(Self { by, principal, state, id, idempotency_key, operation, network })
    }

    /// The parts of the node.
    #[must_use]
    pub fn context(&self) -> &Context {
        self.state.context()
    }

    /// That the caller has just proved who they are: by a password that the request brings, or by one in its body.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`] for a client, and for whoever brings neither; [`AdminError::Invalid`] for a wrong one.
    pub async fn reauthenticate(&self, password: Option<String>) -> Result<(), AdminError> {
        if self.principal.shape == Shape::Password {
            return Ok(());
        }
        let Some(username) = &self.principal.username else {
            return Err(AdminError::Forbidden("only a user sees a secret again".to_owned()));
        };
        let Some(password) = password.map(SecretString::from) else {
            return Err(AdminError::invalid("password", "your own password is asked for once more"));
        };
        let door = Door::of_requests();
        let signed_in = self.context().login.sign_in(&door, username, password.expose(), self.network).await;
        match signed_in {
            Ok(signed_in) if Some(signed_in.user_id.as_str()) == self.principal.user_id() => Ok(()),
            Ok(_) | Err(SignInError::Refused(_)) => Err(AdminError::invalid("password", "is not your password")),
            Err(SignInError::Limited(seconds)) => Err(AdminError::Limited(seconds)),
            Err(error) => Err(AdminError::Unavailable(error.to_string())),
        }
    }

    /// A refusal.
    #[must_use]
    pub fn refuse(&self, error: &AdminError) -> HttpResponse {
        problem::refuse_verb(error, &self.id)
    }

    /// 200 with what was asked for.
    pub fn answer<T: Serialize>(&self, outcome: Result<T, AdminError>) -> HttpResponse {
        match outcome {
            Ok(body) => fresh(HttpResponse::Ok()).json(body),
            Err(error) => self.refuse(&error),
        }
    }

    /// 204.
    pub fn done<T>(&self, outcome: Result<T, AdminError>) -> HttpResponse {
        match outcome {
            Ok(_) => fresh(HttpResponse::NoContent()).finish(),
            Err(error) => self.refuse(&error),
        }
    }

    /// Carries a POST out that changes something and makes no secret: [`Call::once`], answered with 200.
    pub async fn once_changed<T: Serialize>(
        &self,
        body: &[u8],
        verb: impl Future<Output = Result<T, AdminError>>,
    ) -> HttpResponse {
        self.once(body, StatusCode::OK, async { verb.await.map(Changed) }).await
    }

    /// Carries a POST out, once for each `Idempotency-Key`: a repeat is answered as the first one was, and where that
    /// made a secret with 409 and the id of what it made (the secret is not kept).
    pub async fn once<T: Made>(
        &self,
        body: &[u8],
        status: StatusCode,
        verb: impl Future<Output = Result<T, AdminError>>,
    ) -> HttpResponse {
        let Some(key) = &self.idempotency_key else {
            return match verb.await {
                Ok(made) => fresh(HttpResponse::build(status)).json(made),
                Err(error) => self.refuse(&error),
            };
        };
        let claim = Claim::new(self.context(), &self.principal.subject, key, &self.operation, body);
        match idempotency::claim(self.context(), &claim).await {
            Ok(None) => {}
            Ok(Some(Remembered::Answered { status, body })) => {
                let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
                let mut response = fresh(HttpResponse::build(status.unwrap_or(StatusCode::OK)));
                return response.content_type("application/json").body(body);
            }
            Ok(Some(Remembered::MadeSecret { id })) => {
                return self.refuse(&AdminError::Refused(format!(
                    "this request was carried out before and made {id}; the secret was shown then, and is not kept"
                )));
            }
            Ok(Some(Remembered::UnderWay)) => {
                return self
                    .refuse(&AdminError::Refused("a request with this Idempotency-Key is under way".to_owned()));
            }
            Ok(Some(Remembered::Another)) => {
                return self.refuse(&AdminError::invalid(
                    "Idempotency-Key",
                    "another request was sent with this Idempotency-Key",
                ));
            }
            Err(error) => return self.refuse(&error),
        }
        match verb.await {
            Ok(made) => {
                let body = serde_json::to_string(&made).unwrap_or_default();
                let (kept, secret) = if T::IS_SECRET { (made.made_id(), true) } else { (body.clone(), false) };
                if let Err(error) = idempotency::keep(self.context(), &claim, status.as_u16(), &kept, secret).await {
                    tracing::warn!(request_id = &*self.id, %error, "the answer cannot be kept for a repeat");
                }
                fresh(HttpResponse::build(status)).content_type("application/json").body(body)
            }
            Err(error) => {
                // Nothing was done: the same key may try again.
                if let Err(error) = idempotency::release(self.context(), &claim).await {
                    tracing::warn!(request_id = &*self.id, %error, "the claim of a refused request stays");
                }
                self.refuse(&error)
            }
        }
    }
}

/// What a change of something answers: it, as it is now.
#[derive(Serialize)]
#[serde(transparent)]
struct Changed<T>(T);

impl<T: Serialize> Made for Changed<T> {
    const IS_SECRET: bool = false;

    fn made_id(&self) -> String {
        String::new()
    }
}

/// What a POST answers.
pub trait Made: Serialize {
    /// Whether a secret is in it, which is shown this once.
    const IS_SECRET: bool;

    /// The id of what was made.
    fn made_id(&self) -> String;
}

fn fresh(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response.insert_header((CACHE_CONTROL, "no-store"));
    response
}
