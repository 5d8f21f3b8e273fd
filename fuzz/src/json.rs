//! JSON bodies: those of the token endpoint, and those of Grantor's own API.

use grantor::http::admin_api::api_keys::ApiKeyToMake;
use grantor::http::admin_api::body::{Unreadable, parse};
use grantor::http::admin_api::client_secrets::Rotation;
use grantor::http::admin_api::clients::{ClientToChange, ClientToMake};
use grantor::http::admin_api::users::UserToMake;
use grantor::oauth::parameters::{MediaType, Parameters};
use serde_json::Value;

/// It stands for a secret in seeds: no answer may say it.
const CANARY: &str = "s3cr3t-canary";

/// All that a refusal of the token endpoint may say.
const REFUSALS: [&str; 4] = [
    "the body is not one JSON object whose members are strings",
    "a parameter holds NUL",
    "a parameter is repeated",
    "the request has too many parameters",
];

/// The first character of an input says which request of the API it is, the rest is a body.
pub fn run(data: &[u8]) {
    let Some((request, body)) = data.split_first() else { return };
    parameters(body);
    match request.wrapping_sub(b'0') % 5 {
        0 => of_api(parse::<UserToMake>(body).err(), body),
        1 => of_api(parse::<ClientToMake>(body).err(), body),
        2 => of_api(parse::<ClientToChange>(body).err(), body),
        3 => of_api(parse::<ApiKeyToMake>(body).err(), body),
        _ => of_api(parse::<Rotation>(body).err(), body),
    }
}

/// What is read is an object of strings, and reads the same when it is written again.
fn parameters(body: &[u8]) {
    match Parameters::parse(MediaType::Json, body) {
        Ok(parameters) => {
            let Ok(Value::Object(members)) = serde_json::from_slice(body) else { panic!("no object was read") };
            hold(&parameters, &members);
            let again = serde_json::to_vec(&members).expect("an object can be written");
            hold(&Parameters::parse(MediaType::Json, &again).expect("what was read is read again"), &members);
        }
        Err(error) => {
            assert!(error.status == 400 && REFUSALS.contains(&&*error.description), "{error:?}");
            assert!(error.cause.as_deref().is_none_or(is_place), "a cause says where, and not what: {error:?}");
        }
    }
}

fn is_place(text: &str) -> bool {
    let words: Vec<&str> = text.split(' ').collect();
    let is_number = |word: &str| word.parse::<usize>().is_ok();
    matches!(words[..], ["line", line, "column", column] if is_number(line) && is_number(column))
}

fn hold(parameters: &Parameters, members: &serde_json::Map<String, Value>) {
    let texts = || members.iter().map(|(name, value)| (name, value.as_str().expect("no string was read as one")));
    assert!(texts().all(|(name, value)| !name.contains('\0') && !value.contains('\0')));
    // Of many some: each is looked for among all.
    for (name, value) in texts().step_by(1 + members.len() / 8) {
        // Of one that is repeated, the object has the last alone.
        if name == "resource" {
            assert!(value.is_empty() || parameters.all(name).any(|one| one == value));
        } else {
            assert_eq!(parameters.raw(name), Some(value));
        }
    }
}

/// What is read is an object without NUL; what is refused is refused without a word of what was sent.
fn of_api(refused: Option<Unreadable>, body: &[u8]) {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    let value = serde_json::from_slice::<Value>(text);
    match refused {
        None => {
            let value = value.expect("what is no JSON was read");
            assert!(value.is_object() && !any_text(&value, &|text| text.contains('\0')));
        }
        Some(Unreadable::NotJson(detail)) => {
            assert!(["the body is not a JSON object", "something follows the JSON object"].contains(&detail));
        }
        Some(Unreadable::Member { field, message }) => {
            let place = message.rsplit_once(" at line ").is_some_and(|(_, rest)| is_place(&format!("line {rest}")));
            assert!(!message.is_empty() && !place, "{message}");
            let Ok(value) = value else { return };
            // The names of members are said, as far as they are in the way.
            if !any_name(&value, &|name| name.contains(CANARY)) && any_text(&value, &|text| text.contains(CANARY)) {
                assert!(!message.contains(CANARY) && !field.contains(CANARY), "{field}: {message}");
            }
        }
    }
}

/// Whether it is so of any text or name.
fn any_text(value: &Value, is: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => is(text),
        Value::Array(values) => values.iter().any(|value| any_text(value, is)),
        Value::Object(members) => members.iter().any(|(name, value)| is(name) || any_text(value, is)),
        _ => false,
    }
}

/// Whether it is so of any name.
fn any_name(value: &Value, is: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| any_name(value, is)),
        Value::Object(members) => members.iter().any(|(name, value)| is(name) || any_name(value, is)),
        _ => false,
    }
}
