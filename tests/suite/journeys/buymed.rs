//! Buymed: applications with a client id and a secret, scopes, two headers.

use std::time::Duration;

use grantor::admin::usage::{Step, Window, of_credential};
use grantor::model::usage::CredentialKind;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, administrator, done, events, like, person, text, wrong_field};
use crate::harness::{Answer, Database, Installation, Server, TestClient};
use crate::house::registry::within;

/// An application that works.
fn application(admin: &Caller, further: Value) -> Value {
    let mut new = json!({ "label": "Order robot", "grant_types": ["client_credentials"] });
    new.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    admin.made("/api/v1/clients", &new)
}

fn client<'a>(server: &'a Server, made: &Value) -> TestClient<'a> {
    TestClient { server, id: text(made, "client_id"), secret: text(made, "client_secret") }
}

/// The document's two headers.
fn me(client: &TestClient<'_>) -> Answer {
    client.server.get("/api/v1/me", &[("Client-ID", &client.id), ("Client-Secret", &client.secret)])
}

#[rstest]
fn bm1_an_application_waits_without_credentials_until_an_approval_makes_them_once_and_says_so_by_mail(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    let developer = server
        .person()
        .change(|new| {
            new.roles = vec!["developer".to_owned()];
            new.email = Some("dev@example.org".to_owned());
        })
        .create();
    let developer = Caller::user(&server, &developer);
    let new = json!({ "label": "Order robot", "description": "Fetches orders", "purpose": "Our warehouse",
        "grant_types": ["client_credentials"] });
    let pending = developer.made("/api/v1/clients", &new);
    assert_eq!((&pending["status"], &pending["client_id"]), (&json!("pending"), &json!(null)));
    assert!(pending.get("client_secret").is_none());
    let path = format!("/api/v1/clients/{}", text(&pending, "id"));
    assert_eq!(developer.get(&format!("{path}/secrets")).ok().json(), json!([]));
    assert_eq!(developer.post(&format!("{path}/secrets"), &json!({})).status, 409);
    assert_eq!(developer.post(&format!("{path}/approve"), &json!({})).status, 403, "nobody approves their own");
    let waiting = admin.get("/api/v1/clients?status=pending").ok().json();
    assert_eq!(waiting["items"][0]["purpose"], "Our warehouse");

    let approved = admin.post(&format!("{path}/approve"), &json!({})).ok();
    assert_eq!((approved.header("cache-control"), &approved.json()["status"]), ("no-store", &json!("active")));
    let made = client(&server, &approved.json());
    me(&made).ok();
    made.client_credentials().ok();
    for answer in [developer.get(&path).ok(), admin.post(&format!("{path}/approve"), &json!({})).ok()] {
        assert!(!answer.body.contains(&made.secret), "once: {answer:?}");
    }
    let sent = server.run(async |context, by| grantor::admin::mail::list(context, by).await.unwrap());
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].kind.as_str(), &*sent[0].recipient), ("application_approved", "dev@example.org"));
    let shown = server.run(async |context, by| grantor::admin::mail::show(context, by, &sent[0].id).await.unwrap());
    assert!(shown.letter.subject.contains("Order robot is approved"), "{}", shown.letter.subject);
    assert!(!shown.letter.text.expose().contains(&made.secret));
}

#[rstest]
fn bm2_ids_and_secrets_begin_as_the_document_writes_them_and_both_are_settings(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    let live = application(&admin, json!({}));
    let digits = text(&live, "client_id").strip_prefix("buymed_app_").map(str::to_owned).unwrap();
    assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
    assert!(text(&live, "client_secret").starts_with("sk_live_"));
    let test = application(&admin, json!({ "label": "On trial", "mode": "test" }));
    assert!(text(&test, "client_secret").starts_with("sk_test_"));

    let own = Server::with(db)
        .set("preset", "buymed")
        .set("credentials.client_id_prefix", "shop")
        .set("credentials.client_secret_prefix", "shop_live")
        .start();
    let made = application(&administrator(&own), json!({}));
    assert!(text(&made, "client_id").starts_with("shop_") && text(&made, "client_secret").starts_with("shop_live_"));
    me(&client(&own, &made)).ok();
}

