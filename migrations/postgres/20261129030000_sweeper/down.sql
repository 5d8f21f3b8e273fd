DROP INDEX known_networks_last;
DROP INDEX one_time_links_expires;
DROP INDEX mail_outbox_created;
DROP TABLE sweeper;
