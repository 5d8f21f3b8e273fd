//! The headers of a request to `/verify`: one credential, or none.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::credentials::{Header, Presented, present};
use grantor::crypto::secret::SecretString;
use grantor::oauth::ProtocolError;

const NAMES: [&str; 6] = ["authorization", "client-id", "client-secret", "x-api-key", "x-user-id", "x-business-id"];

/// All that the log may be told.
const CAUSES: [&str; 10] = [
    "a header is too long",
    "a header is repeated or not text",
    "half a credential, or more than one",
    "Authorization without credentials",
    "another scheme than Bearer and Basic",
    "Basic: too long",
    "Basic: not base64",
    "Basic: not UTF-8",
    "Basic: NUL",
    "Basic: no colon",
];

type Lines = Vec<(&'static str, Vec<u8>)>;

/// Each line of an input is a header: its first character says which, and the rest is the value. After `b` it is what
/// `Basic` encodes.
pub fn run(data: &[u8]) {
    let line = |line: &[u8]| {
        let (first, value) = line.split_first()?;
        let index = match first {
            b'b' => return Some((NAMES[0], [b"Basic ", STANDARD.encode(value).as_bytes()].concat())),
            digit => usize::from(digit.wrapping_sub(b'0')),
        };
        Some((*NAMES.get(index)?, value.to_vec()))
    };
    let lines: Lines = data.split(|byte| *byte == b'\n').filter_map(line).collect();
    match presented(&lines) {
        Ok(presented) => {
            assert!(NAMES.iter().all(|name| lines.iter().filter(|(known, _)| known == name).count() <= 1));
            hold(&presented, &lines);
        }
        Err(error) => refused(&error, &lines),
    }
}

fn presented(lines: &Lines) -> Result<Presented, ProtocolError> {
    present(|name| {
        let mut values = lines.iter().filter(|(known, _)| *known == name).map(|(_, value)| value);
        match (values.next(), values.next()) {
            (None, _) => Header::Absent,
            (Some(only), None) if only.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) => {
                Header::Once(SecretString::from(String::from_utf8_lossy(only).into_owned()))
            }
            _ => Header::Unreadable,
        }
    })
}

/// What is presented is what the headers say, and they say nothing else.
fn hold(presented: &Presented, lines: &Lines) {
    let value = |name: &str| {
        let found = lines.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| std::str::from_utf8(value).expect("text"))
    };
    let named: Vec<&str> = NAMES.into_iter().filter(|name| value(name).is_some()).collect();
    let printed = format!("{presented:?}");
    match presented {
        Presented::Jwt(token) => {
            assert_eq!(named, ["authorization"]);
            let (scheme, rest) = value("authorization").and_then(|value| value.split_once(' ')).expect("two parts");
            assert!(scheme.eq_ignore_ascii_case("bearer") && rest.trim() == token.expose());
            assert_eq!(printed, "Jwt(SecretString(redacted))");
        }
        Presented::Password(given) => {
            assert_eq!(named, ["authorization"]);
            assert!(!given.username().contains([':', '\0']) && !given.password().contains('\0'));
            let whole = format!("{}:{}", given.username(), given.password());
            let again = format!("basic {}", STANDARD.encode(&whole));
            let Ok(Presented::Password(again)) = self::presented(&vec![("authorization", again.into_bytes())]) else {
                panic!("what was read is not read again")
            };
            assert_eq!((again.username(), again.password()), (given.username(), given.password()));
            let at = given.username().len() + 1;
            let expected = format!("Password(UserAndPassword {{ whole: SecretString(redacted), password_at: {at} }})");
            assert_eq!(printed, expected);
        }
        Presented::ClientSecret(given) => {
            assert_eq!(named, ["client-id", "client-secret"]);
            assert_eq!(value("client-id"), Some(given.client_id.expose()));
            assert_eq!(value("client-secret"), Some(given.secret.expose()));
            assert!(named.iter().all(|name| value(name).is_some_and(|value| value.len() <= 8192)));
        }
        Presented::ApiKey(given) => {
            assert_eq!(value("x-api-key"), Some(given.key.expose()));
            assert!(named.iter().all(|name| value(name).is_some_and(|value| value.len() <= 8192)));
            match &given.owner {
                None => assert_eq!(named, ["x-api-key"]),
                Some(owner) => {
                    assert_eq!(named, ["x-api-key", "x-user-id", "x-business-id"]);
                    assert_eq!(value("x-user-id"), Some(owner.user_id.expose()));
                    assert_eq!(value("x-business-id"), Some(owner.business_id.expose()));
                }
            }
        }
    }
    assert_eq!(printed.matches("SecretString(").count(), printed.matches("SecretString(redacted)").count());
}

fn refused(error: &ProtocolError, lines: &Lines) {
    assert!(error.status == 401 && error.any_shape);
    assert_eq!(error.bare_challenge, lines.is_empty(), "whoever brings nothing is told what could be brought");
    match &error.cause {
        None => assert!(lines.is_empty()),
        Some(cause) => assert!(CAUSES.contains(&cause.as_str()), "{error:?}"),
    }
}
