//! `grantor token patterns`: the published shapes of secrets.

use std::path::Path;

use grantor::crypto::random::Random;
use grantor::crypto::token_format::{mint, seal_checksum};
use grantor::developer::secret_formats::{self, SecretFormat};
use regex_lite::Regex;

use super::{done, text};
use crate::harness::{Database, Installation, Server};

fn formats() -> Vec<SecretFormat> {
    secret_formats::all("sk_live", "sk.test")
}

/// A secret of this shape.
fn minted(format: &SecretFormat, random: &Random) -> String {
    let prefix = format.prefix.trim_end_matches('_');
    if prefix == "gr_rt" {
        return seal_checksum(&format!("gr_rt_{}-{}", random.base62(35), random.base62(36)));
    }
    mint(prefix, random).expose().to_owned()
}

#[test]
fn the_files_in_docs_are_what_the_command_prints() {
    let installation = Installation::new(Database::Sqlite);
    for (arguments, file) in [
        (&["token", "patterns"][..], "docs/secret-formats.md"),
        (&["token", "patterns", "--gitleaks"], "docs/gitleaks.toml"),
    ] {
        let kept = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        assert_eq!(done(&installation.run(arguments)), kept, "grantor {} > {file}", arguments.join(" "));
    }
}

#[test]
fn a_pattern_matches_the_secrets_of_its_kind_and_of_no_other() {
    let random = Random::seeded(7);
    let all = formats();
    assert_eq!(all.len(), 7);
    for format in &all {
        let pattern = Regex::new(&format!("^(?:{})$", format.pattern)).unwrap();
        for other in &all {
            let secret = minted(other, &random);
            assert_eq!(pattern.is_match(&secret), other == format, "{} of {secret}", format.pattern);
        }
    }
}

#[test]
fn a_character_of_another_class_is_matched_by_no_pattern() {
    let random = Random::seeded(8);
    for format in formats() {
        let pattern = Regex::new(&format!("^(?:{})$", format.pattern)).unwrap();
        let secret = minted(&format, &random);
        assert!(pattern.is_match(&secret), "{secret}");
        for at in 0..secret.len() {
            let changed = format!("{}~{}", &secret[..at], &secret[at + 1..]);
            assert!(!pattern.is_match(&changed), "{changed}");
            let shorter = format!("{}{}", &secret[..at], &secret[at + 1..]);
            assert!(!pattern.is_match(&shorter), "{shorter}");
        }
    }
}

#[test]
fn the_rules_find_secrets_in_a_text_and_name_their_kind() {
    let random = Random::seeded(9);
    let all = formats();
    let rules: toml::Table = toml::from_str(&secret_formats::gitleaks(&all)).unwrap();
    let rules = rules["rules"].as_array().unwrap();
    assert_eq!(rules.len(), all.len());
    for (rule, format) in rules.iter().zip(&all) {
        let pattern = Regex::new(rule["regex"].as_str().unwrap()).unwrap();
        let keyword = rule["keywords"][0].as_str().unwrap();
        for format_of_text in &all {
            let secret = minted(format_of_text, &random);
            let text = format!("export SECRET='{secret}'; # and so on");
            let found = pattern.captures(&text).map(|found| found[1].to_owned());
            assert_eq!(found, (format == format_of_text).then_some(secret), "{rule}");
            if format == format_of_text {
                assert!(text.to_lowercase().contains(keyword), "{keyword}");
            }
        }
        assert!(!pattern.is_match(&format!("{}{}", format.prefix, "0".repeat(43))), "without a checksum");
    }
}

#[test]
fn what_a_server_really_hands_out_is_matched() {
    let server = Server::start(Database::Sqlite);
    let client = server.confidential_client().grants(["password", "refresh_token"]).create();
    let user = server.api_user().create();
    let refresh_token = client.password_grant(&user).ok().refresh_token();
    let formats = secret_formats::all("gr_cs", "gr_cs_test");
    assert_eq!(formats.len(), 6, "the defaults stand there once");
    for (kind, secret) in
        [("client secret", client.secret), ("generated password", user.password), ("refresh token", refresh_token)]
    {
        let matching: Vec<&str> = formats
            .iter()
            .filter(|format| Regex::new(&format!("^{}$", format.pattern)).unwrap().is_match(&secret))
            .map(|format| format.kind)
            .collect();
        assert_eq!(matching, [kind]);
    }
}

#[test]
fn prefixes_of_ones_own_are_among_the_patterns() {
    let installation = Installation::new(Database::Sqlite);
    let client = installation.json(&["--preset", "buymed", "client", "create", "--label", "a", "--mode", "test"]);
    let printed = installation.json(&["token", "patterns", "--preset", "buymed"]);
    let test = printed.as_array().unwrap().iter().find(|one| one["prefix"] == "sk_test_").unwrap();
    assert!(Regex::new(&format!("^{}$", text(test, "pattern"))).unwrap().is_match(&text(&client, "client_secret")));
    let rules = done(&installation.run(&["token", "patterns", "--gitleaks", "--preset", "buymed"]));
    assert!(rules.contains("id = \"grantor-client-secret-sk-live\"") && rules.contains("keywords = [\"sk_test_\"]"));
}
