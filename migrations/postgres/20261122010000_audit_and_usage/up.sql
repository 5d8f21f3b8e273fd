-- `number`, `seal` and `link` are filled in by the sealer, in the order of sealing; `seq` may have gaps, and on
-- PostgreSQL a lower one may become visible later.
ALTER TABLE audit_events ADD COLUMN number BIGINT;
ALTER TABLE audit_events ADD COLUMN seal TEXT;
ALTER TABLE audit_events ADD COLUMN link TEXT;
CREATE INDEX audit_events_number ON audit_events (number) WHERE number IS NOT NULL;
CREATE INDEX audit_events_unsealed ON audit_events (seq) WHERE number IS NULL;
CREATE INDEX audit_events_occurred ON audit_events (occurred_at);
CREATE INDEX audit_events_organization ON audit_events (organization_id, seq);
CREATE INDEX audit_events_actor ON audit_events (actor_id, seq);
CREATE INDEX audit_events_action ON audit_events (action, seq);

-- The ends of the chain: the newest sealed event, and what stood before the oldest one that is kept.
CREATE TABLE audit_chain (
    id BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    number BIGINT NOT NULL,
    link TEXT NOT NULL,
    anchor_number BIGINT NOT NULL,
    anchor_link TEXT NOT NULL,
    mac TEXT NOT NULL
);

-- A secret that was replaced keeps its row for a while, so that its use is recognised.
ALTER TABLE client_secrets ADD COLUMN ended_at BIGINT;
ALTER TABLE client_secrets ADD COLUMN last_used_at BIGINT;
ALTER TABLE client_secrets ADD COLUMN last_used_ip TEXT;
ALTER TABLE client_scopes ADD COLUMN last_used_at BIGINT;

-- `hour` is the hour's first microsecond.
CREATE TABLE usage_hours (
    credential_kind TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    hour BIGINT NOT NULL,
    issued BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    last_used_at BIGINT,
    last_used_ip TEXT,
    PRIMARY KEY (credential_kind, credential_id, hour)
);
CREATE INDEX usage_hours_hour ON usage_hours (hour);

-- What the counters of an hour are made of: refusals by reason, tokens by grant, checks by method.
CREATE TABLE usage_details (
    credential_kind TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    hour BIGINT NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (credential_kind, credential_id, hour, detail, name)
);
CREATE INDEX usage_details_name ON usage_details (detail, name, hour);
CREATE INDEX usage_details_hour ON usage_details (hour);
