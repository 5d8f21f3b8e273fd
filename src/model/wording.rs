//! What the console calls its sections and buttons: a closed set of words, each of which a platform can replace.

use std::collections::BTreeMap;

crate::words! {
    /// A word of the console, by its key in `[console.words]`.
    ConsoleWord {
        /// The part of the menu for developers.
        Developer = "developer",
        /// The part of the menu for administrators.
        Administration = "administration",
        /// Usernames and passwords for programs.
        Credentials = "credentials",
        /// Clients.
        Applications = "applications",
        /// The panel with API keys.
        ApiKeys = "api_keys",
        /// The tab of the profile with that panel.
        ApiKeysTab = "api_keys_tab",
        /// People and API users.
        Users = "users",
        /// Sets of permissions.
        Roles = "roles",
        /// What tokens may be good for.
        Scopes = "scopes",
        /// What waits for an administrator.
        Approvals = "approvals",
        /// Who did what.
        Audit = "audit",
        /// Signing keys.
        Keys = "keys",
        /// Who should change something.
        Reports = "reports",
        /// Tenants.
        Organizations = "organizations",
        /// One's own page.
        Profile = "profile",
        /// The part of an application with its settings.
        Settings = "settings",
        /// The tab with the secrets.
        Security = "security",
        /// The tab with the security events of an application.
        SecurityEvents = "security_events",
        /// The tab of a role with its permissions.
        Permissions = "permissions",
        /// The permission `api:access`.
        ApiAccess = "api_access",
        /// Button: new credentials.
        NewCredentials = "new_credentials",
        /// Button: new application.
        NewApplication = "new_application",
        /// Button: new API key.
        NewApiKey = "new_api_key",
        /// Heading over a new API key.
        ApiKeyCreated = "api_key_created",
        /// Button: show an API key again.
        ViewApiKey = "view_api_key",
        /// Button: new user.
        NewUser = "new_user",
        /// Button: new role.
        NewRole = "new_role",
        /// Button: ask for a scope.
        RequestScope = "request_scope",
        /// Button: new secret of an application.
        NewSecret = "new_secret",
        /// Button: keep what was typed.
        Save = "save",
    }
}

/// The words of one console: a text for each.
#[derive(Debug, Clone)]
pub struct ConsoleWords(BTreeMap<ConsoleWord, String>);

impl ConsoleWords {
    /// The words, of which none may be missing.
    ///
    /// # Errors
    /// The first that is missing.
    pub fn new(texts: BTreeMap<ConsoleWord, String>) -> Result<Self, ConsoleWord> {
        match ConsoleWord::ALL.iter().find(|word| !texts.contains_key(word)) {
            Some(missing) => Err(*missing),
            None => Ok(Self(texts)),
        }
    }

    /// The text of a word.
    #[must_use]
    pub fn get(&self, word: ConsoleWord) -> &str {
        // `new` saw to it that it is there.
        self.0.get(&word).map_or(word.as_str(), String::as_str)
    }
}
