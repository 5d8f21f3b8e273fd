//! The table *Grants*: what a grant gives, to whom, and until when. One table is one file, so this one is long.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use grantor::admin::roles::RoleRequest;
use grantor::admin::users;
use grantor::admin::{organizations, roles};
use grantor::crypto::secret::SecretString;
use grantor::login::SignedIn;
use grantor::model::client::AuthenticationMethod;
use grantor::model::organization::OrganizationStatus;
use grantor::model::scope::ScopeSet;
use grantor::model::user::UserStatus;
use grantor::oauth::ErrorCode;
use grantor::oauth::client_authentication::{PresentedClient, authenticate};
use grantor::oauth::tokens::family::NewFamily;
use grantor::oauth::tokens::gate::{Asked, AuthorizedGrant};
use grantor::store::clients as stored_clients;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rstest::rstest;

use crate::harness::{Answer, Database, Server, TestClient, TestUser};

/// Within one second every node knows; and a second for a machine with other things to do.
const SOON: Duration = Duration::from_secs(2);

const ALL: [&str; 3] = ["password", "refresh_token", "client_credentials"];

fn set_status(server: &Server, user: &TestUser, status: UserStatus) {
    server.run(async |context, by| users::set_status(context, by, &user.username, status).await.unwrap());
}

/// Asks until the answer is this refusal; fails if it is another when everybody must know.
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
fn a_grant_that_the_client_lacks_is_refused_and_the_refusal_names_the_command(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let user = server.api_user().create();
    let all = server.confidential_client().grants(ALL).create();
    let refresh_token = all.password_grant(&user).ok().refresh_token();
    let ask = |client: &TestClient<'_>, grant: &str| match grant {
        "password" => client.password_grant(&user),
        "refresh_token" => client.refresh(&refresh_token),
        _ => client.client_credentials(),
    };
    for grant in ALL {
        let mut lacking = ALL.map(str::to_owned).to_vec();
        lacking.retain(|other| other != grant);
        let client = server.confidential_client().change(|new| new.grant_types = lacking).create();

        let answer = ask(&client, grant);

        assert_eq!(answer.status, 400, "{answer:?}");
        answer.is_refused("unauthorized_client");
        let says = answer.text("error_description");
        assert!(says.contains(&format!("grantor client create --grant-type {grant}")), "{says}");
        // Who is not the client is not told what it lacks.
        let stranger = TestClient { secret: "wrong".to_owned(), ..client };
        ask(&stranger, grant).is_refused("invalid_client");
    }
    all.refresh(&refresh_token).ok();
}

#[rstest]
fn failures_of_the_password_grant_are_alike(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).create();
    let person = |access: &[&str]| {
        let access = access.iter().map(|word| (*word).to_owned()).collect();
        server.person().change(|new| new.access = access).create()
    };
    let [active, disabled, locked, deleted] = [(); 4].map(|()| person(&["console", "api"]));
    let without_api = person(&["console"]);
    let generated = [server.api_user().create(), server.api_user().create()];
    set_status(&server, &disabled, UserStatus::Disabled);
    set_status(&server, &locked, UserStatus::Locked);
    set_status(&server, &deleted, UserStatus::Deleted);
    set_status(&server, &generated[0], UserStatus::Disabled);
    let unknown = TestUser { username: "nobody".to_owned(), ..active.clone() };

    let attempts = [
        active.with_password("a wrong passphrase"),
        active.with_password(""),
        active.with_password(&"x".repeat(300)),
        unknown,
        disabled,
        locked,
        deleted,
        without_api,
        generated[0].clone(),
        generated[1].with_password(&generated[0].password),
        active.with_password(&generated[1].password),
    ];
    let answers: Vec<_> = attempts
        .iter()
        .map(|user| {
            let answer = client.password_grant(user);
            answer.is_refused("invalid_grant");
            let mut headers = answer.headers.clone();
            headers.retain(|name, _| !matches!(name.as_str(), "x-request-id" | "date"));
            (answer.status, headers, answer.without_request_id())
        })
        .collect();
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(*answer, answers[0], "{}", attempts[index].username);
    }
    client.password_grant(&active).ok();
    client.password_grant(&generated[1]).ok();
}

