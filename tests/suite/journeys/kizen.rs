//! Kizen: an API key, a user id, a business id.

use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, administrator, done, events, like, person, text};
use crate::harness::{Answer, Database, Installation, Server};

/// The three headers of the document.
fn headers(made: &Value) -> [(&'static str, String); 3] {
    [
        ("X-API-Key", text(made, "api_key")),
        ("X-User-ID", text(made, "user_id")),
        ("X-Business-ID", text(made, "business_id")),
    ]
}

fn me(base: &str, headers: &[(&'static str, String)]) -> Answer {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Caller::with(base, &headers).get("/api/v1/me")
}

fn opens(server: &Server, made: &Value) -> bool {
    match me(server.base(), &headers(made)).status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[rstest]
fn kz1_without_the_permission_there_are_no_api_keys_for_anybody(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let (_, without) = person(&server, "api user");
    for answer in [without.get("/api/v1/api-keys"), without.post("/api/v1/api-keys", &json!({}))] {
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.text("detail").contains("api_keys:manage"), "{answer:?}");
    }
    let (_, with) = person(&server, "developer");
    assert_eq!(with.get("/api/v1/api-keys").ok().json()["items"], json!([]));
}

#[rstest]
fn kz2_one_call_without_a_form_makes_a_key_and_says_the_two_ids_that_go_with_it(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let (user, caller) = person(&server, "developer");
    let answer = caller.send("POST", "/api/v1/api-keys", None);
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{answer:?}");
    let made = answer.json();
    assert!(text(&made, "api_key").starts_with("gr_ak_"));
    assert_eq!(made["user_id"], user.id.as_str());
    let who = me(server.base(), &headers(&made)).ok().json();
    assert_eq!((&who["sub"], &who["organization_id"]), (&made["user_id"], &made["business_id"]));
}

#[rstest]
fn kz3_the_list_says_when_each_of_several_keys_was_made_and_last_used(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let (_, caller) = person(&server, "developer");
    let first = caller.made("/api/v1/api-keys", &json!({ "name": "Stock sync" }));
    let second = caller.made("/api/v1/api-keys", &json!({ "name": "Mail sync" }));
    assert!(opens(&server, &first) && opens(&server, &second));
    let third = caller.made("/api/v1/api-keys", &json!({}));
    server.run(async |context, _| context.store_collected(true).await.unwrap());
    let answer = caller.get("/api/v1/api-keys").ok();
    for made in [&first, &second, &third] {
        assert!(!answer.body.contains(&text(made, "api_key")));
    }
    let listed = answer.json()["items"].as_array().unwrap().clone();
    let names: Vec<String> = listed.iter().map(|key| text(key, "name")).collect();
    assert_eq!(names, ["Stock sync", "Mail sync", "API key"]);
    for key in &listed {
        let at = chrono::DateTime::parse_from_rfc3339(&text(key, "created_at")).expect("date, time and zone");
        assert!((at.timestamp() - server.clock.now().seconds()).abs() < 300);
    }
    assert!(listed[0]["last_used_at"].is_string() && listed[1]["last_used_at"].is_string(), "{listed:?}");
    assert_eq!(listed[2]["last_used_at"], json!(null));
}

#[rstest]
fn kz4_a_key_is_seen_again_after_another_sign_in_by_who_may_and_that_is_audited(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let (user, caller) = person(&server, "developer");
    let made = caller.made("/api/v1/api-keys", &json!({}));
    let reveal = format!("/api/v1/api-keys/{}/reveal", text(&made, "id"));
    let client = server.confidential_client().grants(["password"]).create();
    let signed_in = Caller::bearer(&server, &client.password_grant(&user).ok().access_token());

    for body in [json!({}), json!({ "password": "a fine long passphrase, not mine" })] {
        assert_eq!(super::wrong_field(&signed_in.post(&reveal, &body)), "password");
    }
    assert!(events(&server, "api_key.revealed").is_empty());
    let shown = signed_in.post(&reveal, &json!({ "password": user.password })).ok();
    assert_eq!(shown.json()["api_key"], made["api_key"]);
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!(caller.post(&reveal, &json!({})).ok().json()["api_key"], made["api_key"], "Basic is a sign-in");
    let audited = events(&server, "api_key.revealed");
    assert_eq!(audited.len(), 2);
    assert_eq!((&audited[0].actor, &audited[0].target), (&user.id, &text(&made, "id")));

    let (_, another) = person(&server, "developer");
    assert_eq!(another.post(&reveal, &json!({})).status, 404);
    let (_, without) = person(&server, "api user");
    assert_eq!(without.post(&reveal, &json!({})).status, 403);
}

#[rstest]
fn kz5_a_deleted_key_is_refused_at_the_next_call_and_the_other_one_works(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let (_, caller) = person(&server, "developer");
    let gone = caller.made("/api/v1/api-keys", &json!({}));
    let stays = caller.made("/api/v1/api-keys", &json!({}));
    assert!(opens(&server, &gone) && opens(&server, &stays));
    assert_eq!(caller.delete(&format!("/api/v1/api-keys/{}", text(&gone, "id"))).status, 204);
    assert!(!opens(&server, &gone));
    assert!(opens(&server, &stays));
    assert_eq!(caller.get("/api/v1/api-keys").ok().json()["items"].as_array().unwrap().len(), 1);
}

#[rstest]
fn kz6_user_id_and_business_id_are_said_where_there_is_no_key(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let (user, caller) = person(&server, "api user");
    let who = caller.get("/api/v1/me").ok().json();
    assert_eq!(who["sub"], user.id.as_str());
    let (_, maker) = person(&server, "developer");
    let made = maker.made("/api/v1/api-keys", &json!({}));
    assert_eq!(who["organization_id"], made["business_id"]);
}

#[rstest]
fn kz7_each_header_must_be_right_and_a_key_does_no_more_than_its_user_now_may(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let admin = administrator(&server);
    admin.made("/api/v1/scopes", &json!({ "name": "stock:read" }));
    let role = json!({ "name": "Stock", "permissions": ["api:access", "api_keys:manage", "stock:read"] });
    let role = text(&admin.made("/api/v1/roles", &role), "id");
    let (user, caller) = person(&server, &role);
    let (stranger, _) = person(&server, "developer");
    let made = caller.made("/api/v1/api-keys", &json!({}));
    let right = headers(&made);
    let without =
        |place: usize| right.iter().enumerate().filter(move |(at, _)| *at != place).map(|(_, one)| one.clone());
    let with = |place: usize, value: &str| {
        let mut changed = right.clone();
        changed[place].1 = value.to_owned();
        me(server.base(), &changed).status
    };
    me(server.base(), &right).ok();
    for (place, (name, _)) in right.iter().enumerate() {
        assert_eq!(me(server.base(), &without(place).collect::<Vec<_>>()).status, 401, "without {name}");
        assert_eq!(with(place, "rubbish"), 401, "{name}");
    }
    let mut another = text(&made, "api_key");
    another.replace_range(6..8, if another[6..8] == *"00" { "11" } else { "00" });
    assert_eq!(with(0, &another), 401);
    assert_eq!(with(1, &stranger.id), 401);
    let elsewhere = admin.made("/api/v1/organizations", &json!({ "name": "Other", "slug": "other" }));
    for business in [text(&elsewhere, "id"), "0190a000-0000-7000-8000-000000000000".to_owned()] {
        assert_eq!(with(2, &business), 403, "a business that the user is not in");
    }

    let verify = |query: &str| {
        let headers: Vec<(&str, &str)> = right.iter().map(|(name, value)| (*name, value.as_str())).collect();
        server.get(&format!("/verify{query}"), &headers)
    };
    assert_eq!(verify("?scope=stock:read").status, 200);
    let less = json!({ "name": "Stock", "permissions": ["api:access", "api_keys:manage"] });
    admin.put(&format!("/api/v1/roles/{role}"), &less).ok();
    verify("?scope=stock:read").is_refused("insufficient_scope");
    assert_eq!(verify("").status, 200);
    admin.post(&format!("/api/v1/users/{}/disable", user.id), &json!({})).ok();
    assert_eq!(verify("").status, 401);
}

#[rstest]
fn kz8_an_administrator_makes_a_key_for_a_dedicated_api_user_by_api(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "kizen");
    let admin = administrator(&server);
    admin.made("/api/v1/roles", &json!({ "name": "Stock integration", "permissions": ["api:access"] }));
    let user = json!({ "username": "stock-integration", "kind": "api_user", "roles": ["Stock integration"] });
    let user = admin.made("/api/v1/users", &user);
    let made = admin.made("/api/v1/api-keys", &json!({ "name": "Stock sync", "user": "stock-integration" }));
    assert_eq!(made["user_id"], user["id"]);
    let who = me(server.base(), &headers(&made)).ok().json();
    assert_eq!((&who["username"], &who["kind"]), (&json!("stock-integration"), &json!("api_user")));
    let listed = admin.get("/api/v1/api-keys?user=stock-integration").ok().json();
    assert_eq!((&listed["items"][0]["id"], &listed["items"][0]["reveal"]), (&made["id"], &json!("always")));
    // A developer makes none for somebody else.
    let (_, developer) = person(&server, "developer");
    let answer = developer.post("/api/v1/api-keys", &json!({ "user": "stock-integration" }));
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[rstest]
fn kz8_an_administrator_makes_a_key_for_a_dedicated_api_user_by_command(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.set("preset", "kizen");
    server.json(&["role", "create", "--name", "Stock integration", "--permission", "api:access"]);
    let create = ["user", "create", "--username", "stock-integration", "--kind", "api_user"];
    let user = server.json(&[&create[..], &["--role", "Stock integration"]].concat());
    let made = server.json(&["api-key", "create", "--user", "stock-integration", "--name", "Stock sync"]);
    assert_eq!(made["user_id"], user["id"]);
    assert_eq!(made["user_id"], server.json(&["user", "show", "stock-integration"])["id"]);
    assert_eq!(made["business_id"], server.json(&["organization", "list"])[0]["id"]);
    // The dialect lets it be seen again, and a word of one's own does not.
    assert_eq!(server.json(&["api-key", "reveal", &text(&made, "id")])["api_key"], made["api_key"]);
    let once = server.json(&["api-key", "create", "--user", "stock-integration", "--reveal", "once"]);
    assert_eq!(server.run(&["api-key", "reveal", &text(&once, "id")]).status.code(), Some(1));
    assert!(!done(&server, &["api-key", "list"], "").contains(&text(&made, "api_key")));
    server.start();
    assert_eq!(me(&server.base(), &headers(&made)).ok().json()["username"], "stock-integration");
}
