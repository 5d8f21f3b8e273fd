//! One thing of each kind, as the text has it.

use serde::{Deserialize, Serialize};

/// What entries of every kind have.
pub(in crate::admin::declaration) trait Entry {
    /// What it is.
    const NOUN: &'static str;
    /// What tells it from others of its kind.
    fn key(&self) -> String;
    /// Everything else, as people read it.
    fn fields(&self) -> Vec<(&'static str, String)>;
    /// Puts lists in order, so that two ways of writing one thing are the same.
    fn normalize(&mut self) {}
    /// The status, where the kind has one.
    fn status(&mut self) -> Option<&mut Option<String>> {
        None
    }
}

/// An organization.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin::declaration) struct OrganizationEntry {
    pub(in crate::admin::declaration) slug: String,
    pub(in crate::admin::declaration) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) status: Option<String>,
}

/// A scope of the catalogue.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin::declaration) struct ScopeEntry {
    pub(in crate::admin::declaration) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::admin::declaration) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(in crate::admin::declaration) requires_approval: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) audience: Option<String>,
}

/// A role of an organization.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin::declaration) struct RoleEntry {
    #[serde(default = "default_organization")]
    pub(in crate::admin::declaration) organization: String,
    pub(in crate::admin::declaration) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::admin::declaration) description: String,
    #[serde(default)]
    pub(in crate::admin::declaration) permissions: Vec<String>,
}

/// A client.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::admin::declaration) struct ClientEntry {
    pub(in crate::admin::declaration) client_id: String,
    #[serde(default = "default_organization")]
    pub(in crate::admin::declaration) organization: String,
    pub(in crate::admin::declaration) label: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(in crate::admin::declaration) description: String,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(in crate::admin::declaration) public: bool,
    #[serde(default)]
    pub(in crate::admin::declaration) grant_types: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin::declaration) scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::admin::declaration) audiences: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) token_endpoint_auth_method: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(in crate::admin::declaration) may_introspect: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) access_lifetime: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) idle_lifetime: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) absolute_lifetime: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) reuse_window: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) signing_algorithm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::admin::declaration) status: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(value: &bool) -> bool {
    !*value
}

fn default_organization() -> String {
    crate::admin::organizations::DEFAULT_SLUG.to_owned()
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn or_default(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "default".to_owned(), ToString::to_string)
}

fn sort(list: &mut Vec<String>) {
    list.sort_unstable();
    list.dedup();
}

impl Entry for OrganizationEntry {
    const NOUN: &'static str = "organization";

    fn key(&self) -> String {
        self.slug.clone()
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("name", self.name.clone()), ("status", or_default(self.status.as_ref()))]
    }

    fn status(&mut self) -> Option<&mut Option<String>> {
        Some(&mut self.status)
    }
}

impl Entry for ScopeEntry {
    const NOUN: &'static str = "scope";

    fn key(&self) -> String {
        self.name.clone()
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("description", self.description.clone()),
            ("requires_approval", yes(self.requires_approval)),
            ("audience", self.audience.clone().unwrap_or_default()),
        ]
    }
}

impl Entry for RoleEntry {
    const NOUN: &'static str = "role";

    fn key(&self) -> String {
        format!("{}/{}", self.organization, self.name)
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("description", self.description.clone()), ("permissions", self.permissions.join(" "))]
    }

    fn normalize(&mut self) {
        sort(&mut self.permissions);
    }
}

impl Entry for ClientEntry {
    const NOUN: &'static str = "client";

    fn key(&self) -> String {
        self.client_id.clone()
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("organization", self.organization.clone()),
            ("label", self.label.clone()),
            ("description", self.description.clone()),
            ("public", yes(self.public)),
            ("grant_types", self.grant_types.join(" ")),
            ("scopes", self.scopes.join(" ")),
            ("audiences", self.audiences.join(" ")),
            ("token_endpoint_auth_method", or_default(self.token_endpoint_auth_method.as_ref())),
            ("may_introspect", yes(self.may_introspect)),
            ("access_lifetime", or_default(self.access_lifetime.as_ref())),
            ("idle_lifetime", or_default(self.idle_lifetime.as_ref())),
            ("absolute_lifetime", or_default(self.absolute_lifetime.as_ref())),
            ("reuse_window", or_default(self.reuse_window.as_ref())),
            ("signing_algorithm", or_default(self.signing_algorithm.as_ref())),
            ("status", or_default(self.status.as_ref())),
        ]
    }

    fn normalize(&mut self) {
        for list in [&mut self.grant_types, &mut self.scopes, &mut self.audiences] {
            sort(list);
        }
    }

    fn status(&mut self) -> Option<&mut Option<String>> {
        Some(&mut self.status)
    }
}
