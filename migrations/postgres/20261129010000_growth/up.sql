-- Until when a family lives unless it is ended: its first expiry, which a use only ever puts off. It never changes, so
-- the index can hold it without being written at every refresh; 0 is "look at the row".
ALTER TABLE families ADD COLUMN lives_until BIGINT NOT NULL DEFAULT 0;
DROP INDEX families_owner;
CREATE INDEX families_owner ON families (user_id, client_id, id, lives_until) WHERE revoked_at IS NULL;

-- Kind and purpose of a user never change: beside the membership, a list of an organization's people or credentials
-- need not look at all of its members.
ALTER TABLE memberships ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE memberships ADD COLUMN programmatic BIGINT NOT NULL DEFAULT 0;
UPDATE memberships SET kind = (SELECT kind FROM users WHERE id = user_id),
    programmatic = (SELECT programmatic FROM users WHERE id = user_id);
CREATE INDEX memberships_kind ON memberships (organization_id, kind, user_id);
CREATE INDEX memberships_programmatic ON memberships (organization_id, programmatic, user_id);

-- Every list has an index that begins with all that it asks for and ends with its order. SQLite knows nothing of how
-- many rows a value has: of two indexes with one condition each it may take the one that leaves out nothing.
CREATE INDEX users_status ON users (status, id);
CREATE INDEX users_name ON users (programmatic, name, id);
DROP INDEX user_roles_role;
CREATE INDEX user_roles_role ON user_roles (role_id, organization_id, user_id);
DROP INDEX clients_label;
CREATE INDEX clients_label ON clients (label, organization_id, client_id);
CREATE INDEX clients_status ON clients (organization_id, status, client_id);
CREATE INDEX scope_requests_status ON scope_requests (organization_id, status, id);
CREATE INDEX scope_requests_client ON scope_requests (client_id, organization_id, id);
DROP INDEX api_keys_user;
CREATE INDEX api_keys_user ON api_keys (user_id, organization_id, id);
CREATE INDEX api_keys_name ON api_keys (name);
CREATE INDEX api_keys_prefix ON api_keys (prefix);
DROP INDEX audit_events_target;
CREATE INDEX audit_events_target ON audit_events (target_id, organization_id, seq);
CREATE INDEX audit_events_organization_action ON audit_events (organization_id, action, seq);
-- What the sweeper looks for every minute.
CREATE INDEX client_secrets_ended ON client_secrets (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX client_secrets_expires ON client_secrets (expires_at) WHERE expires_at IS NOT NULL;
