//! The layers together: what overrides what, and what is refused.

use super::*;
use crate::config::{DatabaseUrl, ErrorShape, IssuerSetting, LogFormat, Preset, keys, print};
use crate::model::profile::ProfileField;
use crate::model::reveal::RevealPolicy;
use crate::model::wording::ConsoleWord;

/// A master key by its form.
const MASTER_KEY: &str = "hunter2hunter2hunter2hunter2hunter2hunter2g";

/// Options with these variables.
fn variables(list: &[(&str, &str)]) -> LoadOptions {
    let environment = list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    LoadOptions { environment, ..LoadOptions::default() }
}

/// The configuration in an empty folder, with these variables.
fn with(list: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    one_line(load_in(folder.path(), &variables(list)))
}

/// The error as text, which must be one line.
fn one_line(result: Result<Config, ConfigError>) -> Result<Config, String> {
    let result = result.map_err(|error| error.to_string());
    if let Err(text) = &result {
        assert_eq!(text.lines().count(), 1, "{text}");
    }
    result
}

/// The configuration with this text as the file of `--config`, and these variables.
fn with_file(text: &str, list: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    std::fs::write(&file, text).unwrap();
    one_line(load_in(folder.path(), &LoadOptions { config_file: Some(file), ..variables(list) }))
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = with(&[]).unwrap();
    assert_eq!(config.environment, Environment::Production);
    assert_eq!(config.issuer, IssuerSetting::FromAddress);
    assert_eq!(config.server.address.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.private_address.to_string(), "127.0.0.1:9080");
    assert_eq!(config.database.url, DatabaseUrl::Sqlite("data/grantor.db".into()));
    assert_eq!((config.tokens.access_lifetime, config.tokens.signing_algorithm.as_str()), (3600, "ES256"));
    assert_eq!((config.refresh.idle_lifetime, config.refresh.absolute_lifetime), (1_209_600, 7_776_000));
    assert_eq!(config.keys.rotation_interval.as_secs(), 90 * 86_400);
    assert_eq!((config.passwords.bcrypt_cost, config.passwords.min_length), (12, 15));
    assert_eq!(config.log.format, None);
    for environment in [Environment::Development, Environment::Test, Environment::Production] {
        assert_eq!(Config::default_with(environment).unwrap().environment, environment);
    }
}

#[test]
fn a_file_overrides_the_defaults_and_a_variable_overrides_the_file() {
    let file = "[tokens]\naccess_lifetime = 600\naudience = 'https://file'\n";
    let config = with_file(file, &[("GRANTOR__TOKENS__ACCESS_LIFETIME", "300")]).unwrap();
    assert_eq!(config.tokens.access_lifetime, 300);
    assert_eq!(config.tokens.audience.as_deref(), Some("https://file"));
    assert_eq!(config.tokens.signing_algorithm, "ES256");
}

#[test]
fn the_environment_picks_the_file_of_its_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    for (name, cost) in [("development", 11), ("production", 13)] {
        let file = folder.path().join(format!("config/{name}.toml"));
        std::fs::write(file, format!("[passwords]\nbcrypt_cost = {cost}\n")).unwrap();
    }
    let cost = |list: &[(&str, &str)]| load_in(folder.path(), &variables(list)).unwrap().passwords.bcrypt_cost;
    assert_eq!(cost(&[]), 13);
    assert_eq!(cost(&[("GRANTOR__ENVIRONMENT", "development")]), 11);
    assert_eq!(cost(&[("GRANTOR__ENVIRONMENT", "test")]), 12);
    let escape = one_line(load_in(folder.path(), &variables(&[("GRANTOR__ENVIRONMENT", "../x")]))).unwrap_err();
    assert!(escape.contains("must be \"development\", \"test\" or \"production\""), "{escape}");
    std::fs::write(folder.path().join("config/production.toml"), "environment = 'test'").unwrap();
    let other = one_line(load_in(folder.path(), &variables(&[]))).unwrap_err();
    assert!(other.contains("set GRANTOR__ENVIRONMENT"), "{other}");
}

