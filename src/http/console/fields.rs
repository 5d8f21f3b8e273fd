//! What a form has sent, and what is wrong with it.

use crate::admin::{AdminError, FieldError};
use crate::crypto::secret::SecretString;

/// Fields that a form may have; more are an attack on the parser.
const MOST: usize = 300;

/// The fields of a form, in their order; a box that is ticked several times stands there several times. Values may be
/// secrets, so there is no `Debug`.
#[derive(Default, Clone)]
pub struct Fields(Vec<(String, SecretString)>);

impl Fields {
    /// Reads a form's body; none if it is not one that a browser sends.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let fields: Vec<_> = url::form_urlencoded::parse(text.as_bytes())
            .take(MOST + 1)
            .map(|(name, value)| (name.into_owned(), SecretString::new(value.into_owned())))
            .collect();
        let is_text = |value: &SecretString| !value.expose().contains(['\0', char::REPLACEMENT_CHARACTER]);
        (fields.len() <= MOST && fields.iter().all(|(_, value)| is_text(value))).then_some(Self(fields))
    }

    /// The value of a field as it was typed, or nothing.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.expose())
    }

    /// The value of a field without space at its ends.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value of a field where something was typed.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// The value of a field as a secret, where something was typed: to the letter.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        Some(self.raw(name)).filter(|text| !text.is_empty()).map(SecretString::from)
    }

    /// All values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.expose())
    }

    /// Every field with its value, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.expose()))
    }

    /// Puts a value in.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), SecretString::from(value)));
        self
    }
}

/// A form as a page shows it: what stands in its fields, and what is wrong with them.
#[derive(Default)]
pub struct Form {
    /// What stands in the fields.
    pub fields: Fields,
    errors: Vec<FieldError>,
    refusal: Option<String>,
}

impl AsRef<Self> for Form {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Form {
    /// With these values.
    #[must_use]
    pub fn with(fields: Fields) -> Self {
        Self { fields, ..Self::default() }
    }

    /// As it was sent, with why it was refused; none if the reason is not the form's.
    ///
    /// # Errors
    /// The reason, where the form cannot say it.
    pub fn refused(fields: Fields, error: AdminError) -> Result<Self, AdminError> {
        match error {
            AdminError::Invalid(errors) => Ok(Self { fields, errors, refusal: None }),
            AdminError::Refused(why) | AdminError::Unreadable(why) => {
                Ok(Self { fields, errors: Vec::new(), refusal: Some(why) })
            }
            other => Err(other),
        }
    }

    /// What stands in a field.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.fields.raw(name)
    }

    /// Whether a box with this value is ticked, or this option is chosen.
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.fields.all(name).any(|one| one == value)
    }

    /// What is wrong with a field, or nothing.
    #[must_use]
    pub fn error(&self, name: &str) -> &str {
        self.errors.iter().find(|error| error.field == name).map_or("", |error| &error.message)
    }

    /// What is wrong with fields that the form does not show, and with the whole; `shown` are the names of
    /// those it shows, with a space between two.
    #[must_use]
    pub fn refusals(&self, shown: &str) -> Vec<String> {
        let others = self.errors.iter().filter(|error| !shown.split(' ').any(|name| name == error.field));
        self.refusal.iter().cloned().chain(others.map(ToString::to_string)).collect()
    }

    /// Whether anything is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.refusal.is_some() || !self.errors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_keeps_every_box_and_trims_what_was_typed() {
        let fields = Fields::parse(b"name=+A+b%C3%BC+&role=x&role=y&empty=").unwrap();
        assert_eq!((fields.text("name"), fields.raw("name")), ("A b\u{fc}", " A b\u{fc} "));
        assert_eq!(fields.all("role").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!((fields.given("empty"), fields.given("missing")), (None, None));
    }

    #[test]
    fn a_body_with_nul_or_broken_utf8_is_no_form() {
        assert!(Fields::parse(b"a=%00").is_none());
        assert!(Fields::parse(b"a=%ff").is_none());
        assert!(Fields::parse(&[b'a', b'=', 0xff]).is_none());
        let many = "a=b&".repeat(MOST + 1);
        assert!(Fields::parse(many.as_bytes()).is_none());
    }

    #[test]
    fn an_error_stands_at_its_field_and_what_has_no_field_above_the_form() {
        let form = Form::refused(Fields::default(), AdminError::invalid("name", "is missing")).ok().unwrap();
        assert_eq!((form.error("name"), form.error("other")), ("is missing", ""));
        assert_eq!(form.refusals("name other"), Vec::<String>::new());
        assert_eq!(form.refusals(""), ["name: is missing"]);
    }
}
