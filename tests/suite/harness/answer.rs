//! One HTTP answer, and the plain calls that get one.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// What a server answered. Header names are in lower case.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    /// Sends a request and reads everything; a refusal is an answer too.
    pub fn of(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Self {
        let mut response = sent.expect("the server answers");
        Self {
            status: response.status().as_u16(),
            headers: response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
                .collect(),
            body: response.body_mut().read_to_string().unwrap_or_default(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// A string member of the body; panics if it is not there.
    pub fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {self:?}")).to_owned()
    }

    /// The answer, which must be a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }

    pub fn access_token(&self) -> String {
        self.text("access_token")
    }

    pub fn refresh_token(&self) -> String {
        self.text("refresh_token")
    }

    /// It must be a refusal with this `error`, and have no token in it.
    #[track_caller]
    pub fn is_refused(&self, error: &str) {
        assert!(self.status >= 400, "{self:?}");
        assert_eq!(self.json()["error"], error, "{self:?}");
        assert!(!self.body.contains("access_token"), "{self:?}");
    }

    /// The body without the request's id: what refusals of one kind must have in common to the byte.
    pub fn without_request_id(&self) -> String {
        match self.json()["request_id"].as_str() {
            Some(id) => self.body.replace(id, "ID"),
            None => self.body.clone(),
        }
    }

    /// The claims of a JWT member, unverified.
    pub fn claims(&self, member: &str) -> Value {
        let token = self.text(member);
        let part = token.split('.').nth(1).expect("a JWT");
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url"))
            .expect("JSON claims")
    }
}

/// A client with keep-alive that never follows a redirect and never turns a status into an error.
pub fn agent() -> &'static ureq::Agent {
    static AGENT: OnceLock<ureq::Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_idle_connections(256)
            .max_idle_connections_per_host(256)
            .build()
            .into()
    })
}

/// Posts a form with Basic authentication; no answer is an outcome, too.
pub fn post_form(url: &str, client: (&str, &str), pairs: &[(&str, &str)]) -> Result<Answer, String> {
    let sent = agent()
        .post(url)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Authorization", basic(client.0, client.1))
        .send(form(pairs));
    sent.map(|response| Answer::of(Ok(response))).map_err(|error| error.to_string())
}

/// HTTP Basic with form-encoded parts, as RFC 6749 §2.3.1 says.
pub fn basic(id: &str, secret: &str) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// A form body.
pub fn form(pairs: &[(&str, &str)]) -> String {
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        body.append_pair(name, value);
    }
    body.finish()
}
