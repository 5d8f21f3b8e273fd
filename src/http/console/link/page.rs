//! What a one-time link opens: an address is verified, or a password set. For users without the console, too.
//!
//! The link's secret stands in the address's fragment, which no server and no proxy sees. The page takes it out of there
//! and sends it in a form; without script its reader pastes it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::admin::AdminError;
use crate::admin::redemption::{self, Opened, Presented, RedemptionError};
use crate::http::console::answer;
use crate::http::console::browser::browser_of;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::refusal::page::Refusal;
use crate::http::console::shell::Shell;
use crate::http::console::submission::GuestSubmission;
use crate::http::console::visit::Guest;
use crate::model::mail::LinkPurpose;
use crate::model::user::UserStatus;

#[derive(Template)]
#[template(path = "link/page.html")]
struct Link {
    shell: Shell,
    form: Form,
    token: String,
    opened: Option<Opened>,
    sets_password: bool,
    password_hint: String,
}

fn page(guest: &Guest, form: Form, token: &str, opened: Option<Opened>) -> Link {
    let sets_password = opened.as_ref().is_some_and(|opened| opened.purpose != LinkPurpose::VerifyEmail);
    let title = match &opened {
        None => "Your link",
        Some(_) if sets_password => "Set your password",
        Some(_) => "Verify your address",
    };
    let least = guest.context().login.policy().min_length;
    Link {
        shell: guest.shell(title),
        form,
        token: token.to_owned(),
        opened,
        sets_password,
        password_hint: format!("At least {least} characters. A few words that only you would put together are best."),
    }
}

/// `GET /console/link`.
pub async fn show(guest: Guest) -> HttpResponse {
    guest.remember(answer::ok(&page(&guest, Form::default(), "", None)))
}

/// `POST /console/link`: first with the secret alone, to be asked for what the link needs; then with that.
pub async fn redeem(sent: GuestSubmission) -> HttpResponse {
    let GuestSubmission { guest, fields } = sent;
    // Somebody may paste the whole link.
    let token = fields.text("token").rsplit('#').next().unwrap_or_default().to_owned();
    let opened = match redemption::open(guest.context(), &token).await {
        Ok(opened) => opened,
        Err(error) => return refuse(&guest, &error),
    };
    if fields.text("step") != "redeem" {
        return answer::ok(&page(&guest, Form::default(), &token, Some(opened)));
    }
    if opened.purpose != LinkPurpose::VerifyEmail && fields.raw("password") != fields.raw("repeated") {
        let error = AdminError::invalid("repeated", "is not the same");
        return wrong(&guest, error, &token, opened);
    }
    let presented = Presented {
        token: token.as_str().into(),
        password: fields.secret("password"),
        phone: fields.given("phone").map(str::to_owned),
    };
    match redemption::redeem(guest.context(), &browser_of(&guest.request, &guest.state).origin, &presented).await {
        Ok(done) => {
            let notice = match (done.purpose, done.status) {
                (LinkPurpose::VerifyEmail, UserStatus::Active) if !done.password_link_sent => "verified-active",
                (LinkPurpose::VerifyEmail, _) => "verified",
                (LinkPurpose::SetPassword | LinkPurpose::SetUp, _) => "password-set",
            };
            answer::see_other("/console/sign-in", notice)
        }
        Err(RedemptionError::Other(error @ AdminError::Invalid(_))) => wrong(&guest, error, &token, opened),
        Err(error) => refuse(&guest, &error),
    }
}

fn wrong(guest: &Guest, error: AdminError, token: &str, opened: Opened) -> HttpResponse {
    let form = Form::refused(Fields::default(), error).unwrap_or_default();
    answer::page(StatusCode::UNPROCESSABLE_ENTITY, &page(guest, form, token, Some(opened)))
}

fn refuse(guest: &Guest, error: &RedemptionError) -> HttpResponse {
    let (status, title, text) = match error {
        RedemptionError::Refused => {
            let text = "This link is not valid, was used already, or has expired. Ask for a new one: on the sign-in page, \
                        or your administrator.";
            (StatusCode::BAD_REQUEST, "This link opens nothing", text.to_owned())
        }
        RedemptionError::Limited(seconds) => {
            let text = format!("Too many wrong attempts. Try again in {seconds} seconds.");
            (StatusCode::TOO_MANY_REQUESTS, "Not now", text)
        }
        RedemptionError::Other(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Not available",
            "Try again in a moment; the link is still good.".to_owned(),
        ),
    };
    tracing::info!(request_id = &*guest.id, %error, "a one-time link is refused");
    answer::page(status, &Refusal::new(guest.shell(title), text, &guest.id))
}
