//! An API that checks Grantor's access tokens offline: no call to Grantor but for its public keys.
//!
//! `ISSUER=http://127.0.0.1:8080 AUDIENCE=http://127.0.0.1:8080 PORT=9000 cargo run --example resource-server`
//!
//! With `CLIENT_ID` and `CLIENT_SECRET` of a client that may introspect, it also keeps a copy of what was revoked, two seconds
//! old at most, and refuses a revoked token before its time is over.
//!
//! (ureq is built without TLS here; for an https issuer, turn on its feature `rustls`.)
#![allow(clippy::disallowed_methods)] // An example reads its environment itself.

use std::collections::{HashMap, HashSet};
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

/// What the list of revocations is compared with.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    scope: String,
    jti: String,
    client_id: String,
    epoch: String,
    sid: Option<String>,
    org: Option<String>,
}

/// What ended tokens early, as `/api/v1/revocations` tells it.
#[derive(Default, Deserialize)]
struct Revocations {
    change: i64,
    complete: bool,
    tokens: HashSet<String>,
    families: HashSet<String>,
    epochs: HashMap<String, HashMap<String, i64>>,
}

impl Revocations {
    /// Takes in what came after.
    fn add(&mut self, told: Self) {
        if told.complete {
            return *self = told;
        }
        self.change = told.change;
        self.tokens.extend(told.tokens);
        self.families.extend(told.families);
        for (kind, raised) in told.epochs {
            self.epochs.entry(kind).or_default().extend(raised);
        }
    }

    fn end(&self, claims: &Claims) -> bool {
        let raised = |kind: &str, id: &str| self.epochs.get(kind).and_then(|of| of.get(id)).copied().unwrap_or(0);
        let now = [
            raised("clients", &claims.client_id),
            raised("users", &claims.sub),
            raised("organizations", claims.org.as_deref().unwrap_or_default()),
        ];
        let is_raised =
            || claims.epoch.split('.').zip(now).any(|(own, now)| own.parse().is_ok_and(|own: i64| own < now));
        self.tokens.contains(&claims.jti)
            || claims.sid.as_ref().is_some_and(|sid| self.families.contains(sid))
            || is_raised()
    }
}

struct Checker {
    issuer: String,
    audience: String,
    keys: Mutex<Option<(JwkSet, Instant)>>,
    /// The client that may ask what was revoked.
    client: Option<(String, String)>,
    revocations: Mutex<Option<(Revocations, Instant)>>,
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
        let claims: Claims = decode(token, &DecodingKey::from_jwk(&key).ok()?, &rules).ok()?.claims;
        if self.is_revoked(&claims) {
            return None;
        }
        Some(Caller { sub: claims.sub, scope: claims.scope })
    }

    /// Without a copy for half a minute nothing is taken: the token may have been revoked.
    fn is_revoked(&self, claims: &Claims) -> bool {
        self.client.is_some()
            && !self.revocations.lock().is_ok_and(|copy| {
                copy.as_ref().is_some_and(|(known, at)| at.elapsed() < Duration::from_secs(30) && !known.end(claims))
            })
    }

    /// Asks every second for what was revoked since, and once a day for everything: no token lives longer, so what was told
    /// before may be forgotten.
    fn follow_revocations(&self) {
        let Some((id, secret)) = &self.client else { return };
        let mut whole_at = None;
        loop {
            let change = self.revocations.lock().ok().and_then(|copy| copy.as_ref().map(|(known, _)| known.change));
            let is_fresh = whole_at.is_some_and(|at: Instant| at.elapsed() < Duration::from_hours(24));
            let since = change.filter(|_| is_fresh).map_or_else(String::new, |change| format!("?since={change}"));
            let asked = ureq::get(format!("{}/api/v1/revocations{since}", self.issuer))
                .config()
                .timeout_global(Some(Duration::from_secs(5)))
                .build()
                .header("Client-ID", id)
                .header("Client-Secret", secret)
                .call();
            if let Ok(told) = asked.and_then(|answer| answer.into_body().read_json::<Revocations>())
                && let Ok(mut copy) = self.revocations.lock()
            {
                if told.complete {
                    whole_at = Some(Instant::now());
                }
                let mut known = copy.take().map(|(known, _)| known).unwrap_or_default();
                known.add(told);
                *copy = Some((known, Instant::now()));
            }
            std::thread::sleep(Duration::from_secs(1));
        }
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
    let client = std::env::var("CLIENT_ID").ok().zip(std::env::var("CLIENT_SECRET").ok());
    let checker = Checker { issuer, audience, keys: Mutex::default(), client, revocations: Mutex::default() };
    let checker = web::Data::new(checker);
    let following = checker.clone();
    std::thread::spawn(move || following.follow_revocations());
    let app = move || App::new().app_data(checker.clone()).route("/orders", web::get().to(orders));
    Ok(actix_web::rt::System::new().block_on(HttpServer::new(app).bind(("127.0.0.1", port))?.run())?)
}
