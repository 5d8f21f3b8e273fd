//! The programs that developers are given, run as they are.

use std::path::Path;
use std::process::Command;

use grantor::developer::call::{CLIENT_SECRET, Call, ClientAccess, PASSWORD, Site, USERNAME, Value};
use grantor::developer::snippets::{Language, file_name, program as text_of};
use rstest::rstest;

use super::program::output_of;
use crate::harness::{Database, Installation, Server, missing, program};

/// The command that runs a file, and its arguments before the file.
fn runner(language: Language) -> &'static [&'static str] {
    match language {
        Language::Curl => &["bash"],
        Language::Python => &["python3"],
        Language::Node => &["node"],
        Language::Java => &["java"],
        Language::Php => &["php"],
        Language::Go => &["go", "run"],
    }
}

/// Runs a program with these variables; answers what it printed.
fn run(language: Language, text: &str, folder: &Path, variables: &[(&str, &str)]) -> Option<serde_json::Value> {
    let [name, arguments @ ..] = runner(language) else { unreachable!() };
    let Some(path) = program(name) else {
        missing(name);
        return None;
    };
    let file = folder.join(file_name(language));
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(path);
    command.args(arguments).arg(&file).current_dir(folder).envs(variables.iter().copied());
    command.env("no_proxy", "*").env("NO_PROXY", "*").env("GOFLAGS", "-mod=mod");
    let said = output_of(&mut command);
    Some(serde_json::from_str(&said).unwrap_or_else(|_| panic!("{language}: {said}")))
}

/// Every way to a token, in one language: what the program prints is who was meant.
fn run_all(language: Language, db: Database) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(db).set("preset", "akeneo").start();
    let site = Site::new(server.base(), &server.config().http.token_path);
    assert!(site.token_url.ends_with("/api/oauth/v1/token"), "{}", site.token_url);
    let grants = ["password", "client_credentials"];
    let client = server.confidential_client().grants(grants).create();
    let posts = server
        .confidential_client()
        .grants(grants)
        .change(|new| new.authentication_method = Some("client_secret_post".to_owned()))
        .create();
    // An id with characters that Basic needs escaped.
    let odd = server
        .confidential_client()
        .grants(grants)
        .change(|new| new.client_id = Some("shop: a+b & 'c' \"d\" \\e".to_owned()))
        .create();
    let public = server.public_client().grants(["password"]).create();
    let machine = server.api_user().create();
    // A name and a password that every language has to escape.
    let person = server
        .person()
        .username("zoë \"o'neil\" \\n $HOME")
        .password("größer & 100% = `sehr` \"gut\" \\ 'so'")
        .create();
    let access = |id: &str, in_body| ClientAccess { id: id.to_owned(), secret: Some(CLIENT_SECRET), in_body };
    let known = |secret: &str| Value::Known(secret.to_owned());

    for (id, secret, in_body) in
        [(&client.id, &client.secret, false), (&posts.id, &posts.secret, true), (&odd.id, &odd.secret, false)]
    {
        let text = text_of(language, &Call::client_credentials(&site, &access(id, in_body)));
        assert!(!text.contains(secret.as_str()));
        let Some(me) = run(language, &text, folder.path(), &[("GRANTOR_CLIENT_SECRET", secret)]) else { return };
        assert_eq!((&me["sub"], &me["kind"]), (&serde_json::json!(id), &serde_json::json!("client")), "{me}");
    }
    let call = Call::password(&site, &access(&client.id, false), USERNAME, PASSWORD);
    let variables = [
        ("GRANTOR_CLIENT_SECRET", client.secret.as_str()),
        ("GRANTOR_USERNAME", &person.username),
        ("GRANTOR_PASSWORD", &person.password),
    ];
    let me = run(language, &text_of(language, &call), folder.path(), &variables).unwrap();
    assert_eq!(me["sub"], person.id.as_str(), "{me}");

    let filled = ClientAccess { secret: Some(known(&client.secret)), ..access(&client.id, false) };
    let call = Call::password(&site, &filled, known(&person.username), known(&person.password));
    let me = run(language, &text_of(language, &call), folder.path(), &[]).unwrap();
    assert_eq!(me["sub"], person.id.as_str(), "{me}");

    let without = ClientAccess { secret: None, ..access(&public.id, false) };
    let call = Call::password(&site, &without, known(&machine.username), PASSWORD);
    let variables = [("GRANTOR_PASSWORD", machine.password.as_str())];
    let me = run(language, &text_of(language, &call), folder.path(), &variables).unwrap();
    assert_eq!(me["sub"], machine.id.as_str(), "{me}");
}

#[rstest]
fn a_program_gets_a_token_and_says_who_it_is(
    #[values(Language::Curl, Language::Python, Language::Node, Language::Java, Language::Go, Language::Php)]
    language: Language,
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    run_all(language, db);
}

