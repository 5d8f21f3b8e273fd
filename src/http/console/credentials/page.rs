//! Sets of credentials: a username and a password for each program. The list, the form that makes one, and one of them.

use std::fmt::Write;

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::credentials::{self, MadeCredentials, SetOrder};
use crate::admin::usage::CredentialUsage;
use crate::admin::{AdminError, Authority, clients};
use crate::crypto::secret::SecretString;
use crate::developer::call::{Call, ClientAccess, PASSWORD, Value};
use crate::developer::snippets::{Language, program};
use crate::http::console::answer;
use crate::http::console::chart::{self, Chart};
use crate::http::console::fields::Form;
use crate::http::console::once::page::{Once, Row};
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::role::CREDENTIALS_MANAGE;
use crate::model::usage::CredentialKind;
use crate::store::user_profiles::UserProfile;

const PATH: &str = "/console/credentials";

#[derive(Template)]
#[template(path = "credentials/page.html")]
struct List {
    shell: Shell,
    rows: Vec<UserProfile>,
    pager: Pager,
    text: String,
    order: SetOrder,
}

impl List {
    /// What a column's heading says of the order to a screen reader.
    fn sorted(&self, up: &str, down: &str) -> &'static str {
        if self.order.as_str() == up {
            "ascending"
        } else if self.order.as_str() == down {
            "descending"
        } else {
            "none"
        }
    }

    /// Where a column's heading leads: its first order, or the other one where the list has that already.
    fn resorted(&self, first: &str, other: &str) -> String {
        let order = if self.order.as_str() == first { other } else { first };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("sort", order);
        if !self.text.is_empty() {
            query.append_pair("q", &self.text);
        }
        format!("{PATH}?{}", query.finish())
    }
}

/// `GET /console/credentials`.
pub async fn list(visit: Visit) -> HttpResponse {
    let text = visit.query("q").unwrap_or_default();
    // An order that is none of ours is a link that somebody has mistyped.
    let order = visit.query("sort").and_then(|word| word.parse().ok()).unwrap_or(SetOrder::Newest);
    let cursor = visit.query("cursor");
    let is_later = cursor.is_some();
    let name = format!("credentials {order} {text}");
    let found = async {
        let window = Paging { limit: None, cursor }.window(visit.context(), &name)?;
        let rows = credentials::search(visit.context(), &visit.by, &text, order, &window.after, window.limit).await?;
        Ok::<_, AdminError>(window.page(visit.context(), &name, rows, |row| order.mark(row), |row| row))
    };
    match found.await {
        Ok(page) => {
            let sort = if order == SetOrder::Newest { "" } else { order.as_str() };
            let pager = Pager::of(&page, PATH, &[("q", &text), ("sort", sort)], is_later);
            answer::ok(&List { shell: titled(&visit, "credentials"), rows: page.items, pager, text, order })
        }
        Err(error) => answer::refuse(&visit, &error),
    }
}

fn titled(visit: &Visit, word: &str) -> Shell {
    let title = visit.shell("").say(word).to_owned();
    visit.shell(&title)
}

#[derive(Template)]
#[template(path = "credentials/form.html")]
struct New {
    shell: Shell,
    form: Form,
}

fn form_page(visit: &Visit, form: Form) -> New {
    New { shell: titled(visit, "new_credentials"), form }
}

