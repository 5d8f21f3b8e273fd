//! The table *Client authentication*: RFC 6749 §2.3, in every way that clients do it.
//! One table is one file, so this one is long.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::admin::clients::{self, NewClient};
use grantor::admin::organizations;
use grantor::model::client::ClientSecret;
use grantor::model::client::ClientStatus;
use grantor::model::organization::OrganizationStatus;
use grantor::oauth::client_authentication::SECRET_DIGEST_PURPOSE;
use grantor::store::clients::NewSecret;
use rstest::rstest;

use crate::harness::{Answer, Database, Server, TestClient, basic};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

/// Within one second every node knows; and a second for a machine with other things to do.
const SOON: Duration = Duration::from_secs(2);

fn confidential(server: &Server) -> TestClient<'_> {
    server.confidential_client().grants(["client_credentials"]).may_introspect().create()
}

fn pinned<'a>(server: &'a Server, method: &str) -> TestClient<'a> {
    let method = Some(method.to_owned());
    server
        .confidential_client()
        .grants(["client_credentials"])
        .change(|new| new.authentication_method = method)
        .create()
}

#[track_caller]
fn is_challenged(answer: &Answer) {
    assert_eq!(answer.status, 401, "{answer:?}");
    answer.is_refused("invalid_client");
    assert!(answer.header("www-authenticate").starts_with("Basic realm="), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// One way of asking for something as a client.
type Ask<'a> = &'a dyn Fn(&TestClient<'_>) -> Answer;

#[rstest]
fn the_client_identifier_and_the_secret_are_form_encoded_in_basic(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    for name in ["a:b", "50%", "50%25", "a+b", "a b", "ü", "a:% + ü&=\"", "%3A"] {
        let new = NewClient {
            label: format!("client {name}"),
            client_id: Some(name.to_owned()),
            grant_types: vec!["client_credentials".to_owned()],
            ..NewClient::default()
        };
        // A secret that an older server gave out, say: of ours none needs an escape.
        let secret = format!("{name} of a client");
        server.run(async |context, by| {
            clients::create(context, by, &new).await.expect("a client");
            let digest = context.data_keys.digest.digest(SECRET_DIGEST_PURPOSE, secret.as_bytes());
            let stored = ClientSecret { id: format!("id of {name}"), digest: *digest.as_bytes(), expires_at: None };
            let now = context.clock.now();
            let id = name.to_owned();
            let add = move |db: &mut grantor::store::Db| {
                let new = NewSecret { secret: &stored, label: "", sealed: None };
                grantor::store::clients::add_secret(db, &id, &new, now)
            };
            context.change(add).await.expect("a secret");
        });

        let answer = server.post("/oauth/token", &[GRANT], &[("Authorization", &basic(name, &secret))]).ok();
        assert_eq!(answer.claims("access_token")["sub"], name);
        // Percent-encoded throughout is form-encoded as well.
        let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let header = format!("basic {}", STANDARD.encode(format!("{}:{}", percent(name), percent(&secret))));
        server.post("/oauth/token", &[GRANT], &[("Authorization", &header)]).ok();
        server.post("/oauth/token", &[GRANT, ("client_id", name), ("client_secret", &secret)], &[]).ok();
        is_challenged(&server.post(
            "/oauth/token",
            &[GRANT],
            &[("Authorization", &basic(name, &format!("x{secret}")))],
        ));
    }
}

#[rstest]
fn a_wrong_secret_is_answered_with_401_and_a_challenge(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = confidential(&server);
    let other = confidential(&server);
    client.client_credentials().ok();

    for path in ["/oauth/token", "/oauth/introspect", "/oauth/revoke"] {
        for wrong in [&other.secret, "wrong", "", " ", &client.secret.to_uppercase(), &format!("{}x", client.secret)] {
            let authorization = basic(&client.id, wrong);
            is_challenged(&server.post(path, &[GRANT, ("token", "x")], &[("Authorization", &authorization)]));
            let in_body = [GRANT, ("token", "x"), ("client_id", &client.id), ("client_secret", wrong)];
            is_challenged(&server.post(path, &in_body, &[]));
        }
        is_challenged(&server.post(path, &[GRANT, ("token", "x")], &[]));
        for unreadable in ["Basic", "Basic ", "Basic !", "Basic eA==", "Basic /w==", "Bearer x", "Basic JTpw", ""] {
            let answer = server.post(path, &[GRANT, ("token", "x")], &[("Authorization", unreadable)]);
            is_challenged(&answer);
        }
    }
}

#[rstest]
fn an_unknown_client_is_answered_as_a_known_one_with_a_wrong_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = confidential(&server);
    let public = server.public_client().grants(["password"]).create();
    let pinned = pinned(&server, "client_secret_post");
    let disabled = confidential(&server);
    server.run(async |context, by| {
        clients::set_status(context, by, &disabled.id, ClientStatus::Disabled).await.unwrap();
    });
    let attempts = [
        ("app_000000000000", "wrong"),
        (&client.id, "wrong"),
        (&client.id, ""),
        (&public.id, "wrong"),
        (&pinned.id, &pinned.secret),
        (&disabled.id, &disabled.secret),
        ("nul\0", "wrong"),
    ];
    let answers = attempts.map(|(id, secret)| {
        let mut answer = server.post("/oauth/token", &[GRANT], &[("Authorization", &basic(id, secret))]);
        is_challenged(&answer);
        answer.body = answer.without_request_id();
        answer.headers.retain(|name, _| !matches!(name.as_str(), "x-request-id" | "date"));
        (answer.status, answer.headers, answer.body)
    });
    for answer in &answers[1..] {
        assert_eq!(*answer, answers[0]);
    }
}

#[rstest]
fn an_unknown_client_is_answered_as_quickly_as_a_known_one_with_a_wrong_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::with(db).set("limits.enabled", false).start();
    let client = confidential(&server);
    let attempts = [("app_000000000000", "wrong"), (client.id.as_str(), "wrong")];
    let mut taken = [Vec::new(), Vec::new()];
    // In turn, so that what else the machine does hits both.
    for _ in 0..300 {
        for ((id, secret), taken) in attempts.iter().zip(&mut taken) {
            let started = Instant::now();
            is_challenged(&server.post("/oauth/token", &[GRANT], &[("Authorization", &basic(id, secret))]));
            taken.push(started.elapsed());
        }
    }
    let [unknown, known] = taken.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    });
    // A read of a database or a slow hash would show; a digest of a few bytes does not.
    assert!((0.67..1.5).contains(&(unknown / known)), "unknown {unknown}, known {known}");
}

