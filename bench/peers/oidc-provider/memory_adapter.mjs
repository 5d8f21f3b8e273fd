// oidc-provider's own in-memory adapter keeps a thousand records and walks all tokens of a grant at each save; this one does neither.
export function memoryAdapter() {
  const records = new Map();
  const members = new Map();

  return class MemoryAdapter {
    constructor(model) {
      this.model = model;
    }

    key(id) {
      return `${this.model}:${id}`;
    }

    async upsert(id, payload, expiresIn) {
      const key = this.key(id);
      records.set(key, { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
      if (payload.grantId) {
        const known = members.get(payload.grantId);
        if (known) known.add(key);
        else members.set(payload.grantId, new Set([key]));
      }
    }

    async find(id) {
      const record = records.get(this.key(id));
      return record && record.expiresAt > Date.now() ? record.payload : undefined;
    }

    async consume(id) {
      const record = records.get(this.key(id));
      if (record) record.payload.consumed = Math.floor(Date.now() / 1000);
    }

    async destroy(id) {
      records.delete(this.key(id));
    }

    async revokeByGrantId(grantId) {
      for (const key of members.get(grantId) ?? []) records.delete(key);
      members.delete(grantId);
    }

    // Sessions and device codes do not occur here.
    async findByUid() {}

    async findByUserCode() {}
  };
}
