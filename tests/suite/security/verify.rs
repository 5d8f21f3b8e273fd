//! The row `/verify` of the security tables: any shape of credential, and nothing that is none.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use grantor::admin::api_keys::{self, NewApiKey};
use grantor::admin::{Authority, users};
use grantor::crypto::secret::SecretString;
use grantor::model::api_key::ApiKeyStatus;
use grantor::model::organization::OrganizationStatus;
use grantor::model::reveal::RevealPolicy as Reveal;
use grantor::model::user::UserStatus;
use grantor::store::{memberships, organizations};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;
use serde_json::{Value, json};

use crate::harness::{Answer, Database, Server, TestUser, agent};
use crate::house::registry::within;

/// How a node may take to hear of what another one ended.
const ELSEWHERE: Duration = Duration::from_secs(1);

/// HTTP Basic as RFC 7617 has it for users: nothing is form-encoded.
pub fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}

/// Makes an API key for a user: its id, its text, and the organization's id.
pub fn api_key(server: &Server, user: &TestUser, change: impl FnOnce(&mut NewApiKey)) -> (String, String, String) {
    let mut new = NewApiKey {
        user: Some(user.id.clone()),
        name: None,
        organization: None,
        scopes: None,
        expires_at: None,
        networks: Vec::new(),
        reveal: Reveal::Once,
    };
    change(&mut new);
    let made = server.run(async |context, _| api_keys::create(context, &Authority::operator(), &new).await.unwrap());
    (made.key.id, made.secret.into_exposed(), made.key.organization_id)
}

/// A user and a client, and every shape of credential that they have.
pub struct Caller {
    pub user: TestUser,
    pub client_id: String,
    client_secret: String,
    token: String,
    key: (String, String, String),
}

impl Caller {
    pub fn new(server: &Server) -> Self {
        Self::of(server, server.api_user().permissions(["api:access"]).create())
    }

    fn of(server: &Server, user: TestUser) -> Self {
        let client = server.confidential_client().grants(["password"]).scopes(["orders"]).create();
        let token = client.password_grant(&user).ok().access_token();
        let key = api_key(server, &user, |_| {});
        Self { user, client_id: client.id, client_secret: client.secret, token, key }
    }

    /// Each shape's name and headers.
    pub fn shapes(&self) -> Vec<(&'static str, Vec<(String, String)>)> {
        let owned = |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (_, key, business) = &self.key;
        vec![
            ("jwt", owned(&[("Authorization", &format!("Bearer {}", self.token))])),
            ("password", owned(&[("Authorization", &basic(&self.user.username, &self.user.password))])),
            ("client", owned(&[("Client-ID", &self.client_id), ("Client-Secret", &self.client_secret)])),
            ("key", owned(&[("X-API-Key", key)])),
            ("key of", owned(&[("X-API-Key", key), ("X-User-ID", &self.user.id), ("X-Business-ID", business)])),
        ]
    }
}

fn send(server: &Server, method: &str, path: &str, headers: &[(String, String)]) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.base()));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Answer::of(agent().run(request.body(()).unwrap()))
}

fn verify(server: &Server, headers: &[(String, String)]) -> Answer {
    send(server, "GET", "/verify", headers)
}

fn claims(answer: &Answer) -> Value {
    let part = answer.header("authorization").strip_prefix("Bearer ").unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[rstest]
fn every_shape_opens_every_method_and_says_who_it_is(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let caller = Caller::new(&server);
    let organization = caller.key.2.clone();
    for (shape, headers) in caller.shapes() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            assert_eq!(send(&server, method, "/verify", &headers).status, 200, "{shape} {method}");
        }
        let answer = verify(&server, &headers).ok();
        let is_client = shape == "client";
        let (subject, kind) = if is_client { (&caller.client_id, "client") } else { (&caller.user.id, "api_user") };
        assert_eq!(
            (answer.header("x-auth-subject"), answer.header("x-auth-kind")),
            (subject.as_str(), kind),
            "{shape}"
        );
        assert_eq!(answer.header("x-auth-username"), if is_client { "" } else { &caller.user.username });
        assert_eq!(answer.header("x-auth-organization"), organization);
        assert!(!answer.header("x-auth-credential-id").is_empty(), "{shape}");
        assert_eq!(answer.header("x-auth-scopes"), if is_client { "orders" } else { "" }, "{shape}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("authorization").is_empty(), "{shape}: nobody asked for a token");

        let me = send(&server, "GET", "/api/v1/me", &headers).ok().json();
        assert_eq!((&me["sub"], &me["kind"]), (&json!(subject), &json!(kind)), "{shape}");
        assert_eq!(me["credential_id"], answer.header("x-auth-credential-id"), "{shape}");
        assert_eq!(me["organization_id"], organization.as_str());
        assert_eq!(me.get("expires_at").is_some(), shape == "jwt", "{me}");
        let number = &me["organization_number"];
        let found = send(&server, "GET", &format!("/api/v1/organizations/{number}"), &headers).ok().json();
        assert_eq!((&found["id"], &found["slug"]), (&json!(organization), &json!("default")));
        assert_eq!(send(&server, "GET", "/api/v1/organizations/920012", &headers).status, 404);
    }
}

