-- Which node drops the rows that nothing needs any more, and when that was done last. One row.
CREATE TABLE sweeper (
    id BIGINT PRIMARY KEY NOT NULL,
    holder TEXT NOT NULL,
    leased_until BIGINT NOT NULL,
    finished_at BIGINT NOT NULL,
    dropped BIGINT NOT NULL
);
INSERT INTO sweeper (id, holder, leased_until, finished_at, dropped) VALUES (1, '', 0, 0, 0);

-- What the sweeper looks for stands in an index of its own: it asks every minute, and most often for nothing.
CREATE INDEX mail_outbox_created ON mail_outbox (created_at);
CREATE INDEX one_time_links_expires ON one_time_links (expires_at);
CREATE INDEX known_networks_last ON known_networks (last_success_at);
