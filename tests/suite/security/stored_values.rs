//! Whoever has read the database has no credential: every value of every column is tried at every door.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use diesel::RunQueryDsl;
use diesel::sql_types::Text;
use grantor::crypto::token_format::{has_checksum, seal_checksum};
use grantor::store::Db;
use rstest::rstest;
use serde_json::json;

use crate::harness::{Database, Server, TestClient, TestUser};
use crate::mail::redeem;

/// Prefixes of secrets, and how long what stands between prefix and checksum is.
const PREFIXES: [(&str, usize); 5] = [("gr_cs", 43), ("gr_pw", 43), ("gr_ak", 43), ("gr_ot", 43), ("gr_rt", 72)];

/// Callers at once.
const AT_ONCE: usize = 8;

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(db: &mut Db, query: &str) -> Vec<String> {
    let query = diesel::sql_query(query);
    let rows: Vec<Line> = match db {
        Db::Sqlite(connection) => query.load(connection).unwrap(),
        Db::Postgres(connection) => query.load(connection).unwrap(),
    };
    rows.into_iter().map(|row| row.line).collect()
}

/// Every value of every column of every table.
fn every_value(db: &mut Db) -> BTreeSet<String> {
    let columns = match db {
        Db::Sqlite(_) => {
            "SELECT m.name || '.' || p.name AS line FROM sqlite_master m JOIN pragma_table_info(m.name) p \
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        Db::Postgres(_) => {
            "SELECT table_name || '.' || column_name AS line FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let mut values = BTreeSet::new();
    for column in lines(db, columns) {
        let (table, column) = column.split_once('.').unwrap();
        let query = format!(r#"SELECT CAST("{column}" AS TEXT) AS line FROM "{table}" WHERE "{column}" IS NOT NULL"#);
        values.extend(lines(db, &query));
    }
    values
}

/// A value, its parts, and both in the encodings in which somebody would try them. Numbers and short words are none.
fn forms(value: &str) -> Vec<String> {
    let parts = value.split(|c: char| !c.is_ascii_graphic() || "\"{}[],:;$=".contains(c));
    let mut forms = vec![value.to_owned()];
    for part in parts.filter(|part| part.len() >= 16) {
        forms.push(part.to_owned());
        let decoded = URL_SAFE_NO_PAD.decode(part).or_else(|_| STANDARD.decode(part));
        if let Some(bytes) = decoded.ok().filter(|bytes| bytes.len() >= 16) {
            forms.push(STANDARD.encode(&bytes));
            forms.push(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        }
    }
    if let Some((_, own)) = value.split_once("$2b$") {
        forms.push(format!("$2b${own}"));
    }
    let is_text = |form: &String| form.len() >= 16 && form.chars().all(|c| c.is_ascii_graphic());
    forms.into_iter().filter(is_text).collect()
}

/// A stored text in the shape of a secret, so that it passes the look at the checksum.
fn with_checksum(prefix: &str, length: usize, text: &str) -> Option<String> {
    let body: String = text.chars().filter(char::is_ascii_alphanumeric).cycle().take(length).collect();
    let minted = seal_checksum(&format!("{prefix}_{body}"));
    (body.len() == length && has_checksum(&minted)).then_some(minted)
}

/// The doors, and who has the real credentials.
struct Doors<'a> {
    server: &'a Server,
    client: TestClient<'a>,
    users: [&'a TestUser; 2],
}

impl Doors<'_> {
    fn refuse(&self, text: &str) {
        let Self { server, client, users } = self;
        TestClient { secret: text.to_owned(), ..client.clone() }.client_credentials().is_refused("invalid_client");
        for user in users {
            let user = (("username", user.username.as_str()), ("password", text));
            client.token(&[("grant_type", "password"), user.0, user.1]).is_refused("invalid_grant");
        }
        client.refresh(text).is_refused("invalid_grant");
        assert_eq!(client.introspect(text).ok().json(), json!({ "active": false }), "{text}");
        assert_eq!(server.get("/verify", &[("X-API-Key", text)]).status, 401, "{text}");
        assert_eq!(server.get("/verify", &[("Client-ID", &client.id), ("Client-Secret", text)]).status, 401, "{text}");
        assert_eq!(server.get_with_token("/api/v1/me", text).status, 401, "{text}");
        assert_eq!(
            redeem(server, &json!({ "token": text, "password": "a fine long passphrase" })).status,
            400,
            "{text}"
        );
    }
}

#[rstest]
fn nothing_that_is_stored_works_as_a_credential(#[values(Database::Sqlite, Database::Postgres)] db: Database) {
    let server = Server::with(db)
        .set("limits.enabled", false)
        .set("credentials.reveal.client_secret", "always")
        .set("credentials.reveal.api_key", "always")
        .start();
    let client = server
        .confidential_client()
        .grants(["password", "refresh_token", "client_credentials"])
        .change(|new| new.may_introspect = true)
        .create();
    let person = server.person().change(|new| new.email = Some("known@example.org".to_owned())).create();
    let machine = server.api_user().create();
    let (_, key, _) = super::verify::api_key(&server, &machine, |_| {});
    // An invitation and a reset that wait in the outbox, a remembered POST, a live family.
    let administrator = server.person().change(|new| new.roles = vec!["administrator".to_owned()]).create();
    let basic = super::verify::basic(&administrator.username, &administrator.password);
    let headers = [("Authorization", basic.as_str()), ("Idempotency-Key", "a key of somebody's own choice")];
    for body in [json!({ "username": "invited", "email": "invited@example.org" }), json!({ "username": "other" })] {
        let path = "/api/v1/users";
        server.post_raw(
            path,
            "application/json",
            body.to_string().as_bytes(),
            &headers[..1 + usize::from(body["email"].is_null())],
        );
    }
    let reset = json!({ "username": person.username }).to_string();
    assert_eq!(server.post_raw("/api/v1/password-resets", "application/json", reset.as_bytes(), &[]).status, 202);
    let tokens = client.password_grant(&person).ok();
    let link = crate::mail::newest_token(&server);

    let values = server.run(async |context, _| context.store.read(|db| Ok(every_value(db))).await.unwrap());
    let stored: BTreeSet<String> = values.iter().flat_map(|value| forms(value)).collect();
    let has = |prefix: &str| values.iter().any(|value| value.starts_with(prefix));
    assert!(stored.len() >= 100 && has("invited@example.org"), "{stored:?}");
    // A minted text is tried where its prefix is looked at, and everywhere else too.
    let minted = PREFIXES.map(|(prefix, length)| {
        stored.iter().filter_map(move |text| with_checksum(prefix, length, text)).collect::<BTreeSet<_>>()
    });
    let all: Vec<&String> = stored.iter().chain(minted.iter().flatten()).collect();
    let doors = Doors { server: &server, client: client.clone(), users: [&person, &machine] };
    std::thread::scope(|scope| {
        for some in all.chunks(all.len().div_ceil(AT_ONCE)) {
            let doors = &doors;
            scope.spawn(move || some.iter().for_each(|text| doors.refuse(text)));
        }
    });
    println!("{} stored texts and {} made of them", stored.len(), all.len() - stored.len());
    // What was tried does not hide behind something that fails anyway.
    client.client_credentials().ok();
    client.refresh(&tokens.refresh_token()).ok();
    client.password_grant(&machine).ok();
    server.get("/verify", &[("X-API-Key", &key)]).ok();
    redeem(&server, &json!({ "token": link, "password": "a fine long passphrase" })).ok();
    client.password_grant(&person.with_password("a fine long passphrase")).ok();
}
