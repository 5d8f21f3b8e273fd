//! An API that checks Grantor's access tokens offline: no call to Grantor but for its public keys.
//!
//! `ISSUER=http://127.0.0.1:8080 AUDIENCE=http://127.0.0.1:8080 PORT=9000 cargo run --example resource-server`
//!
//! (ureq is built without TLS here; for an https issuer, turn on its feature `rustls`.)
#![allow(clippy::disallowed_methods)] // An example reads its environment itself.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Caller {
    sub: String,
    scope: String,
}

struct Checker {
    issuer: String,
    audience: String,
    keys: Mutex<Option<(JwkSet, Instant)>>,
}

impl Checker {
    /// Who sent this token; none if it is not good.
    fn check(&self, token: &str) -> Option<Caller> {
        let header = decode_header(token).ok()?;
        // RFC 9068: an ID token is signed by the same keys, and must not open an API.
        header.typ.filter(|typ| typ == "at+jwt")?;
        let key = self.key(&header.kid?)?;
        // The key says which algorithm it is for; the token has no say.
        let algorithm: Algorithm = key.common.key_algorithm?.to_string().parse().ok()?;
        let mut rules = Validation::new(algorithm);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[&self.audience]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.leeway = 5; // seconds that the two clocks may differ
        Some(decode(token, &DecodingKey::from_jwk(&key).ok()?, &rules).ok()?.claims)
    }

    /// A public key by its id, from a copy that is at most a minute old. An unknown id may be a new key: ask again,
    /// but not for every bad token.
    fn key(&self, kid: &str) -> Option<Jwk> {
        let mut copy = self.keys.lock().ok()?;
        let (known, age) =
            copy.as_ref().map_or((false, Duration::MAX), |(set, at)| (set.find(kid).is_some(), at.elapsed()));
        if age > Duration::from_secs(if known { 60 } else { 10 }) {
            let answer = ureq::get(format!("{}/.well-known/jwks.json", self.issuer)).call().ok()?;
            *copy = Some((answer.into_body().read_json().ok()?, Instant::now()));
        }
        copy.as_ref()?.0.find(kid).cloned()
    }
}

async fn orders(request: HttpRequest, checker: web::Data<Checker>) -> HttpResponse {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.strip_prefix("Bearer ").unwrap_or_default().to_owned();
    match web::block(move || checker.check(&token)).await {
        Ok(Some(caller)) => HttpResponse::Ok().json(caller),
        _ => HttpResponse::Unauthorized().insert_header(("WWW-Authenticate", "Bearer")).finish(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (issuer, audience) = (std::env::var("ISSUER")?, std::env::var("AUDIENCE")?);
    let port = std::env::var("PORT")?.parse()?;
    let checker = web::Data::new(Checker { issuer, audience, keys: Mutex::default() });
    let app = move || App::new().app_data(checker.clone()).route("/orders", web::get().to(orders));
    Ok(actix_web::rt::System::new().block_on(HttpServer::new(app).bind(("127.0.0.1", port))?.run())?)
}
