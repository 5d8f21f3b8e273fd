-- Messages to send, and the links in them. No row holds a link: its secret is derived from the link's id under a key that
-- is sealed, when the message is sent or shown.

ALTER TABLE users ADD COLUMN email_verified_at BIGINT;
-- Whoever was made active by an administrator counts as verified.
UPDATE users SET email_verified_at = created_at WHERE email IS NOT NULL AND status <> 'invited';

CREATE TABLE one_time_links (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX one_time_links_user_id ON one_time_links (user_id, purpose);

CREATE TABLE mail_outbox (
    id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    recipient TEXT NOT NULL,
    user_id TEXT COLLATE "C",
    link_id TEXT COLLATE "C",
    about TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE INDEX mail_outbox_due ON mail_outbox (status, next_attempt_at);
