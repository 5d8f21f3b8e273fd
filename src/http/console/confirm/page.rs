//! Before a secret is shown, or anything risky is done: one's own password, once more. The form that was sent is sent
//! again with it, so nothing has to be kept for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::admin::AdminError;
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::shell::Shell;
use crate::http::console::sign_in::page::why;
use crate::http::console::submission::{CSRF, PROOF, Submission};
use crate::login::SignInError;

#[derive(Template)]
#[template(path = "confirm/page.html")]
struct Confirm {
    shell: Shell,
    /// Where the form was sent to.
    action: String,
    /// What stood in it.
    kept: Vec<(String, String)>,
    username: String,
    form: Form,
}

/// Asks for the password.
#[must_use]
pub fn ask(sent: &Submission) -> HttpResponse {
    // 403: the request as it came is not carried out.
    show(sent, Form::default())
}

/// Asks for it again, and says what was wrong with it.
#[must_use]
pub fn again(sent: &Submission, error: &SignInError) -> HttpResponse {
    show(sent, Form::refused(Fields::default(), in_words(error)).unwrap_or_default())
}

/// What was wrong with the password, for a form to say.
#[must_use]
pub fn in_words(error: &SignInError) -> AdminError {
    match error {
        SignInError::Refused(_) => AdminError::invalid(PROOF, "is not yours"),
        other => AdminError::Refused(why(other)),
    }
}

/// The page's own fields, and those with passwords: what somebody typed as a secret is never written into a page.
/// Forms that have such fields ask for the password in themselves.
pub const NOT_KEPT: [&str; 6] = [CSRF, PROOF, "confirm_username", "password", "repeated", "present_password"];

fn show(sent: &Submission, form: Form) -> HttpResponse {
    let kept = sent.fields.iter().filter(|(name, _)| !NOT_KEPT.contains(name));
    let page = Confirm {
        shell: sent.visit.shell("Is it you?"),
        action: sent.visit.request.uri().path().to_owned(),
        kept: kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        username: sent.visit.principal.username.clone().unwrap_or_default(),
        form,
    };
    answer::page(StatusCode::FORBIDDEN, &page)
}