#[rstest]
fn failures_of_the_refresh_grant_are_alike(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("refresh.reuse_window", 0).start();
    let client = server.confidential_client().grants(ALL).create();
    let other = server.confidential_client().grants(ALL).create();
    let tokens_of = |user: &TestUser| client.password_grant(user).ok().refresh_token();
    let [live, disabled, deleted, revoked, used, gone] = [(); 6].map(|()| server.api_user().create());
    let [of_disabled, of_deleted, of_revoked, of_used] = [&disabled, &deleted, &revoked, &used].map(tokens_of);
    set_status(&server, &disabled, UserStatus::Disabled);
    set_status(&server, &deleted, UserStatus::Deleted);
    client.revoke(&of_revoked).ok();
    client.refresh(&of_used).ok();
    let of_another = other.password_grant(&live).ok().refresh_token();
    let of_gone = tokens_of(&gone);
    let mut changed = of_gone.clone();
    changed.replace_range(10..11, if &changed[10..11] == "A" { "B" } else { "A" });

    for token in [&of_disabled, &of_deleted, &of_revoked, &of_used, &of_another, &changed, "gr_rt_x", "x"] {
        let answer = client.refresh(token);
        assert_eq!(answer.status, 400);
        answer.is_refused("invalid_grant");
        assert_eq!(answer.without_request_id(), client.refresh("unknown").without_request_id());
    }
    server.clock.advance(15 * 86_400);
    let answer = client.refresh(&of_gone);
    answer.is_refused("invalid_grant");
    assert_eq!(answer.without_request_id(), client.refresh("unknown").without_request_id());
}

#[rstest]
fn client_credentials_give_no_refresh_token(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["openid", "offline_access", "orders"]).create();

    for scope in ["", "orders", "openid offline_access orders"] {
        let answer = client.token(&[("grant_type", "client_credentials"), ("scope", scope)]).ok();
        assert!(answer.json().get("refresh_token").is_none(), "{answer:?}");
        assert!(answer.json().get("id_token").is_none(), "{answer:?}");
        assert!(answer.claims("access_token").get("sid").is_none());
    }
}

#[rstest]
fn a_client_without_the_refresh_grant_gets_no_refresh_token(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(["password"]).scopes(["offline_access"]).create();
    let with = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.api_user().create();

    let answer = client.password_grant_with(&user, &[("scope", "offline_access")]).ok();
    assert!(answer.json().get("refresh_token").is_none(), "{answer:?}");
    client.refresh(&with.password_grant(&user).ok().refresh_token()).is_refused("unauthorized_client");
}

const UNIVERSE: [&str; 6] = ["a:read", "a:write", "b", "c", "openid", "offline_access"];

fn subset(bits: u8) -> Vec<String> {
    let chosen = UNIVERSE.iter().enumerate().filter(|(index, _)| bits & (1 << index) != 0);
    chosen.map(|(_, name)| (*name).to_owned()).collect()
}

