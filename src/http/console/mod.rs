//! The console: pages that are written on the server, one folder for each with its template beside it.
//!
//! A page is asked for with a session's cookie and answered in one round trip. Forms work without script; what the
//! script adds is copying, masking, asking before what cannot be undone, and filtering while typing. A POST goes through
//! [`submission::Submission`], which is how no form can do without a CSRF token.

pub mod answer;
pub mod assets;
pub mod browser;
pub mod chart;
pub mod fields;
pub mod pager;
pub mod parts;
pub mod shell;
pub mod submission;
pub mod visit;

/// API keys: one's own, and those of API users.
pub mod api_keys {
    pub mod page;
    pub mod usage;
}
/// One application: a page for each of its tabs.
pub mod application {
    pub mod events;
    pub mod head;
    pub mod page;
    pub mod postman;
    pub mod scopes;
    pub mod settings;
    pub mod shown;
    pub mod usage;
}
/// The applications that one sees, and the making of one.
pub mod applications {
    pub mod page;
}
/// What waits for an administrator.
pub mod approvals {
    pub mod page;
}
/// Who somebody is, once more: before a secret is shown, or anything risky is done.
pub mod confirm {
    pub mod page;
}
/// Usernames and passwords for programs.
pub mod credentials {
    pub mod page;
}
/// What a visitor finds first.
pub mod home {
    pub mod page;
}
/// What a one-time link opens.
pub mod link {
    pub mod page;
}
/// Secrets that are shown once, and the files that they can be taken along in.
pub mod once {
    pub mod page;
}
/// One's own page: profile, password, sessions.
pub mod profile {
    pub mod page;
}
/// What cannot be shown, and why.
pub mod refusal {
    pub mod page;
}
/// What nobody uses, and who should change something.
pub mod reports {
    pub mod page;
}
/// The catalogue of scopes.
pub mod scopes {
    pub mod page;
}
/// The audit log: who did what.
pub mod audit {
    pub mod export;
    pub mod page;
}
/// What a token or a secret is.
pub mod inspector {
    pub mod page;
}
/// Signing keys.
pub mod keys {
    pub mod page;
}
/// Organizations, for whoever governs them all.
pub mod organizations {
    pub mod page;
}
/// One role: its name, what it permits, who has it.
pub mod role {
    pub mod page;
}
/// The roles of an organization.
pub mod roles {
    pub mod page;
}
/// One user: profile, roles, organizations, sessions, password.
pub mod user {
    pub mod page;
    pub mod places;
    pub mod proofs;
    pub mod usage;
}
/// The users of an organization.
pub mod users {
    pub mod page;
}
/// Sign-in and sign-out, and the way back in without a password.
pub mod sign_in {
    pub mod page;
}
/// The use of all credentials.
pub mod usage {
    pub mod page;
}

use crate::http::paths::paths;