/// `GET /console/credentials/new`.
pub async fn form(visit: Visit) -> HttpResponse {
    match visit.by.require(CREDENTIALS_MANAGE) {
        Ok(()) => answer::ok(&form_page(&visit, Form::default())),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/credentials`: the answer shows the password, this once.
pub async fn create(sent: Submission) -> HttpResponse {
    let (visit, fields) = (&sent.visit, &sent.fields);
    let made = credentials::create(visit.context(), &visit.by, fields.text("name"), fields.text("description"), &[]);
    let made = match sent.once(PATH, made).await {
        Ok(made) => made,
        Err(page) => return page,
    };
    match made {
        Ok(made) => answer::ok(&once(visit, fields.text("name"), made)),
        Err(error) => answer::again(sent, error, form_page),
    }
}

fn once(visit: &Visit, name: &str, made: MadeCredentials) -> Once {
    let site = &visit.state.console().site;
    let password = made.user.password.unwrap_or_else(|| SecretString::from(""));
    let client = ClientAccess { id: made.client_id.clone(), secret: None, in_body: false };
    let (username, secret) = (Value::Known(made.user.username.clone()), Value::Known(password.expose().to_owned()));
    let call = Call::password(site, &client, username, secret);
    Once {
        shell: visit.shell(&format!("Credentials created: {name}")),
        lead: "This is shown only now. Download the file or copy the values, and keep them somewhere safe: nobody can \
               show the password again."
            .to_owned(),
        rows: vec![
            Row::plain("Username", "username", &made.user.username),
            Row::secret("Password", "password", &password),
            Row::plain("Client id", "client_id", &made.client_id),
            Row::plain("Token endpoint", "token_endpoint", &site.token_url),
            Row::plain("Scope", "scope", &made.scope),
        ],
        programs: vec![
            ("Get a token with curl; the client secret is empty".to_owned(), token_line(&call, &made.scope)),
            ("Get a token, and ask the API who it belongs to".to_owned(), program(Language::Curl, &call)),
        ],
        file_name: "credentials".to_owned(),
        back: (PATH.to_owned(), visit.shell("").say("credentials").to_owned()),
    }
}

/// The one line that gets a token, as a document would print it. None of the values needs more than single quotes.
fn token_line(call: &Call, scope: &str) -> String {
    let Some(token) = &call.token else { return String::new() };
    let text = |value: &Value| match value {
        Value::Known(text) => text.clone(),
        Value::Variable(name) => format!("${name}"),
    };
    let quoted = |text: String| format!("'{}'", text.replace('\'', "'\\''"));
    let mut line = "curl -sS".to_owned();
    if let Some((id, secret)) = &token.basic {
        // Writing to a text cannot fail.
        let _ = write!(line, " -u {}", quoted(format!("{}:{}", text(id), text(secret))));
    }
    for (name, value) in &token.form {
        let _ = write!(line, " --data-urlencode {}", quoted(format!("{name}={}", text(value))));
    }
    line + &format!(" -d {} {}", quoted(format!("scope={scope}")), quoted(token.url.clone()))
}

#[derive(Template)]
#[template(path = "credentials/one.html")]
struct One {
    shell: Shell,
    set: UserProfile,
    client_id: String,
    token_url: String,
    usage: CredentialUsage,
    charts: Vec<Chart>,
    programs: Vec<(String, String)>,
}

/// `GET /console/credentials/{credentials}`.
pub async fn show(visit: Visit, key: web::Path<String>) -> HttpResponse {
    match one(&visit, &key).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

async fn one(visit: &Visit, key: &str) -> Result<One, AdminError> {
    let context = visit.context();
    let set = credentials::find(context, &visit.by, key).await?;
    let (charts, usage) = chart::of_one(context, CredentialKind::User, &set.id).await?;
    let site = &visit.state.console().site;
    let client_id = context.credentials.programmatic_client_id.clone();
    let client = clients::find(context, &Authority::operator(), &client_id).await?;
    let access = ClientAccess::of(&client, PASSWORD);
    let call = Call::password(site, &access, Value::Known(set.username.clone()), PASSWORD);
    let programs = [(Language::Curl, "curl"), (Language::Python, "Python"), (Language::Node, "Node")];
    Ok(One {
        shell: visit.shell(&set.name),
        client_id,
        token_url: site.token_url.clone(),
        usage,
        charts,
        programs: programs.map(|(language, name)| (name.to_owned(), program(language, &call))).to_vec(),
        set,
    })
}

/// `POST /console/credentials/{credentials}/delete`.
pub async fn delete(sent: Submission, key: web::Path<String>) -> HttpResponse {
    let visit = &sent.visit;
    let own = async {
        let found = credentials::find(visit.context(), &visit.by, &key).await?;
        credentials::is_own(visit.context(), &visit.by, &found).await
    };
    let sent = match own.await {
        Ok(true) => sent,
        // A program of somebody else's stops: that is asked twice.
        Ok(false) => match sent.proven().await {
            Ok(sent) => sent,
            Err(page) => return page,
        },
        Err(error) => return answer::refuse(visit, &error),
    };
    let visit = &sent.visit;
    match credentials::delete(visit.context(), &visit.by, &key).await {
        Ok(()) => answer::see_other(PATH, "deleted"),
        Err(error) => answer::refuse(visit, &error),
    }
}
