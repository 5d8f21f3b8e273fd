//! The table *Revocation and introspection*, and revocation that bites: on every node, at every door.

use std::time::Duration;

use grantor::admin::organizations::DEFAULT_SLUG;
use grantor::admin::{clients, users};
use grantor::crypto::secret::SecretString;
use grantor::model::client::ClientStatus;
use grantor::model::organization::OrganizationStatus;
use grantor::model::user::UserStatus;
use grantor::store::organizations;
use rstest::rstest;

use crate::harness::{Answer, Database, Server, TestClient, TestUser};
use crate::house::registry::within;

const INACTIVE: &str = r#"{"active":false}"#;

/// How a node may take to hear of what another one ended.
const ELSEWHERE: Duration = Duration::from_secs(1);

fn client(server: &Server) -> TestClient<'_> {
    server.confidential_client().grants(["password", "refresh_token"]).scopes(["openid"]).create()
}

/// A resource server that serves the issuer's own audience.
fn resource_server(server: &Server) -> TestClient<'_> {
    let audience = server.base().to_owned();
    server.confidential_client().may_introspect().change(|new| new.audiences = vec![audience]).create()
}

fn sign_in(client: &TestClient<'_>, user: &TestUser) -> Answer {
    client.password_grant_with(user, &[("scope", "openid")]).ok()
}

/// What ends tokens, and does it.
#[derive(Debug, Clone, Copy)]
pub enum End {
    AccessTokenRevoked,
    RefreshTokenRevoked,
    Replay,
    UserDisabled,
    UserLocked,
    PasswordChanged,
    ClientDisabled,
    SecretRotated,
    OrganizationDisabled,
    KeyRevoked,
}

#[rstest]
fn what_was_ended_on_one_node_is_dead_on_another_within_a_second_at_every_door(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(
        End::AccessTokenRevoked,
        End::RefreshTokenRevoked,
        End::Replay,
        End::UserDisabled,
        End::UserLocked,
        End::PasswordChanged,
        End::ClientDisabled,
        End::SecretRotated,
        End::OrganizationDisabled,
        End::KeyRevoked
    )]
    end: End,
) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let other = server.second_node();
    let user = server.api_user().create();
    // The caller's organization is another one, or its own end would hide what is asked.
    let audience = server.base().to_owned();
    server.run(async |context, by| {
        grantor::admin::organizations::create(context, by, "Elsewhere", "elsewhere").await.unwrap();
    });
    let resource = server
        .confidential_client()
        .may_introspect()
        .change(|new| {
            new.audiences = vec![audience];
            new.organization = Some("elsewhere".to_owned());
        })
        .create();
    let client = client(&server);
    let first = sign_in(&client, &user);
    let mut tokens = first.clone();
    if matches!(end, End::Replay) {
        tokens = client.refresh(&first.refresh_token()).ok();
    }
    let access = tokens.access_token();
    within(ELSEWHERE, || resource.at(&other).introspect(&access).json()["active"] == true);
    // Verified before: what a node remembers must not outlive the end.
    for node in [&server, &other] {
        node.get_with_token("/oauth/userinfo", &access).ok();
        node.get_with_token("/api/v1/me", &access).ok();
        assert_eq!(resource.at(node).introspect(&access).ok().json()["active"], true);
    }

    bring_about(end, &server, &client, &user, &first, &tokens);

    for node in [&server, &other] {
        // At the next request on the node that made the change.
        let most = if std::ptr::eq(node, &server) { Duration::from_millis(1) } else { ELSEWHERE };
        let dead = || {
            resource.at(node).introspect(&access).ok().body == INACTIVE
                && node.get_with_token("/oauth/userinfo", &access).status == 401
                && node.get_with_token("/api/v1/me", &access).status == 401
        };
        within(most, dead);
        let refreshed = client.at(node).refresh(&tokens.refresh_token());
        match end {
            End::AccessTokenRevoked | End::KeyRevoked => assert_eq!(refreshed.status, 200, "{refreshed:?}"),
            _ => assert!(matches!(refreshed.status, 400 | 401), "{refreshed:?}"),
        }
        if matches!(end, End::AccessTokenRevoked | End::KeyRevoked) {
            tokens = refreshed;
            node.get_with_token("/api/v1/me", &tokens.access_token()).ok();
        }
        let signed_in = client.at(node).password_grant(&user);
        match end {
            End::UserDisabled | End::UserLocked | End::PasswordChanged => signed_in.is_refused("invalid_grant"),
            End::ClientDisabled | End::SecretRotated | End::OrganizationDisabled => {
                signed_in.is_refused("invalid_client");
            }
            _ => assert_eq!(signed_in.status, 200, "{signed_in:?}"),
        }
    }
}

