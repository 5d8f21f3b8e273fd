//! The floor plan, held by reading the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use rstest::rstest;

use crate::harness::{Answer, Database, Server, agent};

/// A source file: its path below `src/`, its text, and its text without tests and comments.
struct Source {
    path: String,
    text: String,
    code: String,
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&root, &mut found);
    found.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&root).unwrap().display().to_string();
        // Unit tests stand at the end of a file, or in a file `tests.rs` of their own.
        let code = if path.ends_with("tests.rs") { "" } else { text.split("#[cfg(test)]").next().unwrap() };
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        Source { path, text, code }
    };
    let sources: Vec<Source> =
        found.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).map(read).collect();
    assert!(sources.len() > 100, "the sources are not where this test looks");
    sources
}

/// Whether the code has this as a whole word: `rand::` is not in `operand::`.
fn says(code: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(is_part)
            && (word.ends_with(':') || !code[at + word.len()..].chars().next().is_some_and(is_part))
    })
}

#[test]
fn what_must_stand_in_one_place_stands_in_no_other() {
    let never: &[(&[&str], &[&str])] = &[
        (&["diesel", "diesel_migrations", "libsqlite3_sys", "pq_sys"], &["store/"]),
        (&["actix_web", "actix_cors"], &["http/", "app.rs"]),
        (&["oxide_auth"], &["oauth/"]),
        (&["jsonwebtoken"], &["oauth/tokens/", "oauth/keys/"]),
        (
            &["bcrypt::", "argon2::", "rand::", "aws_lc_rs", "crc32fast", "subtle", "unicode_normalization"],
            &["crypto/", "model/user.rs"],
        ),
        (&["std::env", "env::var", "env::vars_os"], &["config/", "sabotage.rs"]),
        (&["Utc::now", "SystemTime::now", "Local::now"], &["clock.rs"]),
        (&["clap", "clap_complete", "rpassword"], &["cli/"]),
        (&["lettre"], &["mail/", "config/mail.rs"]),
        (&["println!", "eprintln!", "dbg!", "todo!", "unimplemented!"], &[]),
    ];
    let mut wrong = BTreeSet::new();
    let mut met = BTreeSet::new();
    for source in sources() {
        for (words, homes) in never {
            for word in words.iter().filter(|word| says(&source.code, word)) {
                met.insert(*word);
                if !homes.iter().any(|home| source.path.starts_with(home)) {
                    wrong.insert(format!("src/{}: {word} belongs into {homes:?}", source.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for word in
        ["diesel", "actix_web", "oxide_auth", "jsonwebtoken", "bcrypt::", "aws_lc_rs", "SystemTime::now", "clap"]
    {
        assert!(met.contains(word), "{word} was met nowhere: the search is blind");
    }
}

/// The floors from the roof down; those of one number stand beside each other and may not use each other, but where
/// `BESIDE` says so.
const FLOORS: &[(&str, u8)] = &[
    ("main", 11),
    ("cli", 10),
    ("app", 9),
    ("http", 8),
    ("admin", 7),
    ("credentials", 6),
    ("oauth", 5),
    ("login", 5),
    ("registry", 4),
    ("audit", 4),
    ("usage", 4),
    ("store", 3),
    ("developer", 2),
    ("mail", 2),
    ("model", 1),
    ("crypto", 1),
    ("config", 1),
    ("clock", 1),
    ("telemetry", 1),
    ("metrics", 1),
    ("sabotage", 0),
];

/// A sign-in is a step of a grant; time, digests and settings have types of the model; the log has a format of the
/// configuration, which holds secrets, checks the master key's form, and keeps the model's bounds.
const BESIDE: &[(&str, &str)] = &[
    ("oauth", "login"),
    ("oauth", "credentials"),
    ("crypto", "model"),
    ("clock", "model"),
    ("config", "crypto"),
    ("config", "model"),
    ("telemetry", "config"),
];

#[test]
fn imports_go_down() {
    let floor = |name: &str| FLOORS.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor);
    let mut wrong = BTreeSet::new();
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources() {
        let own = source.path.split(['/', '.']).next().unwrap();
        if own == "lib" {
            continue;
        }
        let Some(from) = floor(own) else { panic!("src/{} stands on no floor", source.path) };
        // `$crate::` is what a macro of the model says of itself.
        let code = source.code.replace("$crate::", "").replace("use crate::{", "use crate::");
        for (at, _) in code.match_indices("crate::") {
            let name: String = code[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if name == "words" {
                continue;
            }
            let Some(to) = floor(&name) else { panic!("src/{} uses {name}, which stands on no floor", source.path) };
            *met.entry(own.to_owned()).or_default() += 1;
            let beside = BESIDE.contains(&(own, name.as_str()));
            if !(own == name || to < from || beside) {
                wrong.insert(format!("src/{}: {own} must not use {name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for own in ["cli", "app", "http", "admin", "credentials", "oauth", "login", "store"] {
        assert!(met.get(own).is_some_and(|count| *count > 3), "{own} imports nothing: the search is blind");
    }
}

#[test]
fn the_console_and_the_admin_api_do_not_know_each_other() {
    for source in sources() {
        let other = if source.path.starts_with("http/console/") { "admin_api" } else { "console" };
        if source.path.starts_with("http/console/") || source.path.starts_with("http/admin_api/") {
            assert!(!source.code.contains(&format!("http::{other}")), "src/{}", source.path);
        }
    }
}

#[test]
fn no_child_asks_its_parent() {
    for source in sources() {
        assert!(!says(&source.code, "super::"), "src/{} says super::", source.path);
    }
}

#[test]
fn a_long_file_says_why_in_its_first_lines() {
    for source in sources() {
        let first: String = source.text.lines().take(10).collect::<Vec<_>>().join(" ").to_lowercase();
        let lines = source.text.lines().count();
        assert!(lines <= 400 || first.contains("longer than most"), "src/{} has {lines} lines", source.path);
    }
}

#[test]
fn every_file_and_folder_is_named_after_a_concept() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("src"), &mut found);
    files(&root.join("tests"), &mut found);
    for path in found {
        let path = path.strip_prefix(root).unwrap().to_owned();
        for part in path.iter().map(|part| part.to_string_lossy().to_lowercase()) {
            let words: Vec<&str> = part.split(['_', '-', '.']).collect();
            for banned in ["util", "helper", "common", "manager", "service", "misc"] {
                let plural = format!("{banned}s");
                let named = words.iter().any(|word| *word == banned || *word == plural);
                // The one list whose subject is called so.
                assert!(!named || part == "common_passwords.txt", "{}", path.display());
            }
        }
        let folder = path.with_file_name("mod.rs");
        let in_source = path.starts_with("src") && path.parent().is_some_and(|parent| parent != Path::new("src"));
        if in_source && path.extension().is_some_and(|end| end == "rs") {
            let own = path.parent().unwrap().with_extension("rs");
            // A page's folder is named in `console/mod.rs`, with what it shows; its template stands beside it.
            let is_page =
                path.starts_with("src/http/console") && path.with_file_name("page.rs").components().count() > 4;
            let page = is_page && root.join(path.with_file_name("page.rs")).is_file();
            let has_plate = page || root.join(&folder).is_file() || root.join(own).is_file();
            assert!(has_plate, "{} has no door plate", path.display());
        }
    }
}

#[test]
fn every_file_says_at_its_top_what_it_is() {
    for source in sources().iter().filter(|source| !matches!(source.path.as_str(), "config/load/tests.rs")) {
        assert!(source.text.starts_with("//! "), "src/{}", source.path);
    }
}

#[test]
fn nothing_outside_tests_unwraps() {
    for source in sources() {
        for banned in [".unwrap()", ".expect(", "panic!(", "unreachable!(", "unsafe "] {
            assert!(!source.code.contains(banned), "src/{}: {banned}", source.path);
        }
    }
}

#[test]
fn both_databases_have_the_same_migrations() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let of = |dialect: &str| {
        let mut found = Vec::new();
        files(&root.join(dialect), &mut found);
        let mut names: Vec<String> =
            found.iter().map(|path| path.strip_prefix(root.join(dialect)).unwrap().display().to_string()).collect();
        names.sort();
        names
    };
    let (sqlite, postgres) = (of("sqlite"), of("postgres"));
    assert_eq!(sqlite, postgres);
    assert!(!sqlite.is_empty() && sqlite.len() % 2 == 0, "each has up.sql and down.sql: {sqlite:?}");
    let tables = |dialect: &str| -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for name in sqlite.iter().filter(|name| name.ends_with("up.sql")) {
            let text = std::fs::read_to_string(root.join(dialect).join(name)).unwrap();
            for part in text.split("CREATE TABLE ").skip(1) {
                let (table, rest) = part.split_once('(').unwrap();
                let columns = rest.split_once("\n)").unwrap().0.lines().map(str::trim);
                let columns = columns
                    .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase() || c == '"'))
                    .map(|line| line.split_whitespace().next().unwrap().trim_matches('"').to_owned());
                found.insert(table.trim().to_owned(), columns.collect());
            }
        }
        found
    };
    let (in_sqlite, in_postgres) = (tables("sqlite"), tables("postgres"));
    assert_eq!(in_sqlite, in_postgres);
    assert!(in_sqlite.len() > 5 && in_sqlite["users"].contains("username"), "{in_sqlite:?}");
}

#[test]
fn the_route_table_is_this() {
    let lines: Vec<String> =
        grantor::http::table().map(|(path, methods, name)| format!("{path:42} {methods:15} {name}")).collect();
    assert_snapshot!(lines.join("\n"), @"
    /oauth/token                               POST            token
    /oauth/introspect                          POST            introspect
    /oauth/revoke                              POST            revoke
    /oauth/userinfo                            GET, HEAD, POST userinfo
    /.well-known/openid-configuration          GET, HEAD       metadata
    /.well-known/oauth-authorization-server    GET, HEAD       metadata
    /.well-known/jwks.json                     GET, HEAD       jwks
    /health/live                               GET, HEAD       health
    /health/ready                              GET, HEAD       health
    /docs                                      GET, HEAD       docs
    /docs/{rest}                               GET, HEAD       docs
    /verify                                    ANY             verify
    /verify/{rest}                             ANY             verify
    /api/v1/me                                 GET, HEAD       me
    /api/v1/organizations                      GET, HEAD, POST organizations
    /api/v1/organizations/{organization}       GET, HEAD, PATCH organizations
    /api/v1/organizations/{organization}/disable POST            organizations
    /api/v1/organizations/{organization}/enable POST            organizations
    /api/v1/users                              GET, HEAD, POST users
    /api/v1/users/{user}                       GET, HEAD, PATCH, DELETE users
    /api/v1/users/{user}/disable               POST            users
    /api/v1/users/{user}/enable                POST            users
    /api/v1/users/{user}/unlock                POST            users
    /api/v1/users/{user}/password              POST            users
    /api/v1/users/{user}/verification          GET, HEAD, POST users
    /api/v1/users/{user}/memberships           GET, HEAD       users
    /api/v1/users/{user}/memberships/{organization} PUT, DELETE     users
    /api/v1/users/{user}/sessions              GET, HEAD       users
    /api/v1/users/{user}/sessions/{session}    DELETE          users
    /api/v1/roles                              GET, HEAD, POST roles
    /api/v1/roles/{role}                       GET, HEAD, PUT, DELETE roles
    /api/v1/roles/{role}/users                 GET, HEAD       roles
    /api/v1/scopes                             GET, HEAD, POST scopes
    /api/v1/scopes/{scope}                     GET, HEAD, PATCH, DELETE scopes
    /api/v1/clients                            GET, HEAD, POST clients
    /api/v1/clients/{client}                   GET, HEAD, PATCH, DELETE clients
    /api/v1/clients/{client}/approve           POST            clients
    /api/v1/clients/{client}/disable           POST            clients
    /api/v1/clients/{client}/enable            POST            clients
    /api/v1/clients/{client}/secrets           GET, HEAD, POST clients
    /api/v1/clients/{client}/secrets/rotate    POST            clients
    /api/v1/clients/{client}/secrets/{secret}  DELETE          clients
    /api/v1/clients/{client}/secrets/{secret}/reveal POST            clients
    /api/v1/clients/{client}/scope-requests    GET, HEAD, POST clients
    /api/v1/scope-requests                     GET, HEAD       scope requests
    /api/v1/scope-requests/{request}/approve   POST            scope requests
    /api/v1/scope-requests/{request}/deny      POST            scope requests
    /api/v1/credentials                        GET, HEAD, POST credentials
    /api/v1/credentials/{credentials}          GET, HEAD, DELETE credentials
    /api/v1/api-keys                           GET, HEAD, POST api keys
    /api/v1/api-keys/{key}                     GET, HEAD, DELETE api keys
    /api/v1/api-keys/{key}/disable             POST            api keys
    /api/v1/api-keys/{key}/enable              POST            api keys
    /api/v1/api-keys/{key}/reveal              POST            api keys
    /api/v1/clients/{client}/usage             GET, HEAD       usage
    /api/v1/audit-events                       GET, HEAD       audit events
    /api/v1/usage                              GET, HEAD       usage
    /api/v1/revocations                        GET, HEAD       revocations
    /api/v1/tokens/families                    GET, HEAD       tokens
    /api/v1/tokens/families/{family}           DELETE          tokens
    /api/v1/signing-keys                       GET, HEAD       signing keys
    /api/v1/signing-keys/rotate                POST            signing keys
    /api/v1/signing-keys/{kid}/revoke          POST            signing keys
    /api/v1/links/redeem                       POST            links
    /api/v1/password-resets                    POST            password resets
    /api/openapi.json                          GET, HEAD       openapi
    /                                          GET, HEAD       console
    /console                                   GET, HEAD       console
    /console/                                  GET, HEAD       console
    /console/sign-in                           GET, HEAD, POST console
    /console/sign-out                          POST            console
    /console/forgot-password                   GET, HEAD, POST console
    /console/link                              GET, HEAD, POST console
    /console/organization                      POST            console
    /console/profile                           GET, HEAD, POST console
    /console/profile/password                  GET, HEAD, POST console
    /console/profile/sessions                  GET, HEAD       console
    /console/profile/sessions/{session}/end    POST            console
    /console/credentials                       GET, HEAD, POST console
    /console/credentials/new                   GET, HEAD       console
    /console/credentials/{credentials}         GET, HEAD       console
    /console/credentials/{credentials}/delete  POST            console
    /console/profile/api-keys                  GET, HEAD, POST console
    /console/profile/api-keys/{key}/usage      GET, HEAD       console
    /console/profile/api-keys/{key}/view       POST            console
    /console/profile/api-keys/{key}/disable    POST            console
    /console/profile/api-keys/{key}/enable     POST            console
    /console/profile/api-keys/{key}/delete     POST            console
    /console/users/{user}/api-keys             GET, HEAD, POST console
    /console/users/{user}/api-keys/{key}/usage GET, HEAD       console
    /console/users/{user}/api-keys/{key}/view  POST            console
    /console/users/{user}/api-keys/{key}/disable POST            console
    /console/users/{user}/api-keys/{key}/enable POST            console
    /console/users/{user}/api-keys/{key}/delete POST            console
    /console/applications                      GET, HEAD, POST console
    /console/applications/new                  GET, HEAD       console
    /console/applications/{client}             GET, HEAD, POST console
    /console/applications/{client}/disable     POST            console
    /console/applications/{client}/enable      POST            console
    /console/applications/{client}/delete      POST            console
    /console/applications/{client}/settings    GET, HEAD       console
    /console/applications/{client}/rotate      POST            console
    /console/applications/{client}/secrets     POST            console
    /console/applications/{client}/secrets/{secret}/reveal POST            console
    /console/applications/{client}/secrets/{secret}/end POST            console
    /console/applications/{client}/scopes      GET, HEAD, POST console
    /console/applications/{client}/events      GET, HEAD       console
    /console/applications/{client}/usage       GET, HEAD       console
    /console/applications/{client}/postman     POST            console
    /console/scopes                            GET, HEAD, POST console
    /console/scopes/{scope}                    GET, HEAD, POST console
    /console/approvals                         GET, HEAD       console
    /console/approvals/applications/{client}/approve POST            console
    /console/approvals/applications/{client}/deny POST            console
    /console/approvals/scopes/{request}/approve POST            console
    /console/approvals/scopes/{request}/deny   POST            console
    /console/reports                           GET, HEAD       console
    /console/reports/successor                 POST            console
    /console/usage                             GET, HEAD       console
    /console/users                             GET, HEAD       console
    /console/users/new                         GET, HEAD, POST console
    /console/users/{user}                      GET, HEAD, POST console
    /console/users/{user}/disable              POST            console
    /console/users/{user}/enable               POST            console
    /console/users/{user}/unlock               POST            console
    /console/users/{user}/resend               POST            console
    /console/users/{user}/delete               POST            console
    /console/users/{user}/roles                GET, HEAD, POST console
    /console/users/{user}/organizations        GET, HEAD, POST console
    /console/users/{user}/organizations/{organization}/end POST            console
    /console/users/{user}/sessions             GET, HEAD       console
    /console/users/{user}/sessions/{session}/end POST            console
    /console/users/{user}/password             GET, HEAD, POST console
    /console/users/{user}/password/generate    POST            console
    /console/users/{user}/password/link        POST            console
    /console/users/{user}/usage                GET, HEAD       console
    /console/roles                             GET, HEAD       console
    /console/roles/new                         GET, HEAD, POST console
    /console/roles/{role}                      GET, HEAD, POST console
    /console/roles/{role}/delete               POST            console
    /console/roles/{role}/permissions          GET, HEAD, POST console
    /console/roles/{role}/users                GET, HEAD, POST console
    /console/organizations                     GET, HEAD, POST console
    /console/organizations/{organization}/rename POST            console
    /console/organizations/{organization}/disable POST            console
    /console/organizations/{organization}/enable POST            console
    /console/audit                             GET, HEAD       console
    /console/audit/export/{format}             GET, HEAD       console
    /console/audit/verify                      POST            console
    /console/keys                              GET, HEAD       console
    /console/keys/rotate                       POST            console
    /console/keys/{kid}/revoke                 POST            console
    /console/inspector                         GET, HEAD, POST console
    /console/download                          POST            console
    /console/assets/{name}                     GET, HEAD       console
    ");
}

fn request(server: &Server, method: &str, path: &str) -> Answer {
    let request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", server.base()));
    Answer::of(agent().run(request.body(()).unwrap()))
}

#[rstest]
fn every_row_of_the_route_table_answers_its_methods_and_no_others(
    #[values(Database::Sqlite, Database::Postgres)] db: Database,
) {
    let server = Server::start(db);
    let page = server.get("/console/sign-in", &[]).body;
    let asset = page.split('"').find_map(|part| part.strip_prefix("/console/assets/")).unwrap().to_owned();
    for (path, methods, _) in grantor::http::table() {
        let path = &path.replace("/assets/{name}", &format!("/assets/{asset}"));
        let allowed: Vec<&str> = methods.split(", ").collect();
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
            let answer = request(&server, method, &path.replace("{rest}", "index.html").replace(['{', '}'], ""));
            let (status, allow) = (answer.status, answer.header("allow"));
            assert!(!answer.header("x-request-id").is_empty(), "{method} {path}");
            if allowed.contains(&method) || *methods == grantor::http::ANY {
                assert!(!matches!(status, 404 | 405 | 500..), "{method} {path}: {status}");
            } else {
                assert_eq!((status, allow), (405, *methods), "{method} {path}");
            }
        }
    }
    assert_eq!(request(&server, "GET", "/no/such/path").status, 404);
}
