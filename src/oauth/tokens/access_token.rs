//! JWT access tokens (RFC 9068).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

/// The claims of an access token, in the types that they must have: borrowed where a token is made, owned where one is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims<'a> {
    /// Issuer.
    pub iss: Cow<'a, str>,
    /// The user's id, or the `client_id` where a client acts for itself.
    pub sub: Cow<'a, str>,
    /// The resource servers that it is for: a string where it is one, an array where they are several.
    #[serde(serialize_with = "one_or_many", deserialize_with = "from_one_or_many")]
    pub aud: Cow<'a, [String]>,
    /// Expiry, in seconds since 1970.
    pub exp: i64,
    /// Time of issue, in seconds since 1970.
    pub iat: i64,
    /// The token's id, by which it can be revoked alone.
    pub jti: String,
    /// The client that it was issued to.
    pub client_id: Cow<'a, str>,
    /// Space-separated scope; empty where nothing was granted.
    pub scope: String,
    /// The token family behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<Cow<'a, str>>,
    /// The epochs of client, user and organization at issue, `client.user.organization`.
    pub epoch: String,
    /// The user's organization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<Cow<'a, str>>,
    /// The names of the user's roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Cow<'a, [String]>>,
    /// When the user signed in, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
}

/// The three counters of the `epoch` claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Epochs {
    /// The client's.
    pub client: i64,
    /// The user's; 0 without a user.
    pub user: i64,
    /// The organization's: the user's, or the client's where it acts for itself.
    pub organization: i64,
}

impl Epochs {
    /// As the claim has them.
    #[must_use]
    pub fn to_claim(self) -> String {
        format!("{}.{}.{}", self.client, self.user, self.organization)
    }

    /// From the claim.
    #[must_use]
    pub fn from_claim(claim: &str) -> Option<Self> {
        let mut counters = claim.split('.').map(|counter| counter.parse::<i64>().ok());
        let epochs = Self { client: counters.next()??, user: counters.next()??, organization: counters.next()?? };
        counters.next().is_none().then_some(epochs)
    }
}

fn one_or_many<S: serde::Serializer>(audiences: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match audiences {
        [only] => serializer.serialize_str(only),
        many => serializer.collect_seq(many),
    }
}

fn from_one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, [String]>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    }
    .into())
}