#[rstest]
fn issued_scopes_are_within_the_clients_the_users_and_the_requested_ones(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    // Brings the whole universe into the catalogue.
    server.confidential_client().scopes(UNIVERSE).create();
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 60, failure_persistence: None, ..Config::default() });
    let property = |(of_client, of_user, of_request): (u8, u8, u8)| {
        number.set(number.get() + 1);
        let (of_client, of_user, of_request) = (subset(of_client), subset(of_user), subset(of_request));
        let approved: BTreeSet<&String> = of_client.iter().collect();
        let asked: BTreeSet<&String> = of_request.iter().collect();
        let role = format!("role {}", number.get());
        server.run(async |context, by| {
            roles::create(
                context,
                by,
                None,
                &RoleRequest { name: role.clone(), permissions: of_user.clone(), ..RoleRequest::default() },
            )
            .await
            .unwrap()
        });
        let build = server.confidential_client().grants(ALL);
        let client = build.change(|new| new.scopes.clone_from(&of_client)).create();
        let user = server.api_user().change(|new| new.roles = vec![role]).create();

        let scope = of_request.join(" ");
        let by_user = client.password_grant_with(&user, &[("scope", &scope)]);
        let by_client = client.token(&[("grant_type", "client_credentials"), ("scope", &scope)]);
        if !asked.is_subset(&approved) {
            by_user.is_refused("invalid_scope");
            by_client.is_refused("invalid_scope");
            return Ok(());
        }
        let only_when_asked = |name: &String| matches!(name.as_str(), "openid" | "offline_access");
        let wanted = of_client
            .iter()
            .filter(|name| if asked.is_empty() { !only_when_asked(name) } else { asked.contains(name) });
        let wanted: BTreeSet<String> = wanted.cloned().collect();
        let held: BTreeSet<String> =
            wanted.iter().filter(|name| only_when_asked(name) || of_user.contains(name)).cloned().collect();
        for (answer, expected) in [(by_user, &held), (by_client, &wanted)] {
            let answer = answer.ok();
            let issued: BTreeSet<String> = answer.text("scope").split_whitespace().map(str::to_owned).collect();
            prop_assert_eq!(&issued, expected);
            prop_assert_eq!(&answer.claims("access_token")["scope"], &answer.json()["scope"]);
            if answer.json().get("refresh_token").is_some() {
                let again = client.refresh(&answer.refresh_token()).ok();
                prop_assert_eq!(again.text("scope"), answer.text("scope"));
            }
        }
        Ok(())
    };
    // Of all bits set few requests are within the client's scopes: half of them are made so.
    let bits = 0_u8..64;
    let strategy = (bits.clone(), bits.clone(), bits, any::<bool>()).prop_map(|(client, user, request, within)| {
        if within { (client, user, request & client) } else { (client, user, request) }
    });
    runner.run(&strategy, property).unwrap();
}

#[rstest]
fn a_request_beyond_the_clients_scopes_is_invalid_scope(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["orders"]).create();
    server.confidential_client().scopes(["stock"]).create();
    let user = server.person().permissions(["api:access", "orders", "stock"]).create();
    let refresh_token = client.password_grant(&user).ok().refresh_token();

    for scope in ["stock", "orders stock", "openid", "unheard-of", "orders\tstock", "orders\"", "ü"] {
        client.token(&[("grant_type", "client_credentials"), ("scope", scope)]).is_refused("invalid_scope");
        client.password_grant_with(&user, &[("scope", scope)]).is_refused("invalid_scope");
        let again = [("grant_type", "refresh_token"), ("refresh_token", &refresh_token), ("scope", scope)];
        client.token(&again).is_refused("invalid_scope");
    }
    // The refusals have not spent the token.
    assert_eq!(client.refresh(&refresh_token).ok().text("scope"), "orders");
}

#[rstest]
fn a_scope_beyond_the_users_roles_is_left_out_and_the_answer_says_what_was_granted(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["orders", "stock", "openid"]).create();
    let user = server.person().permissions(["api:access", "orders"]).create();

    let answer = client.password_grant_with(&user, &[("scope", "stock orders")]).ok();
    assert_eq!(answer.text("scope"), "orders");
    assert_eq!(answer.claims("access_token")["scope"], "orders");
    let nothing = client.password_grant_with(&user, &[("scope", "stock")]).ok();
    assert_eq!(nothing.text("scope"), "");
    assert_eq!(client.password_grant_with(&user, &[("scope", "openid")]).ok().text("scope"), "openid");
}

