//! By RFC, on both databases.

mod rfc6749_refresh;
