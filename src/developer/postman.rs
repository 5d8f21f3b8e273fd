//! A Postman collection (format 2.1) and its environment: the requests that a client may make, with its own values, and
//! test scripts, so that `newman` runs it too.

use serde_json::{Value as Json, json};

use crate::crypto::secret::SecretString;
use crate::developer::call::{ClientAccess, Site, Value};
use crate::model::grant_type::GrantType;

const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// What a collection is made of.
pub struct Workspace<'a> {
    /// Its name.
    pub name: &'a str,
    /// The server.
    pub site: &'a Site,
    /// The client.
    pub client: &'a ClientAccess,
    /// The grants that it may use.
    pub grants: &'a [GrantType],
    /// The user, if one is known.
    pub username: Option<&'a str>,
    /// Their password, if it is known.
    pub password: Option<&'a SecretString>,
}

impl Workspace<'_> {
    /// The collection. It holds no value of its own: all of them are in the environment.
    #[must_use]
    pub fn collection(&self) -> Json {
        let has = |grant| self.grants.contains(&grant);
        let mut items = Vec::new();
        if has(GrantType::Password) {
            let members = [("grant_type", "password"), ("username", "{{username}}"), ("password", "{{password}}")];
            items.push(self.token("Get a token", &members));
            items.push(me("Who am I"));
            if has(GrantType::RefreshToken) {
                let members = [("grant_type", "refresh_token"), ("refresh_token", "{{refresh_token}}")];
                items.push(self.token("Refresh the token", &members));
                items.push(me("Who am I, with the new token"));
            }
        }
        if has(GrantType::ClientCredentials) && self.client.secret.is_some() {
            items.push(self.token("Get a token for the application itself", &[("grant_type", "client_credentials")]));
            items.push(me("Which application am I"));
        }
        json!({ "info": { "name": self.name, "schema": SCHEMA }, "item": items })
    }

    /// The environment: addresses, ids, and the secrets that are known. The others are empty, to be filled in.
    #[must_use]
    pub fn environment(&self) -> Json {
        let client_secret = match &self.client.secret {
            Some(Value::Known(secret)) => secret.as_str(),
            _ => "",
        };
        let value =
            |key: &str, value: &str, kind: &str| json!({ "key": key, "value": value, "type": kind, "enabled": true });
        let password = self.password.map(SecretString::expose).unwrap_or_default();
        let id = self.client.basic().map_or_else(
            || self.client.id.clone(),
            |(id, _)| match id {
                Value::Known(id) => id,
                Value::Variable(_) => String::new(),
            },
        );
        json!({
            "name": self.name,
            "values": [
                value("base_url", &self.site.issuer, "default"),
                value("token_url", &self.site.token_url, "default"),
                value("client_id", &id, "default"),
                value("client_secret", client_secret, "secret"),
                value("username", self.username.unwrap_or_default(), "default"),
                value("password", password, "secret"),
                value("access_token", "", "secret"),
                value("refresh_token", "", "secret"),
            ],
            "_postman_variable_scope": "environment",
        })
    }

    /// A request to the token endpoint.
    fn token(&self, name: &str, members: &[(&str, &str)]) -> Json {
        let mut members = members.to_vec();
        if self.client.in_body {
            members.extend([("client_id", "{{client_id}}"), ("client_secret", "{{client_secret}}")]);
        }
        let basic = |key: &str| json!({ "key": key, "value": format!("{{{{client_{}}}}}", if key == "username" { "id" } else { "secret" }), "type": "string" });
        let auth = if self.client.in_body {
            json!({ "type": "noauth" })
        } else {
            json!({ "type": "basic", "basic": [basic("username"), basic("password")] })
        };
        let mut events = vec![script("test", &TOKEN_TESTS)];
        let (body, headers) = if self.site.token_json {
            // A value with a quotation mark in it would break a body that only has variables put in.
            let texts: Vec<String> = members
                .iter()
                .map(|(name, value)| match value.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
                    Some(variable) => format!("  {name}: pm.environment.get('{variable}'),"),
                    None => format!("  {name}: '{value}',"),
                })
                .collect();
            let lines: Vec<&str> = std::iter::once("pm.variables.set('body', JSON.stringify({")
                .chain(texts.iter().map(String::as_str))
                .chain(["}))"])
                .collect();
            events.push(script("prerequest", &lines));
            let language = json!({ "raw": { "language": "json" } });
            let header = json!([{ "key": "Content-Type", "value": "application/json" }]);
            (json!({ "mode": "raw", "raw": "{{body}}", "options": language }), header)
        } else {
            let form: Vec<Json> =
                members.iter().map(|(key, value)| json!({ "key": key, "value": value, "type": "text" })).collect();
            (json!({ "mode": "urlencoded", "urlencoded": form }), json!([]))
        };
        let request =
            json!({ "method": "POST", "url": "{{token_url}}", "auth": auth, "header": headers, "body": body });
        json!({ "name": name, "event": events, "request": request })
    }
}

const TOKEN_TESTS: [&str; 6] = [
    "pm.test('status is 200', () => pm.response.to.have.status(200))",
    "const tokens = pm.response.json()",
    "pm.test('there is an access token', () => pm.response.to.have.jsonBody('access_token'))",
    "pm.environment.set('access_token', tokens.access_token)",
    "// A refresh token works once: keep its successor.",
    "if (tokens.refresh_token) pm.environment.set('refresh_token', tokens.refresh_token)",
];

const ME_TESTS: [&str; 2] = [
    "pm.test('status is 200', () => pm.response.to.have.status(200))",
    "pm.test('it says who I am', () => pm.response.to.have.jsonBody('sub'))",
];

/// The request that asks who the bearer of the token is.
fn me(name: &str) -> Json {
    let bearer = json!([{ "key": "token", "value": "{{access_token}}", "type": "string" }]);
    let auth = json!({ "type": "bearer", "bearer": bearer });
    let request = json!({ "method": "GET", "url": "{{base_url}}/api/v1/me", "auth": auth, "header": [] });
    json!({ "name": name, "event": [script("test", &ME_TESTS)], "request": request })
}

fn script(listen: &str, lines: &[&str]) -> Json {
    json!({ "listen": listen, "script": { "type": "text/javascript", "exec": lines } })
}
