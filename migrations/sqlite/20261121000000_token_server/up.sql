-- Times are microseconds since 1970 in UTC; flags are 0 or 1; lists of scopes and audiences are space-separated.
-- A row with a `change` column is mirrored in every node's memory: each write to it takes the next value of
-- `instance.changes`, and a node reads what lies above the value that it knows.

CREATE TABLE instance (
    id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    master_key_fingerprint TEXT NOT NULL,
    data_keys TEXT NOT NULL,
    changes BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE organizations (
    id TEXT PRIMARY KEY NOT NULL,
    number BIGINT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX organizations_change ON organizations (change);

CREATE TABLE roles (
    id TEXT PRIMARY KEY NOT NULL,
    organization_id TEXT REFERENCES organizations (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX roles_name ON roles (COALESCE(organization_id, ''), name);
CREATE INDEX roles_change ON roles (change);

CREATE TABLE role_permissions (
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    permission TEXT NOT NULL,
    PRIMARY KEY (role_id, permission)
);

CREATE TABLE scopes (
    name TEXT PRIMARY KEY NOT NULL,
    description TEXT NOT NULL,
    requires_approval BIGINT NOT NULL,
    audience TEXT,
    built_in BIGINT NOT NULL,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX scopes_change ON scopes (change);

CREATE TABLE users (
    id TEXT PRIMARY KEY NOT NULL,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    kind TEXT NOT NULL,
    programmatic BIGINT NOT NULL,
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    email TEXT,
    email_key TEXT UNIQUE,
    phone TEXT,
    administration TEXT NOT NULL,
    access_console BIGINT NOT NULL,
    access_api BIGINT NOT NULL,
    status TEXT NOT NULL,
    password_kind TEXT,
    password_hash TEXT,
    password_changed_at BIGINT,
    epoch BIGINT NOT NULL,
    epoch_raised_at BIGINT NOT NULL,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX users_change ON users (change);
CREATE INDEX users_epoch_raised_at ON users (epoch_raised_at);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, organization_id, role_id)
);

CREATE TABLE clients (
    client_id TEXT PRIMARY KEY NOT NULL,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    owner_id TEXT REFERENCES users (id),
    label TEXT NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    token_endpoint_auth_method TEXT,
    may_introspect BIGINT NOT NULL,
    access_lifetime BIGINT,
    idle_lifetime BIGINT,
    absolute_lifetime BIGINT,
    reuse_window BIGINT,
    signing_algorithm TEXT,
    status TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX clients_change ON clients (change);
CREATE INDEX clients_label ON clients (label);

CREATE TABLE client_grant_types (
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    grant_type TEXT NOT NULL,
    PRIMARY KEY (client_id, grant_type)
);

CREATE TABLE client_scopes (
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    scope TEXT NOT NULL REFERENCES scopes (name),
    status TEXT NOT NULL,
    PRIMARY KEY (client_id, scope)
);

CREATE TABLE client_audiences (
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    audience TEXT NOT NULL,
    PRIMARY KEY (client_id, audience)
);

CREATE TABLE client_secrets (
    id TEXT PRIMARY KEY NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    digest TEXT NOT NULL UNIQUE,
    label TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX client_secrets_client ON client_secrets (client_id);

CREATE TABLE families (
    id TEXT PRIMARY KEY NOT NULL,
    client_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    audience TEXT NOT NULL,
    salt TEXT NOT NULL,
    generation BIGINT NOT NULL,
    auth_time BIGINT NOT NULL,
    rotated_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    absolute_expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    reason TEXT,
    change BIGINT
);
CREATE INDEX families_owner ON families (user_id, client_id, id) WHERE revoked_at IS NULL;
CREATE INDEX families_revoked ON families (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX families_change ON families (change) WHERE change IS NOT NULL;
CREATE INDEX families_absolute ON families (absolute_expires_at);

CREATE TABLE denied_tokens (
    jti TEXT PRIMARY KEY NOT NULL,
    expires_at BIGINT NOT NULL,
    change BIGINT NOT NULL
);
CREATE INDEX denied_tokens_change ON denied_tokens (change);
CREATE INDEX denied_tokens_expires ON denied_tokens (expires_at);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    sealed_private_key TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    signs_at BIGINT NOT NULL,
    retired_at BIGINT,
    removed_at BIGINT,
    revoked BIGINT NOT NULL,
    change BIGINT NOT NULL
);

CREATE TABLE attempts (
    bucket TEXT PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    reserved_until BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX attempts_updated ON attempts (updated_at);

CREATE TABLE known_networks (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network TEXT NOT NULL,
    last_success_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, network)
);

CREATE TABLE audit_events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    occurred_at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    organization_id TEXT,
    ip TEXT,
    request_id TEXT,
    result TEXT NOT NULL,
    details TEXT NOT NULL
);
CREATE INDEX audit_events_target ON audit_events (target_kind, target_id, seq);
