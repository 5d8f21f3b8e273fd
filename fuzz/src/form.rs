//! Form bodies: those of the token endpoint, read strictly, and those of the console's pages.

use std::collections::HashSet;

use grantor::http::console::fields::Fields;
use grantor::oauth::parameters::{MediaType, Parameters};
use url::form_urlencoded::Serializer;

type Pairs = Vec<(String, String)>;

/// All that a refusal may say: nothing that was sent is in it.
const REFUSALS: [&str; 5] = [
    "a parameter holds NUL",
    "a parameter is repeated",
    "the request has too many parameters",
    "an escape is not % and two hexadecimal digits",
    "a parameter is not UTF-8",
];

/// The input is a body.
pub fn run(body: &[u8]) {
    parameters(body);
    fields(body);
}

/// What is read is what was sent, and what RFC 6749 §3.2 forbids is refused: that, and nothing else.
fn parameters(body: &[u8]) {
    let sent = decoded(body).filter(may_be_sent);
    match Parameters::parse(MediaType::Form, body) {
        Ok(parameters) => {
            let sent = sent.expect("what may not be sent was read");
            hold(&parameters, &sent);
            let again = Serializer::new(String::new()).extend_pairs(&sent).finish();
            hold(&Parameters::parse(MediaType::Form, again.as_bytes()).expect("what was read is read again"), &sent);
        }
        Err(error) => {
            assert!(sent.is_none(), "what may be sent was refused: {error:?}");
            assert!(error.status == 400 && REFUSALS.contains(&&*error.description), "{error:?}");
            assert_eq!(error.cause, None);
        }
    }
}

/// Whether the parameters are these.
fn hold(parameters: &Parameters, sent: &Pairs) {
    let names: Vec<&str> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(format!("{parameters:?}"), format!("{names:?}"), "names alone are printed");
    // Of many names some: each is looked for among all.
    for name in names.iter().step_by(1 + names.len() / 8) {
        let values = || sent.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        // Without a value it is as if it had not been sent.
        assert!(parameters.all(name).eq(values().filter(|value| !value.is_empty())));
        assert_eq!(parameters.get(name), values().find(|value| !value.is_empty()));
        assert_eq!(parameters.raw(name), values().next());
    }
}

fn may_be_sent(pairs: &Pairs) -> bool {
    let mut seen = HashSet::new();
    pairs.len() <= 100
        && pairs.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0'))
        && pairs.iter().all(|(name, _)| name == "resource" || seen.insert(name))
}

/// The names and values of a body; none if anything in it cannot be decoded.
fn decoded(body: &[u8]) -> Option<Pairs> {
    let pair = |pair: &[u8]| {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        Some((decoded_text(halves.next()?)?, decoded_text(halves.next().unwrap_or_default())?))
    };
    body.split(|byte| *byte == b'&').filter(|one| !one.is_empty()).map(pair).collect()
}

fn decoded_text(encoded: &[u8]) -> Option<String> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let mut parts = spaced.split(|byte| *byte == b'%');
    let mut bytes = parts.next()?.to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let digits = digits.iter().map(|digit| char::from(*digit).to_digit(16)).collect::<Option<Vec<u32>>>()?;
        bytes.push(u8::try_from(digits[0] * 16 + digits[1]).ok()?);
        bytes.extend_from_slice(rest);
    }
    String::from_utf8(bytes).ok()
}

/// What a page reads it can write into a form again.
fn fields(body: &[u8]) {
    let Some(fields) = Fields::parse(body) else { return };
    let sent: Pairs = fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert!(sent.len() <= 300 && sent.iter().all(|(_, value)| !value.contains(['\0', char::REPLACEMENT_CHARACTER])));
    let again = Serializer::new(String::new()).extend_pairs(&sent).finish();
    let again = Fields::parse(again.as_bytes()).expect("what was read is read again");
    assert!(again.iter().eq(fields.iter()));
    for (name, value) in fields.iter().step_by(1 + sent.len() / 8) {
        assert!(fields.all(name).any(|one| one == value));
        assert_eq!(fields.all(name).next(), Some(fields.raw(name)));
        assert_eq!(fields.given(name).is_some(), !fields.raw(name).trim().is_empty());
        assert_eq!(fields.secret(name).is_some(), !fields.raw(name).is_empty());
    }
}
