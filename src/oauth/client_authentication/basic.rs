//! `client_secret_basic` (RFC 6749 §2.3.1): identifier and secret form-encoded, then HTTP Basic.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::secret::SecretString;
use crate::model::client::AuthenticationMethod;
use crate::oauth::client_authentication::PresentedClient;
use crate::oauth::error::ProtocolError;
use crate::oauth::parameters::{Parameters, form_decode};

pub(super) fn read(header: &str, parameters: &Parameters) -> Result<PresentedClient, ProtocolError> {
    let unreadable = |why: &str| ProtocolError::invalid_client().because(format!("Authorization: {why}"));
    let (scheme, credentials) = header.split_once(' ').ok_or_else(|| unreadable("no credentials"))?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unreadable("another scheme than Basic"));
    }
    let decoded = STANDARD.decode(credentials.trim()).map_err(|_| unreadable("not base64"))?;
    // The first colon ends the identifier: one inside it is form-encoded.
    let colon = decoded.iter().position(|byte| *byte == b':').ok_or_else(|| unreadable("no colon"))?;
    let client_id = form_decode(&decoded[..colon]).map_err(|_| unreadable("the id is not form-encoded"))?;
    let secret = SecretString::from(
        form_decode(&decoded[colon + 1..]).map_err(|_| unreadable("the secret is not form-encoded"))?,
    );
    // RFC 6749 Appendix A.1 and A.2: no control characters; this one no database of ours takes.
    if client_id.contains('\0') || secret.expose().contains('\0') {
        return Err(unreadable("NUL"));
    }
    // RFC 6749 §2.3: not more than one method in each request. The same identifier in the body is no method.
    if parameters.get("client_secret").is_some() || parameters.get("client_id").is_some_and(|id| id != client_id) {
        return Err(ProtocolError::invalid_request("the client authenticates in two ways at once"));
    }
    let method =
        if secret.expose().is_empty() { AuthenticationMethod::None } else { AuthenticationMethod::ClientSecretBasic };
    Ok(PresentedClient { client_id, secret, method })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_or_a_secret_with_nul_is_none() {
        for credentials in ["a%00:b", "a:b%00", "a\0:b"] {
            let header = format!("Basic {}", STANDARD.encode(credentials));
            assert_eq!(read(&header, &Parameters::default()).unwrap_err().status, 401, "{credentials:?}");
        }
        let header = format!("Basic {}", STANDARD.encode("a%25:b%3A"));
        let presented = read(&header, &Parameters::default()).unwrap();
        assert_eq!((presented.client_id.as_str(), presented.secret.expose()), ("a%", "b:"));
    }
}
