//! What somebody has pasted: its kind, and for a token of ours whether it opens anything, until when and why not.

use actix_web::HttpResponse;
use askama::Template;
use serde_json::Value;

use crate::developer::inspection;
use crate::http::console::answer;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::time::Timestamp;
use crate::oauth::Context;
use crate::oauth::tokens::verifier::{self, Invalid};

#[derive(Template)]
#[template(path = "inspector/page.html")]
struct Inspector {
    shell: Shell,
    found: Option<Found>,
}

/// What was found; of a secret nothing but its kind.
#[derive(Default)]
struct Found {
    kind: String,
    doubt: String,
    checksum: String,
    asked: &'static str,
    is_good: bool,
    verdict: String,
    times: Vec<(&'static str, String)>,
    header: String,
    claims: String,
}

/// Claims that are seconds since 1970.
const TIMES: [(&str, &str); 4] =
    [("iat", "Issued"), ("exp", "Valid until"), ("nbf", "Valid from"), ("auth_time", "Signed in")];

/// `GET /console/inspector`.
pub async fn show(visit: Visit) -> HttpResponse {
    answer::ok(&Inspector { shell: visit.shell("Token inspector"), found: None })
}

/// `POST /console/inspector`.
pub async fn inspect(sent: Submission) -> HttpResponse {
    let visit = &sent.visit;
    let found = look(visit.context(), sent.fields.text("token"));
    answer::ok(&Inspector { shell: visit.shell("Token inspector"), found: Some(found) })
}

fn look(context: &Context, text: &str) -> Found {
    let (answer, doubt) = inspection::inspect(text);
    let word = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut found = Found {
        kind: word("kind"),
        doubt: doubt.map(|doubt| format!("{doubt}.")).unwrap_or_default(),
        checksum: word("checksum"),
        ..Found::default()
    };
    let pretty = |name: &str| answer.get(name).map(|part| format!("{part:#}")).unwrap_or_default();
    let Some(claims) = answer.get("claims") else { return found };
    (found.header, found.claims) = (pretty("header"), pretty("claims"));
    let time = |(claim, label): (&str, &'static str)| {
        let seconds = claims.get(claim)?.as_i64()?;
        Some((label, Timestamp::from_seconds(seconds).readable()))
    };
    found.times = TIMES.into_iter().filter_map(time).collect();
    if found.kind == "access token" {
        found.asked = "Opens something now";
        (found.is_good, found.verdict) = match verifier::verify(context, inspection::without_scheme(text.trim())) {
            Ok(_) => (true, "the signature is ours, and nothing has ended it".to_owned()),
            Err(why) => (false, explain(why).to_owned()),
        };
    } else {
        found.asked = "Signature";
        "not checked: only access tokens open anything here".clone_into(&mut found.verdict);
    }
    found
}

fn explain(why: Invalid) -> &'static str {
    match why {
        Invalid::Malformed => "it is damaged or cut off",
        Invalid::Header => {
            "another server's, or its signing key is gone: no key of this server has the id in its header"
        }
        Invalid::Signature => "the signature is wrong: somebody has changed it, or it is damaged",
        Invalid::Claims => "a claim is missing, or it was issued by another server",
        Invalid::Expired => "it has expired: get a new one",
        Invalid::Revoked => {
            "it was ended before its time: by a revocation, or because its application, user, organization or key was \
             stopped or changed"
        }
    }
}
