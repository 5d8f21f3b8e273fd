//! Every kind of principal that the matrix asks as.

use grantor::admin::{api_keys, organizations};
use grantor::crypto::secret::SecretString;
use grantor::model::reveal::RevealPolicy;

use super::{Caller, json};
use crate::harness::{Server, TestUser};

/// Who asks, and with which headers.
pub struct Asker {
    pub name: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

/// The columns of the matrix, in its order.
pub const NAMES: [&str; 10] = [
    "anonymous",
    "api:access",
    "developer",
    "auditor",
    "users:manage",
    "another organization's administrator",
    "administrator",
    "client without roles",
    "API key",
    "Basic",
];

pub fn all(server: &Server) -> Vec<Asker> {
    let portal = server.confidential_client().grants(["password"]).create();
    let bearer = |user: &TestUser| {
        let token = portal.password_grant(user).ok().access_token();
        vec![("Authorization", format!("Bearer {token}"))]
    };
    let administrator = Caller::administrator(server).user;
    let with = |permissions: [&'static str; 1]| Caller::with(server, permissions).user;
    let machine = server.confidential_client().grants(["client_credentials"]).create();
    let token = machine.client_credentials().ok().access_token();
    let headers = [
        Vec::new(),
        bearer(&Caller::in_role(server, "api user").user),
        bearer(&Caller::developer(server).user),
        bearer(&with(["audit:read"])),
        // With what the users of the fixtures hold: nobody changes who holds more than they do.
        bearer(&Caller::with(server, ["users:manage", "profile", "email"]).user),
        bearer(&administrator_elsewhere(server)),
        bearer(&administrator),
        vec![("Authorization", format!("Bearer {token}"))],
        vec![("X-API-Key", key_of(server, &administrator))],
        vec![("Authorization", super::basic(&administrator))],
    ];
    NAMES.into_iter().zip(headers).map(|(name, headers)| Asker { name, headers }).collect()
}

/// An administrator of an organization of its own.
pub fn administrator_elsewhere(server: &Server) -> TestUser {
    let slug = format!("elsewhere-{}", uuid::Uuid::now_v7());
    server.run(async |context, by| organizations::create(context, by, "Elsewhere", &slug).await.unwrap());
    let roles = vec!["administrator".to_owned()];
    server.person().change(|new| (new.organization, new.roles) = (Some(slug), roles)).create()
}

fn key_of(server: &Server, user: &TestUser) -> String {
    let new = api_keys::NewApiKey {
        user: Some(user.username.clone()),
        name: Some("key".to_owned()),
        organization: None,
        scopes: None,
        expires_at: None,
        networks: Vec::new(),
        reveal: RevealPolicy::Once,
    };
    let made = server.run(async |context, by| api_keys::create(context, by, &new).await.unwrap());
    SecretString::into_exposed(made.secret)
}

/// What the operations are about: new for each call, in the default organization.
pub struct Fixtures {
    pub user: String,
    pub organization: String,
    pub role: String,
    pub scope: String,
    pub client: String,
    pub secret: String,
    pub request: String,
    pub credentials: String,
    pub key: String,
    pub family: String,
    pub kid: String,
    pub session: String,
}

/// Makes them; `path` says which are wanted.
pub fn fixtures(administrator: &Caller<'_>, path: &str) -> Fixtures {
    let server = administrator.server;
    let wants = |name: &str| path.contains(&format!("{{{name}}}"));
    let unique = format!("one-{}", uuid::Uuid::now_v7());
    let id = |list: &str, body| super::id_of(&super::made(&administrator.post(list, &body)));
    let if_wanted = |name: &str, make: &dyn Fn() -> String| if wants(name) { make() } else { String::new() };
    let scope = || {
        super::made(&administrator.post("scopes", &json!({ "name": unique, "requires_approval": true })));
        unique.clone()
    };
    let client =
        if_wanted("client", &|| id("clients", json!({ "label": unique, "grant_types": ["client_credentials"] })));
    let user = if_wanted("user", &|| id("users", json!({ "username": unique, "kind": "api_user" })));
    Fixtures {
        session: if_wanted("session", &|| session_of(server, &user)),
        user: user.clone(),
        organization: if_wanted("organization", &|| match wants("user") {
            // Whose membership is asked for.
            true => "default".to_owned(),
            false => id("organizations", json!({ "name": "Fixture", "slug": format!("x{unique}") })),
        }),
        role: if_wanted("role", &|| id("roles", json!({ "name": unique }))),
        scope: if_wanted("scope", &scope),
        secret: if_wanted("secret", &|| {
            let added = administrator.post(&format!("clients/{client}/secrets"), &json!({}));
            super::made(&added)["secret_id"].as_str().unwrap().to_owned()
        }),
        request: if_wanted("request", &|| {
            let scope = scope();
            let owner = Caller::developer(server);
            let label = json!({ "label": unique, "grant_types": ["client_credentials"] });
            let own = super::id_of(&super::made(&owner.post("clients", &label)));
            let asked = json!({ "scope": scope, "justification": "for the matrix" });
            super::id_of(&super::made(&owner.post(&format!("clients/{own}/scope-requests"), &asked)))
        }),
        credentials: if_wanted("credentials", &|| id("credentials", json!({ "name": unique }))),
        key: if_wanted("key", &|| {
            let user = server.api_user().create();
            id("api-keys", json!({ "name": unique, "user": user.id }))
        }),
        family: if_wanted("family", &|| {
            let portal = server.confidential_client().grants(["password", "refresh_token"]).create();
            let tokens = portal.password_grant(&server.person().create()).ok();
            tokens.claims("access_token")["sid"].as_str().unwrap().to_owned()
        }),
        kid: if_wanted("kid", &|| {
            let rotated = administrator.post("signing-keys/rotate", &json!({}));
            super::made(&rotated)["kid"].as_str().unwrap().to_owned()
        }),
        client,
    }
}

/// A sign-in to the console, as the database has it.
fn session_of(server: &Server, user_id: &str) -> String {
    let now = server.context().clock.now();
    let session = grantor::model::session::Session {
        id: uuid::Uuid::now_v7().to_string(),
        user_id: user_id.to_owned(),
        organization_id: server.run(async |context, by| organizations::reached(context, by, None).await.unwrap().id),
        epoch: 0,
        despite_lock: false,
        authenticated_at: now,
        created_at: now,
        last_seen_at: now,
        ip: "127.0.0.1".to_owned(),
        user_agent: String::new(),
    };
    let id = session.id.clone();
    server.run(async |context, _| {
        let digest = session.id.clone();
        context.store.write(move |db| grantor::store::sessions::create(db, &session, &digest)).await.unwrap();
    });
    id
}

impl Fixtures {
    /// A path of the document with these ids in it.
    pub fn in_path(&self, path: &str) -> String {
        [
            ("{user}", &self.user),
            ("{organization}", &self.organization),
            ("{role}", &self.role),
            ("{scope}", &self.scope),
            ("{client}", &self.client),
            ("{secret}", &self.secret),
            ("{request}", &self.request),
            ("{credentials}", &self.credentials),
            ("{key}", &self.key),
            ("{family}", &self.family),
            ("{kid}", &self.kid),
            ("{session}", &self.session),
        ]
        .into_iter()
        .fold(path.to_owned(), |path, (name, id)| path.replace(name, id))
    }
}