paths! {
    below "/console";
    // Sign-in, and one's own page.
    "/", "GET, HEAD", "console" => get home::page::to_console;
    "/console", "GET, HEAD", "console" => get home::page::to_console;
    "/console/", "GET, HEAD", "console" => get home::page::show;
    "/console/sign-in", "GET, HEAD, POST", "console" => get sign_in::page::show, post sign_in::page::sign_in;
    "/console/sign-out", "POST", "console" => post sign_in::page::sign_out;
    "/console/forgot-password", "GET, HEAD, POST", "console" =>
        get sign_in::page::forgot, post sign_in::page::send_link;
    "/console/link", "GET, HEAD, POST", "console" => get link::page::show, post link::page::redeem;
    "/console/organization", "POST", "console" => post profile::page::switch_organization;
    "/console/profile", "GET, HEAD, POST", "console" => get profile::page::show, post profile::page::save;
    "/console/profile/password", "GET, HEAD, POST", "console" =>
        get profile::page::password, post profile::page::change_password;
    "/console/profile/sessions", "GET, HEAD", "console" => get profile::page::sessions;
    "/console/profile/sessions/{session}/end", "POST", "console" => post profile::page::end_session;
    // Credentials and API keys.
    "/console/credentials", "GET, HEAD, POST", "console" =>
        get credentials::page::list, post credentials::page::create;
    "/console/credentials/new", "GET, HEAD", "console" => get credentials::page::form;
    "/console/credentials/{credentials}", "GET, HEAD", "console" => get credentials::page::show;
    "/console/credentials/{credentials}/delete", "POST", "console" => post credentials::page::delete;
    "/console/profile/api-keys", "GET, HEAD, POST", "console" => get api_keys::page::show, post api_keys::page::create;
    "/console/profile/api-keys/{key}/usage", "GET, HEAD", "console" => get api_keys::usage::show;
    "/console/profile/api-keys/{key}/view", "POST", "console" => post api_keys::page::view;
    "/console/profile/api-keys/{key}/disable", "POST", "console" => post api_keys::page::disable;
    "/console/profile/api-keys/{key}/enable", "POST", "console" => post api_keys::page::enable;
    "/console/profile/api-keys/{key}/delete", "POST", "console" => post api_keys::page::delete;
    "/console/users/{user}/api-keys", "GET, HEAD, POST", "console" =>
        get api_keys::page::show, post api_keys::page::create;
    "/console/users/{user}/api-keys/{key}/usage", "GET, HEAD", "console" => get api_keys::usage::show;
    "/console/users/{user}/api-keys/{key}/view", "POST", "console" => post api_keys::page::view;
    "/console/users/{user}/api-keys/{key}/disable", "POST", "console" => post api_keys::page::disable;
    "/console/users/{user}/api-keys/{key}/enable", "POST", "console" => post api_keys::page::enable;
    "/console/users/{user}/api-keys/{key}/delete", "POST", "console" => post api_keys::page::delete;

    // Applications, scopes, approvals, reports, usage.
    "/console/applications", "GET, HEAD, POST", "console" =>
        get applications::page::show, post applications::page::create;
    "/console/applications/new", "GET, HEAD", "console" => get applications::page::new;
    "/console/applications/{client}", "GET, HEAD, POST", "console" =>
        get application::page::show, post application::page::save;
    "/console/applications/{client}/disable", "POST", "console" => post application::page::disable;
    "/console/applications/{client}/enable", "POST", "console" => post application::page::enable;
    "/console/applications/{client}/delete", "POST", "console" => post application::page::delete;
    "/console/applications/{client}/settings", "GET, HEAD", "console" => get application::settings::show;
    "/console/applications/{client}/rotate", "POST", "console" => post application::settings::rotate;
    "/console/applications/{client}/secrets", "POST", "console" => post application::settings::add;
    "/console/applications/{client}/secrets/{secret}/reveal", "POST", "console" =>
        post application::settings::reveal;
    "/console/applications/{client}/secrets/{secret}/end", "POST", "console" => post application::settings::end;
    "/console/applications/{client}/scopes", "GET, HEAD, POST", "console" =>
        get application::scopes::show, post application::scopes::ask;
    "/console/applications/{client}/events", "GET, HEAD", "console" => get application::events::show;
    "/console/applications/{client}/usage", "GET, HEAD", "console" => get application::usage::show;
    "/console/applications/{client}/postman", "POST", "console" => post application::postman::download;
    "/console/scopes", "GET, HEAD, POST", "console" => get scopes::page::show, post scopes::page::create;
    "/console/scopes/{scope}", "GET, HEAD, POST", "console" => get scopes::page::edit, post scopes::page::save;
    "/console/approvals", "GET, HEAD", "console" => get approvals::page::show;
    "/console/approvals/applications/{client}/approve", "POST", "console" =>
        post approvals::page::approve_application;
    "/console/approvals/applications/{client}/deny", "POST", "console" => post approvals::page::deny_application;
    "/console/approvals/scopes/{request}/approve", "POST", "console" => post approvals::page::approve_scope;
    "/console/approvals/scopes/{request}/deny", "POST", "console" => post approvals::page::deny_scope;
    "/console/reports", "GET, HEAD", "console" => get reports::page::show;
    "/console/reports/successor", "POST", "console" => post reports::page::succeed;
    "/console/usage", "GET, HEAD", "console" => get usage::page::show;

    // Users, roles, organizations, audit, signing keys, the inspector.
    "/console/users", "GET, HEAD", "console" => get users::page::show;
    "/console/users/new", "GET, HEAD, POST", "console" => get users::page::form, post users::page::create;
    "/console/users/{user}", "GET, HEAD, POST", "console" => get user::page::show, post user::page::save;
    "/console/users/{user}/disable", "POST", "console" => post user::page::disable;
    "/console/users/{user}/enable", "POST", "console" => post user::page::enable;
    "/console/users/{user}/unlock", "POST", "console" => post user::page::unlock;
    "/console/users/{user}/resend", "POST", "console" => post user::page::resend;
    "/console/users/{user}/delete", "POST", "console" => post user::page::delete;
    "/console/users/{user}/roles", "GET, HEAD, POST", "console" =>
        get user::places::show_roles, post user::places::save_roles;
    "/console/users/{user}/organizations", "GET, HEAD, POST", "console" =>
        get user::places::show_organizations, post user::places::add_organization;
    "/console/users/{user}/organizations/{organization}/end", "POST", "console" => post user::places::end_organization;
    "/console/users/{user}/sessions", "GET, HEAD", "console" => get user::proofs::show_sessions;
    "/console/users/{user}/sessions/{session}/end", "POST", "console" => post user::proofs::end_session;
    "/console/users/{user}/password", "GET, HEAD, POST", "console" =>
        get user::proofs::show_password, post user::proofs::set_password;
    "/console/users/{user}/password/generate", "POST", "console" => post user::proofs::generate_password;
    "/console/users/{user}/password/link", "POST", "console" => post user::proofs::send_link;
    "/console/users/{user}/usage", "GET, HEAD", "console" => get user::usage::show;
    "/console/roles", "GET, HEAD", "console" => get roles::page::show;
    "/console/roles/new", "GET, HEAD, POST", "console" => get roles::page::form, post roles::page::create;
    "/console/roles/{role}", "GET, HEAD, POST", "console" => get role::page::show, post role::page::save;
    "/console/roles/{role}/delete", "POST", "console" => post role::page::delete;
    "/console/roles/{role}/permissions", "GET, HEAD, POST", "console" =>
        get role::page::show_permissions, post role::page::save_permissions;
    "/console/roles/{role}/users", "GET, HEAD, POST", "console" =>
        get role::page::show_users, post role::page::save_users;
    "/console/organizations", "GET, HEAD, POST", "console" =>
        get organizations::page::show, post organizations::page::create;
    "/console/organizations/{organization}/rename", "POST", "console" => post organizations::page::rename;
    "/console/organizations/{organization}/disable", "POST", "console" => post organizations::page::disable;
    "/console/organizations/{organization}/enable", "POST", "console" => post organizations::page::enable;
    "/console/audit", "GET, HEAD", "console" => get audit::page::show;
    "/console/audit/export/{format}", "GET, HEAD", "console" => get audit::export::download;
    "/console/audit/verify", "POST", "console" => post audit::page::verify;
    "/console/keys", "GET, HEAD", "console" => get keys::page::show;
    "/console/keys/rotate", "POST", "console" => post keys::page::rotate;
    "/console/keys/{kid}/revoke", "POST", "console" => post keys::page::revoke;
    "/console/inspector", "GET, HEAD, POST", "console" => get inspector::page::show, post inspector::page::inspect;

    // What pages load and take along.
    "/console/download", "POST", "console" => post once::page::download;
    "/console/assets/{name}", "GET, HEAD", "console" => get assets::file;
}
