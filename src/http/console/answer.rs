//! How pages are answered: one writer for pages, one for refusals, and redirects to paths of ours alone.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, LOCATION, REFERRER_POLICY, RETRY_AFTER, X_FRAME_OPTIONS,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use askama::Template;

use crate::admin::AdminError;
use crate::http::console::fields::Form;
use crate::http::console::refusal::page::Refusal;
use crate::http::console::submission::Submission;
use crate::http::console::visit::{Guest, Visit};
use crate::oauth::ProtocolError;

/// Pages load their own style sheet, script and pictures, and send forms here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Writes a page. Nothing that a page shows is kept by a browser or a proxy.
pub fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(html) => with_headers(HttpResponse::build(status)).content_type("text/html; charset=utf-8").body(html),
        Err(cause) => {
            tracing::error!(%cause, "a page cannot be written");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// Writes a page that is as it should be.
pub fn ok(template: &impl Template) -> HttpResponse {
    page(StatusCode::OK, template)
}

fn with_headers(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .insert_header((OPENER_POLICY, "same-origin"));
    response
}

/// Leads to another page of the console after something was done: a path of ours, with a notice from a closed set.
#[must_use]
pub fn see_other(path: &str, notice: &str) -> HttpResponse {
    let (path, fragment) =
        path.split_once('#').map_or((path, String::new()), |(path, part)| (path, format!("#{part}")));
    let separator = if path.contains('?') { '&' } else { '?' };
    let target = if notice.is_empty() {
        format!("{path}{fragment}")
    } else {
        format!("{path}{separator}notice={notice}{fragment}")
    };
    with_headers(HttpResponse::SeeOther()).insert_header((LOCATION, target)).finish()
}

/// A path below `/console/` that a request names, or the console's first page: no other server is ever led to.
#[must_use]
pub fn local_path(given: &str) -> &str {
    let is_local = given.starts_with("/console/")
        && given.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !given.contains("//")
        && !given.contains("..");
    if is_local { given } else { "/console/" }
}

/// Leads a visitor without a session to the sign-in page, and back to the page that they asked for.
#[must_use]
pub fn to_sign_in(request: &HttpRequest) -> HttpResponse {
    // What a form would have done is not done later.
    let asked =
        if request.method() == actix_web::http::Method::GET { request.uri().to_string() } else { String::new() };
    let next: String = match local_path(&asked) {
        "/console/" => String::new(),
        path => {
            let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", path).finish();
            format!("?{query}")
        }
    };
    see_other(&format!("/console/sign-in{next}"), "")
}

/// Says why a verb was refused, on a page of its own.
pub fn refuse(visit: &Visit, error: &AdminError) -> HttpResponse {
    let (status, title, text) = match error {
        AdminError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "That cannot be", error.to_string()),
        AdminError::Unreadable(why) => (StatusCode::BAD_REQUEST, "That cannot be read", why.clone()),
        AdminError::Refused(why) => (StatusCode::CONFLICT, "That is not possible", why.clone()),
        AdminError::Forbidden(why) => (StatusCode::FORBIDDEN, "You may not do that", why.clone()),
        AdminError::NotFound { .. } => (StatusCode::NOT_FOUND, "Not found", error.to_string()),
        AdminError::Limited(_) => (StatusCode::TOO_MANY_REQUESTS, "Not now", error.to_string()),
        AdminError::Unavailable(_) => {
            let text = "The database does not answer. Try again in a moment; nothing was changed.".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, "Not available", text)
        }
        AdminError::Bug(_) => {
            let text = "Something is wrong with this server. The request's id leads its operator to it.".to_owned();
            (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text)
        }
    };
    if status.is_server_error() {
        tracing::error!(request_id = &*visit.id, cause = %error, "refused");
    } else {
        tracing::info!(request_id = &*visit.id, status = status.as_u16(), cause = %error, "refused");
    }
    let mut answer = page(status, &Refusal::new(visit.shell(title), text, &visit.id));
    let wait = match error {
        AdminError::Limited(seconds) => Some(*seconds),
        AdminError::Unavailable(_) => Some(1),
        _ => None,
    };
    if let Some(seconds) = wait {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// Shows a form again with what is wrong at each field, or says on a page of its own what no form can say.
pub fn again<T: Template>(sent: Submission, error: AdminError, form: impl FnOnce(&Visit, Form) -> T) -> HttpResponse {
    let Submission { visit, fields } = sent;
    match Form::refused(fields, error) {
        Ok(wrong) => page(StatusCode::UNPROCESSABLE_ENTITY, &form(&visit, wrong)),
        Err(error) => refuse(&visit, &error),
    }
}

/// A form that could not be read.
pub(super) fn bad_form(guest: &Guest, status: u16) -> HttpResponse {
    let text = match status {
        413 => "The form is larger than this server takes.",
        408 => "The form did not arrive in time. Send it again.",
        _ => "This is not a form that this page sends.",
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    page(status, &Refusal::new(guest.shell("That cannot be read"), text.to_owned(), &guest.id))
}

/// A form that no page of this browser has sent: CSRF, or a page from before a sign-in.
pub(super) fn foreign_form(guest: &Guest) -> HttpResponse {
    let text = "This form was not sent from a page of yours, or the page is older than your sign-in. \
                Go back, load the page again and send it once more. Nothing was changed.";
    tracing::info!(request_id = &*guest.id, "a form without this browser's token is refused");
    let answer =
        page(StatusCode::FORBIDDEN, &Refusal::new(guest.shell("Not sent from here"), text.to_owned(), &guest.id));
    guest.remember(answer)
}

/// Nobody can tell whose session it is.
pub(super) fn unavailable(guest: &Guest, error: &ProtocolError) -> HttpResponse {
    crate::http::oauth_error::log(error, &guest.id);
    let text = "The database does not answer. Try again in a moment; nothing was changed.".to_owned();
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut answer = page(status, &Refusal::new(guest.shell("Not available"), text, &guest.id));
    answer.headers_mut().insert(RETRY_AFTER, actix_web::http::header::HeaderValue::from_static("2"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_console_are_led_to() {
        assert_eq!(local_path("/console/users?status=active"), "/console/users?status=active");
        for foreign in [
            "",
            "/",
            "/docs/",
            "https://evil.example/",
            "//evil.example/console/",
            "/console//evil.example",
            "/console/..//x",
            "/console/\\evil",
            "/console/a b",
            "/console/\r\nSet-Cookie:x",
            "/consoleevil",
            "javascript:alert(1)",
        ] {
            assert_eq!(local_path(foreign), "/console/", "{foreign:?}");
        }
    }
}
