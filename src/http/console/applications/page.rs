//! The applications that one sees, and the making of one.

use actix_web::HttpResponse;
use askama::Template;

use crate::admin::client_views::{self, ClientView};
use crate::admin::clients::{self, NewClient, approves};
use crate::admin::{AdminError, scopes};
use crate::http::console::answer;
use crate::http::console::application::head::{address, reveal_path, shows_id};
use crate::http::console::application::shown;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::client::ClientStatus;
use crate::model::grant_type::GrantType;
use crate::model::reveal::RevealPolicy;
use crate::model::time::Timestamp;
use crate::store::clients::{ClientFilter, ClientOrder, place};

const PATH: &str = "/console/applications";

/// A row of the table.
struct Line {
    path: String,
    label: String,
    client_id: Option<String>,
    reveal: Option<String>,
    status: ClientStatus,
    mode: String,
    owner: Option<String>,
    created_at: Timestamp,
}

impl From<ClientView> for Line {
    fn from(view: ClientView) -> Self {
        let client = view.client;
        Self {
            path: address(&client.client_id),
            reveal: view.revealable.map(|secret| reveal_path(&client.client_id, &secret)),
            client_id: shows_id(client.status).then_some(client.client_id),
            label: client.label,
            status: client.status,
            mode: client.mode.to_string(),
            owner: view.owner,
            created_at: view.created_at,
        }
    }
}

#[derive(Template)]
#[template(path = "applications/page.html")]
struct Applications {
    shell: Shell,
    lines: Vec<Line>,
    pager: Pager,
    query: String,
    order: ClientOrder,
    shows_secrets: bool,
    approves: bool,
}