fn bring_about(end: End, server: &Server, client: &TestClient<'_>, user: &TestUser, first: &Answer, tokens: &Answer) {
    match end {
        End::AccessTokenRevoked => assert_eq!(client.revoke(&tokens.access_token()).ok().body, "{}"),
        End::RefreshTokenRevoked => assert_eq!(client.revoke(&tokens.refresh_token()).ok().body, "{}"),
        End::Replay => client.refresh(&first.refresh_token()).is_refused("invalid_grant"),
        End::UserDisabled => server.run(async |context, by| {
            users::set_status(context, by, &user.username, UserStatus::Disabled).await.unwrap();
        }),
        End::UserLocked => server.run(async |context, by| {
            users::set_status(context, by, &user.username, UserStatus::Locked).await.unwrap();
        }),
        End::PasswordChanged => server.run(async |context, by| {
            let new = SecretString::from("quite another passphrase");
            grantor::admin::passwords::set(context, by, &user.username, &new).await.unwrap();
        }),
        End::ClientDisabled => server.run(async |context, by| {
            clients::set_status(context, by, &client.id, ClientStatus::Disabled).await.unwrap();
        }),
        End::SecretRotated => server.run(async |context, by| {
            grantor::admin::client_secrets::rotate(context, by, &client.id, None).await.unwrap();
        }),
        // No verb does this yet; the registry must see it all the same.
        End::OrganizationDisabled => server.run(async |context, _| {
            let write = |db: &mut grantor::store::Db| {
                let default = organizations::find(db, DEFAULT_SLUG)?.expect("the first organization");
                organizations::set_status(db, &default.id, OrganizationStatus::Disabled)
            };
            context.change(write).await.unwrap();
        }),
        End::KeyRevoked => server.run(async |context, by| {
            let ring = context.ring.load();
            let kid = ring.signing(context.settings.signing_algorithm, context.clock.now()).unwrap().kid.clone();
            grantor::admin::signing_keys::revoke(context, by, &kid).await.unwrap().expect("a successor signs");
        }),
    }
}

#[rstest]
fn nine_ways_of_being_inactive_are_alike_to_the_byte(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let resource = resource_server(&server);
    let (client, user) = (client(&server), server.api_user().create());
    let disabled = server.api_user().create();
    let elsewhere = server
        .confidential_client()
        .grants(["client_credentials"])
        .audiences(["https://elsewhere.example"])
        .create()
        .client_credentials()
        .ok();
    let expired = sign_in(&client, &user);
    server.clock.advance(3600);
    let (revoked, dead, of_disabled) = (sign_in(&client, &user), sign_in(&client, &user), sign_in(&client, &disabled));
    client.revoke(&revoked.access_token()).ok();
    client.revoke(&dead.refresh_token()).ok();
    server.run(async |context, by| {
        users::set_status(context, by, &disabled.username, UserStatus::Disabled).await.unwrap();
    });
    let alive = sign_in(&client, &user);
    let mut changed = alive.access_token().into_bytes();
    let last = changed.len() - 2;
    changed[last] = if changed[last] == b'A' { b'B' } else { b'A' };
    let changed = String::from_utf8(changed).unwrap();
    assert_eq!(resource.introspect(&alive.access_token()).ok().json()["active"], true);

    let ways = [
        ("garbage", "no token at all".to_owned()),
        ("expired", expired.access_token()),
        ("revoked", revoked.access_token()),
        ("of a dead family", dead.access_token()),
        ("of a disabled user", of_disabled.access_token()),
        ("a changed signature", changed),
        ("for another audience", elsewhere.access_token()),
        ("another client's refresh token", alive.refresh_token()),
        ("an ID token", alive.text("id_token")),
    ];
    let mut alike = None;
    for (way, token) in ways {
        let answer = resource.introspect(&token).ok();
        let headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "x-request-id" | "date"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(answer.body, INACTIVE, "{way}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let headers = format!("{headers:?}");
        assert_eq!(*alike.get_or_insert_with(|| headers.clone()), headers, "{way}");
    }
}

#[rstest]
fn a_token_is_inactive_at_exp_sharp(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("tokens.access_lifetime", 30).start();
    let resource = resource_server(&server);
    let tokens = sign_in(&client(&server), &server.api_user().create());
    let access = tokens.access_token();
    let exp = tokens.claims("access_token")["exp"].as_i64().unwrap();
    let left = |server: &Server| exp * 1_000_000 - server.clock.now().micros();
    server.clock.advance(left(&server) / 1_000_000 - 1);
    assert!(left(&server) > 0);
    assert_eq!(resource.introspect(&access).ok().json()["active"], true);
    // The clock runs on: the last moment before and the first at `exp`.
    while left(&server) > 0 {
        std::thread::sleep(Duration::from_micros(u64::try_from(left(&server)).unwrap_or(0).min(100_000)));
    }
    assert!(left(&server) > -900_000, "within the second of exp itself");
    assert_eq!(resource.introspect(&access).ok().body, INACTIVE);
    assert_eq!(server.get_with_token("/api/v1/me", &access).status, 401);
    assert_eq!(server.get_with_token("/oauth/userinfo", &access).status, 401);
}

#[rstest]
fn a_sign_in_that_races_the_end_of_its_user_leaves_nothing_alive(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let (client, resource) = (client(&server), resource_server(&server));
    for _ in 0..crate::security::rotation::rounds(10) {
        let user = server.api_user().create();
        let answers = crate::security::rotation::in_parallel(6, |index| {
            if index == 0 {
                server.run(async |context, by| {
                    grantor::admin::passwords::rotate(context, by, &user.username).await.unwrap();
                });
                None
            } else {
                Some(client.password_grant(&user))
            }
        });
        for answer in answers.into_iter().flatten().filter(|answer| answer.status == 200) {
            client.refresh(&answer.refresh_token()).is_refused("invalid_grant");
            assert_eq!(resource.introspect(&answer.access_token()).ok().body, INACTIVE);
        }
    }
}
