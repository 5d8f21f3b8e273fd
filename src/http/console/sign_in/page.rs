//! The one sign-in page, and the way back in without a password.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use askama::Template;

use crate::admin::password_resets::{self, ResetError};
use crate::admin::{AdminError, sessions};
use crate::crypto::secret::SecretString;
use crate::http::console::answer;
use crate::http::console::browser::{self, browser_of};
use crate::http::console::fields::{Fields, Form};
use crate::http::console::refusal::page::Refusal;
use crate::http::console::shell::Shell;
use crate::http::console::submission::{GuestSubmission, Submission};
use crate::http::console::visit::Guest;
use crate::login::SignInError;

#[derive(Template)]
#[template(path = "sign_in/page.html")]
struct SignIn {
    shell: Shell,
    form: Form,
    /// The page to go on to.
    next: String,
}

#[derive(Template)]
#[template(path = "sign_in/forgot.html")]
struct Forgot {
    shell: Shell,
    form: Form,
}

/// Why nobody is signed in, for the person who tries: every reason that an account could give is one.
#[must_use]
pub fn why(error: &SignInError) -> String {
    match error {
        SignInError::Refused(_) => "Username and password do not open an account here.".to_owned(),
        SignInError::Limited(seconds) => {
            format!(
                "Too many failed attempts. Try again in {}.",
                if *seconds < 90 { format!("{seconds} seconds") } else { format!("{} minutes", seconds.div_ceil(60)) }
            )
        }
        SignInError::Busy(..) => "Too many people sign in at this moment. Try again in a few seconds.".to_owned(),
        SignInError::Unavailable(_) => "The database does not answer. Try again in a moment.".to_owned(),
        SignInError::Bug(_) => "Something is wrong with this server; its log says what.".to_owned(),
    }
}

/// The status of such a page.
fn status_of(error: &SignInError) -> StatusCode {
    match error {
        SignInError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SignInError::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        SignInError::Busy(..) | SignInError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        SignInError::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// `GET /console/sign-in`.
pub async fn show(guest: Guest) -> HttpResponse {
    let query = guest.request.query_string();
    let next = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next");
    let next = next.map(|(_, path)| answer::local_path(&path).to_owned()).unwrap_or_default();
    let page = SignIn { shell: guest.shell("Sign in"), form: Form::default(), next };
    guest.remember(answer::ok(&page))
}

/// `POST /console/sign-in`.
pub async fn sign_in(sent: GuestSubmission) -> HttpResponse {
    let GuestSubmission { guest, fields } = sent;
    let next = answer::local_path(fields.text("next")).to_owned();
    let password = SecretString::from(fields.raw("password"));
    let browser = browser_of(&guest.request, &guest.state);
    match sessions::begin(guest.context(), &browser, fields.text("username"), &password).await {
        Ok(secret) => {
            let mut answer = answer::see_other(&next, "");
            // A new secret: whoever knew the visitor's is not signed in.
            let _ = answer.add_cookie(&browser::cookie(&guest.state, &secret));
            answer
        }
        Err(error) => {
            tracing::info!(request_id = &*guest.id, cause = %error, "nobody is signed in");
            let kept = Fields::default().with("username", fields.text("username"));
            let form = Form::refused(kept, AdminError::Refused(why(&error))).unwrap_or_default();
            answer::page(status_of(&error), &SignIn { shell: guest.shell("Sign in"), form, next })
        }
    }
}

/// `POST /console/sign-out`.
pub async fn sign_out(sent: Submission) -> HttpResponse {
    let visit = &sent.visit;
    if let Err(error) = sessions::end(visit.context(), &visit.by, visit.user_id(), &visit.session.id).await {
        return answer::refuse(visit, &error);
    }
    let mut answer = answer::see_other("/console/sign-in", "signed-out");
    if let Some(brought) = browser::secret_of(&visit.request, &visit.state) {
        let mut gone: Cookie<'_> = browser::cookie(&visit.state, &brought);
        gone.make_removal();
        let _ = answer.add_cookie(&gone);
    }
    answer
}

/// `GET /console/forgot-password`.
pub async fn forgot(guest: Guest) -> HttpResponse {
    guest.remember(answer::ok(&Forgot { shell: guest.shell("Forgot your password?"), form: Form::default() }))
}

/// `POST /console/forgot-password`: the same answer whatever the account.
pub async fn send_link(sent: GuestSubmission) -> HttpResponse {
    let GuestSubmission { guest, fields } = sent;
    let browser = browser_of(&guest.request, &guest.state);
    let outcome = password_resets::request(guest.context(), &browser.origin, browser.network, fields.text("username"));
    let (status, why) = match outcome.await {
        Ok(()) => return answer::see_other("/console/sign-in", "link-sent"),
        Err(ResetError::Limited(seconds)) => {
            (StatusCode::TOO_MANY_REQUESTS, format!("Too many requests from here. Try again in {seconds} seconds."))
        }
        Err(ResetError::Other(error)) => {
            tracing::error!(request_id = &*guest.id, %error, "a link that sets a password is not sent");
            let text = "Not now: try again in a moment.".to_owned();
            let shell = guest.shell("Not available");
            return answer::page(StatusCode::SERVICE_UNAVAILABLE, &Refusal::new(shell, text, &guest.id));
        }
    };
    let form = Form::refused(fields, AdminError::Refused(why)).unwrap_or_default();
    answer::page(status, &Forgot { shell: guest.shell("Forgot your password?"), form })
}
