//! `--preset NAME`: the dialects of platforms.

use rstest::rstest;

use super::{done, refused, text};
use crate::harness::{Database, Installation};

#[rstest]
fn a_good_configuration_stays_good_under_every_preset(
    #[values("biotz", "buymed", "kizen", "akeneo", "bandwidth")] preset: &str,
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let mut installation = Installation::new(db);
    assert_eq!(done(&installation.run(&["config", "check", "--preset", preset])), "the configuration is good\n");
    let printed = installation.json(&["--preset", preset, "config", "print"]);
    assert_eq!(printed["preset"], preset);
    // Pages and messages speak in the platform's name.
    assert_eq!(printed["brand"]["name"].as_str().unwrap().to_lowercase(), preset);
    assert!(printed["brand"]["colour"].is_string(), "{printed}");
    installation.set("preset", preset);
    assert_eq!(installation.json(&["config", "print"])["preset"], preset);
}

#[test]
fn an_unknown_preset_gets_the_one_that_was_meant() {
    let installation = Installation::new(Database::Sqlite);
    let said = refused(&installation.run(&["config", "check", "--preset", "akeno"]), 1);
    assert_eq!(said, "configuration: `preset` in the option --preset: is \"akeno\"; did you mean \"akeneo\"?");
}

#[test]
fn what_is_printed_under_a_preset_is_what_is_in_force() {
    let installation = Installation::new(Database::Sqlite);
    let printed = installation.json(&["config", "print", "--preset", "kizen"]);
    assert_eq!(printed["credentials"]["reveal"]["api_key"], "always");
    assert_eq!(printed["credentials"]["reveal"]["client_secret"], "once");
    assert_eq!(printed["console"]["words"]["api_keys_tab"], "API Connections");
    assert_eq!(printed["console"]["words"]["save"], "Save");

    let file = installation.path().join("own.toml");
    let own = "preset = 'kizen'\n[credentials.reveal]\napi_key = 'once'\n[console.words]\napi_keys = 'Tokens'\n";
    std::fs::write(&file, own).unwrap();
    let printed = installation.json(&["config", "print", "--config", file.to_str().unwrap()]);
    assert_eq!(printed["preset"], "kizen");
    assert_eq!(printed["credentials"]["reveal"]["api_key"], "once");
    assert_eq!(printed["console"]["words"]["api_keys"], "Tokens");
    assert_eq!(printed["console"]["words"]["api_keys_tab"], "API Connections");
}

#[rstest]
fn ids_and_secrets_begin_as_the_platform_writes_them(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    server.set("preset", "buymed");
    let create = |label: &str, further: &[&str]| {
        let arguments = ["client", "create", "--label", label, "--grant-type", "client_credentials"];
        server.json(&[&arguments, further].concat())
    };
    let (live, test) = (create("live", &[]), create("test", &["--mode", "test"]));
    for made in [&live, &test] {
        let digits = text(made, "client_id").strip_prefix("buymed_app_").map(str::to_owned).unwrap();
        assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{digits}");
    }
    assert!(text(&live, "client_secret").starts_with("sk_live_"));
    assert!(text(&test, "client_secret").starts_with("sk_test_"));
    let rotated = server.json(&["client", "rotate-secret", "test", "--yes"]);
    assert!(text(&rotated, "client_secret").starts_with("sk_test_"), "a test client stays one");
    let said = refused(&server.run(&["client", "create", "--label", "x", "--mode", "staging"]), 1);
    assert!(said.contains("`staging` is not one of: live, test"), "{said}");

    server.start();
    for made in [&live, &test] {
        let id = text(made, "client_id");
        let secret =
            if made["label"] == "test" { text(&rotated, "client_secret") } else { text(made, "client_secret") };
        assert_eq!(super::client_credentials(&server, &id, &secret), None);
    }
}

#[rstest]
fn the_user_of_akeneos_document_signs_in_at_akeneos_path(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    server.set("preset", "akeneo");
    let create = ["user", "create", "--username", "myAPIuser", "--kind", "api_user", "--password-stdin"];
    done(&server.run_with(&create, "myAPIuserPassword\n"));
    let client = ["client", "create", "--label=My very first API connection"];
    let client =
        server.json(&[&client[..], &["--grant_type=password", "--grant_type=refresh_token", "--env=prod"]].concat());
    server.start();
    let client = (text(&client, "client_id"), text(&client, "client_secret"));
    let sign_in = |password: &str| {
        let pairs = [("grant_type", "password"), ("username", "myAPIuser"), ("password", password)];
        server.post("/api/oauth/v1/token", (&client.0, &client.1), &pairs).unwrap()
    };
    assert_eq!(sign_in("myAPIuserPassword").ok().json()["expires_in"], 3600);
    assert_eq!(sign_in("myAPIuserPasswort").status, 422);
}
