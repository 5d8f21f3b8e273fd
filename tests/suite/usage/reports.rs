//! Reports.

use grantor::admin::Authority;
use grantor::admin::reports::{IdleRow, basic, idle, password_grant, unused_scopes};
use grantor::login::Network;
use grantor::model::usage::{BASIC, Credential, UsageDetail};
use rstest::rstest;

use crate::harness::{Database, Server};

const DAY: i64 = 86_400;

fn ids<'a>(rows: &'a [IdleRow], kind: &str) -> Vec<&'a str> {
    rows.iter().filter(|row| row.kind == kind).map(|row| row.id.as_str()).collect()
}

#[rstest]
fn what_was_not_used_for_ninety_days_is_idle(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let by = Authority::operator();
    let busy = server.confidential_client().grants(["client_credentials"]).scopes(["a:read", "a:write"]).create();
    let quiet = server.confidential_client().grants(["client_credentials"]).create();
    let user = server.api_user().create();
    server.clock.advance(91 * DAY);
    let young = server.confidential_client().create();
    busy.token(&[("grant_type", "client_credentials"), ("scope", "a:read")]).ok();
    server.run(async |context, _| {
        context.store_collected(false).await.unwrap();
        let rows = idle(context, &by, 90).await.unwrap();
        let clients = ids(&rows, "client");
        assert!(clients.contains(&quiet.id.as_str()), "{rows:?}");
        assert!(!clients.contains(&busy.id.as_str()) && !clients.contains(&young.id.as_str()), "{rows:?}");
        assert!(ids(&rows, "user").contains(&user.id.as_str()), "{rows:?}");
        let secrets = ids(&rows, "client_secret");
        assert!(secrets.contains(&quiet.id.as_str()) && !secrets.contains(&busy.id.as_str()), "{rows:?}");
        let quiet_row = rows.iter().find(|row| row.kind == "client" && row.id == quiet.id).unwrap();
        assert_eq!(quiet_row.command.as_deref(), Some(format!("grantor client disable {}", quiet.id).as_str()));
        assert!(quiet_row.last_used_at.is_none());
        assert!(idle(context, &by, 200).await.unwrap().is_empty(), "nothing is so old");

        let unused = unused_scopes(context, &by, 90).await.unwrap();
        let of_busy: Vec<_> = unused.iter().filter(|row| row.id == busy.id).map(|row| row.part.as_deref()).collect();
        assert_eq!(of_busy, [Some("a:write")]);
    });
    // A last use is a long time ago one day, too.
    server.clock.advance(91 * DAY);
    server.run(async |context, _| {
        let rows = idle(context, &by, 90).await.unwrap();
        let row = rows.iter().find(|row| row.kind == "client" && row.id == busy.id).unwrap();
        assert!(row.last_used_at.is_some(), "{row:?}");
    });
}

#[rstest]
fn whoever_uses_the_password_grant_or_basic_gets_the_command_that_ends_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let by = Authority::operator();
    let client = server.confidential_client().grants(["password"]).scopes(["orders:read"]).create();
    let user = server.api_user().permissions(["api:access", "orders:read"]).create();
    let other = server.api_user().create();
    for _ in 0..3 {
        client.password_grant(&user).ok();
    }
    let network = Network::of("192.0.2.1".parse().unwrap());
    server.context().usage.verified_by(Credential::user(&other.id), &[(UsageDetail::Method, BASIC)], network);
    let command = server.run(async |context, _| {
        context.store_collected(false).await.unwrap();
        let rows = password_grant(context, &by, 90).await.unwrap();
        let named: Vec<_> = rows.iter().map(|row| (row.kind.as_str(), row.id.clone(), row.count)).collect();
        assert_eq!(named, [("client", client.id.clone(), 3), ("user", user.id.clone(), 3)]);
        let rows_of_basic = basic(context, &by, 90).await.unwrap();
        assert_eq!(rows_of_basic.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), [other.id.as_str()]);
        rows[1].command.clone()
    });
    assert!(command.starts_with("grantor client create --label "), "{command}");
    for part in [" --grant-type client_credentials", " --scope orders:read", " --role "] {
        assert!(command.contains(part), "{part}: {command}");
    }
    server.clock.advance(91 * DAY);
    server.run(async |context, _| assert!(password_grant(context, &by, 90).await.unwrap().is_empty()));
}
