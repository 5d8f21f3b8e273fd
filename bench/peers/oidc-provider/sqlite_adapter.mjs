// A plain SQLite adapter: one table, a row per record, every statement prepared once; WAL and synchronous=NORMAL, as most write it.
import Database from 'better-sqlite3';

export function sqliteAdapter(file) {
  if (!file) throw new Error('STORE=sqlite wants DATABASE, the path of a file');
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = NORMAL');
  database.exec(`
    CREATE TABLE IF NOT EXISTS records (
      model TEXT NOT NULL,
      id TEXT NOT NULL,
      payload TEXT NOT NULL,
      grant_id TEXT,
      consumed INTEGER,
      expires_at INTEGER,
      PRIMARY KEY (model, id)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS records_by_grant ON records (grant_id) WHERE grant_id IS NOT NULL;
  `);
  const upsert = database.prepare(`
    INSERT INTO records (model, id, payload, grant_id, expires_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id, expires_at = excluded.expires_at
  `);
  const find = database.prepare('SELECT payload, consumed, expires_at FROM records WHERE model = ? AND id = ?');
  const consume = database.prepare('UPDATE records SET consumed = ? WHERE model = ? AND id = ?');
  const destroy = database.prepare('DELETE FROM records WHERE model = ? AND id = ?');
  const revoke = database.prepare('DELETE FROM records WHERE grant_id = ?');
  const now = () => Math.floor(Date.now() / 1000);

  return class SqliteAdapter {
    constructor(model) {
      this.model = model;
    }

    async upsert(id, payload, expiresIn) {
      upsert.run(this.model, id, JSON.stringify(payload), payload.grantId ?? null, expiresIn ? now() + expiresIn : null);
    }

    async find(id) {
      const row = find.get(this.model, id);
      if (!row || (row.expires_at !== null && row.expires_at <= now())) return undefined;
      const payload = JSON.parse(row.payload);
      if (row.consumed !== null) payload.consumed = row.consumed;
      return payload;
    }

    async consume(id) {
      consume.run(now(), this.model, id);
    }

    async destroy(id) {
      destroy.run(this.model, id);
    }

    async revokeByGrantId(grantId) {
      revoke.run(grantId);
    }

    // Sessions and device codes do not occur here.
    async findByUid() {}

    async findByUserCode() {}
  };
}
