//! By RFC, on both databases.

mod further_token_paths;
mod openid_connect;
mod oxide_drives;
mod rfc6749_client_credentials;
mod rfc6749_errors;
mod rfc6749_password;
mod rfc6749_refresh;
mod rfc6750_bearer;
mod rfc7009_revocation;
mod rfc7517_jwks;
mod rfc7662_introspection;
mod rfc8414_metadata;
mod rfc8707_resource;
mod rfc9068_access_token;
