//! The layers of the configuration: each is checked against the table of keys by itself, while it is known where a
//! setting stands; then they are merged.

use std::collections::BTreeMap;

use figment::Figment;
use figment::providers::Serialized;
use toml::{Table, Value};

use crate::config::error::{ConfigError, Place};
use crate::config::keys::{self, ENTRY_KEYS, Kind};
use crate::config::parsed::Parsed;

/// Two keys for one thing, the thing itself and a file that holds it: a layer that sets one of them hides the other in
/// the layers below. The last part says whether the first hides the second too, or the second is a default that stays.
const EITHER_OR: &[(&str, &str, bool)] = &[
    ("database.url", "database.url_file", true),
    ("mail.smtp_url", "mail.smtp_url_file", true),
    ("security.master_key", "security.master_key_file", false),
];

/// One layer: its settings by key, sections joined by dots.
pub(crate) struct Layer(BTreeMap<String, (Place, Value)>);

impl Layer {
    /// An empty layer, for variables.
    pub(crate) fn variables() -> Self {
        Self(BTreeMap::new())
    }

    /// The layer that a TOML text is.
    ///
    /// # Errors
    /// When the text is not TOML, holds an unknown key, or a value of another type than its key has.
    pub(crate) fn toml(place: &Place, text: &str) -> Result<Self, ConfigError> {
        let table: Table = toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            ConfigError::Syntax { place: place.clone(), line, reason: error.message().to_owned() }
        })?;
        let mut layer = Self(BTreeMap::new());
        layer.fill("", place, table)?;
        Ok(layer)
    }

    /// Takes in the keys of a table, and of the tables in it.
    fn fill(&mut self, prefix: &str, place: &Place, table: Table) -> Result<(), ConfigError> {
        for (name, value) in table {
            let key = format!("{prefix}{name}");
            // A quoted name with a dot in it would pass for a key of a section.
            let quoted_dot = name.contains('.');
            match (keys::kind(&key), value) {
                (Some(kind), value) if !quoted_dot && !value.is_table() => {
                    let value = checked(kind, &key, place, value)?;
                    self.insert(key, place.clone(), value);
                }
                (_, Value::Table(inner)) if !quoted_dot && (!inner.is_empty() || keys::is_section(&key)) => {
                    self.fill(&format!("{key}."), place, inner)?;
                }
                _ => return Err(unknown(key, place)),
            }
        }
        Ok(())
    }

    /// Sets a key.
    pub(crate) fn insert(&mut self, key: String, place: Place, value: Value) {
        self.0.insert(key, (place, value));
    }

    /// Where a key stands in this layer, if it does.
    pub(crate) fn place(&self, key: &str) -> Option<&Place> {
        self.0.get(key).map(|(place, _)| place)
    }

    /// The text of a key in this layer, if it stands there and is text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|(_, value)| value.as_str())
    }
}

/// The layers, lowest first.
pub(crate) struct Layers(Vec<Layer>);

impl Layers {
    /// The lowest layer.
    pub(crate) fn new(lowest: Layer) -> Self {
        Self(vec![lowest])
    }

    /// Lays one over the others.
    ///
    /// # Errors
    /// When the layer sets both a secret and the file that holds it.
    pub(crate) fn push(&mut self, layer: Layer) -> Result<(), ConfigError> {
        for (value, file, hides_file) in EITHER_OR {
            match (layer.place(value), layer.place(file)) {
                (Some(_), Some(place)) => {
                    let fix = format!("`{value}` is set as well; keep one of the two");
                    return Err(ConfigError::BadValue { key: (*file).to_owned(), place: place.clone(), fix });
                }
                (Some(_), None) if *hides_file => self.hide(file),
                (None, Some(_)) => self.hide(value),
                _ => {}
            }
        }
        self.0.push(layer);
        Ok(())
    }

    /// Takes a key out of all layers so far.
    fn hide(&mut self, key: &str) {
        for layer in &mut self.0 {
            layer.0.remove(key);
        }
    }

    /// Where the value of a key comes from: the uppermost layer that has it.
    pub(crate) fn place(&self, key: &str) -> Place {
        self.0.iter().rev().find_map(|layer| layer.place(key)).cloned().unwrap_or(Place::Unset)
    }