#[test]
fn a_config_file_may_name_its_environment_and_must_be_there() {
    let config = with_file("environment = 'test'\n[passwords]\nbcrypt_cost = 4", &[]).unwrap();
    assert_eq!((config.environment, config.passwords.bcrypt_cost), (Environment::Test, 4));
    let options = LoadOptions { config_file: Some("no-such.toml".into()), ..LoadOptions::default() };
    let text = one_line(load(&options)).unwrap_err();
    assert!(text.starts_with("configuration: no-such.toml cannot be read"), "{text}");
}

#[test]
fn the_files_that_come_with_the_server_are_right() {
    let development = include_str!("../../../config/development.toml");
    let config = with_file(development, &[("GRANTOR__ENVIRONMENT", "development")]).unwrap();
    assert_eq!((config.passwords.bcrypt_cost, config.log.format), (10, Some(LogFormat::Text)));
    let production = with_file(include_str!("../../../config/production.toml"), &[]).unwrap();
    assert_eq!(production.log.format, Some(LogFormat::Json));
}

#[test]
fn an_unknown_variable_is_refused_with_the_key_that_was_meant() {
    let text = with(&[("GRANTOR__TOKENS__ACCESS_LIFETIM", "60")]).unwrap_err();
    let wanted = "configuration: unknown key `tokens.access_lifetim` in the variable GRANTOR__TOKENS__ACCESS_LIFETIM; \
                  did you mean `tokens.access_lifetime`?";
    assert_eq!(text, wanted);
    assert!(with(&[("GRANTOR__", "x")]).is_err());
    assert!(with(&[("GRANTOR_TEST_REQUIRE_ALL", "1"), ("PATH", "/bin")]).is_ok());
}

#[test]
fn a_variable_with_one_underscore_too_few_is_refused_with_its_right_name() {
    for (name, wanted) in [
        ("GRANTOR_SERVER__ADDRESS", "GRANTOR__SERVER__ADDRESS"),
        ("GRANTOR_SERVER_ADDRESS", "GRANTOR__SERVER__ADDRESS"),
        ("GRANTOR_SERVER__ADRESS", "GRANTOR__SERVER__ADRESS"),
        ("GRANTOR_GRANTS_PASSWORD_ENABLED", "GRANTOR__GRANTS__PASSWORD__ENABLED"),
    ] {
        let text = with(&[(name, "127.0.0.1:8080")]).unwrap_err();
        let end = format!("is not read: two underscores stand between the parts of a name; write {wanted}");
        assert!(text.contains(name) && text.ends_with(&end), "{text}");
    }
    // What `credentials create --output` writes, Kubernetes sets for a service, and the compose file names.
    for name in ["GRANTOR_CLIENT_ID", "GRANTOR_SERVER_PORT", "GRANTOR_MASTER_KEY", "GRANTOR_ISSUER"] {
        assert!(with(&[(name, "x")]).is_ok(), "{name}");
    }
}