#[rstest]
fn bm3_the_secret_is_revealed_to_its_developer_after_another_sign_in_and_to_no_other(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    let (user, developer) = person(&server, "developer");
    let pending = application(&developer, json!({}));
    let path = format!("/api/v1/clients/{}", text(&pending, "id"));
    let made = admin.post(&format!("{path}/approve"), &json!({})).ok().json();
    let listed = developer.get(&format!("{path}/secrets")).ok();
    assert!(!listed.body.contains(&text(&made, "client_secret")));
    let secret = &listed.json()[0];
    assert_eq!(secret["revealable"], true);
    let reveal = format!("{path}/secrets/{}/reveal", text(secret, "id"));

    let signing_in = server.confidential_client().grants(["password"]).create();
    let signed_in = Caller::bearer(&server, &signing_in.password_grant(&user).ok().access_token());
    for body in [json!({}), json!({ "password": "a fine long passphrase, not mine" })] {
        assert_eq!(wrong_field(&signed_in.post(&reveal, &body)), "password");
    }
    assert!(events(&server, "client.secret_revealed").is_empty());
    let shown = signed_in.post(&reveal, &json!({ "password": user.password })).ok();
    assert_eq!(shown.json()["client_secret"], made["client_secret"]);
    let audited = events(&server, "client.secret_revealed");
    assert_eq!((audited.len(), &audited[0].actor), (1, &user.id));

    let (_, another) = person(&server, "developer");
    for answer in [another.get(&path), another.get(&format!("{path}/secrets")), another.post(&reveal, &json!({}))] {
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    assert_eq!(another.post(&format!("{path}/secrets/rotate"), &json!({})).status, 404);
}

#[rstest]
fn bm4_a_regenerated_secret_kills_the_old_one_at_the_next_request_unless_an_overlap_is_asked_for(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    let made = application(&admin, json!({}));
    let old = client(&server, &made);
    let token = old.client_credentials().ok().access_token();
    me(&old).ok();
    let rotate = format!("/api/v1/clients/{}/secrets/rotate", old.id);
    let new = client(&server, &admin.send("POST", &rotate, None).ok().json());
    assert_eq!(me(&old).status, 401);
    assert_eq!(server.get_with_token("/api/v1/me", &token).status, 401);
    old.client_credentials().is_refused("invalid_client");
    me(&new).ok();

    let answer = admin.post(&rotate, &json!({ "overlap": 3600 })).ok().json();
    assert!(answer["previous_expires_at"].is_string(), "{answer}");
    let newest = client(&server, &answer);
    me(&new).ok();
    me(&newest).ok();
    server.clock.advance(3601);
    assert_eq!(me(&new).status, 401);
    me(&newest).ok();
}

#[rstest]
fn bm4_the_command_asks_before_it_kills_a_secret(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    server.set("preset", "buymed");
    let made = server.json(&["client", "create", "--label", "Order robot", "--grant-type", "client_credentials"]);
    server.start();
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let opens = || server.get("/api/v1/me", &[("Client-ID", &id), ("Client-Secret", &secret)]).status == 200;
    let output = server.run(&["client", "rotate-secret", &id]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--yes"), "{said}");
    assert!(opens());
    done(&server, &["client", "rotate-secret", &id, "--overlap", "24h"], "");
    assert!(opens());
    done(&server, &["client", "rotate-secret", &id, "--yes"], "");
    within(Duration::from_secs(2), || !opens());
}

#[rstest]
fn bm5_both_headers_open_a_get_and_a_post_with_json_and_neither_alone_does(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    let made = application(&admin, json!({}));
    let other = text(&application(&admin, json!({ "label": "Another" })), "client_secret");
    let (id, secret) = (text(&made, "client_id"), text(&made, "client_secret"));
    let both = |headers: &[(&str, &str)]| {
        let body = json!({ "order": 17 }).to_string();
        let post = server.post_raw("/verify", "application/json", body.as_bytes(), headers).status;
        (server.get("/api/v1/me", headers).status, post)
    };
    assert_eq!(both(&[("Client-ID", &id), ("Client-Secret", &secret)]), (200, 200));
    for headers in [
        &[("Client-ID", &*id)][..],
        &[("Client-Secret", &secret)],
        &[("Client-ID", "buymed_app_123456789012"), ("Client-Secret", &secret)],
        &[("Client-ID", &id), ("Client-Secret", &other)],
        &[("Client-ID", &id), ("Client-Secret", "sk_live_")],
        &[],
    ] {
        assert_eq!(both(headers), (401, 401), "{headers:?}");
    }
}

#[rstest]
fn bm6_a_scope_is_asked_for_with_a_reason_and_works_only_once_it_is_approved(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    for name in ["orders:read", "orders:write"] {
        admin.made("/api/v1/scopes", &json!({ "name": name, "requires_approval": true }));
    }
    let (_, developer) = person(&server, "developer");
    let catalogue = developer.get("/api/v1/scopes").ok();
    assert!(catalogue.body.contains("orders:read") && catalogue.body.contains("orders:write"));
    let path = format!("/api/v1/clients/{}", text(&application(&developer, json!({})), "id"));
    let robot = client(&server, &admin.post(&format!("{path}/approve"), &json!({})).ok().json());
    let with = |scope: &str| robot.token(&[("grant_type", "client_credentials"), ("scope", scope)]);

    let ask = |scope: &str| json!({ "scope": scope, "justification": "The nightly report" });
    let requests = format!("{path}/scope-requests");
    let unreasoned = developer.post(&requests, &json!({ "scope": "orders:read", "justification": " " }));
    assert_eq!(wrong_field(&unreasoned), "justification");
    let read = developer.made(&requests, &ask("orders:read"));
    let write = developer.made(&requests, &ask("orders:write"));
    assert_eq!((&read["status"], &read["justification"]), (&json!("pending"), &json!("The nightly report")));
    with("orders:read").is_refused("invalid_scope");
    let decide = |caller: &Caller, request: &Value, how: &str| {
        caller.send("POST", &format!("/api/v1/scope-requests/{}/{how}", text(request, "id")), None)
    };
    assert_eq!(decide(&developer, &read, "approve").status, 403);
    assert_eq!(admin.get("/api/v1/scope-requests?status=pending").ok().json()["items"].as_array().unwrap().len(), 2);
    assert_eq!(decide(&admin, &read, "approve").ok().json()["status"], "approved");
    assert_eq!(with("orders:read").ok().json()["scope"], "orders:read");
    assert_eq!(decide(&admin, &write, "deny").ok().json()["status"], "denied");
    with("orders:write").is_refused("invalid_scope");
    assert_eq!(decide(&admin, &write, "approve").status, 409);
    assert_eq!(developer.get(&requests).ok().json()["items"].as_array().unwrap().len(), 2);
}

#[rstest]
fn bm7_the_use_of_a_dead_secret_shows_within_five_seconds_and_requests_are_counted_to_the_last_one(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "buymed");
    let admin = administrator(&server);
    let made = application(&admin, json!({}));
    let old = client(&server, &made);
    let dead = text(&admin.get(&format!("/api/v1/clients/{}/secrets", old.id)).ok().json()[0], "id");
    let rotated = admin.post(&format!("/api/v1/clients/{}/secrets/rotate", old.id), &json!({})).ok().json();
    let new = client(&server, &rotated);
    let before = server.clock.now();
    assert_eq!(me(&old).status, 401);
    within(Duration::from_secs(5), || !events(&server, "client.dead_secret_used").is_empty());
    let event = events(&server, "client.dead_secret_used").remove(0);
    assert_eq!((&*event.target_kind, &event.target), ("client_secret", &dead));
    assert_eq!((event.ip.as_deref(), &*event.result), (Some("127.0.0.1"), "refused"));
    assert!(event.time >= before, "{event:?}");

    for _ in 0..7 {
        me(&new).ok();
    }
    for _ in 0..5 {
        new.client_credentials().ok();
    }
    for _ in 0..3 {
        assert_eq!(me(&old).status, 401);
    }
    let now = server.clock.now();
    let window = Window { since: now.plus_seconds(-86_400), until: now.plus_seconds(86_400) };
    let counted = |kind: CredentialKind, id: &str| {
        server.run(async |context, by| {
            context.store_collected(true).await.unwrap();
            of_credential(context, by, kind, id, window, Step::Hour).await.unwrap().total
        })
    };
    let of_new = counted(CredentialKind::ClientSecret, &text(&rotated, "secret_id"));
    assert_eq!((of_new.verified, of_new.issued, of_new.refused), (7, 5, 0));
    assert_eq!(counted(CredentialKind::ClientSecret, &dead).refused, 4, "which credential");
    old.client_credentials().is_refused("invalid_client");
    assert_eq!(counted(CredentialKind::ClientSecret, &dead).refused, 5);
    assert_eq!(counted(CredentialKind::Client, &new.id).refused, 5);
}
