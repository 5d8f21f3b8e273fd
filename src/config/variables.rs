//! Environment variables as a layer: `GRANTOR__SECTION__KEY`, read as the type of the key.

use std::collections::BTreeMap;

use toml::Value;

use crate::config::error::{ConfigError, Place};
use crate::config::keys::{self, Kind};
use crate::config::layers::{Layer, checked};

/// What the name of a variable starts with. Two underscores, so that `GRANTOR_HOME` and its like are left alone.
const PREFIX: &str = "GRANTOR__";

/// The variables as a layer.
///
/// # Errors
/// When a variable names no key, when two name the same, or when its text is no value of the key's type.
pub(crate) fn layer(variables: &BTreeMap<String, String>) -> Result<Layer, ConfigError> {
    let mut layer = Layer::variables();
    for (name, text) in variables {
        let place = Place::Variable(name.clone());
        let Some(key) = key(name) else {
            refuse_single_underscore(name, place)?;
            continue;
        };
        let Some(kind) = keys::kind(&key) else {
            return Err(ConfigError::UnknownKey { advice: keys::advice(&key), key, place });
        };
        if let Some(Place::Variable(other)) = layer.place(&key) {
            let fix = format!("{other} sets the same key; keep one of the two");
            return Err(ConfigError::BadValue { key, place, fix });
        }
        let Some(value) = value(kind, text) else {
            return Err(ConfigError::BadValue { key, place, fix: format!("must be {}", form(kind)) });
        };
        let value = checked(kind, &key, &place, value)?;
        layer.insert(key, place, value);
    }
    Ok(layer)
}

/// The key that a variable names, or nothing when it is none of ours.
pub(crate) fn key(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then(|| rest.to_ascii_lowercase().replace("__", "."))
}

/// A key behind one underscore instead of two is a slip that would go unheard. Other names with one are left alone:
/// `GRANTOR_SERVER_PORT` is what Kubernetes sets for a service of that name.
fn refuse_single_underscore(name: &str, place: Place) -> Result<(), ConfigError> {
    let lower = name.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("grantor_") else { return Ok(()) };
    let known = keys::KEYS
        .iter()
        .map(|(key, _)| *key)
        .find(|key| key.contains('.') && key.replace('.', "_") == rest.replace("__", "_"));
    let section = rest.split_once("__").is_some_and(|(section, _)| keys::is_section(&section.replace('_', ".")));
    let key = match known {
        Some(key) => key.to_owned(),
        None if section => rest.replace("__", "."),
        None => return Ok(()),
    };
    let wanted = format!("GRANTOR__{}", key.replace('.', "__").to_ascii_uppercase());
    let fix = format!("is not read: two underscores stand between the parts of a name; write {wanted}");
    Err(ConfigError::BadValue { key, place, fix })
}

/// What a variable of this kind looks like.
fn form(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "a whole number, 0 or more",
        Kind::Flag => "true or false",
        Kind::Span => "seconds as a whole number, or 90d, 12h, 30m, 45s",
        Kind::List => "texts with commas between them, or a list such as [\"a\", \"b\"]",
        Kind::Paths => "paths with commas between them, or a list such as [{\"path\": \"/api/token\"}]",
    }
}

/// The text as a value of the kind.
fn value(kind: Kind, text: &str) -> Option<Value> {
    let trimmed = text.trim();
    match kind {
        Kind::Text => Some(Value::String(text.to_owned())),
        Kind::Number => trimmed.parse().ok().filter(|number| *number >= 0).map(Value::Integer),
        Kind::Flag => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(Value::Boolean(true)),
            "false" | "0" | "no" | "off" => Some(Value::Boolean(false)),
            _ => None,
        },
        Kind::Span => Some(trimmed.parse().map_or_else(|_| Value::String(trimmed.to_owned()), Value::Integer)),
        Kind::List | Kind::Paths => list(trimmed).map(Value::Array),
    }
}

/// The elements of a list, written as TOML, as JSON, or with commas.
fn list(text: &str) -> Option<Vec<Value>> {
    if text.starts_with('[') {
        if let Ok(mut table) = toml::from_str::<toml::Table>(&format!("list = {text}"))
            && table.len() == 1
            && let Some(Value::Array(list)) = table.remove("list")
        {
            return Some(list);
        }
        return serde_json::from_str(text).ok();
    }
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    Some(parts.map(|part| Value::String(part.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_read_as_the_type_of_its_key() {
        assert_eq!(value(Kind::Number, "0"), Some(Value::Integer(0)));
        assert_eq!(value(Kind::Number, "-1"), None);
        assert_eq!(value(Kind::Text, "12345"), Some(Value::String("12345".into())));
        assert_eq!(value(Kind::Flag, "FALSE"), Some(Value::Boolean(false)));
        assert_eq!(value(Kind::Flag, "maybe"), None);
        assert_eq!(value(Kind::Span, "60"), Some(Value::Integer(60)));
        assert_eq!(value(Kind::Span, "90d"), Some(Value::String("90d".into())));
    }

    #[test]
    fn a_list_may_be_toml_or_json_or_have_commas() {
        let two = Some(vec![Value::String("a".into()), Value::String("b".into())]);
        assert_eq!(list("['a', 'b']"), two);
        assert_eq!(list(r#"["a","b"]"#), two);
        assert_eq!(list("a, b"), two);
        assert_eq!(list(""), Some(vec![]));
        assert_eq!(list("[a"), None);
        assert_eq!(list(r#"[{path = "/a"}]"#), list(r#"[{"path": "/a"}]"#));
        assert!(list("[1]\nother = 2").is_none(), "a value cannot bring a second key along");
    }

    #[test]
    fn a_name_is_read_in_any_case_and_other_names_are_left_alone() {
        assert_eq!(key("GRANTOR__LOG__LEVEL").as_deref(), Some("log.level"));
        assert_eq!(key("grantor__Grants__password__PEOPLE").as_deref(), Some("grants.password.people"));
        assert_eq!(key("GRANTOR_TEST_REQUIRE_ALL"), None);
        assert_eq!(key("HOME"), None);
        assert_eq!(key("ünïcödé_"), None);
    }
}
