DROP TABLE mail_outbox;
DROP TABLE one_time_links;
ALTER TABLE users DROP COLUMN email_verified_at;
