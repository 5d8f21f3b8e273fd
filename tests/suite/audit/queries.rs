//! Reading the log: filters, pages, and who sees what.

use std::collections::BTreeSet;

use grantor::admin::audit::{self, Filter, From};
use grantor::admin::{AdminError, Authority, organizations};
use grantor::model::audit::{Actor, AuditResult};
use rstest::rstest;

use crate::harness::{Database, Server};

fn of(organization: &str, permissions: &[&str]) -> Authority {
    let permissions: BTreeSet<String> = permissions.iter().map(|permission| (*permission).to_owned()).collect();
    Authority::in_organization(Actor::command_line(), organization.to_owned(), None, permissions)
}

#[rstest]
fn pages_follow_each_other_without_gaps_in_both_orders(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    for _ in 0..7 {
        server.confidential_client().create();
    }
    let by = Authority::operator();
    server.run(async |context, _| {
        let filter = Filter { action: Some("client.created".to_owned()), ..Filter::default() };
        let all = audit::list(context, &by, &filter, From::Newest, 1000).await.unwrap();
        assert!(all.next.is_none() && all.events.len() >= 7, "{all:?}");
        let whole: Vec<i64> = all.events.iter().map(|event| event.seq).collect();
        assert!(whole.is_sorted_by(|a, b| a > b), "newest first: {whole:?}");

        let (mut newest, mut from) = (Vec::new(), From::Newest);
        loop {
            let page = audit::list(context, &by, &filter, from, 3).await.unwrap();
            assert!(page.events.len() <= 3);
            newest.extend(page.events.iter().map(|event| event.seq));
            let Some(next) = page.next else { break };
            from = From::Before(next);
        }
        assert_eq!(newest, whole);
        let (mut oldest, mut after) = (Vec::new(), Some(0));
        while let Some(seq) = after {
            let page = audit::list(context, &by, &filter, From::After(seq), 2).await.unwrap();
            oldest.extend(page.events.iter().map(|event| event.seq));
            after = page.next;
        }
        oldest.reverse();
        assert_eq!(oldest, whole);
    });
}

#[rstest]
fn every_filter_holds(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().create();
    server.clock.advance(3600);
    let middle = server.clock.now();
    let user = server.api_user().create();
    let by = Authority::operator();
    let found = |filter: Filter| {
        server.run(async |context, _| audit::list(context, &by, &filter, From::Newest, 1000).await.unwrap().events)
    };
    let everything = found(Filter::default());
    let target = found(Filter { target: Some(client.id.clone()), ..Filter::default() });
    assert_eq!(target.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["client.created"]);
    let since = found(Filter { since: Some(middle), ..Filter::default() });
    let until = found(Filter { until: Some(middle), ..Filter::default() });
    assert!(since.iter().any(|event| event.target == user.id) && since.iter().all(|event| event.time >= middle));
    assert!(until.iter().any(|event| event.target == client.id) && until.iter().all(|event| event.time < middle));
    assert_eq!(since.len() + until.len(), everything.len());
    let users = found(Filter { action: Some("user.*".to_owned()), ..Filter::default() });
    assert!(!users.is_empty() && users.iter().all(|event| event.action.starts_with("user.")), "{users:?}");
    assert!(found(Filter { action: Some("user".to_owned()), ..Filter::default() }).is_empty());
    let actor = found(Filter { actor: Some("cli".to_owned()), ..Filter::default() });
    assert!(!actor.is_empty() && actor.iter().all(|event| event.actor == "cli"));
    assert!(found(Filter { result: Some(AuditResult::Refused), ..Filter::default() }).is_empty());
    assert_eq!(found(Filter { result: Some(AuditResult::Ok), ..Filter::default() }).len(), everything.len());
}

#[rstest]
fn an_organization_sees_its_own_events_alone(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    server.confidential_client().create();
    server.run(async |context, by| {
        let other = organizations::create(context, by, "Other", "other").await.unwrap();
        let by = of(&other.id, &["audit:read"]);
        let seen = audit::list(context, &by, &Filter::default(), From::Newest, 1000).await.unwrap().events;
        assert_eq!(seen.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["organization.created"]);
        // A filter reaches no further.
        let default = organizations::reached(context, &Authority::operator(), None).await.unwrap().id;
        let asked = Filter { organization: Some(default), ..Filter::default() };
        assert!(audit::list(context, &by, &asked, From::Newest, 10).await.unwrap().events.is_empty());

        let nobody = of(&other.id, &["users:manage"]);
        let refused = audit::list(context, &nobody, &Filter::default(), From::Newest, 10).await;
        assert!(matches!(refused, Err(AdminError::Forbidden(_))), "{refused:?}");
        assert!(matches!(audit::verify(context, &by).await, Err(AdminError::Forbidden(_))));
        assert!(audit::verify(context, &Authority::operator()).await.is_ok());
    });
}
