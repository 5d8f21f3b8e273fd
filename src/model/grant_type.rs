//! Grant types (RFC 6749).

crate::words! {
    /// How an application obtains a token; the text is the `grant_type` parameter of the token endpoint.
    GrantType {
        /// RFC 6749 §4.3.
        Password = "password",
        /// RFC 6749 §6.
        RefreshToken = "refresh_token",
        /// RFC 6749 §4.4.
        ClientCredentials = "client_credentials",
    }
}
