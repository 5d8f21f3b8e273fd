//! One user of a file, in the form of our own.

use serde_json::{Map, Value};

use crate::admin::import::problem::Problem;
use crate::crypto::imported_hash::ImportedHash;
use crate::model::user::{UserKind, Username};

/// A user as a file describes them, each field checked by itself.
pub(in crate::admin::import) struct Record {
    pub(in crate::admin::import) line: usize,
    pub(in crate::admin::import) username: Username,
    pub(in crate::admin::import) kind: UserKind,
    pub(in crate::admin::import) email: Option<String>,
    pub(in crate::admin::import) first_name: String,
    pub(in crate::admin::import) last_name: String,
    /// Names of roles; the default one where there is none.
    pub(in crate::admin::import) roles: Vec<String>,
    pub(in crate::admin::import) organization: Option<String>,
    pub(in crate::admin::import) hash: Option<ImportedHash>,
    pub(in crate::admin::import) disabled: bool,
    /// Whether its roles are names of another program, of which those that are not here are left out.
    pub(in crate::admin::import) foreign_roles: bool,
}

/// The members of a JSON object, taken out one by one; what is wrong with them is collected.
pub(in crate::admin::import) struct Fields {
    line: usize,
    members: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    /// Reads an object.
    pub(in crate::admin::import) fn parse(line: usize, json: &str) -> Result<Self, Vec<Problem>> {
        match serde_json::from_str(json) {
            Ok(Value::Object(members)) => Ok(Self { line, members, problems: Vec::new() }),
            Ok(_) => Err(vec![Problem::new(line, "record", "is not a JSON object")]),
            Err(error) => Err(vec![Problem::new(line, "record", format_args!("is not JSON: {error}"))]),
        }
    }

    /// Notes what is wrong with a field.
    pub(in crate::admin::import) fn refuse(&mut self, field: &str, message: impl std::fmt::Display) {
        self.problems.push(Problem::new(self.line, field, message));
    }

    /// Any member.
    pub(in crate::admin::import) fn take(&mut self, field: &str) -> Option<Value> {
        self.members.remove(field).filter(|value| !value.is_null())
    }

    /// A text, if it is there.
    pub(in crate::admin::import) fn text(&mut self, field: &str) -> Option<String> {
        match self.take(field)? {
            Value::String(text) => Some(text),
            _ => {
                self.refuse(field, "is not a text");
                None
            }
        }
    }

    /// A text for people: one line, 255 bytes at most.
    pub(in crate::admin::import) fn name(&mut self, field: &str) -> String {
        let text = self.text(field).unwrap_or_default();
        if text.len() > 255 || text.chars().any(char::is_control) {
            self.refuse(field, "has 255 bytes at most, on one line");
        }
        text
    }

    /// A list of texts.
    pub(in crate::admin::import) fn texts(&mut self, field: &str) -> Vec<String> {
        let Some(value) = self.take(field) else { return Vec::new() };
        let texts = value.as_array().and_then(|values| values.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let Some(texts) = texts.map(|texts| texts.into_iter().map(str::to_owned).collect()) else {
            self.refuse(field, "is not a list of texts");
            return Vec::new();
        };
        texts
    }

    /// The username, which must be there.
    pub(in crate::admin::import) fn username(&mut self) -> Option<Username> {
        let text = self.text("username").unwrap_or_default();
        match Username::parse(&text) {
            Ok(username) => Some(username),
            Err(error) => {
                self.refuse("username", error);
                None
            }
        }
    }

    /// An e-mail address, if there is one.
    pub(in crate::admin::import) fn email(&mut self) -> Option<String> {
        let email = self.text("email").filter(|email| !email.is_empty())?;
        let is_email = email.len() <= 254
            && email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty())
            && !email.chars().any(|c| c.is_whitespace() || c.is_control());
        if !is_email {
            self.refuse("email", "is no e-mail address");
        }
        Some(email)
    }

    /// A password's hash.
    pub(in crate::admin::import) fn hash(&mut self, field: &str, text: &str) -> Option<ImportedHash> {
        match ImportedHash::parse(text) {
            Ok(hash) => Some(hash),
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    /// What is wrong with the object, or the record that was made of it.
    pub(in crate::admin::import) fn finish(self, record: Option<Record>) -> Result<Record, Vec<Problem>> {
        match record {
            Some(record) if self.problems.is_empty() => Ok(record),
            _ => Err(self.problems),
        }
    }
}

/// Reads a user in our own form. A member that is none of it is refused: a misspelt one would be lost.
pub(in crate::admin::import) fn read(line: usize, json: &str) -> Result<Record, Vec<Problem>> {
    let mut fields = Fields::parse(line, json)?;
    let username = fields.username();
    let kind = match fields.text("kind").map(|kind| kind.parse::<UserKind>()) {
        None => UserKind::Person,
        Some(Ok(kind)) => kind,
        Some(Err(error)) => {
            fields.refuse("kind", error);
            UserKind::Person
        }
    };
    let email = fields.email();
    let (first_name, last_name) = (fields.name("first_name"), fields.name("last_name"));
    let (roles, organization) = (fields.texts("roles"), fields.text("organization"));
    let hash = fields.text("password_hash").and_then(|text| fields.hash("password_hash", &text));
    let unknown: Vec<String> = fields.members.keys().cloned().collect();
    for field in unknown {
        fields.refuse(
            &field,
            "is not a field: username, kind, email, first_name, last_name, roles, organization and password_hash are",
        );
    }
    let record = username.map(|username| Record {
        line,
        username,
        kind,
        email,
        first_name,
        last_name,
        roles,
        organization,
        hash,
        disabled: false,
        foreign_roles: false,
    });
    fields.finish(record)
}