/// `GET /console/applications`.
pub async fn show(visit: Visit) -> HttpResponse {
    match listed(&visit).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

async fn listed(visit: &Visit) -> Result<Applications, AdminError> {
    let context = visit.context();
    let query = visit.query("q").unwrap_or_default();
    let order = visit.query("sort").and_then(|word| word.parse().ok()).unwrap_or(ClientOrder::Newest);
    let cursor = visit.query("cursor");
    let is_later = cursor.is_some();
    // A place in one order is none in another.
    let list = format!("applications by {order}");
    let window = Paging { limit: None, cursor }.window(context, &list)?;
    let part = Some(query.clone()).filter(|text| !text.is_empty());
    let filter = ClientFilter { part, order, ..ClientFilter::default() };
    let rows = client_views::page(context, &visit.by, filter, &window.after, window.limit).await?;
    let at = |row: &ClientView| place(&row.client, row.created_at, order);
    let page = window.page(context, &list, rows, at, Line::from);
    let pager = Pager::of(&page, PATH, &[("q", &query), ("sort", order.as_str())], is_later);
    let title = visit.shell("").say("applications").to_owned();
    Ok(Applications {
        shell: visit.shell(&title),
        lines: page.items,
        pager,
        query,
        order,
        shows_secrets: context.credentials.reveal.client_secret == RevealPolicy::Always,
        approves: approves(&visit.by),
    })
}

#[derive(Template)]
#[template(path = "applications/new.html")]
struct New {
    shell: Shell,
    form: Form,
    approves: bool,
    grants: Vec<(&'static str, &'static str, &'static str)>,
    modes: Vec<(&'static str, &'static str)>,
    kinds: Vec<(&'static str, &'static str)>,
    scopes: Vec<(String, String, String)>,
}

/// The fields that the form shows; what is wrong with others stands above it.
const SHOWN: &str = "label description purpose grant_types mode kind scopes justification audiences client_id \
     access_lifetime idle_lifetime absolute_lifetime reuse_window may_introspect";

impl New {
    /// For the template, which knows no constants.
    fn shown() -> &'static str {
        SHOWN
    }
}

async fn form(visit: &Visit, form: Form) -> Result<New, AdminError> {
    visit.by.require(crate::model::role::APPLICATIONS_MANAGE)?;
    let context = visit.context();
    let title = visit.shell("").say("new_application").to_owned();
    let explained = |grant: GrantType| match grant {
        GrantType::Password => ("password", "password", "for a user, whose username and password it sends"),
        GrantType::RefreshToken => ("refresh_token", "refresh_token", "a new token without the password"),
        GrantType::ClientCredentials => ("client_credentials", "client_credentials", "for the application itself"),
    };
    let known = scopes::list(context).await?;
    let scopes = known.into_iter().map(|scope| {
        let approval = if scope.requires_approval { " Needs an approval." } else { "" };
        (scope.name.clone(), scope.name, format!("{}{approval}", scope.description).trim().to_owned())
    });
    Ok(New {
        shell: visit.shell(&title),
        form,
        approves: approves(&visit.by),
        grants: context.settings.grants().map(explained).collect(),
        modes: vec![("live", "live: it works on real data"), ("test", "test: its secrets say so")],
        kinds: vec![("confidential", "confidential: it can keep a secret"), ("public", "public: it has no secret")],
        scopes: scopes.collect(),
    })
}

/// `GET /console/applications/new`.
pub async fn new(visit: Visit) -> HttpResponse {
    let ticked = visit.context().credentials.new_client_grants.iter();
    let fields = ticked.fold(Fields::default(), |fields, grant| fields.with("grant_types", grant.as_str()));
    match form(&visit, Form::with(fields)).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// A number of seconds, where one was typed.
fn seconds(fields: &Fields, name: &'static str) -> Result<Option<i64>, AdminError> {
    let number = |text: &str| text.parse().map_err(|_| AdminError::invalid(name, "is a number of seconds"));
    fields.given(name).map(number).transpose()
}

fn wanted(fields: &Fields) -> Result<NewClient, AdminError> {
    let all = |name: &str| fields.all(name).map(str::to_owned).collect();
    Ok(NewClient {
        label: fields.text("label").to_owned(),
        description: fields.text("description").to_owned(),
        purpose: fields.text("purpose").to_owned(),
        client_id: fields.given("client_id").map(str::to_owned),
        grant_types: all("grant_types"),
        public: fields.text("kind") == "public",
        mode: fields.given("mode").map(str::to_owned),
        scopes: all("scopes"),
        justification: fields.text("justification").to_owned(),
        audiences: fields.text("audiences").split_whitespace().map(str::to_owned).collect(),
        may_introspect: fields.given("may_introspect").is_some(),
        access_lifetime: seconds(fields, "access_lifetime")?,
        idle_lifetime: seconds(fields, "idle_lifetime")?,
        absolute_lifetime: seconds(fields, "absolute_lifetime")?,
        reuse_window: seconds(fields, "reuse_window")?,
        ..NewClient::default()
    })
}

/// `POST /console/applications`.
pub async fn create(sent: Submission) -> HttpResponse {
    // What whoever approves makes works at once.
    let works_at_once = approves(&sent.visit.by);
    let sent = match sent.proven_if(works_at_once).await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    let made = async {
        let new = wanted(&sent.fields)?;
        clients::create(visit.context(), &visit.by, &new).await
    };
    let made = match sent.once(PATH, made).await {
        Ok(made) => made,
        Err(page) => return page,
    };
    match made {
        Ok(made) => match &made.secret {
            Some(secret) => {
                let back = (PATH.to_owned(), visit.shell("").say("applications").to_owned());
                let lead = shown::lead(visit, &made.client.client_id);
                shown::once(visit, &format!("{} is made", made.client.label), &made.client, secret, lead, back)
            }
            None if made.client.status == ClientStatus::Pending => {
                answer::see_other(&address(&made.client.client_id), "registered")
            }
            None => answer::see_other(&address(&made.client.client_id), "created"),
        },
        Err(error) => match form(visit, Form::default()).await {
            Ok(page) => answer::again(sent, error, |_, form| New { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}
