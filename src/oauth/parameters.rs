//! The strict parser at the door: request parameters, once decoded, each at most once.
//!
//! RFC 6749 §3.2: parameters sent without a value are treated as omitted, unrecognized ones are ignored, and none
//! is included more than once. `resource` alone may be repeated (RFC 8707 §2).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::crypto::secret::SecretString;
use crate::oauth::error::ProtocolError;

/// The one parameter that may be repeated.
const REPEATABLE: &str = "resource";

/// Parameters that a request may have; more are an attack on the parser.
const MOST: usize = 100;

/// The media types of a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/x-www-form-urlencoded`, RFC 6749 Appendix B.
    Form,
    /// `application/json`: an extension, since clients in the wild send it.
    Json,
}

impl MediaType {
    /// Reads a `Content-Type`. Parameters are allowed, another charset than UTF-8 is not.
    #[must_use]
    pub fn parse(content_type: &str) -> Option<Self> {
        let parsed: mime::Mime = content_type.parse().ok()?;
        let charset = parsed.get_param(mime::CHARSET);
        if charset.is_some_and(|charset| charset != mime::UTF_8) {
            return None;
        }
        match parsed.essence_str() {
            "application/x-www-form-urlencoded" => Some(Self::Form),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// The parameters of one request. Their values may be secrets: `Debug` shows the names only.
#[derive(Default)]
pub struct Parameters(Vec<(String, SecretString)>);

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Parameters {
    /// Reads a body of this media type.
    ///
    /// # Errors
    /// 400 `invalid_request` on a repeated parameter, a bad escape, NUL or text that is not UTF-8.
    pub fn parse(media_type: MediaType, body: &[u8]) -> Result<Self, ProtocolError> {
        match media_type {
            MediaType::Form => Self::from_form(body),
            MediaType::Json => Self::from_json(body),
        }
    }

    fn from_form(body: &[u8]) -> Result<Self, ProtocolError> {
        let mut parameters = Self::default();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
                Some(at) => (&pair[..at], &pair[at + 1..]),
                None => (pair, &[][..]),
            };
            parameters.add(form_decode(name)?, form_decode(value)?)?;
        }
        Ok(parameters)
    }

    fn from_json(body: &[u8]) -> Result<Self, ProtocolError> {
        let members: Members = serde_json::from_slice(body).map_err(|cause| {
            ProtocolError::invalid_request("the body is not one JSON object whose members are strings")
                .because(format!("line {} column {}", cause.line(), cause.column()))
        })?;
        let mut parameters = Self::default();
        for (name, value) in members.0 {
            parameters.add(name, value)?;
        }
        Ok(parameters)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), ProtocolError> {
        if name.contains('\0') || value.contains('\0') {
            return Err(ProtocolError::invalid_request("a parameter holds NUL"));
        }
        // An omitted parameter that is sent twice is still sent twice, so empty values are kept until here.
        if name != REPEATABLE && self.0.iter().any(|(known, _)| *known == name) {
            return Err(ProtocolError::invalid_request("a parameter is repeated"));
        }
        if self.0.len() >= MOST {
            return Err(ProtocolError::invalid_request("the request has too many parameters"));
        }
        self.0.push((name, SecretString::from(value)));
        Ok(())
    }

    /// The value of a parameter; an empty one counts as omitted (RFC 6749 §3.2).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of a parameter even where it is empty.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.expose())
    }

    /// All values of a parameter that may be repeated.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(known, value)| known == name && !value.expose().is_empty())
            .map(|(_, value)| value.expose())
    }

    /// The value of a parameter that the request must have.
    ///
    /// # Errors
    /// 400 `invalid_request`.
    pub fn required(&self, name: &'static str) -> Result<&str, ProtocolError> {
        self.get(name).ok_or_else(|| ProtocolError::invalid_request(format!("the parameter {name} is missing")))
    }
}

/// Decodes `application/x-www-form-urlencoded` once, strictly (RFC 6749 Appendix B).
///
/// # Errors
/// 400 `invalid_request` on an escape that is not `%` and two hexadecimal digits, or text that is not UTF-8.
pub fn form_decode(encoded: &[u8]) -> Result<String, ProtocolError> {
    let not_text = |_| ProtocolError::invalid_request("a parameter is not UTF-8");
    if !encoded.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return String::from_utf8(encoded.to_vec()).map_err(not_text);
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                match (digit(), digit()) {
                    (Some(high), Some(low)) => u8::try_from(high * 16 + low).unwrap_or_default(),
                    _ => return Err(ProtocolError::invalid_request("an escape is not % and two hexadecimal digits")),
                }
            }
            plain => plain,
        });
    }
    String::from_utf8(decoded).map_err(not_text)
}

/// The members of a JSON object, in order and with repeats, which a map would hide.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, String>()? {
                    if members.len() > MOST {
                        return Err(A::Error::custom("too many members"));
                    }
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Result<Parameters, ProtocolError> {
        Parameters::parse(MediaType::Form, body.as_bytes())
    }

    #[test]
    fn parameters_sent_without_a_value_are_treated_as_omitted() {
        let parameters = form("scope=&grant_type=password&state").unwrap();
        assert_eq!(parameters.get("scope"), None);
        assert_eq!(parameters.get("state"), None);
        assert_eq!(parameters.get("grant_type"), Some("password"));
    }

    #[test]
    fn request_parameters_are_not_included_more_than_once() {
        assert!(form("scope=a&scope=b").is_err());
        assert!(form("scope=&scope=b").is_err());
        assert!(Parameters::parse(MediaType::Json, br#"{"scope":"a","scope":"b"}"#).is_err());
        assert_eq!(form("resource=a&resource=b").unwrap().all("resource").count(), 2);
    }

    #[test]
    fn a_bad_escape_nul_and_text_that_is_not_utf_8_are_refused() {
        for bad in ["a=%", "a=%1", "a=%zz", "a=%+1", "a=%00", "a=%ff", "%00=a"] {
            assert!(form(bad).is_err(), "{bad}");
        }
        assert!(Parameters::parse(MediaType::Json, br#"{"a":"\u0000"}"#).is_err());
        assert!(Parameters::parse(MediaType::Form, b"a=\xff").is_err());
    }

    #[test]
    fn values_are_decoded_once() {
        assert_eq!(form("a=%2525+b").unwrap().get("a"), Some("%25 b"));
    }

    #[test]
    fn json_is_an_object_of_strings_and_nothing_else() {
        for bad in [r#"{"a":1}"#, r#"["a"]"#, r#"{"a":null}"#, r#"{"a":"b"} x"#, "", r#"{"a":{"b":"c"}}"#] {
            assert!(Parameters::parse(MediaType::Json, bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn media_type_parameters_are_allowed_and_another_charset_is_not() {
        let form = "application/x-www-form-urlencoded";
        assert_eq!(MediaType::parse(form), Some(MediaType::Form));
        assert_eq!(MediaType::parse(&format!("{form};charset=UTF-8")), Some(MediaType::Form));
        assert_eq!(MediaType::parse("Application/JSON; charset=utf-8"), Some(MediaType::Json));
        assert_eq!(MediaType::parse(&format!("{form};charset=latin1")), None);
        assert_eq!(MediaType::parse("text/plain"), None);
        assert_eq!(MediaType::parse("application/x-www-form-urlencoded-x"), None);
    }
}