#[test]
fn variables_take_the_type_of_their_key() {
    let config = with(&[
        ("GRANTOR__REFRESH__REUSE_WINDOW", "0"),
        ("grantor__credentials__client_id_prefix", "12345"),
        ("GRANTOR__GRANTS__PASSWORD__PEOPLE", "false"),
        ("GRANTOR__KEYS__ROTATION_INTERVAL", "86400"),
        ("GRANTOR__HTTP__CORS_ORIGINS", "https://a.example, https://b.example"),
        ("GRANTOR__HTTP__TRUSTED_PROXIES", "[\"10.0.0.0/8\"]"),
        ("GRANTOR__HTTP__TOKEN_PATH", r#"[{"path": "/api/oauth/v1/token", "errors": "akeneo"}, "/b"]"#),
    ])
    .unwrap();
    assert_eq!(config.refresh.reuse_window, 0);
    assert_eq!(config.credentials.client_id_prefix, "12345");
    assert!(!config.grants.password.people);
    assert_eq!(config.keys.rotation_interval.as_secs(), 86_400);
    assert_eq!(config.http.cors_origins.len(), 2);
    assert_eq!(config.http.trusted_proxies.len(), 1);
    assert_eq!(config.http.token_path[0].errors, ErrorShape::Akeneo);
    assert_eq!(config.http.token_path[1].path, "/b");
}

#[test]
fn a_refused_value_names_the_key_the_place_and_the_fix() {
    for (name, value, wanted) in [
        (
            "GRANTOR__REFRESH__REUSE_WINDOW",
            "61",
            "`refresh.reuse_window` in the variable GRANTOR__REFRESH__REUSE_WINDOW: is 61; must be 0 to 60",
        ),
        ("GRANTOR__REFRESH__REUSE_WINDOW", "ten", "must be a whole number"),
        ("GRANTOR__PASSWORDS__BCRYPT_COST", "9", "under 10 only with `environment`"),
        ("GRANTOR__PASSWORDS__BCRYPT_COST", "16", "must be 4 to 15"),
        (
            "GRANTOR__KEYS__ROTATION_INTERVAL",
            "soon",
            "`keys.rotation_interval` in the variable GRANTOR__KEYS__ROTATION_INTERVAL: must be seconds",
        ),
        ("GRANTOR__KEYS__ROTATION_INTERVAL", "60s", "must be more than `keys.publish_ahead`"),
        ("GRANTOR__DATABASE__URL", "sqlit://x", "\"sqlite://data/grantor.db\" or \"postgres://"),
        ("GRANTOR__SERVER__ADDRESS", "localhost", "must be an IP address and a port"),
        ("GRANTOR__SERVER__ADDRESS", "0.0.0.0:80", "`issuer` (not set): is required because"),
        ("GRANTOR__ISSUER", "http://id.example.com", "`server.allow_plain_http` = true"),
        ("GRANTOR__SECURITY__MASTER_KEY", "", "is empty; give it a value or leave it out"),
        (
            "GRANTOR__SECURITY__MASTER_KEY",
            "hunter2",
            "`security.master_key` in the variable GRANTOR__SECURITY__MASTER_KEY: must be 43 characters of base64url",
        ),
        (
            "GRANTOR__LOG__LEVEL",
            "verbose",
            "`log.level` in the variable GRANTOR__LOG__LEVEL: \"verbose\" is not a level; write \"info\"",
        ),
        ("GRANTOR__SERVER__PORT", "8080", "did you mean `server.address`?"),
        ("GRANTOR__HTTP__TOKEN_PATH", "/oauth/token", "covers the built-in"),
        ("GRANTOR__HTTP__CORS_ORIGINS", "[1]", "must be a list of texts"),
        ("GRANTOR__REFRESH__IDLE_LIFETIME", "7776001", "must not be more than `refresh.absolute_lifetime`"),
    ] {
        let text = with(&[(name, value)]).unwrap_err();
        assert!(text.contains(wanted) && !text.contains("hunter2"), "{text}");
    }
    let twice = with(&[("GRANTOR__LOG__LEVEL", "info"), ("grantor__log__level", "warn")]).unwrap_err();
    assert!(twice.contains("keep one of the two"), "{twice}");
}

#[test]
fn a_secret_comes_from_a_value_or_a_file_and_the_upper_layer_wins() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("url");
    std::fs::write(&secret, "postgres://me:hunter2@h/d\n").unwrap();
    let path = secret.to_str().unwrap();
    let postgres = DatabaseUrl::Postgres("postgres://me:hunter2@h/d".into());
    assert_eq!(with(&[("GRANTOR__DATABASE__URL_FILE", path)]).unwrap().database.url, postgres);
    let file = format!("[database]\nurl_file = {path:?}\n");
    assert_eq!(with_file(&file, &[]).unwrap().database.url, postgres);
    let over = with_file(&file, &[("GRANTOR__DATABASE__URL", "sqlite://a.db")]).unwrap();
    assert_eq!(over.database.url, DatabaseUrl::Sqlite("a.db".into()));
    let both = with_file(&format!("{file}url = 'sqlite://a.db'\n"), &[]).unwrap_err();
    assert!(both.contains("`database.url` is set as well; keep one of the two"), "{both}");
    let missing = with(&[("GRANTOR__DATABASE__URL_FILE", "/nowhere/url")]).unwrap_err();
    assert!(missing.contains("/nowhere/url cannot be read"), "{missing}");
    let inline = format!("[security]\nmaster_key = '{MASTER_KEY}'\n");
    assert!(with_file(&inline, &[]).unwrap().security.master_key.is_some());
    let over = with_file(&inline, &[("GRANTOR__SECURITY__MASTER_KEY_FILE", "k")]).unwrap();
    assert!(over.security.master_key.is_none());
}

