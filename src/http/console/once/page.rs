//! A secret, shown once: in the answer that made it, with a way to take it along. Nothing of it is kept.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use askama::Template;

use crate::crypto::secret::SecretString;
use crate::http::console::answer;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;

/// What the fields of a download's members begin with.
const MEMBER: &str = "member:";

/// One value of what was made.
pub struct Row {
    /// What it is called on the page.
    pub label: String,
    /// What it is called in a file, as the API calls it.
    pub member: &'static str,
    /// The value.
    pub text: SecretString,
    /// Whether it is masked at first.
    pub is_secret: bool,
}

impl Row {
    /// A value that anybody may see.
    #[must_use]
    pub fn plain(label: &str, member: &'static str, text: &str) -> Self {
        Self { label: label.to_owned(), member, text: SecretString::from(text), is_secret: false }
    }

    /// A value that opens something.
    #[must_use]
    pub fn secret(label: &str, member: &'static str, text: &SecretString) -> Self {
        Self { label: label.to_owned(), member, text: text.clone(), is_secret: true }
    }
}

/// The page. Its shell bears the title.
#[derive(Template)]
#[template(path = "once/page.html")]
pub struct Once {
    /// What surrounds it.
    pub shell: Shell,
    /// What its reader must know.
    pub lead: String,
    /// The values.
    pub rows: Vec<Row>,
    /// Programs to paste: what each is called, and its text.
    pub programs: Vec<(String, String)>,
    /// The name of the files that the values are taken along in, without its ending; empty where there are none.
    pub file_name: String,
    /// Where the page leads on to: path and label. A reload leads there too.
    pub back: (String, String),
}

/// `POST /console/download`: what a page shows, as a file. The values come from the page itself.
pub async fn download(sent: Submission) -> HttpResponse {
    let members: Vec<(&str, &str)> =
        sent.fields.iter().filter_map(|(name, value)| Some((name.strip_prefix(MEMBER)?, value))).collect();
    let name: String =
        sent.fields.text("file_name").chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let is_env = sent.fields.text("format") == "env";
    let is_member = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if members.is_empty() || name.is_empty() || !members.iter().all(|(member, _)| is_member(member)) {
        let error = crate::admin::AdminError::Unreadable("there is nothing to download".to_owned());
        return answer::refuse(&sent.visit, &error);
    }
    let (end, media_type, text) = if is_env {
        ("env", "text/plain; charset=utf-8", crate::developer::env_file(&members))
    } else {
        let object: serde_json::Map<String, serde_json::Value> =
            members.iter().map(|(member, value)| ((*member).to_owned(), (*value).into())).collect();
        ("json", "application/json", serde_json::to_string_pretty(&object).unwrap_or_default() + "\n")
    };
    HttpResponse::build(StatusCode::OK)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.{end}\"")))
        .content_type(media_type)
        .body(text)
}
