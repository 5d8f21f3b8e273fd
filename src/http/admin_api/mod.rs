//! Grantor's own API, `/api/v1`: one file per resource, and every path on this page.

pub mod api_keys;
pub mod audit_events;
pub mod body;
pub mod call;
pub mod client_secrets;
pub mod clients;
pub mod credentials;
pub mod links;
pub mod me;
pub mod members;
pub mod memberships;
pub mod openapi;
pub mod organizations;
pub mod password_resets;
pub mod revocations;
pub mod roles;
pub mod scope_requests;
pub mod scopes;
pub mod sessions;
pub mod signing_keys;
pub mod token_families;
pub mod usage;
pub mod users;
pub mod verification;

use crate::http::paths::paths;

paths! {
    below "/api/v1";
    "/api/v1/me", "GET, HEAD", "me" => get me::me;
    "/api/v1/organizations", "GET, HEAD, POST", "organizations" =>
        get organizations::list, post organizations::create;
    "/api/v1/organizations/{organization}", "GET, HEAD, PATCH", "organizations" =>
        get organizations::show, patch organizations::update;
    "/api/v1/organizations/{organization}/disable", "POST", "organizations" => post organizations::disable;
    "/api/v1/organizations/{organization}/enable", "POST", "organizations" => post organizations::enable;
    "/api/v1/users", "GET, HEAD, POST", "users" => get users::list, post users::create;
    "/api/v1/users/{user}", "GET, HEAD, PATCH, DELETE", "users" =>
        get users::show, patch users::update, delete users::delete;
    "/api/v1/users/{user}/disable", "POST", "users" => post users::disable;
    "/api/v1/users/{user}/enable", "POST", "users" => post users::enable;
    "/api/v1/users/{user}/unlock", "POST", "users" => post users::unlock;
    "/api/v1/users/{user}/password", "POST", "users" => post users::password;
    "/api/v1/users/{user}/verification", "GET, HEAD, POST", "users" =>
        get verification::verification, post verification::send_verification;
    "/api/v1/users/{user}/memberships", "GET, HEAD", "users" => get memberships::list;
    "/api/v1/users/{user}/memberships/{organization}", "PUT, DELETE", "users" =>
        put memberships::set, delete memberships::end;
    "/api/v1/users/{user}/sessions", "GET, HEAD", "users" => get sessions::list;
    "/api/v1/users/{user}/sessions/{session}", "DELETE", "users" => delete sessions::end;
    "/api/v1/roles", "GET, HEAD, POST", "roles" => get roles::list, post roles::create;
    "/api/v1/roles/{role}", "GET, HEAD, PUT, DELETE", "roles" =>
        get roles::show, put roles::update, delete roles::delete;
    "/api/v1/roles/{role}/users", "GET, HEAD", "roles" => get roles::holders;
    "/api/v1/scopes", "GET, HEAD, POST", "scopes" => get scopes::list, post scopes::create;
    "/api/v1/scopes/{scope}", "GET, HEAD, PATCH, DELETE", "scopes" =>
        get scopes::show, patch scopes::update, delete scopes::delete;
    "/api/v1/clients", "GET, HEAD, POST", "clients" => get clients::list, post clients::create;
    "/api/v1/clients/{client}", "GET, HEAD, PATCH, DELETE", "clients" =>
        get clients::show, patch clients::update, delete clients::delete;
    "/api/v1/clients/{client}/approve", "POST", "clients" => post clients::approve;
    "/api/v1/clients/{client}/disable", "POST", "clients" => post clients::disable;
    "/api/v1/clients/{client}/enable", "POST", "clients" => post clients::enable;
    "/api/v1/clients/{client}/secrets", "GET, HEAD, POST", "clients" =>
        get client_secrets::list, post client_secrets::add;
    "/api/v1/clients/{client}/secrets/rotate", "POST", "clients" => post client_secrets::rotate;
    "/api/v1/clients/{client}/secrets/{secret}", "DELETE", "clients" => delete client_secrets::end;
    "/api/v1/clients/{client}/secrets/{secret}/reveal", "POST", "clients" => post client_secrets::reveal;
    "/api/v1/clients/{client}/scope-requests", "GET, HEAD, POST", "clients" =>
        get scope_requests::of_client, post scope_requests::create;
    "/api/v1/scope-requests", "GET, HEAD", "scope requests" => get scope_requests::list;
    "/api/v1/scope-requests/{request}/approve", "POST", "scope requests" => post scope_requests::approve;
    "/api/v1/scope-requests/{request}/deny", "POST", "scope requests" => post scope_requests::deny;
    "/api/v1/credentials", "GET, HEAD, POST", "credentials" => get credentials::list, post credentials::create;
    "/api/v1/credentials/{credentials}", "GET, HEAD, DELETE", "credentials" =>
        get credentials::show, delete credentials::delete;
    "/api/v1/api-keys", "GET, HEAD, POST", "api keys" => get api_keys::list, post api_keys::create;
    "/api/v1/api-keys/{key}", "GET, HEAD, DELETE", "api keys" => get api_keys::show, delete api_keys::delete;
    "/api/v1/api-keys/{key}/disable", "POST", "api keys" => post api_keys::disable;
    "/api/v1/api-keys/{key}/enable", "POST", "api keys" => post api_keys::enable;
    "/api/v1/api-keys/{key}/reveal", "POST", "api keys" => post api_keys::reveal;
    "/api/v1/clients/{client}/usage", "GET, HEAD", "usage" => get usage::of_client;
    "/api/v1/audit-events", "GET, HEAD", "audit events" => get audit_events::list;
    "/api/v1/usage", "GET, HEAD", "usage" => get usage::show;
    "/api/v1/revocations", "GET, HEAD", "revocations" => get revocations::list;
    "/api/v1/tokens/families", "GET, HEAD", "tokens" => get token_families::list;
    "/api/v1/tokens/families/{family}", "DELETE", "tokens" => delete token_families::revoke;
    "/api/v1/signing-keys", "GET, HEAD", "signing keys" => get signing_keys::list;
    "/api/v1/signing-keys/rotate", "POST", "signing keys" => post signing_keys::rotate;
    "/api/v1/signing-keys/{kid}/revoke", "POST", "signing keys" => post signing_keys::revoke;
    "/api/v1/links/redeem", "POST", "links" => post links::redeem;
    "/api/v1/password-resets", "POST", "password resets" => post password_resets::request;
    "/api/openapi.json", "GET, HEAD", "openapi" => get openapi::document;
}