#[rstest]
fn the_client_does_not_use_more_than_one_authentication_method_in_each_request(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = confidential(&server);
    let other = confidential(&server);

    for further in [
        &[("client_secret", client.secret.as_str())][..],
        &[("client_id", &client.id), ("client_secret", &client.secret)],
        &[("client_id", &other.id), ("client_secret", &other.secret)],
        &[("client_id", &other.id)],
        &[("client_id", "nobody")],
        &[("client_secret", "wrong")],
    ] {
        let answer = client.token(&[&[GRANT], further].concat());
        assert_eq!(answer.status, 400, "{further:?}: {answer:?}");
        answer.is_refused("invalid_request");
    }
    let answer = client.token(&[GRANT, ("client_id", &client.id)]).ok();
    assert_eq!(answer.claims("access_token")["client_id"], client.id);
    client.token(&[GRANT, ("client_id", &client.id), ("client_secret", "")]).ok();
    client.token(&[GRANT, ("client_id", "")]).ok();
}

#[rstest]
fn the_header_authorization_is_not_repeated(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = confidential(&server);
    let other = confidential(&server);
    let (first, second) = (client.authorization(), other.authorization());

    let answer = server.post("/oauth/token", &[GRANT], &[("Authorization", &first), ("Authorization", &second)]);

    assert_eq!(answer.status, 400, "{answer:?}");
    answer.is_refused("invalid_request");
}

#[rstest]
fn a_public_client_names_itself_in_every_way_that_clients_do_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.public_client().grants(["password", "refresh_token"]).create();
    let user = server.api_user().create();
    let ways = |secret: &str| {
        let plain = format!("Basic {}", STANDARD.encode(format!("{}:{secret}", client.id)));
        let id = ("client_id", client.id.clone());
        [
            (vec![], Some(plain.clone())),
            (vec![id.clone()], Some(plain)),
            (vec![id.clone()], None),
            (vec![id, ("client_secret", secret.to_owned())], None),
        ]
    };
    let ask = |pairs: &[(&str, &str)], way: &(Vec<(&'static str, String)>, Option<String>)| {
        let mut pairs = pairs.to_vec();
        pairs.extend(way.0.iter().map(|(name, value)| (*name, value.as_str())));
        let headers: Vec<_> = way.1.iter().map(|value| ("Authorization", value.as_str())).collect();
        server.post("/oauth/token", &pairs, &headers)
    };
    let sign_in = [("grant_type", "password"), ("username", &user.username), ("password", &user.password)];

    for way in &ways("") {
        let tokens = ask(&sign_in, way).ok();
        let refresh_token = tokens.refresh_token();
        ask(&[("grant_type", "refresh_token"), ("refresh_token", &refresh_token)], way).ok();
    }
    for (index, way) in ways("something").iter().enumerate() {
        let answer = ask(&sign_in, way);
        // The third way has no place for a secret.
        if index == 2 {
            answer.ok();
        } else {
            is_challenged(&answer)
        }
    }
}

#[rstest]
fn a_client_uses_the_authentication_method_that_its_registration_pins(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let by_basic = |client: &TestClient<'_>| client.client_credentials();
    let by_post = |client: &TestClient<'_>| {
        server.post("/oauth/token", &[GRANT, ("client_id", &client.id), ("client_secret", &client.secret)], &[])
    };
    let any = confidential(&server);
    by_basic(&any).ok();
    by_post(&any).ok();

    let basic_alone = pinned(&server, "client_secret_basic");
    by_basic(&basic_alone).ok();
    is_challenged(&by_post(&basic_alone));
    let post_alone = pinned(&server, "client_secret_post");
    by_post(&post_alone).ok();
    is_challenged(&by_basic(&post_alone));
}

