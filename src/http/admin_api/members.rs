//! Members of requests that more than one resource reads: queries, words of closed sets, null.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::admin::AdminError;
use crate::model::states::UnknownWord;
use crate::model::time::Timestamp;

/// A list's query, read strictly. It waits until the caller is known.
pub struct Query<T>(Result<T, AdminError>);

impl<T> Query<T> {
    /// The query.
    ///
    /// # Errors
    /// [`AdminError::Invalid`] names the parameter that cannot be.
    pub fn read(self) -> Result<T, AdminError> {
        self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = web::Query::<T>::from_query(request.query_string());
        let read = read.map(web::Query::into_inner).map_err(|cause| {
            let said = cause.to_string();
            AdminError::invalid("query", said.strip_prefix("Query deserialize error: ").unwrap_or(&said))
        });
        ready(Ok(Self(read)))
    }
}

/// The query of a list that has no pages: the organization, which the caller's authority reads. A number of rows is taken
/// and has no effect: clients in the wild send one with every list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unpaged {
    #[serde(rename = "organization")]
    _organization: Option<String>,
    #[serde(rename = "limit")]
    _limit: Option<u32>,
}

/// A word of a closed set, if one was given.
///
/// # Errors
/// [`AdminError::Invalid`] names the words.
pub fn word<T: FromStr<Err = UnknownWord>>(field: &'static str, given: Option<&str>) -> Result<Option<T>, AdminError> {
    given.map(str::parse).transpose().map_err(|cause: UnknownWord| AdminError::invalid(field, cause.to_string()))
}

/// A member that is there: null is a value too, and another thing than a member that is missing.
///
/// # Errors
/// What the deserializer answers.
pub fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// An instant in RFC 3339, if one was given.
///
/// # Errors
/// [`AdminError::Invalid`] names the member.
pub fn instant(field: &'static str, given: Option<&str>) -> Result<Option<Timestamp>, AdminError> {
    let Some(text) = given else { return Ok(None) };
    let parsed = chrono::DateTime::parse_from_rfc3339(text);
    let parsed = parsed.map_err(|_| AdminError::invalid(field, "an instant is written as 2030-01-31T12:00:00Z"))?;
    Ok(Some(Timestamp::from_micros(parsed.timestamp_micros())))
}
