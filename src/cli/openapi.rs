//! `grantor openapi`: the OpenAPI document, without a server or a database.

use crate::cli::session::Session;
use crate::cli::{Failure, output};
use crate::http::openapi_document;
use crate::model::scope;

pub(super) fn run(session: &Session) -> Result<(), Failure> {
    let config = session.config()?;
    let issuer = config.issuer.with_address(config.server.address);
    let scopes: Vec<String> = scope::BUILT_IN.iter().map(|name| (*name).to_owned()).collect();
    output::json(&openapi_document(&issuer, &scopes))
}