/// Every shape of credentials.
fn calls(site: &Site) -> Vec<Call> {
    let client = ClientAccess { id: "app_1".to_owned(), secret: Some(CLIENT_SECRET), in_body: false };
    let public = ClientAccess { secret: None, ..client.clone() };
    vec![
        Call::client_credentials(site, &client),
        Call::client_credentials(site, &ClientAccess { in_body: true, ..client.clone() }),
        Call::password(site, &client, USERNAME, PASSWORD),
        Call::password(site, &public, Value::from("a \"b\" 'c' \\"), PASSWORD),
        Call::basic(site, Value::from("jdoe"), PASSWORD),
        Call::client_headers(site, &client),
        Call::api_key(site, grantor::developer::call::API_KEY, "the-user", "the-business"),
    ]
}

/// What is open at the end of a program: brackets, outside of its texts and comments.
fn open_brackets(text: &str) -> String {
    let mut open = String::new();
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some('`'), '`') => quote = None,
            (Some('`'), _) => {}
            (Some(_), '\\') => drop(characters.next()),
            (Some(q), _) if q == c => quote = None,
            (Some(_), '\n') => return format!("{open}{c}"),
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => open.push(c),
            (None, ')' | ']' | '}') => match (open.pop(), c) {
                (Some('('), ')') | (Some('['), ']') | (Some('{'), '}') => {}
                _ => return format!("{open}{c}"),
            },
            (None, _) => {}
        }
    }
    quote.map_or(open.clone(), |quote| format!("{open}{quote}"))
}

#[test]
fn every_language_has_every_shape_and_closes_what_it_opens() {
    let site = Site::new("https://id.example.com", &[]);
    for language in Language::ALL.iter().copied() {
        for (number, call) in calls(&site).iter().enumerate() {
            let text = text_of(language, call);
            assert!(text.contains("https://id.example.com/api/v1/me"), "{language}: {text}");
            assert_eq!(text.contains("https://id.example.com/oauth/token"), number < 4, "{language}: {text}");
            let variable = match number {
                3 | 4 => "GRANTOR_PASSWORD",
                6 => "GRANTOR_API_KEY",
                _ => "GRANTOR_CLIENT_SECRET",
            };
            assert!(text.contains(variable), "{language}: {text}");
            for header in match number {
                5 => &["Client-ID", "Client-Secret"][..],
                6 => &["X-API-Key", "X-User-ID", "X-Business-ID", "the-user", "the-business"],
                _ => &[],
            } {
                assert!(text.contains(header), "{language}: {text}");
            }
            if language != Language::Curl {
                assert_eq!(open_brackets(&text), "", "{language}: {text}");
            }
        }
    }
}

#[rstest]
fn the_command_line_prints_a_program_without_the_secret(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let mut server = Installation::new(db);
    let create = |label: &str, grant: &str, further: &[&str]| {
        server.json(&[&["client", "create", "--label", label, "--grant-type", grant], further].concat())
    };
    let robot = create("robot", "client_credentials", &[]);
    create("window", "password", &["--public"]);
    let user = server.json(&["user", "create", "--username", "jdoe", "--kind", "api_user"]);
    let secret = robot["client_secret"].as_str().unwrap().to_owned();
    let password = user["password"].as_str().unwrap().to_owned();
    server.start();
    let snippet = |arguments: &[&str]| {
        let made = server.json(&[arguments, &["--language", "python"]].concat());
        assert_eq!((made["file"].as_str(), made["language"].as_str()), (Some("who_am_i.py"), Some("python")));
        made["program"].as_str().unwrap().to_owned()
    };
    let as_robot = snippet(&["client", "snippet", "robot"]);
    let as_user = snippet(&["client", "snippet", "window", "--username", "jdoe"]);
    let headers = snippet(&["client", "snippet", "robot", "--shape", "client_headers"]);
    assert!(headers.contains("\"Client-Secret\": os.environ"), "{headers}");
    let basic = snippet(&["user", "snippet", "jdoe"]);
    assert!(basic.contains("basic(\"jdoe\", os.environ[\"GRANTOR_PASSWORD\"])"), "{basic}");
    for text in [&as_robot, &as_user, &headers, &basic] {
        assert!(!text.contains("gr_"), "{text}");
    }
    let folder = tempfile::tempdir().unwrap();
    let python = |text: &str, variable| run(Language::Python, text, folder.path(), &[variable]);
    let Some(me) = python(&as_robot, ("GRANTOR_CLIENT_SECRET", secret.as_str())) else { return };
    assert_eq!(me["sub"], robot["client_id"]);
    assert_eq!(python(&as_user, ("GRANTOR_PASSWORD", password.as_str())).unwrap()["sub"], user["id"]);

    let refused = server.run(&["client", "snippet", "window", "--language", "go", "--shape", "client_credentials"]);
    assert_eq!(refused.status.code(), Some(1));
    let misused = server.run(&["client", "snippet", "window", "--language", "cobol"]);
    assert_eq!(misused.status.code(), Some(2));
}