#[test]
fn what_is_printed_holds_every_key_and_no_secret() {
    let config = with(&[
        ("GRANTOR__SECURITY__MASTER_KEY", MASTER_KEY),
        ("GRANTOR__DATABASE__URL", "postgres://me:hunter2@h/d"),
        ("GRANTOR__HTTP__TOKEN_PATH", "/a,/b"),
        ("GRANTOR__MAIL__SMTP_URL", "smtp://hunter2:hunter2@h"),
        ("GRANTOR__MAIL__FROM", "no-reply@example.com"),
    ])
    .unwrap();
    let page = print(&config);
    assert!(!page.contains("hunter2") && !format!("{config:?}").contains("hunter2"), "{page}");
    assert!(page.contains("master_key = \"(set)\"") && page.contains("postgres://me:***@h/d"), "{page}");
    for (key, _) in keys::KEYS.iter().filter(|(key, _)| !key.ends_with("url_file")) {
        let name = key.rsplit('.').next().unwrap_or_default();
        assert!(page.lines().any(|line| line.trim_start_matches("# ").starts_with(&format!("{name} "))), "{key}");
    }
    with_file(&page.replace("(set)", MASTER_KEY), &[]).unwrap();
}

/// The configuration under a preset, with this file.
fn under(preset: &str, text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.toml");
    std::fs::write(&file, text).unwrap();
    let options = LoadOptions { config_file: Some(file), preset: Some(preset.to_owned()), ..LoadOptions::default() };
    one_line(load_in(folder.path(), &options))
}

#[test]
fn every_preset_loads_and_says_something() {
    let neutral = print(&with(&[]).unwrap());
    for preset in Preset::ALL {
        let config = under(preset.as_str(), "").unwrap();
        assert_eq!(config.preset, Some(*preset));
        let page = print(&config);
        assert!(page.contains(&format!("preset = \"{preset}\"")), "{page}");
        assert!(page.lines().filter(|line| !neutral.contains(line)).count() >= 3, "{page}");
        with_file(&page, &[]).unwrap();
        assert!(!preset.text().contains("preset ="), "a preset names no other");
    }
}

#[test]
fn a_preset_lies_over_the_defaults_and_under_file_and_variables() {
    let config = under("buymed", "[credentials]\nclient_secret_prefix = 'own_live'\n").unwrap();
    assert_eq!(config.credentials.client_id_prefix, "buymed_app");
    assert_eq!(config.credentials.client_secret_prefix, "own_live");
    assert_eq!(config.credentials.test_secret_prefix, "sk_test");
    assert_eq!(config.tokens.access_lifetime, 3600);
    let variable = ("GRANTOR__CREDENTIALS__CLIENT_ID_PREFIX", "mine");
    let config = with_file("preset = 'buymed'\n", &[variable]).unwrap();
    assert_eq!(config.credentials.client_id_prefix, "mine");
    assert_eq!(config.credentials.client_secret_prefix, "sk_live");
}

