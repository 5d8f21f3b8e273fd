//! The client in `Authorization: Basic` (RFC 6749 §2.3.1), beside what the body says of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor::model::client::AuthenticationMethod;
use grantor::oauth::ProtocolError;
use grantor::oauth::client_authentication::{PresentedClient, read};
use grantor::oauth::parameters::{MediaType, Parameters};
use url::form_urlencoded::byte_serialize;

/// All that the log may be told.
const CAUSES: [&str; 7] = [
    "no credentials",
    "another scheme than Basic",
    "not base64",
    "no colon",
    "the id is not form-encoded",
    "the secret is not form-encoded",
    "NUL",
];

/// The first line of an input is a header, and what stands in one before it is base64; the rest is a form body.
pub fn run(data: &[u8]) {
    let mut halves = data.splitn(2, |byte| *byte == b'\n');
    let first = halves.next().unwrap_or_default();
    let Ok(body) = Parameters::parse(MediaType::Form, halves.next().unwrap_or_default()) else { return };
    let encoded = format!("Basic {}", STANDARD.encode(first));
    look_at(&encoded, &body);
    if let Ok(header) = std::str::from_utf8(first) {
        look_at(header, &body);
    }
}

fn look_at(header: &str, body: &Parameters) {
    match read(Some(header), body) {
        Ok(presented) => {
            holds(&presented, body);
            // RFC 6749 Appendix B, and once more from there.
            let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
            let credentials = format!("{}:{}", encode(&presented.client_id), encode(presented.secret.expose()));
            let again = format!("bAsIc {}", STANDARD.encode(&credentials));
            let again = read(Some(&again), body).expect("what was read is read again");
            assert_eq!((&again.client_id, &again.secret), (&presented.client_id, &presented.secret));
            assert_eq!(again.method, presented.method);
            // Another client in the body is a second way to authenticate.
            let other = format!("client_id=not+{}", encode(&presented.client_id));
            let other = Parameters::parse(MediaType::Form, other.as_bytes()).expect("a form");
            assert_eq!(read(Some(header), &other).map(|_| ()).map_err(|error| error.status), Err(400));
        }
        Err(error) => refused(&error, body),
    }
}

fn holds(presented: &PresentedClient, body: &Parameters) {
    let secret = presented.secret.expose();
    assert!(!presented.client_id.contains('\0') && !secret.contains('\0'));
    let method = if secret.is_empty() { AuthenticationMethod::None } else { AuthenticationMethod::ClientSecretBasic };
    assert_eq!(presented.method, method);
    assert!(body.get("client_secret").is_none() && body.get("client_id").is_none_or(|id| id == presented.client_id));
    let printed = format!(
        "PresentedClient {{ client_id: {:?}, secret: SecretString(redacted), method: {method:?} }}",
        presented.client_id
    );
    assert_eq!(format!("{presented:?}"), printed);
}

fn refused(error: &ProtocolError, body: &Parameters) {
    match error.status {
        401 => {
            assert_eq!(error.description, "client authentication failed");
            let cause = error.cause.as_deref().and_then(|cause| cause.strip_prefix("Authorization: "));
            assert!(cause.is_some_and(|cause| CAUSES.contains(&cause)), "{error:?}");
        }
        400 => {
            assert_eq!(error.description, "the client authenticates in two ways at once");
            assert!(body.get("client_secret").is_some() || body.get("client_id").is_some());
        }
        _ => panic!("{error:?}"),
    }
}