#[rstest]
fn a_refresh_never_gives_more_than_was_granted_first(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["orders", "stock"]).create();
    let user = server.person().permissions(["api:access", "orders"]).create();
    let first = client.password_grant(&user).ok();
    assert_eq!(first.text("scope"), "orders");

    server.run(async |context, by| {
        roles::create(
            context,
            by,
            None,
            &RoleRequest { name: "stock".to_owned(), permissions: vec!["stock".to_owned()], ..RoleRequest::default() },
        )
        .await
        .unwrap();
        grantor::admin::memberships::grant_role(context, by, &user.username, None, "stock").await.unwrap();
    });

    // RFC 6749 §6: MUST NOT include any scope not originally granted.
    let second = client.refresh(&first.refresh_token()).ok();
    assert_eq!(second.text("scope"), "orders");
    let wider = [("grant_type", "refresh_token"), ("refresh_token", &second.refresh_token()), ("scope", "stock")];
    client.token(&wider).is_refused("invalid_scope");
    assert_eq!(client.password_grant(&user).ok().text("scope"), "orders stock");
}

#[rstest]
fn a_narrower_refresh_does_not_narrow_the_family(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["orders", "stock"]).create();
    let user = server.person().permissions(["api:access", "orders", "stock"]).create();
    let first = client.password_grant(&user).ok();

    let narrow = [("grant_type", "refresh_token"), ("refresh_token", &first.refresh_token()), ("scope", "stock")];
    let narrow = client.token(&narrow).ok();

    assert_eq!(narrow.text("scope"), "stock");
    // RFC 6749 §6: the new refresh token's scope is identical to that of the one in the request.
    assert_eq!(client.refresh(&narrow.refresh_token()).ok().text("scope"), "orders stock");
}

#[rstest]
fn openid_and_offline_access_are_given_only_when_asked_for(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["openid", "offline_access", "orders"]).create();
    let user = server.person().permissions(["api:access", "orders"]).create();

    let unasked = client.password_grant(&user).ok();
    assert_eq!(unasked.text("scope"), "orders");
    assert!(unasked.json().get("id_token").is_none());
    assert_eq!(client.client_credentials().ok().text("scope"), "orders");
    let asked = client.password_grant_with(&user, &[("scope", "openid offline_access")]).ok();
    assert_eq!(asked.text("scope"), "offline_access openid");
}

#[rstest]
fn a_withdrawn_scope_is_gone_at_the_next_refresh(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).scopes(["orders", "stock"]).create();
    let user = server.person().permissions(["api:access", "orders", "stock"]).create();
    let first = client.password_grant(&user).ok();
    assert_eq!(first.text("scope"), "orders stock");

    let id = client.id.clone();
    server.run(async |context, _| {
        context.change(move |db| stored_clients::withdraw_scope(db, &id, "stock")).await.unwrap();
    });

    let second = client.refresh(&first.refresh_token()).ok();
    assert_eq!(second.text("scope"), "orders");
    assert_eq!(second.claims("access_token")["scope"], "orders");
    assert_eq!(client.client_credentials().ok().text("scope"), "orders");
    assert_eq!(client.password_grant(&user).ok().text("scope"), "orders");
    client.password_grant_with(&user, &[("scope", "stock")]).is_refused("invalid_scope");
}

#[rstest]
fn a_user_who_is_stopped_is_refused_on_every_grant_of_every_node(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(UserStatus::Disabled, UserStatus::Locked, UserStatus::Deleted)] status: UserStatus,
) {
    let first = Server::start(db);
    let second = first.second_node();
    let client = first.confidential_client().grants(ALL).scopes(["openid"]).create();
    let user = first.api_user().create();
    let tokens = client.password_grant_with(&user, &[("scope", "openid")]).ok();
    let (refresh_token, access_token) = (tokens.refresh_token(), tokens.access_token());
    let elsewhere = client.at(&second);
    soon(Instant::now(), 200, "the second node knows the client", || elsewhere.client_credentials());
    second.get_with_token("/api/v1/me", &access_token).ok();

    set_status(&first, &user, status);
    let since = Instant::now();

    for path in ["/api/v1/me", "/oauth/userinfo"] {
        assert_eq!(first.get_with_token(path, &access_token).status, 401, "{path}");
        soon(since, 401, path, || second.get_with_token(path, &access_token));
    }
    for client in [&client, &elsewhere] {
        soon(since, 400, "refresh", || client.refresh(&refresh_token));
        soon(since, 400, "password", || client.password_grant(&user));
        client.refresh(&refresh_token).is_refused("invalid_grant");
        client.password_grant(&user).is_refused("invalid_grant");
    }
}

