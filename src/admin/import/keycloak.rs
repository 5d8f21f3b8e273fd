//! One user of Keycloak's realm export (`kc.sh export`, `users[]`).

use serde_json::Value;

use crate::admin::import::problem::Problem;
use crate::admin::import::record::{Fields, Record};
use crate::model::user::UserKind;

/// Reads a user. `None`: the account of a client, which is no user here. Members that say nothing about the user
/// here (attributes, groups, consents) are left alone.
pub(in crate::admin::import) fn read(line: usize, json: &str) -> Result<Option<Record>, Vec<Problem>> {
    let mut fields = Fields::parse(line, json)?;
    if fields.take("serviceAccountClientId").is_some() {
        return Ok(None);
    }
    let username = fields.username();
    let email = fields.email();
    let (first_name, last_name) = (fields.name("firstName"), fields.name("lastName"));
    let roles = fields.texts("realmRoles");
    let disabled = fields.take("enabled") == Some(Value::Bool(false));
    let credentials = match fields.take("credentials") {
        Some(Value::Array(credentials)) => credentials,
        Some(_) => {
            fields.refuse("credentials", "is not a list");
            Vec::new()
        }
        None => Vec::new(),
    };
    // Others are one-time codes and keys, which have no place here.
    let password = credentials.iter().find(|credential| credential["type"] == "password");
    let hash = match password.map(phc) {
        None => None,
        Some(Ok(text)) => fields.hash("credentials", &text),
        Some(Err(message)) => {
            fields.refuse("credentials", message);
            None
        }
    };
    let record = username.map(|username| Record {
        line,
        username,
        kind: UserKind::Person,
        email,
        first_name,
        last_name,
        roles,
        organization: None,
        hash,
        disabled,
        foreign_roles: true,
    });
    fields.finish(record).map(Some)
}

/// The hash as a PHC string.
fn phc(credential: &Value) -> Result<String, &'static str> {
    let inner = |member: &str| {
        let text = credential[member].as_str()?;
        serde_json::from_str::<Value>(text).ok()
    };
    let data = inner("credentialData").ok_or("credentialData is no JSON text")?;
    let secret = inner("secretData").ok_or("secretData is no JSON text")?;
    let text = |member: &str| secret[member].as_str().map(|text| text.trim_end_matches('='));
    let salt = text("salt").ok_or("secretData has no salt")?;
    let hash = text("value").ok_or("secretData has no value")?;
    let iterations = data["hashIterations"].as_u64().ok_or("credentialData has no hashIterations")?;
    // Each of the further parameters is a list of one text.
    let further = |name: &str| {
        let value = &data["additionalParameters"][name];
        value.get(0).unwrap_or(value).as_str()
    };
    match data["algorithm"].as_str() {
        Some(name @ ("pbkdf2-sha256" | "pbkdf2-sha512")) => Ok(format!("${name}$i={iterations}${salt}${hash}")),
        Some("argon2") => {
            let version = match further("version") {
                Some("1.0") => 16,
                _ => 19,
            };
            let kind = further("type").unwrap_or("id");
            let memory = further("memory").ok_or("credentialData has no memory")?;
            let lanes = further("parallelism").ok_or("credentialData has no parallelism")?;
            Ok(format!("$argon2{kind}$v={version}$m={memory},t={iterations},p={lanes}${salt}${hash}"))
        }
        _ => Err("the algorithm is none of pbkdf2-sha256, pbkdf2-sha512, argon2"),
    }
}