#[rstest]
fn a_confidential_client_never_gets_in_without_its_secret(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password", "refresh_token", "client_credentials"]).create();
    let user = server.api_user().create();
    let refresh_token = client.password_grant(&user).ok().refresh_token();
    let grants = [
        vec![GRANT],
        vec![("grant_type", "password"), ("username", &user.username), ("password", &user.password)],
        vec![("grant_type", "refresh_token"), ("refresh_token", &refresh_token)],
    ];
    for grant in &grants {
        for secret in [None, Some("")] {
            let mut pairs = grant.clone();
            pairs.push(("client_id", &client.id));
            pairs.extend(secret.map(|secret| ("client_secret", secret)));
            is_challenged(&server.post("/oauth/token", &pairs, &[]));
        }
        is_challenged(&server.post("/oauth/token", grant, &[("Authorization", &basic(&client.id, ""))]));
    }
    client.refresh(&refresh_token).ok();
}

/// Asks until the answer is this status; fails if the server still says something else when everybody must know.
#[track_caller]
fn soon(since: Instant, status: u16, what: &str, ask: impl Fn() -> Answer) {
    loop {
        let asked = since.elapsed();
        let answer = ask();
        if answer.status == status {
            return;
        }
        assert!(asked < SOON, "{what}, after {asked:?}: {answer:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[rstest]
fn a_disabled_client_is_dead_everywhere(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let first = Server::start(db);
    let second = first.second_node();
    let build = first.confidential_client().grants(["password", "refresh_token", "client_credentials"]);
    let client = build.may_introspect().scopes(["openid"]).create();
    let user = first.api_user().create();
    let tokens = client.password_grant_with(&user, &[("scope", "openid")]).ok();
    let own = client.client_credentials().ok().access_token();
    let elsewhere = client.at(&second);
    soon(Instant::now(), 200, "the second node knows the client", || elsewhere.client_credentials());

    first.run(async |context, by| {
        clients::set_status(context, by, &client.id, ClientStatus::Disabled).await.unwrap();
    });
    let since = Instant::now();

    let asks: [(&str, Ask<'_>); 8] = [
        ("client credentials", &|c| c.client_credentials()),
        ("password", &|c| c.password_grant(&user)),
        ("refresh", &|c| c.refresh(&tokens.refresh_token())),
        ("introspection", &|c| c.introspect(&own)),
        ("revocation", &|c| c.revoke(&own)),
        ("userinfo", &|c| c.server.get_with_token("/oauth/userinfo", &tokens.access_token())),
        ("me, the user's token", &|c| c.server.get_with_token("/api/v1/me", &tokens.access_token())),
        ("me, the client's token", &|c| c.server.get_with_token("/api/v1/me", &own)),
    ];
    for (what, ask) in asks {
        assert_eq!(ask(&client).status, 401, "{what}, at the next request of this node");
    }
    for (what, ask) in asks {
        soon(since, 401, what, || ask(&elsewhere));
    }

    // Enabled again it is a client, but what it had before stays dead.
    first.run(async |context, by| {
        clients::set_status(context, by, &client.id, ClientStatus::Active).await.unwrap();
    });
    client.client_credentials().ok();
    client.refresh(&tokens.refresh_token()).is_refused("invalid_grant");
    assert_eq!(first.get_with_token("/api/v1/me", &own).status, 401);
}

#[rstest]
fn a_client_of_a_disabled_organization_is_dead_everywhere(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let first = Server::start(db);
    let second = first.second_node();
    first.run(async |context, by| {
        organizations::create(context, by, "Other", "other").await.unwrap();
    });
    let build = first.confidential_client().grants(["password", "refresh_token", "client_credentials"]);
    let client = build.may_introspect().change(|new| new.organization = Some("other".to_owned())).create();
    // The user belongs to an organization that stays as it is.
    let user = first.api_user().create();
    let tokens = client.password_grant(&user).ok();
    let own = client.client_credentials().ok().access_token();
    let elsewhere = client.at(&second);
    soon(Instant::now(), 200, "the second node knows the client", || elsewhere.client_credentials());
    second.get_with_token("/api/v1/me", &tokens.access_token()).ok();

    first.run(async |context, by| {
        organizations::set_status(context, by, "other", OrganizationStatus::Disabled).await.unwrap();
    });
    let since = Instant::now();

    let asks: [(&str, Ask<'_>); 7] = [
        ("client credentials", &|c| c.client_credentials()),
        ("password", &|c| c.password_grant(&user)),
        ("refresh", &|c| c.refresh(&tokens.refresh_token())),
        ("introspection", &|c| c.introspect(&own)),
        ("revocation", &|c| c.revoke(&own)),
        ("me, the user's token", &|c| c.server.get_with_token("/api/v1/me", &tokens.access_token())),
        ("me, the client's token", &|c| c.server.get_with_token("/api/v1/me", &own)),
    ];
    for (what, ask) in asks {
        assert_eq!(ask(&client).status, 401, "{what}, at the next request of this node");
    }
    for (what, ask) in asks {
        soon(since, 401, what, || ask(&elsewhere));
    }
}
