-- Memberships in several organizations, API keys, registration and approval of applications, remembered POSTs.

CREATE TABLE memberships (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, organization_id)
);
CREATE UNIQUE INDEX memberships_organization ON memberships (organization_id, user_id);
INSERT INTO memberships (user_id, organization_id, created_at) SELECT id, organization_id, created_at FROM users;

ALTER TABLE roles ADD COLUMN status TEXT NOT NULL DEFAULT 'active';
DROP INDEX roles_name;
CREATE UNIQUE INDEX roles_name ON roles (COALESCE(organization_id, ''), name) WHERE status = 'active';
CREATE INDEX user_roles_role ON user_roles (role_id, user_id);

ALTER TABLE clients ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE clients ADD COLUMN static_claims TEXT NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX clients_organization ON clients (organization_id, client_id);
CREATE INDEX clients_owner ON clients (owner_id, client_id);

ALTER TABLE client_secrets ADD COLUMN sealed TEXT;

CREATE TABLE client_roles (
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    PRIMARY KEY (client_id, role_id)
);

CREATE TABLE scope_requests (
    id TEXT PRIMARY KEY NOT NULL,
    client_id TEXT NOT NULL REFERENCES clients (client_id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    scope TEXT NOT NULL REFERENCES scopes (name),
    justification TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    requested_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX scope_requests_pending ON scope_requests (client_id, scope) WHERE status = 'pending';
CREATE UNIQUE INDEX scope_requests_organization ON scope_requests (organization_id, id);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY NOT NULL,
    prefix TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    scopes TEXT,
    networks TEXT NOT NULL,
    reveal TEXT NOT NULL,
    sealed TEXT,
    status TEXT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    last_used_ip TEXT,
    change BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX api_keys_user ON api_keys (user_id, id);
CREATE UNIQUE INDEX api_keys_organization ON api_keys (organization_id, id);
CREATE INDEX api_keys_change ON api_keys (change);

CREATE TABLE remembered_posts (
    key_digest TEXT PRIMARY KEY NOT NULL,
    request_digest TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX remembered_posts_created ON remembered_posts (created_at);