#[rstest]
fn a_user_of_a_disabled_organization_is_refused_on_every_grant(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    server.run(async |context, by| organizations::create(context, by, "Other", "other").await.unwrap());
    let client = server.confidential_client().grants(ALL).create();
    let user = server.api_user().change(|new| new.organization = Some("other".to_owned())).create();
    let tokens = client.password_grant(&user).ok();
    server.get_with_token("/api/v1/me", &tokens.access_token()).ok();

    server.run(async |context, by| {
        organizations::set_status(context, by, "other", OrganizationStatus::Disabled).await.unwrap();
    });

    client.refresh(&tokens.refresh_token()).is_refused("invalid_grant");
    let answer = client.password_grant(&user);
    answer.is_refused("invalid_grant");
    assert_eq!(
        answer.without_request_id(),
        client.password_grant(&user.with_password("a wrong passphrase")).without_request_id()
    );
    assert_eq!(server.get_with_token("/api/v1/me", &tokens.access_token()).status, 401);
    client.client_credentials().ok();
}

#[rstest]
fn a_changed_password_ends_all_families_and_access_tokens(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
    #[values(true, false)] generated: bool,
) {
    let server = Server::start(db);
    let clients = [(); 2].map(|()| server.confidential_client().grants(ALL).create());
    let user = if generated { server.api_user().create() } else { server.person().create() };
    let bystander = server.api_user().create();
    let others = clients[0].password_grant(&bystander).ok();
    let families: Vec<_> = [0, 0, 1, 1].map(|index| (index, clients[index].password_grant(&user).ok())).to_vec();

    let new = server.run(async |context, by| {
        if generated {
            return grantor::admin::passwords::rotate(context, by, &user.username).await.unwrap().1.into_exposed();
        }
        let chosen = SecretString::from("another fine long passphrase");
        grantor::admin::passwords::set(context, by, &user.username, &chosen).await.unwrap();
        chosen.into_exposed()
    });

    for (index, tokens) in &families {
        clients[*index].refresh(&tokens.refresh_token()).is_refused("invalid_grant");
        assert_eq!(server.get_with_token("/api/v1/me", &tokens.access_token()).status, 401);
    }
    clients[0].password_grant(&user).is_refused("invalid_grant");
    let tokens = clients[0].password_grant(&user.with_password(&new)).ok();
    server.get_with_token("/api/v1/me", &tokens.access_token()).ok();
    clients[0].refresh(&tokens.refresh_token()).ok();
    clients[0].refresh(&others.refresh_token()).ok();
    server.get_with_token("/api/v1/me", &others.access_token()).ok();
}

#[rstest]
fn a_sign_in_that_a_password_change_overtakes_starts_no_family(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).create();
    let user = server.api_user().create();
    let method = AuthenticationMethod::ClientSecretBasic;
    let secret = SecretString::from(client.secret.as_str());
    let presented = PresentedClient { client_id: client.id.clone(), secret, method };
    server.run(async |context, by| {
        let client = authenticate(context, &presented).unwrap();
        let signed_in = SignedIn { user_id: user.id.clone(), epoch: 0, despite_lock: false, just_read: None };
        let asked = Asked { scope: &ScopeSet::default(), resources: &[] };
        let now = context.clock.now();
        let grant = AuthorizedGrant::for_sign_in(context, &client, &signed_in, &asked, now).await.unwrap();
        let [before, after] = [(); 2].map(|()| NewFamily::plan(context, &grant, &[], now).unwrap());
        before.start(context, &grant, now).await.unwrap();

        // The gate has been passed; now comes the change that ends all families there are.
        grantor::admin::passwords::rotate(context, by, &user.username).await.unwrap();

        assert_eq!(after.start(context, &grant, now).await.unwrap_err().code, ErrorCode::InvalidGrant);
    });
}

