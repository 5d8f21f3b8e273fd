//! A form that was sent: read strictly, and only if it is one of ours.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};

use crate::admin::idempotency::{self, Claim};
use crate::admin::{AdminError, sessions};
use crate::crypto::digest::constant_time_eq;
use crate::http::console::answer;
use crate::http::console::browser::browser_of;
use crate::http::console::confirm;
use crate::http::console::fields::Fields;
use crate::http::console::visit::{Guest, Visit, refusal};
use crate::http::extract::read_body;
use crate::login::SignInError;
use crate::oauth::parameters::MediaType;

/// The field with the CSRF token.
pub const CSRF: &str = "csrf";

/// The field with one's own password, where a form asks for it once more.
pub const PROOF: &str = "confirm_password";

/// The field with what a form is known by that is carried out once.
const FORM_ID: &str = "form_id";

/// A form of a user with a session.
pub struct Submission {
    /// Who sent it.
    pub visit: Visit,
    /// What stood in it.
    pub fields: Fields,
}

/// A form of somebody who need not be signed in.
pub struct GuestSubmission {
    /// Who sent it.
    pub guest: Guest,
    /// What stood in it.
    pub fields: Fields,
}

impl Submission {
    /// The form, if its sender has given their password a short while ago or with it.
    ///
    /// # Errors
    /// The page that asks for the password, and sends the form again with it.
    pub async fn proven(mut self) -> Result<Self, HttpResponse> {
        if let Err(error) = self.prove().await {
            return Err(confirm::page::again(&self, &error));
        }
        if self.visit.is_proven() { Ok(self) } else { Err(confirm::page::ask(&self)) }
    }

    /// The same where `risky`, and else the form as it is.
    ///
    /// # Errors
    /// As [`Submission::proven`].
    pub async fn proven_if(self, risky: bool) -> Result<Self, HttpResponse> {
        if risky { self.proven().await } else { Ok(self) }
    }

    /// The same for a form that bears passwords, which no page ever writes back: it asks for one's own in itself.
    ///
    /// # Errors
    /// What the form says at that field.
    pub async fn proven_in_itself(&mut self) -> Result<(), AdminError> {
        self.prove().await.map_err(|error| confirm::page::in_words(&error))?;
        if self.visit.is_proven() { Ok(()) } else { Err(AdminError::invalid(PROOF, "is needed once more")) }
    }

    /// Carries out what makes a secret: once for each form that a page has shown, so that a reload of the answer, which
    /// sends the form again, makes no second one. What fails can be sent again.
    ///
    /// # Errors
    /// The way back to `list`, where the form was sent before.
    pub async fn once<T>(
        &self,
        list: &str,
        verb: impl Future<Output = Result<T, AdminError>>,
    ) -> Result<Result<T, AdminError>, HttpResponse> {
        let Some(id) = self.fields.given(FORM_ID) else { return Ok(verb.await) };
        let (context, subject) = (self.visit.context(), format!("console {}", self.visit.user_id()));
        // Somebody who goes back and changes something means another one.
        let shown = self.fields.iter().filter(|(name, _)| !confirm::page::NOT_KEPT.contains(name));
        let sent: Vec<u8> = shown.flat_map(|(name, value)| [name, "\0", value, "\0"].concat().into_bytes()).collect();
        let key = [id.as_bytes(), b"\0", self.visit.request.path().as_bytes(), b"\0", &sent].concat();
        let key = context.data_keys.digest.digest("form", &key).to_text();
        let claim = Claim::new(context, &subject, &key, "form", b"");
        match idempotency::claim(context, &claim).await {
            Ok(None) => {}
            Ok(Some(_)) => return Err(answer::see_other(list, "sent-before")),
            Err(error) => return Ok(Err(error)),
        }
        let done = verb.await;
        if done.is_err()
            && let Err(error) = idempotency::release(context, &claim).await
        {
            // The form that is shown again has another id.
            tracing::warn!(request_id = &*self.visit.id, %error, "a form that did nothing cannot be sent again");
        }
        Ok(done)
    }

    /// Takes the password that came with the form, if one did.
    async fn prove(&mut self) -> Result<(), SignInError> {
        let Some(password) = self.fields.secret(PROOF) else { return Ok(()) };
        let browser = browser_of(&self.visit.request, &self.visit.state);
        let username = self.visit.principal.username.clone().unwrap_or_default();
        let context = self.visit.context();
        sessions::prove(context, &self.visit.session, &username, &password, browser.network).await?;
        self.visit.session.authenticated_at = context.clock.now();
        Ok(())
    }
}

/// Reads a form and checks that a page of this browser has sent it.
async fn read(request: &HttpRequest, payload: web::Payload, guest: &Guest) -> Result<Fields, HttpResponse> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.and_then(MediaType::parse) != Some(MediaType::Form) {
        return Err(answer::bad_form(guest, 415));
    }
    let body = read_body(request, payload, guest.state.settings()).await;
    let body = body.map_err(|error| answer::bad_form(guest, error.status().as_u16()))?;
    let Some(fields) = Fields::parse(&body) else { return Err(answer::bad_form(guest, 400)) };
    // Browsers say where a form comes from; the token is what counts, for those that do not.
    let site = request.headers().get("sec-fetch-site").map(actix_web::http::header::HeaderValue::as_bytes);
    let from_here = !matches!(site, Some(b"cross-site" | b"same-site"));
    let is_ours = !guest.is_new && constant_time_eq(fields.raw(CSRF).as_bytes(), guest.csrf().as_bytes());
    if from_here && is_ours { Ok(fields) } else { Err(answer::foreign_form(guest)) }
}

impl FromRequest for GuestSubmission {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move {
            let guest = Guest::of(&request).ok_or_else(|| refusal(HttpResponse::InternalServerError().finish()))?;
            let fields = read(&request, payload.await?, &guest).await.map_err(refusal)?;
            Ok(Self { guest, fields })
        })
    }
}

impl FromRequest for Submission {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let sent = GuestSubmission::from_request(&request, payload);
        Box::pin(async move {
            // The session first: a form that was left open over night leads to the sign-in page.
            let visit = Visit::of(&request).await.map_err(refusal)?;
            let fields = sent.await?.fields;
            Ok(Self { visit, fields })
        })
    }
}