#[rstest]
fn an_api_key_with_a_wrong_owner_is_401_and_with_another_business_403(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = server.api_user().create();
    let (other, (_, key, business)) = (server.api_user().create(), api_key(&server, &user, |_| {}));
    let elsewhere = server.run(async |context, by| {
        grantor::admin::organizations::create(context, by, "Elsewhere", "elsewhere").await.unwrap()
    });
    let ask = |pairs: &[(&str, &str)]| server.get("/verify", pairs).status;
    let whole =
        |user: &str, business: &str| ask(&[("X-API-Key", &key), ("X-User-ID", user), ("X-Business-ID", business)]);
    assert_eq!((ask(&[("X-API-Key", &key)]), whole(&user.id, &business)), (200, 200));
    assert_eq!(ask(&[("X-User-ID", &user.id), ("X-Business-ID", &business)]), 401);
    assert_eq!(ask(&[("X-API-Key", &key), ("X-User-ID", &user.id)]), 401);
    assert_eq!(ask(&[("X-API-Key", &key), ("X-Business-ID", &business)]), 401);
    for wrong in [other.id.as_str(), "nonsense", ""] {
        assert_eq!(whole(wrong, &business), 401, "{wrong}");
    }
    for malformed in ["nonsense", "", "1", "gr_ak_x"] {
        assert_eq!(whole(&user.id, malformed), 401, "{malformed}");
    }
    let unknown = grantor::crypto::identifier::uuid_v7(server.clock.now(), &grantor::crypto::random::Random::system());
    let answers = [elsewhere.id, unknown, elsewhere.number.to_string(), "999999999".to_owned()].map(|business| {
        let headers = [("X-API-Key", key.as_str()), ("X-User-ID", &user.id), ("X-Business-ID", &business)];
        let answer = server.get("/verify", &headers);
        assert_eq!(answer.status, 403, "{answer:?}");
        answer.without_request_id()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "existing or not: {answers:?}");
    let last = if key.ends_with('x') { "y" } else { "x" };
    assert_eq!(ask(&[("X-API-Key", &format!("{}{last}", &key[..key.len() - 1]))]), 401);
}

#[rstest]
fn a_key_does_no_more_than_it_states_and_its_user_now_may(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    server.confidential_client().scopes(["orders", "returns"]).create();
    let user = server.api_user().permissions(["api:access", "orders", "returns"]).create();
    let all = api_key(&server, &user, |_| {}).1;
    let narrow = api_key(&server, &user, |new| new.scopes = Some(vec!["orders".to_owned()])).1;
    let scopes = |key: &str| server.get("/verify", &[("X-API-Key", key)]).ok().header("x-auth-scopes").to_owned();
    assert_eq!((scopes(&all), scopes(&narrow)), ("orders returns".to_owned(), "orders".to_owned()));
    let asks = |key: &str, query: &str| server.get(&format!("/verify{query}"), &[("X-API-Key", key)]);
    asks(&narrow, "?scope=orders").ok();
    let answer = asks(&narrow, "?scope=orders+returns");
    assert_eq!(answer.status, 403);
    answer.is_refused("insufficient_scope");
    // Below /verify/ a query is the client's own.
    asks(&narrow, "/any/path?scope=returns&x=1").ok();

    let beyond = server.run(async |context, _| {
        let new = NewApiKey {
            user: Some(user.id.clone()),
            name: None,
            organization: None,
            scopes: Some(vec!["users:manage".to_owned()]),
            expires_at: None,
            networks: vec!["nonsense".to_owned()],
            reveal: Reveal::Once,
        };
        api_keys::create(context, &Authority::operator(), &new).await
    });
    let said = beyond.unwrap_err().to_string();
    assert!(said.contains("users:manage") && said.contains("network"), "{said}");

    let expiring = server.clock.now().plus_seconds(30);
    let short = api_key(&server, &user, |new| new.expires_at = Some(expiring)).1;
    let far = api_key(&server, &user, |new| new.networks = vec!["192.0.2.0/24".into(), "2001:db8::/32".into()]).1;
    let near = api_key(&server, &user, |new| new.networks = vec!["192.0.2.1".into(), "127.0.0.0/8".into()]).1;
    assert_eq!(asks(&far, "").status, 403);
    asks(&near, "").ok();
    asks(&short, "").ok();
    server.clock.advance(30);
    assert_eq!(asks(&short, "").status, 401);
}

#[rstest]
fn the_options_are_strict_and_name_an_organization_or_an_audience(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let caller = Caller::new(&server);
    let elsewhere = server.run(async |context, by| {
        grantor::admin::organizations::create(context, by, "Elsewhere", "elsewhere").await.unwrap()
    });
    for (shape, headers) in caller.shapes() {
        let ask = |query: &str| send(&server, "GET", &format!("/verify?{query}"), &headers).status;
        for query in [
            "scope=a&scope=a",
            "scop=a",
            "token=opaque",
            "organization=",
            "scope=",
            "scope=%20",
            "scope=%zz",
            "organization=no",
        ] {
            assert_eq!(ask(query), 403, "{shape}: {query}");
        }
        assert_eq!(ask(&format!("organization={}", caller.key.2)), 200, "{shape}");
        assert_eq!(ask("organization=100001"), 200, "{shape}");
        assert_eq!(ask(&format!("organization={}", elsewhere.id)), 403, "{shape}");
        // Only a JWT is for somebody; the others name the audience of the token that the upstream gets.
        let issuer: String = url::form_urlencoded::byte_serialize(server.base().as_bytes()).collect();
        assert_eq!(ask(&format!("audience={issuer}")), 200, "{shape}");
        assert_eq!(ask("audience=https%3A%2F%2Felsewhere"), if shape == "jwt" { 401 } else { 200 }, "{shape}");
    }
    // A member of another organization, with roles of its own there.
    server.run(async |context, _| {
        let (user, organization) = (caller.user.id.clone(), elsewhere.id.clone());
        let role =
            grantor::admin::roles::find(context, &Authority::operator(), &elsewhere.id, "api user").await.unwrap();
        let now = context.clock.now();
        let join = move |db: &mut grantor::store::Db| {
            memberships::create(db, &user, &organization, now)?;
            memberships::grant_role(db, &user, &organization, &role.id)
        };
        context.change(join).await.unwrap();
    });
    for (shape, headers) in caller.shapes() {
        let path = format!("/verify?organization={}", elsewhere.number);
        let answer = send(&server, "GET", &path, &headers);
        if matches!(shape, "jwt" | "password") {
            assert_eq!(answer.ok().header("x-auth-organization"), elsewhere.id, "{shape}");
            let path = format!("/api/v1/organizations/{}", elsewhere.number);
            send(&server, "GET", &path, &headers).ok();
        } else {
            assert_eq!(answer.status, 403, "{shape}");
        }
    }
}

#[rstest]
fn an_upstream_gets_a_short_token_that_opens_nothing_at_grantor(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let caller = Caller::new(&server);
    let audience = server.base().to_owned();
    let resource = server.confidential_client().may_introspect().change(|new| new.audiences = vec![audience]).create();
    for (shape, headers) in caller.shapes() {
        let answer = send(&server, "GET", "/verify?token=jwt", &headers).ok();
        let told = claims(&answer);
        let subject = if shape == "client" { &caller.client_id } else { &caller.user.id };
        assert_eq!(
            (&told["sub"], &told["iss"], &told["aud"]),
            (&json!(subject), &json!(server.base()), &json!(server.base()))
        );
        assert_eq!(told["client_id"], answer.header("x-auth-credential-id"), "{shape}");
        assert_eq!(told["scope"], answer.header("x-auth-scopes"), "{shape}");
        let lifetime = told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap();
        assert!((1..=300).contains(&lifetime), "{shape}: {lifetime}");
        let token = answer.header("authorization").strip_prefix("Bearer ").unwrap();
        for path in ["/verify", "/api/v1/me", "/oauth/userinfo"] {
            assert_eq!(server.get_with_token(path, token).status, 401, "{shape} {path}");
        }
        assert_eq!(resource.introspect(token).ok().body, r#"{"active":false}"#, "{shape}");
        let other = send(&server, "GET", "/verify?token=jwt&audience=https://orders.example", &headers);
        match shape {
            "jwt" => assert_eq!(other.status, 401),
            _ => assert_eq!(claims(&other.ok())["aud"], "https://orders.example", "{shape}"),
        }
    }
    // No token outlives what it stands for.
    let expiring = server.clock.now().plus_seconds(60);
    let key = api_key(&server, &caller.user, |new| new.expires_at = Some(expiring)).1;
    let told = claims(&server.get("/verify?token=jwt", &[("X-API-Key", &key)]).ok());
    assert!(told["exp"].as_i64().unwrap() <= expiring.seconds(), "{told}");
}

#[rstest]
fn a_username_and_a_password_are_taken_to_the_letter(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let user = server.person().username("jürgen 100%").password("correct: horse: bättery").create();
    let ask = |name: &str, password: &str| server.get("/api/v1/me", &[("Authorization", &basic(name, password))]);
    ask(&user.username, &user.password).ok();
    let answer = server.get("/verify", &[("Authorization", &basic(&user.username, &user.password))]).ok();
    assert_eq!((answer.header("x-auth-username"), answer.header("x-auth-kind")), ("j%C3%BCrgen 100%25", "user"));
    for (name, password) in [
        ("JÜRGEN 100%", user.password.as_str()),
        (&user.username, "Correct: horse: bättery"),
        (&user.username, "correct"),
        (&user.username, ""),
        ("nobody", &user.password),
    ] {
        let answer = ask(name, password);
        assert_eq!(answer.status, 401, "{name} {password}: {answer:?}");
        assert_eq!(answer.without_request_id(), ask("unknown", "x").without_request_id());
    }
}

#[rstest]
fn a_nul_is_refused_at_every_door_and_costs_no_connection(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let administrator = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let authorization = basic(&administrator.username, &administrator.password);
    let headers = [("Authorization", authorization.as_str())];
    let nul = basic("a\0b", "c");
    let json = |method: &str, path: &str, body: &str| {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", server.base()))
            .header("Authorization", &authorization)
            .header("Content-Type", "application/json")
            .body(body.to_owned())
            .unwrap();
        Answer::of(crate::harness::agent().run(request)).status
    };
    for _ in 0..20 {
        assert_eq!(server.get("/verify", &[("Authorization", &nul)]).status, 401);
        assert_eq!(server.get("/api/v1/me", &[("Authorization", &nul)]).status, 401);
        assert_eq!(server.get("/api/v1/users/a%00b", &headers).status, 400);
        assert_eq!(server.get("/api/v1/users?search=a%00b", &headers).status, 400);
        assert_eq!(json("POST", "/api/v1/roles", r#"{"name":"a\u0000b"}"#), 422);
        assert_eq!(json("POST", "/api/v1/password-resets", r#"{"username":"a\u0000b"}"#), 422);
        assert_eq!(server.get("/verify", &headers).status, 200);
    }
    // What only looks like one is text.
    assert_eq!(json("POST", "/api/v1/roles", r#"{"name":"a\\u0000b"}"#), 201);
}

#[rstest]
fn failures_at_verify_count_with_those_at_the_token_endpoint(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let person = server.person().create();
    for number in 0..5 {
        client.password_grant(&person.with_password(&format!("wrong one {number}"))).is_refused("invalid_grant");
        let header = basic(&person.username, &format!("wrong two {number}"));
        assert_eq!(server.get("/verify", &[("Authorization", &header)]).status, 401);
    }
    let header = basic(&person.username, "wrong three");
    let answer = server.get("/verify", &[("Authorization", &header)]);
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{answer:?}");
}

#[rstest]
fn a_known_caller_costs_no_hash_no_write_and_no_read(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let context = server.context();
    let person = server.person().permissions(["api:access"]).create();
    let caller = Caller::of(&server, person);
    for (_, headers) in caller.shapes() {
        verify(&server, &headers).ok();
    }
    for (shape, headers) in caller.shapes() {
        let (before, hashes) = (context.store.figures(), context.login.pool().started());
        for _ in 0..100 {
            verify(&server, &headers).ok();
        }
        let after = context.store.figures();
        assert_eq!(context.login.pool().started(), hashes, "{shape}");
        // What was counted of all of them is stored at once, every two seconds.
        assert!(after.writes - before.writes < 10, "{shape}: {} writes", after.writes - before.writes);
        // The node's own polling reads four times a second.
        assert!(after.reads - before.reads < 50, "{shape}: {} reads", after.reads - before.reads);
    }
    // Remembered for a minute and no longer.
    server.clock.advance(60);
    let hashes = context.login.pool().started();
    verify(&server, &caller.shapes()[1].1).ok();
    assert_eq!(context.login.pool().started(), hashes + 1);
}

/// What ends a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    UserDisabled,
    UserLocked,
    KeyDisabled,
    KeyDeleted,
    RolesTaken,
    MembershipEnded,
    OrganizationDisabled,
    PasswordChanged,
}

#[rstest]
fn what_was_ended_on_one_node_opens_nothing_on_another_within_a_second(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(
        End::UserDisabled,
        End::UserLocked,
        End::KeyDisabled,
        End::KeyDeleted,
        End::RolesTaken,
        End::MembershipEnded,
        End::OrganizationDisabled,
        End::PasswordChanged
    )]
    end: End,
    #[values(false, true)] person: bool,
) {
    let server = Server::start(db);
    let other = server.second_node();
    let user = if person { server.person() } else { server.api_user() };
    let caller = Caller::of(&server, user.permissions(["api:access"]).create());
    let shapes = caller.shapes();
    // What a node remembers must not outlive the end.
    for node in [&server, &other] {
        for (_, headers) in &shapes {
            within(ELSEWHERE, || verify(node, headers).status == 200);
        }
    }

    bring_about(end, &server, &caller);

    for node in [&server, &other] {
        let most = if std::ptr::eq(node, &server) { Duration::from_millis(1) } else { ELSEWHERE };
        for (shape, headers) in &shapes {
            let ended = match end {
                End::UserDisabled | End::RolesTaken | End::MembershipEnded => *shape != "client",
                // Its owner may still sign in from where they have signed in before.
                End::UserLocked => *shape != "client" && !(person && *shape == "password"),
                End::KeyDisabled | End::KeyDeleted => shape.starts_with("key"),
                End::OrganizationDisabled => true,
                End::PasswordChanged => matches!(*shape, "jwt" | "password"),
            };
            if ended {
                within(most, || matches!(verify(node, headers).status, 401 | 403));
                assert_eq!(send(node, "GET", "/api/v1/me", headers).status, verify(node, headers).status, "{shape}");
            } else {
                verify(node, headers).ok();
            }
        }
    }
    if end == End::PasswordChanged {
        let header = basic(&caller.user.username, "quite another passphrase");
        server.get("/verify", &[("Authorization", &header)]).ok();
    }
}

fn bring_about(end: End, server: &Server, caller: &Caller) {
    let (user, key) = (caller.user.clone(), caller.key.clone());
    server.run(async |context, by| match end {
        End::UserDisabled => {
            users::set_status(context, by, &user.username, UserStatus::Disabled).await.unwrap();
        }
        End::UserLocked => {
            users::set_status(context, by, &user.username, UserStatus::Locked).await.unwrap();
        }
        End::KeyDisabled | End::KeyDeleted => {
            let to = if end == End::KeyDeleted { ApiKeyStatus::Deleted } else { ApiKeyStatus::Disabled };
            api_keys::set_status(context, &Authority::operator(), &key.0, to).await.unwrap();
        }
        End::RolesTaken => {
            let (user, organization) = (user.id.clone(), key.2.clone());
            context.change(move |db| memberships::set_roles(db, &user, &organization, &[])).await.unwrap();
        }
        End::MembershipEnded => {
            let (user, organization) = (user.id.clone(), key.2.clone());
            context.change(move |db| memberships::delete(db, &user, &organization)).await.unwrap();
        }
        End::OrganizationDisabled => {
            let id = key.2.clone();
            let disable =
                move |db: &mut grantor::store::Db| organizations::set_status(db, &id, OrganizationStatus::Disabled);
            context.change(disable).await.unwrap();
        }
        End::PasswordChanged => {
            let new = SecretString::from("quite another passphrase");
            grantor::admin::passwords::set(context, by, &user.username, &new).await.unwrap();
        }
    });
}

#[rstest]
fn a_key_is_shown_again_only_where_it_was_made_to_be_and_to_who_may(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = server.api_user().permissions(["api:access"]).create();
    let once = api_key(&server, &user, |_| {});
    let always = api_key(&server, &user, |new| new.reveal = Reveal::Always);
    let reveal = |by: &Authority, id: &str| {
        server.run(async |context, _| api_keys::reveal(context, by, id).await.map(|made| made.secret.into_exposed()))
    };
    let operator = Authority::operator();
    assert_eq!(reveal(&operator, &always.0).unwrap(), always.1);
    assert!(reveal(&operator, &once.0).is_err());
    let as_user = |id: &str, permissions: &[&str]| {
        let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
        Authority::in_organization(operator.actor.clone(), always.2.clone(), Some(id.to_owned()), permissions)
    };
    assert_eq!(reveal(&as_user(&user.id, &["secrets:reveal"]), &always.0).unwrap(), always.1);
    assert!(reveal(&as_user(&user.id, &["api:access"]), &always.0).is_err());
    let stranger = server.api_user().create();
    let said = reveal(&as_user(&stranger.id, &["api_keys:manage", "api:access"]), &always.0).unwrap_err().to_string();
    assert!(said.contains("there is no"), "{said}");
    // An administrator gets no key that may more than they.
    let weak = as_user(&stranger.id, &["api_keys:manage", "users:manage"]);
    assert!(reveal(&weak, &always.0).is_err());
    let strong = as_user(&stranger.id, &["api_keys:manage", "users:manage", "api:access"]);
    assert_eq!(reveal(&strong, &always.0).unwrap(), always.1);
    let events = server.run(async |context, _| {
        let id = always.0.clone();
        context.store.read(move |db| grantor::store::audit::about(db, "api_key", &id)).await.unwrap()
    });
    let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["api_key.created", "api_key.revealed", "api_key.revealed", "api_key.revealed"]);
}

#[rstest]
fn a_key_is_made_for_oneself_or_by_an_administrator_for_an_api_user(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    server.confidential_client().scopes(["orders"]).create();
    let person = server.person().permissions(["api:access"]).create();
    let robot = server.api_user().permissions(["api:access"]).create();
    let organization = api_key(&server, &robot, |_| {}).2;
    let elsewhere = server.run(async |context, actor| {
        grantor::admin::organizations::create(context, actor, "Elsewhere", "elsewhere").await.unwrap()
    });
    let by = |organization: &str, permissions: &[&str]| {
        let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
        let actor = Authority::operator().actor;
        Authority::in_organization(actor, organization.to_owned(), Some(person.id.clone()), permissions)
    };
    let make = |by: &Authority, user: Option<&TestUser>| {
        let new = NewApiKey {
            user: user.map(|user| user.id.clone()),
            name: None,
            organization: None,
            scopes: None,
            expires_at: None,
            networks: Vec::new(),
            reveal: Reveal::Once,
        };
        server.run(async |context, _| api_keys::create(context, by, &new).await).map(|made| made.key)
    };
    let own = by(&organization, &["api:access", "api_keys:manage"]);
    assert_eq!(make(&own, None).unwrap().user_id, person.id);
    assert!(make(&by(&organization, &["api:access"]), None).is_err());
    assert!(make(&own, Some(&robot)).unwrap_err().to_string().contains("users:manage"));
    let admin = by(&organization, &["api:access", "api_keys:manage", "users:manage"]);
    assert_eq!(make(&admin, Some(&robot)).unwrap().user_id, robot.id);
    assert!(make(&admin, Some(&server.person().create())).is_err(), "people make their own");
    let strong = server.api_user().permissions(["api:access", "audit:read"]).create();
    assert!(make(&admin, Some(&strong)).unwrap_err().to_string().contains("audit:read"));
    let worker = server.api_user().permissions(["api:access", "orders"]).create();
    assert!(make(&admin, Some(&worker)).unwrap_err().to_string().contains("orders"));
    let of_scopes = ["api:access", "api_keys:manage", "users:manage", "scopes:manage"];
    make(&by(&organization, &of_scopes), Some(&worker)).unwrap();
    assert!(make(&by(&organization, &of_scopes), Some(&strong)).is_err());
    // What belongs to another organization is not there.
    let stranger = by(&elsewhere.id, &["api:access", "api_keys:manage", "users:manage"]);
    assert!(make(&stranger, Some(&robot)).unwrap_err().to_string().contains("there is no user"));
    let list =
        |by: &Authority| server.run(async |context, _| api_keys::page(context, by, None, "", 200).await.unwrap());
    assert!(list(&own).iter().all(|key| key.user_id == person.id) && list(&own).len() == 1);
    assert_eq!((list(&admin).len(), list(&stranger).len()), (4, 0));
    let theirs = list(&admin).into_iter().find(|key| key.user_id == robot.id).unwrap().id;
    let disable = |by: &Authority| {
        server.run(async |context, _| api_keys::set_status(context, by, &theirs, ApiKeyStatus::Disabled).await)
    };
    assert!(disable(&own).unwrap_err().to_string().contains("there is no"));
    assert!(disable(&stranger).unwrap_err().to_string().contains("there is no"));
    disable(&admin).unwrap();
}

#[rstest]
fn a_change_that_races_readings_is_never_missed(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let user = server.api_user().create();
    let (id, key, _) = api_key(&server, &user, |_| {});
    let ask = || server.get("/verify", &[("X-API-Key", &key)]).status;
    let set = |status: ApiKeyStatus| {
        server.run(async |context, _| {
            api_keys::set_status(context, &Authority::operator(), &id, status).await.unwrap();
        });
    };
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    assert!(matches!(ask(), 200 | 401));
                }
            });
        }
        let missed = (0..crate::security::rotation::rounds(25)).find_map(|round| {
            set(ApiKeyStatus::Disabled);
            let disabled = ask();
            set(ApiKeyStatus::Active);
            let enabled = ask();
            ((disabled, enabled) != (401, 200)).then_some((round, disabled, enabled))
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(missed, None);
    });
}

#[test]
fn a_network_is_that_of_the_client_behind_a_trusted_proxy_alone() {
    let trusting = Server::with(Database::Sqlite).file("[http]\ntrusted_proxies = [\"127.0.0.1\"]\n").start();
    let plain = Server::start(Database::Sqlite);
    for (server, expected) in [(&trusting, [200, 200, 403]), (&plain, [403, 403, 403])] {
        let user = server.api_user().create();
        let networks = vec!["192.0.2.0/24".to_owned(), "2001:db8::/32".to_owned()];
        let key = api_key(server, &user, |new| new.networks = networks).1;
        let statuses = ["192.0.2.7", "2001:db8:1::2", "198.51.100.1"]
            .map(|client| server.get("/verify", &[("X-API-Key", &key), ("X-Forwarded-For", client)]).status);
        assert_eq!(statuses, expected);
    }
}

/// Sends a head to the letter, and answers the status; 0 where the server hangs up instead.
fn raw(server: &Server, headers: &[(String, Vec<u8>)]) -> u16 {
    let mut connection = TcpStream::connect(server.base().trim_start_matches("http://")).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = b"GET /verify HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".to_vec();
    for (name, value) in headers {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    let _ = connection.write_all(&head);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// What is done to a good credential.
#[derive(Debug, Clone)]
enum Garbage {
    Repeat(usize),
    Drop(usize),
    Insert(usize, usize, u8),
    Replace(usize, usize, u8),
    Cut(usize, usize),
    Lengthen(usize, usize),
    Join(usize),
    Add(&'static str),
}

fn garbage() -> impl Strategy<Value = Garbage> {
    let at = 0..1000_usize;
    // No line end and no space: those would make another head of it, or the same value.
    let byte = prop_oneof![0x21..=0x7e_u8, 0x80..=0xff_u8, 0x01..=0x08_u8];
    prop_oneof![
        at.clone().prop_map(Garbage::Repeat),
        at.clone().prop_map(Garbage::Drop),
        (at.clone(), at.clone(), byte.clone()).prop_map(|(a, b, c)| Garbage::Insert(a, b, c)),
        (at.clone(), at.clone(), byte).prop_map(|(a, b, c)| Garbage::Replace(a, b, c)),
        (at.clone(), at.clone()).prop_map(|(a, b)| Garbage::Cut(a, b)),
        (at.clone(), 1..200_000_usize).prop_map(|(a, b)| Garbage::Lengthen(a, b)),
        at.prop_map(Garbage::Join),
        prop_oneof![
            Just("Authorization"),
            Just("Client-ID"),
            Just("Client-Secret"),
            Just("X-API-Key"),
            Just("X-User-ID"),
            Just("X-Business-ID")
        ]
        .prop_map(Garbage::Add),
    ]
}

/// Where a value begins, past the name of the scheme, whose case means nothing.
fn start(value: &[u8]) -> usize {
    value.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1)
}

fn spoilt(headers: &[(String, String)], how: &Garbage) -> Vec<(String, Vec<u8>)> {
    let mut made: Vec<(String, Vec<u8>)> =
        headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
    let which = |number: usize| number % headers.len();
    match *how {
        Garbage::Repeat(number) => made.push(made[which(number)].clone()),
        Garbage::Drop(number) => {
            made.remove(which(number));
        }
        Garbage::Insert(number, at, byte) => {
            let value = &mut made[which(number)].1;
            let from = start(value);
            value.insert(from + at % (value.len() - from + 1), byte);
        }
        Garbage::Replace(number, at, byte) => {
            let value = &mut made[which(number)].1;
            let from = start(value);
            let place = from + at % (value.len() - from);
            value[place] = if value[place] == byte { byte ^ 1 } else { byte };
        }
        Garbage::Cut(number, at) => {
            let value = &mut made[which(number)].1;
            let from = start(value);
            let kept = from + at % (value.len() - from);
            value.truncate(kept);
        }
        Garbage::Lengthen(number, by) => {
            let value = &mut made[which(number)].1;
            value.extend(std::iter::repeat_n(b'A', by));
        }
        Garbage::Join(number) => {
            let value = &mut made[which(number)].1;
            let again = value.clone();
            value.extend_from_slice(b",");
            value.extend(again);
        }
        Garbage::Add(name) if headers.iter().any(|(known, _)| known == name) => {
            made.push((name.to_owned(), b"x".into()))
        }
        Garbage::Add(name) => made.push((name.to_owned(), Vec::new())),
    }
    made
}

#[test]
fn no_garbage_in_headers_is_ever_let_in() {
    let server = Server::with(Database::Sqlite).set("limits.enabled", false).start();
    let caller = Caller::new(&server);
    let shapes = caller.shapes();
    for (shape, headers) in &shapes {
        let good: Vec<_> = headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        assert_eq!(raw(&server, &good), 200, "{shape}: the search is blind");
    }
    let mut runner = TestRunner::new(Config { cases: 500, failure_persistence: None, ..Config::default() });
    let whole = &shapes[4].1;
    runner
        .run(&(0..shapes.len(), garbage()), |(shape, how)| {
            let (name, headers) = &shapes[shape];
            let status = raw(&server, &spoilt(headers, &how));
            prop_assert!(!(200..300).contains(&status), "{name} {how:?}: {status}");
            prop_assert!(!(500..600).contains(&status), "{name} {how:?}: {status}");
            Ok(())
        })
        .unwrap();
    // The one way in which less is not nothing: a key without both of its owner's names.
    assert_eq!(raw(&server, &[(whole[0].0.clone(), whole[0].1.clone().into_bytes())]), 200);
    // And what is no head at all.
    let line = vec![("X-API-Key".to_owned(), b"a\r\n folded".to_vec())];
    assert!(!(200..300).contains(&raw(&server, &line)));
}
