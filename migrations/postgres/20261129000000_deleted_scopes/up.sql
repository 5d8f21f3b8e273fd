-- A scope that was deleted keeps its row, so that every node hears of it and what was decided about it stays readable.
ALTER TABLE scopes ADD COLUMN status TEXT COLLATE "C" NOT NULL DEFAULT 'active';
