//! Bandwidth: account users with access methods, Basic on every request.

use grantor::admin::mail;
use rstest::rstest;
use serde_json::{Value, json};

use super::{Caller, administrator, done, like, text, wrong_field};
use crate::harness::{Database, Installation, Server};

const PASSWORD: &str = "correct-horse-battery-staple";

/// The document's form.
fn form() -> Value {
    json!({ "username": "jdoe", "first_name": "Jay", "last_name": "Doe", "email": "jdoe@example.com",
        "phone": "9195551234", "access": ["api"] })
}

/// The form, changed.
fn form_with(change: &Value) -> Value {
    let mut form = form();
    form.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    form
}

/// An account of a program, which works at once.
fn program(further: &Value) -> Value {
    let mut program = form_with(&json!({ "kind": "api_user", "password": PASSWORD }));
    program.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
    program
}

fn jdoe(server: &Server) -> Caller {
    Caller::of(server.base(), "jdoe", PASSWORD)
}

/// The link of the newest message of a kind, as the operator reads it.
fn link(server: &Server, kind: &str) -> (String, String) {
    server.run(async |context, by| {
        let all = mail::list(context, by).await.unwrap();
        let newest =
            all.iter().filter(|message| message.kind.as_str() == kind).max_by_key(|message| message.created_at);
        let shown = mail::show(context, by, &newest.unwrap_or_else(|| panic!("no {kind}")).id).await.unwrap();
        let link = shown.link.unwrap().expose().to_owned();
        (link.split_once('#').unwrap().1.to_owned(), shown.letter.text.expose().to_owned())
    })
}

fn redeem(server: &Server, body: &Value) -> crate::harness::Answer {
    Caller::with(server.base(), &[]).post("/api/v1/links/redeem", body)
}

#[rstest]
fn bw1_each_field_of_the_form_is_asked_for_an_address_is_one_users_and_a_phone_has_ten_digits(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    for field in ["username", "first_name", "last_name", "email", "phone"] {
        let mut without = form();
        without.as_object_mut().unwrap().remove(field);
        assert_eq!(wrong_field(&admin.post("/api/v1/users", &without)), field, "without");
        let answer = admin.post("/api/v1/users", &form_with(&json!({ field: "" })));
        assert_eq!(answer.status, 422, "empty {field}: {answer:?}");
        assert!(answer.json()["errors"].as_array().unwrap().iter().all(|error| error["field"] == field), "{answer:?}");
    }
    for phone in ["919-555-1234", "+19195551234", "919555123", "91955512345", "9195551234\n", "９１９５５５１２３４"]
    {
        let answer = admin.post("/api/v1/users", &form_with(&json!({ "phone": phone })));
        assert_eq!(answer.status, 422, "{phone:?}: {answer:?}");
        assert!(
            answer.json()["errors"].as_array().unwrap().iter().all(|error| error["field"] == "phone"),
            "{answer:?}"
        );
    }
    admin.made("/api/v1/users", &form());
    let twin = admin.post("/api/v1/users", &form_with(&json!({ "username": "jdoe2", "email": "JDOE@example.com" })));
    assert_eq!(twin.status, 409, "{twin:?}");
    assert_eq!(admin.post("/api/v1/users", &form_with(&json!({ "email": "jay@example.com" }))).status, 409);
}

