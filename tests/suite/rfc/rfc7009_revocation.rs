//! RFC 7009: token revocation.

use rstest::rstest;

use crate::harness::{Database, Server, TestClient};

fn client(server: &Server) -> TestClient<'_> {
    server.confidential_client().grants(["password", "refresh_token"]).may_introspect().create()
}

#[rstest]
fn an_unknown_token_is_no_error_and_the_answer_is_an_empty_object(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    // §2.2: the purpose of the revocation request, invalidating the token, is already achieved.
    let server = Server::start(db);
    let client = client(&server);
    let tokens = client.password_grant(&server.api_user().create()).ok();
    let mut changed = tokens.refresh_token();
    changed.insert(20, 'A');
    for token in ["unknown", "gr_rt_x", "a.b.c", "\u{fc}", &changed, &tokens.text("token_type")] {
        let answer = client.revoke(token).ok();
        assert_eq!((answer.body.as_str(), answer.header("content-type")), ("{}", "application/json"), "{token}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    client.refresh(&tokens.refresh_token()).ok();
}

#[rstest]
fn a_token_of_another_client_stays_alive(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let (client, other) = (client(&server), client(&server));
    let tokens = client.password_grant(&server.api_user().create()).ok();
    for token in [tokens.access_token(), tokens.refresh_token()] {
        assert_eq!(other.revoke(&token).ok().body, "{}");
    }
    assert_eq!(client.introspect(&tokens.access_token()).ok().json()["active"], true);
    client.refresh(&tokens.refresh_token()).ok();
}

#[rstest]
fn a_refresh_token_of_any_generation_ends_the_family_and_its_access_tokens(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(0, 1, 2)] generation: usize,
) {
    // §2.1: the authorization server SHOULD also invalidate all access tokens based on the same grant.
    let server = Server::with(db).set("refresh.reuse_window", 60).start();
    let client = client(&server);
    let mut answers = vec![client.password_grant(&server.api_user().create()).ok()];
    for _ in 0..2 {
        answers.push(client.refresh(&answers.last().unwrap().refresh_token()).ok());
    }
    client.revoke(&answers[generation].refresh_token()).ok();
    for answer in &answers {
        client.refresh(&answer.refresh_token()).is_refused("invalid_grant");
        assert_eq!(client.introspect(&answer.access_token()).ok().body, r#"{"active":false}"#);
    }
    client.revoke(&answers[generation].refresh_token()).ok();
}

#[rstest]
fn an_access_token_ends_alone(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let first = client.password_grant(&server.api_user().create()).ok();
    let second = client.refresh(&first.refresh_token()).ok();
    client.revoke(&first.access_token()).ok();
    client.revoke(&first.access_token()).ok();
    assert_eq!(client.introspect(&first.access_token()).ok().body, r#"{"active":false}"#);
    assert_eq!(client.introspect(&second.access_token()).ok().json()["active"], true);
    client.refresh(&second.refresh_token()).ok();
}

#[rstest]
fn a_wrong_hint_changes_nothing(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    // §2.1: if the server is unable to locate the token using the given hint, it MUST extend its search.
    let server = Server::start(db);
    let client = client(&server);
    let user = server.api_user().create();
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        let tokens = client.password_grant(&user).ok();
        for token in [tokens.access_token(), tokens.refresh_token()] {
            client.post("/oauth/revoke", &[("token", &token), ("token_type_hint", hint)]).ok();
        }
        assert_eq!(client.introspect(&tokens.access_token()).ok().json()["active"], false, "{hint}");
        client.refresh(&tokens.refresh_token()).is_refused("invalid_grant");
    }
}

#[rstest]
fn the_client_authenticates_and_names_a_token(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = client(&server);
    let tokens = client.password_grant(&server.api_user().create()).ok();
    client.post("/oauth/revoke", &[]).is_refused("invalid_request");
    client.post("/oauth/revoke", &[("token", "")]).is_refused("invalid_request");
    let wrong = TestClient { secret: "wrong".to_owned(), ..client.clone() };
    wrong.revoke(&tokens.refresh_token()).is_refused("invalid_client");
    server.post("/oauth/revoke", &[("token", &tokens.refresh_token())], &[]).is_refused("invalid_client");
    client.refresh(&tokens.refresh_token()).ok();
}

#[rstest]
fn a_public_client_revokes_its_own_tokens(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.public_client().grants(["password", "refresh_token"]).create();
    let tokens = client.password_grant(&server.api_user().create()).ok();
    server.post("/oauth/revoke", &[("client_id", &client.id), ("token", &tokens.refresh_token())], &[]).ok();
    client.refresh(&tokens.refresh_token()).is_refused("invalid_grant");
}
