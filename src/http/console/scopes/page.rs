//! The catalogue of scopes, and the changes of whoever governs it.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::admin::{AdminError, organizations, scopes};
use crate::http::console::answer;
use crate::http::console::application::head::segment;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::visit::Visit;
use crate::http::paging::Paging;
use crate::model::role::{APPLICATIONS_MANAGE, SCOPES_MANAGE};
use crate::model::scope::{BUILT_IN, CatalogueScope};

const PATH: &str = "/console/scopes";
const LIST: &str = "scopes";

/// A row of the table.
struct Line {
    scope: CatalogueScope,
    path: String,
    is_built_in: bool,
}

impl From<CatalogueScope> for Line {
    fn from(scope: CatalogueScope) -> Self {
        let path = format!("{PATH}/{}", segment(&scope.name));
        Self { path, is_built_in: BUILT_IN.contains(&scope.name.as_str()), scope }
    }
}

#[derive(Template)]
#[template(path = "scopes/page.html")]
struct Scopes {
    shell: Shell,
    lines: Vec<Line>,
    pager: Pager,
    query: String,
    manages: bool,
    form: Form,
}

/// Whether the visitor changes the catalogue, which all organizations share.
async fn manages(visit: &Visit) -> bool {
    visit.holds(SCOPES_MANAGE) && organizations::govern(visit.context(), &visit.by).await.is_ok()
}

fn shell(visit: &Visit) -> Shell {
    let title = visit.shell("").say("scopes").to_owned();
    visit.shell(&title)
}

async fn page(visit: &Visit, form: Form) -> Result<Scopes, AdminError> {
    let context = visit.context();
    if !visit.holds(SCOPES_MANAGE) {
        visit.by.require(APPLICATIONS_MANAGE)?;
    }
    let query = visit.query("q").unwrap_or_default();
    let cursor = visit.query("cursor");
    let is_later = cursor.is_some();
    let window = Paging { limit: None, cursor }.window(context, LIST)?;
    let wanted = query.to_lowercase();
    let has = |scope: &CatalogueScope| {
        scope.name.to_lowercase().contains(&wanted) || scope.description.to_lowercase().contains(&wanted)
    };
    let mut found: Vec<CatalogueScope> =
        scopes::list(context).await?.into_iter().filter(|scope| scope.name > window.after && has(scope)).collect();
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    found.truncate(usize::try_from(window.limit).unwrap_or_default());
    let shown = window.page(context, LIST, found, |scope| scope.name.clone(), Line::from);
    let pager = Pager::of(&shown, PATH, &[("q", &query)], is_later);
    Ok(Scopes { shell: shell(visit), lines: shown.items, pager, query, manages: manages(visit).await, form })
}

/// `GET /console/scopes`.
pub async fn show(visit: Visit) -> HttpResponse {
    match page(&visit, Form::default()).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

fn wanted(fields: &Fields, name: &str) -> CatalogueScope {
    CatalogueScope {
        name: name.to_owned(),
        description: fields.text("description").to_owned(),
        requires_approval: fields.given("requires_approval").is_some(),
        audience: fields.given("audience").map(str::to_owned),
    }
}

/// `POST /console/scopes`: one more.
pub async fn create(sent: Submission) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match scopes::create(visit.context(), &visit.by, wanted(&sent.fields, sent.fields.text("name"))).await {
        Ok(_) => answer::see_other(PATH, "created"),
        Err(error) => match page(visit, Form::default()).await {
            Ok(page) => answer::again(sent, error, |_, form| Scopes { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}

#[derive(Template)]
#[template(path = "scopes/edit.html")]
struct Edit {
    shell: Shell,
    name: String,
    path: String,
    form: Form,
}

async fn edited(visit: &Visit, name: &str, form: Option<Form>) -> Result<Edit, AdminError> {
    visit.by.require(SCOPES_MANAGE)?;
    organizations::govern(visit.context(), &visit.by).await?;
    let scope = scopes::find(visit.context(), name).await?;
    let fields = Fields::default()
        .with("description", &scope.description)
        .with("audience", scope.audience.as_deref().unwrap_or_default())
        .with("requires_approval", if scope.requires_approval { "yes" } else { "" });
    Ok(Edit {
        shell: visit.shell(&scope.name),
        path: format!("{PATH}/{}", segment(&scope.name)),
        name: scope.name,
        form: form.unwrap_or_else(|| Form::with(fields)),
    })
}

/// `GET /console/scopes/{scope}`.
pub async fn edit(visit: Visit, name: web::Path<String>) -> HttpResponse {
    match edited(&visit, &name, None).await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/scopes/{scope}`.
pub async fn save(sent: Submission, name: web::Path<String>) -> HttpResponse {
    let sent = match sent.proven().await {
        Ok(sent) => sent,
        Err(page) => return page,
    };
    let visit = &sent.visit;
    match scopes::update(visit.context(), &visit.by, wanted(&sent.fields, &name)).await {
        Ok(_) => answer::see_other(PATH, "saved"),
        Err(error) => match edited(visit, &name, Some(Form::default())).await {
            Ok(page) => answer::again(sent, error, |_, form| Edit { form, ..page }),
            Err(error) => answer::refuse(visit, &error),
        },
    }
}
