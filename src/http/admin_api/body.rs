//! A JSON body, read strictly: a member that is not known, given twice or of another type is named.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, HttpResponse, web};
use serde::de::DeserializeOwned;

use crate::http::extract::{RequestId, read_body};
use crate::http::problem;
use crate::http::state::State;

/// A request's body, or the answer to one that cannot be read. It waits until the caller is known: whoever may not
/// ask is not told what was wrong with the question.
pub struct Body<T>(Result<Given<T>, HttpResponse>);

/// Why a body cannot be read. Nothing of a value that was sent is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It is not one JSON text.
    NotJson(&'static str),
    /// A member cannot be what it is.
    Member {
        /// Its path; empty for the whole body.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Unreadable {
    /// 400 for what is no JSON, 422 with the member for what cannot be.
    fn answer(&self, id: &str) -> HttpResponse {
        match self {
            Self::NotJson(detail) => problem::respond(StatusCode::BAD_REQUEST, detail, id),
            Self::Member { field, message } => problem::invalid_field(field, message, id),
        }
    }
}

/// A body that was read.
pub struct Given<T> {
    /// What it says.
    pub value: T,
    /// As it was sent.
    pub bytes: web::Bytes,
}

impl<T> Body<T> {
    /// The body.
    ///
    /// # Errors
    /// The answer, for one that cannot be read.
    #[expect(clippy::result_large_err, reason = "the answer goes to the caller as it is")]
    pub fn read(self) -> Result<Given<T>, HttpResponse> {
        self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = web::Payload::from_request(&request, payload);
        Box::pin(async move { Ok(Self(read(&request, payload.await?).await)) })
    }
}

async fn read<T: DeserializeOwned>(request: &HttpRequest, payload: web::Payload) -> Result<Given<T>, HttpResponse> {
    let id = RequestId::of(request).0;
    let refuse = |status, detail: &str| problem::respond(status, detail, &id);
    let Some(state) = request.app_data::<web::Data<State>>() else {
        return Err(HttpResponse::InternalServerError().finish());
    };
    let bytes = read_body(request, payload, state.settings())
        .await
        .map_err(|error| refuse(error.status(), &error.to_string()))?;
    if !bytes.is_empty() && !is_json(request) {
        return Err(refuse(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send a JSON object: -H 'Content-Type: application/json'",
        ));
    }
    let value = parse(&bytes).map_err(|unreadable| unreadable.answer(&id))?;
    Ok(Given { value, bytes })
}

/// Reads the text of a body.
///
/// # Errors
/// [`Unreadable`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let of_all = |message: &str| Unreadable::Member { field: String::new(), message: message.to_owned() };
    // An operation whose members are all optional takes no body at all as an empty object.
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| wrong(&error))?;
    json.end().map_err(|_| Unreadable::NotJson("something follows the JSON object"))?;
    // serde reads an array as the members in their order; nobody means that.
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Err(of_all("must be a JSON object"));
    }
    if has_nul(text) {
        return Err(of_all("a text has a NUL character in it"));
    }
    Ok(value)
}

/// Whether a text of this JSON, or a member's name, has a NUL: no database of ours takes one.
fn has_nul(json: &[u8]) -> bool {
    fn holds(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::String(text) => text.contains('\0'),
            serde_json::Value::Array(values) => values.iter().any(holds),
            serde_json::Value::Object(members) => {
                members.iter().any(|(name, value)| name.contains('\0') || holds(value))
            }
            _ => false,
        }
    }
    // It can be written in one way alone, so nearly every body is told by its bytes.
    json.windows(6).any(|six| six == b"\\u0000") && serde_json::from_slice(json).is_ok_and(|value| holds(&value))
}

fn is_json(request: &HttpRequest) -> bool {
    let given = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.and_then(|value| value.parse::<mime::Mime>().ok()).is_some_and(|given| {
        given.essence_str() == mime::APPLICATION_JSON.essence_str()
            && given.get_param(mime::CHARSET).is_none_or(|charset| charset == mime::UTF_8)
    })
}

/// What serde found wrong, without what was sent.
fn wrong(error: &serde_path_to_error::Error<serde_json::Error>) -> Unreadable {
    let inner = error.inner();
    if !inner.is_data() {
        return Unreadable::NotJson("the body is not a JSON object");
    }
    // From the right, where serde wrote: further left it can be the caller's own text. serde says the member's name between backticks, and where in the text; the text's place helps nobody here.
    let message = inner.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    // What was sent is not said back: it can be a password in the wrong member.
    let message = match message.rsplit_once(", expected ") {
        // What the caller knows it as, and not what we call it.
        Some((_, wanted)) if wanted.starts_with("struct ") => "must be a JSON object".to_owned(),
        Some((_, "i64" | "u64" | "i32" | "u32")) => "must be a whole number".to_owned(),
        Some((given, wanted)) if given.starts_with("invalid ") => format!("must be {wanted}"),
        _ => message.to_owned(),
    };
    let path = error.path().to_string();
    let named = message.split('`').nth(1).unwrap_or_default();
    let field = match path.as_str() {
        "." if message.contains("field") => named.to_owned(),
        "." => String::new(),
        path => path.to_owned(),
    };
    Unreadable::Member { field, message }
}
