//! What nobody uses, and who still uses what should come to an end, with the way out of it.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::AdminError;
use crate::admin::clients::approves;
use crate::admin::reports::{self, IDLE_DAYS, IdleRow, UserRow};
use crate::http::console::answer;
use crate::http::console::application::head::{address, segment};
use crate::http::console::application::shown;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::model::role::{API_KEYS_MANAGE, USERS_MANAGE};
use crate::model::usage::CredentialKind;

const PATH: &str = "/console/reports";

/// The panel of one's own keys.
const OWN_KEYS: &str = "/console/profile/api-keys";

/// Rows of each list; the command line prints all.
const ROWS: usize = 25;

/// Days that are looked back upon for Basic and the password grant.
const DAYS: i64 = 30;

/// A list, as much of it as the page shows.
struct Part<T> {
    rows: Vec<T>,
    left: usize,
}

impl<T> Part<T> {
    fn of(mut rows: Vec<T>) -> Self {
        let left = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        Self { rows, left }
    }
}

/// Those who use one thing that should end.
struct Users {
    id: &'static str,
    title: &'static str,
    lead: &'static str,
    none: &'static str,
    command: &'static str,
    part: Part<UserRow>,
}

#[derive(Template)]
#[template(path = "reports/page.html")]
struct Reports {
    shell: Shell,
    users: Vec<Users>,
    idle: Part<IdleRow>,
    scopes: Part<IdleRow>,
    days: i64,
    moves: bool,
    manages_users: bool,
    manages_keys: bool,
    own_id: Option<String>,
}

impl Reports {
    /// Where a row leads, if its reader may go there.
    fn path(&self, row: &IdleRow) -> Option<String> {
        match (row.kind, &row.user_id) {
            ("user", _) => self.manages_users.then(|| format!("/console/users/{}", segment(&row.id))),
            ("api_key", Some(user)) if Some(user.as_str()) == self.own_id.as_deref() => Some(OWN_KEYS.to_owned()),
            ("api_key", Some(user)) => self.manages_keys.then(|| format!("/console/users/{}/api-keys", segment(user))),
            ("api_key", None) => None,
            _ => Some(address(&row.id)),
        }
    }

    /// The same for somebody who uses what should end.
    fn page_of(&self, row: &UserRow) -> Option<String> {
        match row.kind {
            CredentialKind::User => self.manages_users.then(|| format!("/console/users/{}", segment(&row.id))),
            _ => Some(address(&row.id)),
        }
    }
}

async fn page(visit: &Visit) -> Result<Reports, AdminError> {
    let (context, by) = (visit.context(), &visit.by);
    let basic = reports::basic(context, by, DAYS).await?;
    let password = reports::password_grant(context, by, DAYS).await?;
    let title = visit.shell("").say("reports").to_owned();
    Ok(Reports {
        shell: visit.shell(&title),
        users: vec![
            Users {
                id: "basic",
                title: "Who uses HTTP Basic",
                lead: "Username and password in each request, within 30 days.",
                none: "Nobody sent a username and password in HTTP Basic within 30 days.",
                command: "grantor report basic --days 30",
                part: Part::of(basic),
            },
            Users {
                id: "password",
                title: "Who uses the password grant",
                lead: "Tokens for a username and password, within 30 days.",
                none: "Nobody used the password grant within 30 days.",
                command: "grantor report password-grant --days 30",
                part: Part::of(password),
            },
        ],
        idle: Part::of(reports::idle(context, by, IDLE_DAYS).await?),
        scopes: Part::of(reports::unused_scopes(context, by, IDLE_DAYS).await?),
        days: IDLE_DAYS,
        moves: approves(by),
        manages_users: visit.holds(USERS_MANAGE),
        manages_keys: visit.holds(USERS_MANAGE) && visit.holds(API_KEYS_MANAGE),
        own_id: Some(visit.user_id().to_owned()).filter(|_| visit.holds(API_KEYS_MANAGE)),
    })
}

/// `GET /console/reports`.
pub async fn show(visit: Visit) -> HttpResponse {
    match page(&visit).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/reports/successor`: a client for client credentials, in the place of Basic or of the password grant.
pub async fn succeed(sent: Submission) -> HttpResponse {
    if !approves(&sent.visit.by) {
        let error = AdminError::Forbidden("only whoever approves applications makes one in another's place".to_owned());
        return answer::refuse(&sent.visit, &error);
    }
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let (visit, id) = (&sent.visit, sent.fields.text("id"));
    let made = async {
        let kind = sent.fields.text("kind").parse::<CredentialKind>();
        let kind = kind.map_err(|_| AdminError::Unreadable("that is no kind of credential".to_owned()))?;
        reports::succeed(visit.context(), &visit.by, kind, id).await
    };
    let (made, left_out) = match sent.once(PATH, made).await {
        Ok(Ok(made)) => made,
        Ok(Err(error)) => return answer::refuse(visit, &error),
        Err(page) => return page,
    };
    let back = (PATH.to_owned(), visit.shell("").say("reports").to_owned());
    let Some(secret) = &made.secret else { return answer::see_other(&address(&made.client.client_id), "created") };
    let left_out = match left_out.as_slice() {
        [] => String::new(),
        names => format!("It acts in one organization: what the user may do in {} is left out. ", names.join(", ")),
    };
    let lead = format!(
        "It has the same roles and scopes. {left_out}What is used now goes on working: move its programs to this, then end it. {}",
        shown::lead(visit, &made.client.client_id)
    );
    shown::once(visit, &format!("{} is made", made.client.label), &made.client, secret, lead, back)
}
