//! RFC 6749 §6, RFC 9700 §4.14: refresh tokens.

use grantor::store::audit;
use rstest::rstest;

use crate::harness::{Database, Server};

#[rstest]
fn a_replayed_refresh_token_revokes_its_family(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let first = client.password_grant(&server.person().create()).ok();
    let second = client.refresh(&first.refresh_token()).ok();

    client.refresh(&first.refresh_token()).is_refused("invalid_grant");

    client.refresh(&second.refresh_token()).is_refused("invalid_grant");
    let family = first.claims("access_token")["sid"].as_str().unwrap().to_owned();
    let events = server
        .run(async |context, _| context.store.read(move |db| audit::about(db, "token_family", &family)).await.unwrap());
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].action.as_str(), events[0].details.contains("reason=reuse")), ("token_family.revoked", true));
}

#[rstest]
fn the_refresh_token_was_issued_to_another_client(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let other = server.confidential_client().grants(["refresh_token"]).create();
    let tokens = client.password_grant(&server.person().create()).ok();

    other.refresh(&tokens.refresh_token()).is_refused("invalid_grant");

    client.refresh(&tokens.refresh_token()).ok();
}