    /// Merges the layers, and reads the result into the structs.
    ///
    /// # Errors
    /// When a value has the right kind and still is none, such as a length of time with an unknown unit.
    pub(crate) fn parse(&self) -> Result<Parsed, ConfigError> {
        let mut figment = Figment::new();
        for (key, (_, value)) in self.0.iter().flat_map(|layer| &layer.0) {
            figment = figment.merge(Serialized::global(key, value));
        }
        figment.extract().map_err(|error| {
            let key = error.path.join(".");
            let place = self.place(&key);
            ConfigError::BadValue { key, place, fix: error.kind.to_string() }
        })
    }
}

/// The value as its kind wants it.
///
/// # Errors
/// When it is of another kind.
pub(crate) fn checked(kind: Kind, key: &str, place: &Place, value: Value) -> Result<Value, ConfigError> {
    let fits = match (kind, &value) {
        (Kind::Text | Kind::Span, Value::String(_)) | (Kind::Flag, Value::Boolean(_)) => true,
        (Kind::Number | Kind::Span, Value::Integer(number)) => *number >= 0,
        (Kind::List, Value::Array(list)) => list.iter().all(Value::is_str),
        (Kind::Paths, _) => return paths(key, place, value),
        _ => false,
    };
    if fits { Ok(value) } else { Err(wrong_kind(kind, key, place)) }
}

/// The entries of `http.token_path`, each as a table.
fn paths(key: &str, place: &Place, value: Value) -> Result<Value, ConfigError> {
    let Value::Array(list) = value else {
        return Err(wrong_kind(Kind::Paths, key, place));
    };
    let mut entries = Vec::with_capacity(list.len());
    for entry in list {
        let table = match entry {
            Value::String(path) => Table::from_iter([("path".to_owned(), Value::String(path))]),
            Value::Table(table) => table,
            _ => return Err(wrong_kind(Kind::Paths, key, place)),
        };
        for (name, value) in &table {
            let full = format!("{key}.{name}");
            if !ENTRY_KEYS.contains(&full.as_str()) {
                return Err(unknown(full, place));
            }
            if !value.is_str() {
                return Err(wrong_kind(Kind::Text, &full, place));
            }
        }
        if !table.contains_key("path") {
            return Err(wrong_kind(Kind::Paths, key, place));
        }
        entries.push(Value::Table(table));
    }
    Ok(Value::Array(entries))
}

/// The error for a value of another kind.
fn wrong_kind(kind: Kind, key: &str, place: &Place) -> ConfigError {
    let fix = format!("must be {}", kind.expected());
    ConfigError::BadValue { key: key.to_owned(), place: place.clone(), fix }
}

/// The error for a key that does not exist.
fn unknown(key: String, place: &Place) -> ConfigError {
    ConfigError::UnknownKey { advice: keys::advice(&key), key, place: place.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Layer::toml(&Place::File("x.toml".into()), text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_place_and_the_key_that_was_meant() {
        for (text, key, meant) in [
            ("[tokens]\nacces_lifetime = 1", "tokens.acces_lifetime", "tokens.access_lifetime"),
            ("[token]\naccess_lifetime = 1", "token.access_lifetime", "tokens.access_lifetime"),
            ("[log.level]\nx = 1", "log.level.x", "log.level"),
            ("\"log.level\" = 'info'", "log.level", "log.level"),
            ("[[http.token_path]]\npath = '/x'\neror = 'akeneo'", "http.token_path.eror", "http.token_path.errors"),
        ] {
            let wanted = format!("configuration: unknown key `{key}` in x.toml; did you mean `{meant}`?");
            assert_eq!(refusal(text), wanted);
        }
        assert!(refusal("[tokenz]").contains("unknown key `tokenz`"));
        assert!(refusal("log = 'info'").contains("unknown key `log`"));
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_the_type_it_should_have() {
        for (text, wanted) in [
            ("[server]\nworkers = '2'", "`server.workers` in x.toml: must be a whole number"),
            ("[server]\nworkers = -2", "`server.workers` in x.toml: must be a whole number"),
            ("[credentials]\nclient_id_prefix = 5", "must be text; put it in quotes"),
            ("[log]\nlevel = 2026-11-21", "must be text; put it in quotes"),
            ("[http]\ncors_origins = 'https://a'", "must be a list of texts"),
            ("[http]\ntoken_path = [{ errors = 'akeneo' }]", "must be a list such as [{ path"),
        ] {
            assert!(refusal(text).contains(wanted), "{}", refusal(text));
        }
    }

    #[test]
    fn a_file_that_is_not_toml_is_refused_with_the_line() {
        assert!(
            refusal("[log]\nlevel = 'info'\nformat = json\n")
                .starts_with("configuration: in x.toml, line 3: not valid TOML")
        );
    }
}
