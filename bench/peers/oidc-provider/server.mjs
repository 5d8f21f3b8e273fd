// oidc-provider on loopback, set up as its documentation suggests for machine clients, with nothing slowed down on purpose.
//
//   PORT         where to listen on 127.0.0.1 (0 takes a free port)
//   STORE        memory | sqlite
//   DATABASE     the SQLite file (STORE=sqlite)
//   ALG          ES256 | RS256: what access tokens are signed with
//   KEYS_FILE    where the signing keys are kept from one start to the next (without: new ones at each start)
//   TOKENS_FILE  where to write the first refresh tokens, one per line
//   TOKENS       how many (default 64)
//
// Prints one line of JSON when it listens.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';
import { memoryAdapter } from './memory_adapter.mjs';

const { PORT = '0', STORE = 'memory', DATABASE, ALG = 'ES256', KEYS_FILE, TOKENS_FILE, TOKENS = '64' } = process.env;
const RESOURCE = 'urn:bench:api';
const SECRET = 'a-secret-of-the-benchmark-0123456789abcdef';

async function adapter() {
  if (STORE === 'memory') return memoryAdapter();
  if (STORE === 'sqlite') return (await import('./sqlite_adapter.mjs')).sqliteAdapter(DATABASE);
  throw new Error(`STORE must be memory or sqlite, not ${STORE}`);
}

function privateKey(kid, alg, type, options) {
  const { privateKey: key } = generateKeyPairSync(type, options);
  return { ...key.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

function signingKeys() {
  if (KEYS_FILE && existsSync(KEYS_FILE)) return JSON.parse(readFileSync(KEYS_FILE, 'utf8'));
  const keys = [
    privateKey('es', 'ES256', 'ec', { namedCurve: 'P-256' }),
    privateKey('rs', 'RS256', 'rsa', { modulusLength: 2048 }),
  ];
  if (KEYS_FILE) writeFileSync(KEYS_FILE, JSON.stringify(keys), { mode: 0o600 });
  return keys;
}

const client = (id, grants, more = {}) => ({
  client_id: id,
  client_secret: SECRET,
  grant_types: grants,
  response_types: [],
  redirect_uris: [],
  token_endpoint_auth_method: 'client_secret_basic',
  ...more,
});

// The port is part of the issuer, and only known for sure when it is given.
const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  adapter: await adapter(),
  jwks: { keys: signingKeys() },
  clients: [
    client('bench', ['client_credentials']),
    client('bench-opaque', ['client_credentials']),
    client('bench-refresh', ['authorization_code', 'refresh_token'], {
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/never-called'],
      id_token_signed_response_alg: ALG,
    }),
  ],
  scopes: ['openid', 'offline_access', 'api'],
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  rotateRefreshToken: true,
  ttl: { AccessToken: 3600, ClientCredentials: 3600, Grant: 14 * 86400, RefreshToken: 14 * 86400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      // A token for a resource is a JWT; one without is opaque, stored, and the only kind this library can introspect.
      defaultResource: (_, requesting) => (requesting.clientId === 'bench-opaque' ? undefined : RESOURCE),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api',
        audience: RESOURCE,
        accessTokenTTL: 3600,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: ALG } },
      }),
    },
  },
});

// There is no password grant here and no browser: the first refresh tokens come from the library's own models.
async function firstRefreshTokens(count) {
  const owner = await provider.Client.find('bench-refresh');
  const tokens = [];
  for (let index = 0; index < count; index += 1) {
    const accountId = `user-${index}`;
    const grant = new provider.Grant({ accountId, clientId: owner.clientId });
    grant.addResourceScope(RESOURCE, 'api');
    const grantId = await grant.save();
    const token = new provider.RefreshToken({
      client: owner,
      accountId,
      grantId,
      gty: 'authorization_code',
      scope: 'api',
      resource: RESOURCE,
      rotations: 0,
    });
    tokens.push(await token.save());
  }
  return tokens;
}

if (TOKENS_FILE) {
  const tokens = await firstRefreshTokens(Number(TOKENS));
  writeFileSync(TOKENS_FILE, `${tokens.join('\n')}\n`, { mode: 0o600 });
}

const server = provider.listen(Number(PORT), '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, secret: SECRET, store: STORE, alg: ALG }));
});
server.keepAliveTimeout = 120_000;
process.on('SIGTERM', () => process.exit(0));
