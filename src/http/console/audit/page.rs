//! The audit log: filtered, page by page, and whether it is whole.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use crate::admin::audit::{self, Event, Filter, From as Start};
use crate::admin::{AdminError, client_views, organizations};
use crate::audit::Verdict;
use crate::http::console::answer;
use crate::http::console::fields::{Fields, Form};
use crate::http::console::pager::Pager;
use crate::http::console::shell::Shell;
use crate::http::console::submission::Submission;
use crate::http::console::users::page::Choice;
use crate::http::console::visit::Visit;
use crate::http::paging::{Page, Paging};
use crate::model::time::Timestamp;

/// The name of the list, for its cursors.
const LIST: &str = "audit events";

/// What the log is filtered by.
const FILTERS: [&str; 6] = ["actor", "action", "target", "result", "since", "until"];

#[derive(Template)]
#[template(path = "audit/page.html")]
struct Audit {
    shell: Shell,
    form: Form,
    results: [Choice; 3],
    events: Vec<Event>,
    names: HashMap<String, String>,
    pager: Pager,
    may_verify: bool,
    verdict: Option<Verdict>,
}

/// An instant as people write it, in UTC.
fn instant(field: &'static str, text: &str) -> Result<Timestamp, AdminError> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{}:00Z", text.replace(' ', "T")),
        _ => text.to_owned(),
    };
    let parsed = chrono::DateTime::parse_from_rfc3339(&whole);
    let parsed = parsed.map_err(|_| AdminError::invalid(field, "is written as 2030-01-31 or 2030-01-31T12:00"))?;
    Ok(Timestamp::from_micros(parsed.timestamp_micros()))
}

/// The filter of a query, as the page and the download take it.
///
/// # Errors
/// [`AdminError::Invalid`] at the field that cannot be read.
pub(in crate::http::console) fn filter(visit: &Visit) -> Result<Filter, AdminError> {
    let time = |field| visit.query(field).map(|text| instant(field, &text)).transpose();
    Ok(Filter {
        since: time("since")?,
        until: time("until")?,
        actor: visit.query("actor"),
        action: visit.query("action"),
        target: visit.query("target"),
        organization: None,
        // A word that is none of the select's filters nothing.
        result: visit.query("result").and_then(|word| word.parse().ok()),
    })
}

/// What people, applications, roles and organizations in events are called, by their ids; of other organizations nobody.
async fn names(visit: &Visit, events: &[Event]) -> Result<HashMap<String, String>, AdminError> {
    let context = visit.context();
    let both = |event: &Event| {
        let actor = (event.actor_kind.clone(), event.actor.clone());
        [actor, (event.target_kind.clone(), event.target.clone())]
    };
    let people = events.iter().flat_map(both).filter(|(kind, _)| kind == "user").map(|(_, id)| id).collect();
    let mut names = client_views::usernames(context, &visit.by, people).await?;
    let snapshot = context.registry.snapshot();
    for (kind, id) in events.iter().flat_map(both) {
        let name = match kind.as_str() {
            "client" => {
                snapshot.client(&id).filter(|one| visit.by.sees(&one.organization_id)).map(|one| one.label.clone())
            }
            "role" => {
                let is_seen = |own: &Option<String>| own.as_ref().is_none_or(|own| visit.by.sees(own));
                snapshot.role(&id).filter(|one| is_seen(&one.organization_id)).map(|one| one.name.clone())
            }
            "organization" => snapshot.organization(&id).filter(|_| visit.by.sees(&id)).map(|one| one.name.clone()),
            _ => None,
        };
        names.extend(name.map(|name| (id, name)));
    }
    Ok(names)
}

async fn list(visit: &Visit, filter: &Filter, form: Form) -> Result<Audit, AdminError> {
    let context = visit.context();
    let cursor = visit.query("cursor");
    let is_later = cursor.is_some();
    let window = Paging { limit: None, cursor }.window(context, LIST)?;
    let start = window.after.parse().map_or(Start::Newest, Start::Before);
    let limit = usize::try_from(window.limit).unwrap_or_default();
    let found = audit::list(context, &visit.by, filter, start, limit).await?;
    let names = names(visit, &found.events).await?;
    let page: Page<Event> = window.page(context, LIST, found.events, |event| event.seq.to_string(), |event| event);
    let kept: Vec<(&str, String)> = FILTERS.iter().map(|name| (*name, visit.query(name).unwrap_or_default())).collect();
    let kept: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let pager = Pager::of(&page, "/console/audit", &kept, is_later);
    let title = visit.shell("").say("audit").to_owned();
    Ok(Audit {
        shell: visit.shell(&title),
        form,
        results: [("", "All"), ("ok", "Done"), ("refused", "Refused")],
        events: page.items,
        names,
        pager,
        may_verify: organizations::govern(context, &visit.by).await.is_ok(),
        verdict: None,
    })
}

fn asked(visit: &Visit) -> Fields {
    FILTERS.iter().fold(Fields::default(), |fields, name| fields.with(name, &visit.query(name).unwrap_or_default()))
}

/// `GET /console/audit`.
pub async fn show(visit: Visit) -> HttpResponse {
    let (filter, status, form) = match filter(&visit) {
        Ok(filter) => (filter, StatusCode::OK, Form::with(asked(&visit))),
        Err(error) => match Form::refused(asked(&visit), error) {
            Ok(form) => (Filter::default(), StatusCode::UNPROCESSABLE_ENTITY, form),
            Err(error) => return answer::refuse(&visit, &error),
        },
    };
    match list(&visit, &filter, form).await {
        Ok(page) => answer::page(status, &page),
        Err(error) => answer::refuse(&visit, &error),
    }
}

/// `POST /console/audit/verify`: reads the whole chain, which takes its time, and therefore only when it is asked for.
pub async fn verify(sent: Submission) -> HttpResponse {
    let visit = &sent.visit;
    let checked = async {
        let verdict = audit::verify(visit.context(), &visit.by).await?;
        let page = list(visit, &Filter::default(), Form::default()).await?;
        Ok::<_, AdminError>(Audit { verdict: Some(verdict), ..page })
    };
    match checked.await {
        Ok(page) => answer::ok(&page),
        Err(error) => answer::refuse(visit, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_a_day_a_minute_or_a_whole_one() {
        let day = instant("since", "2030-01-31").unwrap();
        assert_eq!(day.rfc3339(), "2030-01-31T00:00:00.000000Z");
        assert_eq!(instant("since", "2030-01-31T00:00").unwrap(), day);
        assert_eq!(instant("since", "2030-01-31 00:00").unwrap(), day);
        assert_eq!(instant("since", "2030-01-31T01:00:00+01:00").unwrap(), day);
        assert!(instant("since", "yesterday").is_err());
    }
}