#[test]
fn the_option_goes_before_the_variable_and_the_variable_before_the_file() {
    let name = |config: Config| config.preset;
    assert_eq!(name(with(&[]).unwrap()), None);
    assert_eq!(name(with_file("preset = 'kizen'", &[]).unwrap()), Some(Preset::Kizen));
    assert_eq!(name(with_file("preset = 'kizen'", &[("GRANTOR__PRESET", "biotz")]).unwrap()), Some(Preset::Biotz));
    let config = under("akeneo", "preset = 'kizen'").unwrap();
    assert_eq!(config.http.token_path[0].errors, ErrorShape::Akeneo);
    assert_eq!(config.credentials.reveal.api_key, RevealPolicy::Once);
    assert_eq!(name(config), Some(Preset::Akeneo));
}

#[test]
fn an_unknown_preset_is_refused_with_the_one_that_was_meant() {
    let said = under("kizn", "").unwrap_err();
    assert_eq!(said, "configuration: `preset` in the option --preset: is \"kizn\"; did you mean \"kizen\"?");
    let said = with(&[("GRANTOR__PRESET", "salesforce")]).unwrap_err();
    assert!(said.ends_with("must be \"biotz\", \"buymed\", \"kizen\", \"akeneo\" or \"bandwidth\""), "{said}");
    assert!(said.contains("in the variable GRANTOR__PRESET"), "{said}");
}

#[test]
fn the_dialect_of_each_platform_is_in_force_under_its_preset() {
    let credentials = |preset| under(preset, "").unwrap().credentials;
    assert_eq!(credentials("biotz").programmatic_client_id, "biotz-platform-programmatic-users");
    let buymed = credentials("buymed");
    assert_eq!(buymed.client_id_prefix, "buymed_app");
    assert_eq!((&*buymed.client_secret_prefix, &*buymed.test_secret_prefix), ("sk_live", "sk_test"));
    for (preset, client_secret, api_key) in [
        ("biotz", RevealPolicy::Once, RevealPolicy::Once),
        ("buymed", RevealPolicy::Always, RevealPolicy::Once),
        ("kizen", RevealPolicy::Once, RevealPolicy::Always),
        ("akeneo", RevealPolicy::Always, RevealPolicy::Once),
        ("bandwidth", RevealPolicy::Once, RevealPolicy::Once),
    ] {
        let reveal = credentials(preset).reveal;
        assert_eq!((reveal.client_secret, reveal.api_key), (client_secret, api_key), "{preset}");
    }
    let bandwidth = under("bandwidth", "").unwrap();
    assert_eq!(bandwidth.users.required, ProfileField::ALL);
    assert!(bandwidth.users.phone.accepts("9195551234") && !bandwidth.users.phone.accepts("+19195551234"));
    assert_eq!(bandwidth.http.token_path[0].path, "/api/v1/oauth2/token");
    assert_eq!(bandwidth.words.get(ConsoleWord::NewUser), "Add");
    let neutral = with(&[]).unwrap();
    assert!(neutral.users.phone.accepts("+19195551234") && !neutral.users.phone.accepts("9195551234"));
    assert_eq!(neutral.words.get(ConsoleWord::NewUser), "New user");
}

#[test]
fn a_dialect_that_cannot_be_is_refused() {
    for (text, wanted) in [
        ("[credentials.reveal]\napi_key = 'never'", "`credentials.reveal.api_key`"),
        ("[credentials.reveal]\ngenerated_password = 'always'", "must be \"once\""),
        ("[users]\nrequired_fields = ['email']", "must hold \"username\""),
        ("[users]\nrequired_fields = ['username', 'fax']", "`fax` is not one of: username"),
        ("[users]\nrequired_fields = ['username', 'username']", "stands there twice"),
        ("[users]\nphone_pattern = '[0-9'", "`users.phone_pattern`"),
        ("[console.words]\nsave = ' '", "`console.words.save`"),
        ("[console.words]\nsafe = 'x'", "did you mean `console.words.save`?"),
    ] {
        let said = with_file(text, &[]).unwrap_err();
        assert!(said.contains(wanted), "{said}");
    }
}