#[rstest]
fn bw2_a_username_is_for_ever(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    admin.made("/api/v1/users", &program(&json!({})));
    for caller in [&admin, &jdoe(&server)] {
        assert_eq!(wrong_field(&caller.patch("/api/v1/users/jdoe", &json!({ "username": "jd" }))), "username");
    }
    assert_eq!(admin.get("/api/v1/users/jd").status, 404);
    assert_eq!(admin.delete("/api/v1/users/jdoe").status, 204);
    assert_eq!(admin.post("/api/v1/users", &form()).status, 409, "nor is it given out again");

    let mut server = Installation::new(db);
    server.set("preset", "bandwidth");
    server.json(&["user", "create", "--username", "jdoe", "--kind", "api_user"]);
    let output = server.run(&["user", "update", "jdoe", "--username", "jd"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(server.json(&["user", "show", "jdoe"])["username"], "jdoe");
}

#[rstest]
fn bw3_an_administrator_manages_users_and_a_basic_user_reads_and_edits_their_own_profile_alone(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    admin.made("/api/v1/users", &program(&json!({ "administration": "basic" })));
    let other = json!({ "username": "rroe", "email": "rroe@example.com" });
    admin.made("/api/v1/users", &program(&other));
    let jdoe = jdoe(&server);
    let own = jdoe.get("/api/v1/users/jdoe").ok().json();
    assert_eq!((&own["phone"], &own["administration"]), (&json!("9195551234"), &json!("basic")));
    assert_eq!(jdoe.patch("/api/v1/users/jdoe", &json!({ "phone": "9195550000" })).ok().json()["phone"], "9195550000");
    assert_eq!(wrong_field(&jdoe.patch("/api/v1/users/jdoe", &json!({ "phone": "919" }))), "phone");
    for change in [json!({ "administration": "admin" }), json!({ "access": ["console", "api"] })] {
        assert_eq!(jdoe.patch("/api/v1/users/jdoe", &change).status, 403, "{change}");
    }
    for answer in [
        jdoe.get("/api/v1/users"),
        jdoe.get("/api/v1/users/rroe"),
        jdoe.patch("/api/v1/users/rroe", &json!({ "phone": "9195550000" })),
        jdoe.post("/api/v1/users", &form_with(&json!({ "username": "x", "email": "x@example.com" }))),
        jdoe.post("/api/v1/users/rroe/disable", &json!({})),
        jdoe.delete("/api/v1/users/rroe"),
    ] {
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    let changed = admin.patch("/api/v1/users/rroe", &json!({ "phone": "9195550001", "administration": "admin" }));
    assert_eq!(changed.ok().json()["administration"], "admin");
}

#[rstest]
fn bw4_without_the_access_method_api_basic_is_refused_and_both_give_a_warning(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    let made = |username: &str, access: Value| {
        let email = format!("{username}@example.com");
        let new = json!({ "username": username, "email": email, "access": access });
        let warnings = admin.made("/api/v1/users", &program(&new))["warnings"].as_array().unwrap().len();
        let status = Caller::of(server.base(), username, PASSWORD).get("/api/v1/me").status;
        (warnings, status)
    };
    assert_eq!(made("api", json!(["api"])), (0, 200));
    assert_eq!(made("console", json!(["console"])), (0, 401));
    assert_eq!(made("both", json!(["console", "api"])), (1, 200));
    // A person's, as the document's form makes them.
    let both = form_with(&json!({ "access": ["console", "api"] }));
    assert_eq!(admin.made("/api/v1/users", &both)["warnings"].as_array().unwrap().len(), 1);
    let unknown = admin.post("/api/v1/users", &program(&json!({ "username": "x", "access": ["telephone"] })));
    assert_eq!(wrong_field(&unknown), "access");
    // The effect of a change is at the next request.
    admin.patch("/api/v1/users/api", &json!({ "access": ["console"] })).ok();
    assert_eq!(Caller::of(server.base(), "api", PASSWORD).get("/api/v1/me").status, 401);
}

#[rstest]
fn bw5_an_api_only_user_goes_on_for_years_and_a_cron_job_rotates_the_password(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    admin.made("/api/v1/users", &program(&json!({})));
    server.clock.advance(3 * 366 * 86_400);
    jdoe(&server).get("/api/v1/me").ok();

    let mut server = Installation::new(db);
    server.set("preset", "bandwidth");
    let create = ["user", "create", "--username", "jdoe", "--kind", "api_user", "--access", "api", "--password-stdin"];
    done(&server, &create, PASSWORD);
    server.start();
    let opens = |password: &str| Caller::of(&server.base(), "jdoe", password).get("/api/v1/me").status == 200;
    assert!(opens(PASSWORD));
    let rotated = text(&server.json(&["user", "rotate-password", "jdoe", "--yes"]), "password");
    assert!(opens(&rotated));
    crate::house::registry::within(std::time::Duration::from_secs(2), || !opens(PASSWORD));
}

#[rstest]
fn bw6_the_administrator_sets_the_password_or_the_user_does_by_a_link(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    let made = admin.post("/api/v1/users", &form_with(&json!({ "password": PASSWORD })));
    assert_eq!(made.status, 201);
    assert!(!made.body.contains(PASSWORD));
    assert_eq!(jdoe(&server).get("/api/v1/me").status, 401, "the address is not verified");
    let (token, _) = link(&server, "verify_email");
    let verified = redeem(&server, &json!({ "token": token, "phone": "9195551234" })).ok().json();
    assert_eq!((&verified["status"], &verified["password_link_sent"]), (&json!("active"), &json!(false)));
    jdoe(&server).get("/api/v1/me").ok();
    let new = "another-horse-battery-staple";
    let path = "/api/v1/users/jdoe/password";
    admin.post(path, &json!({ "password": new })).ok();
    assert_eq!(jdoe(&server).get("/api/v1/me").status, 401);
    Caller::of(server.base(), "jdoe", new).get("/api/v1/me").ok();
    let generated = text(&admin.post(path, &json!({})).ok().json(), "password");
    Caller::of(server.base(), "jdoe", &generated).get("/api/v1/me").ok();

    let left = form_with(&json!({ "username": "rroe", "email": "rroe@example.com" }));
    let left = admin.made("/api/v1/users", &left);
    assert_eq!((&left["status"], left.get("password")), (&json!("invited"), None));
}

#[rstest]
fn bw7_two_mails_lead_a_user_without_the_console_to_a_password_and_before_that_nothing_opens(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    admin.made("/api/v1/users", &form());
    let (verification, first) = link(&server, "verify_email");
    assert!(first.contains("Username: jdoe"), "{first}");
    assert_eq!(jdoe(&server).get("/api/v1/me").status, 401);
    let early = redeem(&server, &json!({ "token": verification, "password": PASSWORD }));
    assert_eq!(wrong_field(&early), "phone");
    for phone in ["919-555-1234", "+19195551234", "9195551235", " 9195551234"] {
        let answer = redeem(&server, &json!({ "token": verification, "phone": phone }));
        assert_eq!(wrong_field(&answer), "phone", "{phone}");
        server.clock.advance(3601);
    }
    let verified = redeem(&server, &json!({ "token": verification, "phone": "9195551234" })).ok().json();
    assert_eq!(verified["password_link_sent"], true);
    assert_eq!(redeem(&server, &json!({ "token": verification, "phone": "9195551234" })).status, 400, "it works once");
    assert_eq!(jdoe(&server).get("/api/v1/me").status, 401);

    let (setting, second) = link(&server, "set_password");
    assert!(!second.contains("gr_pw_") && !second.contains(PASSWORD));
    let set = redeem(&server, &json!({ "token": setting, "password": PASSWORD })).ok().json();
    assert_eq!(set["status"], "active");
    assert_eq!(redeem(&server, &json!({ "token": setting, "password": "something-else-altogether" })).status, 400);
    assert_eq!(jdoe(&server).get("/api/v1/me").ok().json()["username"], "jdoe");
    assert_eq!(admin.get("/api/v1/users/jdoe").ok().json()["access"], json!(["api"]));
}

#[rstest]
fn bw7_the_operator_reads_the_link_in_the_outbox_where_no_mail_server_is_set(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.set("preset", "bandwidth");
    let create = ["user", "create", "--username", "ada", "--role", "administrator", "--password-stdin"];
    done(&server, &create, "a fine long passphrase");
    server.start();
    let admin = Caller::of(&server.base(), "ada", "a fine long passphrase");
    admin.made("/api/v1/users", &form());
    let nobody = Caller::with(&server.base(), &[]);
    let mut body = json!({ "phone": "9195551234" });
    for kind in ["verify_email", "set_password"] {
        let listed = server.json(&["mail", "list"]);
        let message = listed.as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap().clone();
        assert_eq!((&message["recipient"], &message["status"]), (&json!("jdoe@example.com"), &json!("queued")));
        let shown = server.json(&["mail", "show", &text(&message, "id")]);
        body["token"] = text(&shown, "link").split_once('#').unwrap().1.into();
        nobody.post("/api/v1/links/redeem", &body).ok();
        body = json!({ "password": PASSWORD });
    }
    assert_eq!(server.json(&["user", "show", "jdoe"])["status"], "active");
    Caller::of(&server.base(), "jdoe", PASSWORD).get("/api/v1/me").ok();
}

#[rstest]
fn bw8_roles_have_definitions_and_their_effect_is_at_the_next_call(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    admin.made("/api/v1/scopes", &json!({ "name": "numbers:order" }));
    let role = json!({ "name": "Order numbers", "description": "Orders telephone numbers",
        "permissions": ["api:access", "numbers:order"] });
    admin.made("/api/v1/roles", &role);
    let listed = admin.get("/api/v1/roles").ok().json();
    assert!(listed.as_array().unwrap().iter().any(|one| one["description"] == role["description"]), "{listed}");
    admin.made("/api/v1/users", &program(&json!({})));
    let (name, value) = super::basic("jdoe", PASSWORD);
    let may = || server.get("/verify?scope=numbers:order", &[(&name, &value)]).status;
    assert_eq!(may(), 403);
    let own = admin.get("/api/v1/me").ok().json()["organization_number"].to_string();
    let place = format!("/api/v1/users/jdoe/memberships/{own}");
    admin.put(&place, &json!({ "roles": ["api user", "Order numbers"] })).ok();
    assert_eq!(may(), 200);
    admin.put(&place, &json!({ "roles": ["api user"] })).ok();
    assert_eq!(may(), 403);
    assert_eq!(jdoe(&server).get("/api/v1/me").status, 200);
}

#[rstest]
fn bw9_an_organization_is_named_by_its_number_and_one_that_was_not_granted_is_not_there(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    let number = |slug: &str| {
        let made = admin.made("/api/v1/organizations", &json!({ "name": slug, "slug": slug }));
        made["number"].to_string()
    };
    let (granted, withheld) = (number("granted"), number("withheld"));
    admin.made("/api/v1/users", &program(&json!({})));
    server.run(async |context, by| {
        let roles = ["api user".to_owned()];
        grantor::admin::memberships::set(context, by, "jdoe", Some(&granted), &roles).await.unwrap();
    });
    let jdoe = jdoe(&server);
    let own = jdoe.get("/api/v1/me").ok().json()["organization_number"].to_string();
    for number in [&own, &granted] {
        assert!(number.len() >= 6);
        let seen = jdoe.get(&format!("/api/v1/organizations/{number}")).ok().json();
        assert_eq!(seen["number"].to_string(), *number);
    }
    for number in [&*withheld, "920012", "0", "x"] {
        assert_eq!(jdoe.get(&format!("/api/v1/organizations/{number}")).status, 404, "{number}");
    }
    assert_eq!(jdoe.get("/api/v1/organizations").ok().json().as_array().unwrap().len(), 2);
    let (name, value) = super::basic("jdoe", PASSWORD);
    let verify = |number: &str| server.get(&format!("/verify?organization={number}"), &[(&name, &value)]).status;
    assert_eq!((verify(&granted), verify(&withheld)), (200, 403));
}

#[rstest]
fn bw10_username_and_password_are_taken_to_the_letter_with_each_request(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = like(db, "bandwidth");
    let admin = administrator(&server);
    admin.made("/api/v1/users", &program(&json!({})));
    let me = |username: &str, password: &str| Caller::of(server.base(), username, password).get("/api/v1/me").status;
    assert_eq!(me("jdoe", PASSWORD), 200);
    assert_eq!(me("JDOE", PASSWORD), 401);
    assert_eq!(me("jdoe", "Correct-horse-battery-staple"), 401);
    assert_eq!(me("jdoe", "correct-horse-battery-staple "), 401);
    let password = "größer: so ein Pferd:heftklammer";
    let new = json!({ "username": "zoë", "email": "zoe@example.com", "password": password });
    admin.made("/api/v1/users", &program(&new));
    assert_eq!(me("zoë", password), 200);
    assert_eq!(me("zoë", "größer"), 401);
}

#[rstest]
fn bw11_a_report_lists_who_uses_basic_with_a_command_that_makes_a_client_of_the_same_reach(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut server = Installation::new(db);
    server.set("preset", "bandwidth");
    server.json(&["scope", "create", "--name", "numbers:order"]);
    let role = ["role", "create", "--name", "Order numbers", "--permission", "api:access"];
    server.json(&[&role[..], &["--permission", "numbers:order"]].concat());
    server.json(&["organization", "create", "--name", "Other", "--slug", "other"]);
    for (username, organization) in [("jdoe", "other"), ("quiet", "default")] {
        let create = ["user", "create", "--username", username, "--kind", "api_user", "--organization", organization];
        done(&server, &[&create[..], &["--password-stdin"]].concat(), PASSWORD);
    }
    let role = ["role", "create", "--name", "Order numbers", "--organization", "other", "--permission", "api:access"];
    server.json(&[&role[..], &["--permission", "numbers:order"]].concat());
    server.json(&["user", "grant-role", "jdoe", "Order numbers", "--organization", "other"]);
    assert_eq!(server.json(&["report", "basic"]), json!([]));
    server.start();
    for _ in 0..3 {
        Caller::of(&server.base(), "jdoe", PASSWORD).get("/api/v1/me").ok();
    }
    assert_eq!(Caller::of(&server.base(), "quiet", "wrong").get("/api/v1/me").status, 401);
    assert_eq!(server.stop(), Some(0));
    let report = server.json(&["report", "basic"]);
    assert_eq!(report.as_array().unwrap().len(), 1, "{report}");
    assert_eq!(
        (&report[0]["name"], &report[0]["count"], &report[0]["kind"]),
        (&json!("jdoe"), &json!(3), &json!("user"))
    );

    // As it stands, in a shell.
    let command = text(&report[0], "command");
    let line = command.strip_prefix("grantor").unwrap();
    let script = format!("\"$GRANTOR_PROGRAM\"{line} --json");
    let mut shell = server.command(&[]);
    let program = shell.get_program().to_owned();
    let environment: Vec<_> =
        shell.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    shell = std::process::Command::new("sh");
    shell.args(["-c", &script]).current_dir(server.path()).env_clear().envs(environment);
    let output = shell.env("GRANTOR_PROGRAM", program).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    let client: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
    server.start();
    let token = server.post("/api/v1/oauth2/token", (&id, &secret), &[("grant_type", "client_credentials")]).unwrap();
    let token = format!("Bearer {}", token.ok().access_token());
    let seen = server.get("/verify?scope=numbers:order", &[("Authorization", &token)]);
    assert_eq!(seen.status, 200, "the same roles");
    let other =
        server.json(&["organization", "list"]).as_array().unwrap().iter().find(|o| o["slug"] == "other").unwrap()["id"]
            .clone();
    assert_eq!(seen.header("x-auth-organization"), other.as_str().unwrap(), "the same organization");
}