#[rstest]
fn a_public_client_signs_in_api_users_with_a_generated_password_alone(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let public = server.public_client().grants(["password"]).create();
    let confidential = server.confidential_client().grants(["password"]).create();
    let chosen = "a fine long passphrase of a machine";
    let api_user = server.api_user().create();
    let with_chosen = server.api_user().password(chosen).create();
    let person = server.person().create();
    let rotated = server.person().create();
    let generated = server.run(async |context, by| {
        let generated = grantor::admin::passwords::rotate(context, by, &rotated.username).await.unwrap().1;
        rotated.with_password(generated.expose())
    });

    public.password_grant(&api_user).ok();
    for user in [&with_chosen, &person, &generated] {
        let answer = public.password_grant(user);
        answer.is_refused("invalid_grant");
        let wrong = public.password_grant(&user.with_password("a wrong passphrase"));
        assert_eq!(answer.without_request_id(), wrong.without_request_id());
        confidential.password_grant(user).ok();
    }
    confidential.password_grant(&api_user).ok();
}

#[rstest]
fn the_password_grant_can_be_switched_off(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("grants.password.enabled", false).start();
    let client = server.confidential_client().grants(ALL).create();
    let user = server.api_user().create();

    let answer = client.password_grant(&user);
    assert_eq!(answer.status, 400);
    answer.is_refused("unsupported_grant_type");
    let described = answer.text("error_description");
    assert!(!described.contains("password") && described.contains("client_credentials"), "{described}");
    client.client_credentials().ok();
    let metadata = server.get("/.well-known/openid-configuration", &[]).ok().json();
    let supported = &metadata["grant_types_supported"];
    assert!(!supported.as_array().unwrap().contains(&"password".into()), "{supported}");
    // Who is not a client is told nothing.
    let stranger = TestClient { secret: "wrong".to_owned(), ..client };
    stranger.password_grant(&user).is_refused("invalid_client");
}

#[rstest]
fn peoples_passwords_can_be_kept_from_the_token_endpoint(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db).set("grants.password.people", false).start();
    let client = server.confidential_client().grants(["password"]).create();
    let person = server.person().create();

    let answer = client.password_grant(&person);
    answer.is_refused("invalid_grant");
    let wrong = client.password_grant(&person.with_password("a wrong passphrase"));
    assert_eq!(answer.without_request_id(), wrong.without_request_id());
    client.password_grant(&server.api_user().create()).ok();
    client.password_grant(&server.api_user().password("a fine long passphrase of a machine").create()).ok();
}

#[rstest]
fn a_withdrawn_audience_is_gone_at_the_next_refresh(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    const AUDIENCES: [&str; 2] = ["https://orders.example", "https://stock.example"];
    let server = Server::start(db);
    let client = server.confidential_client().grants(ALL).audiences(AUDIENCES).create();
    let named = AUDIENCES.map(|audience| ("resource", audience));
    let first = client.password_grant_with(&server.api_user().create(), &named).ok();
    let audiences = |answer: &Answer| answer.claims("access_token")["aud"].clone();
    assert_eq!(audiences(&first), serde_json::json!(AUDIENCES));
    let withdraw = |left: &[&str]| {
        let change = grantor::admin::client_changes::ClientChange {
            audiences: Some(left.iter().copied().map(str::to_owned).collect()),
            ..Default::default()
        };
        server.run(async |context, by| {
            grantor::admin::client_changes::update(context, by, &client.id, &change).await.unwrap();
        });
    };
    withdraw(&AUDIENCES[1..]);
    let second = client.refresh(&first.refresh_token()).ok();
    assert_eq!(audiences(&second), "https://stock.example");
    withdraw(&["https://elsewhere.example"]);
    client.refresh(&second.refresh_token()).is_refused("invalid_target");
}
