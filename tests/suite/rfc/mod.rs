//! By RFC, on both databases.

mod rfc6749_refresh;
mod rfc7009_revocation;
mod rfc7517_jwks;
mod rfc7662_introspection;
