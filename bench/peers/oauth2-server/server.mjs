// @node-oauth/oauth2-server on loopback and on node's own http, in memory, with nothing slowed down on purpose.
//
//   PORT  where to listen on 127.0.0.1 (0 takes a free port)
//   ALG   ES256 | RS256: what access tokens are signed with
//
// Prints one line of JSON when it listens. The library parses and checks the grants; whatever it leaves to the model is done here,
// the quick way: tokens are JWTs (the claims of RFC 9068) signed by node:crypto, without a round through the thread pool; refresh
// tokens stand in a map; secrets and the user's password, which are generated ones, are compared by their SHA-256.
import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import OAuth2Server from '@node-oauth/oauth2-server';

const { PORT = '0', ALG = 'ES256' } = process.env;
const { Request, Response } = OAuth2Server;
const AUDIENCE = 'urn:bench:api';
const SECRET = 'a-secret-of-the-benchmark-0123456789abcdef';
const PASSWORD = 'a-generated-password-of-the-benchmark-0123456789abcdef';
const LIFETIME = 3600;

const KINDS = {
  ES256: ['ec', { namedCurve: 'P-256' }],
  RS256: ['rsa', { modulusLength: 2048 }],
};
if (!Object.hasOwn(KINDS, ALG)) throw new Error(`ALG must be ES256 or RS256, not ${ALG}`);

const { privateKey, publicKey } = generateKeyPairSync(...KINDS[ALG]);
// A JWT's ECDSA signature is r and s side by side, not DER; RSA takes no notice.
const signingKey = { key: privateKey, dsaEncoding: 'ieee-p1363' };
const json = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = json({ alg: ALG, typ: 'at+jwt', kid: 'bench' });
let issuer;

const digest = (text) => createHash('sha256').update(text).digest();
const same = (given, kept) => typeof given === 'string' && timingSafeEqual(digest(given), kept);

const clients = new Map([
  ['bench', { id: 'bench', grants: ['client_credentials', 'password', 'refresh_token'], secret: digest(SECRET) }],
]);
const users = new Map([['bench-user', { id: 'bench-user', password: digest(PASSWORD) }]]);
const refreshTokens = new Map();

const model = {
  async getClient(id, secret) {
    const client = clients.get(id);
    return client && same(secret, client.secret) ? client : undefined;
  },

  async getUserFromClient(client) {
    return { id: client.id };
  },

  async getUser(username, password) {
    const user = users.get(username);
    return user && same(password, user.password) ? { id: user.id } : undefined;
  },

  // Who asks for no scope gets the only one there is.
  async validateScope(_user, _client, scope = ['api']) {
    return scope.every((name) => name === 'api') ? scope : false;
  },

  generateAccessToken(client, user, scope) {
    const iat = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: user.id,
      aud: AUDIENCE,
      client_id: client.id,
      iat,
      exp: iat + LIFETIME,
      jti: randomUUID(),
      scope: scope.join(' '),
    };
    const signed = `${header}.${json(claims)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), signingKey).toString('base64url')}`;
  },

  generateRefreshToken() {
    return randomBytes(32).toString('base64url');
  },

  // An access token carries all it means; only the refresh token has to be known again.
  async saveToken(token, client, user) {
    const saved = { ...token, client, user };
    if (token.refreshToken) refreshTokens.set(token.refreshToken, saved);
    return saved;
  },

  async getRefreshToken(token) {
    return refreshTokens.get(token);
  },

  async revokeToken(token) {
    return refreshTokens.delete(token.refreshToken);
  },
};

const oauth = new OAuth2Server({ model, accessTokenLifetime: LIFETIME, refreshTokenLifetime: 14 * 86400 });

const keys = Buffer.from(JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: ALG, use: 'sig' }] }));
const etag = `"${createHash('sha256').update(keys).digest('base64url')}"`;

function respond(answer, status, headers, body) {
  const bytes = Buffer.from(JSON.stringify(body));
  answer.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': bytes.length });
  answer.end(bytes);
}

async function token(incoming, answer, text) {
  const request = new Request({
    method: incoming.method,
    headers: incoming.headers,
    query: {},
    body: Object.fromEntries(new URLSearchParams(text)),
  });
  const response = new Response();
  try {
    await oauth.token(request, response);
  } catch (error) {
    // What the library thinks of a bad request it has written into the response by now, except when it did not even begin.
    if (!response.body?.error) {
      respond(answer, error.code ?? 500, {}, { error: error.name, error_description: error.message });
      return;
    }
  }
  respond(answer, response.status, response.headers, response.body);
}

const server = createServer((incoming, answer) => {
  if (incoming.url === '/jwks' && incoming.method === 'GET') {
    const headers = { 'content-type': 'application/jwk-set+json', 'cache-control': 'public, max-age=300', etag };
    if (incoming.headers['if-none-match'] === etag) answer.writeHead(304, headers).end();
    else answer.writeHead(200, { ...headers, 'content-length': keys.length }).end(keys);
  } else if (incoming.url === '/token') {
    const parts = [];
    incoming.on('data', (part) => parts.push(part));
    incoming.on('end', () => token(incoming, answer, Buffer.concat(parts).toString()));
  } else {
    respond(answer, 404, {}, { error: 'not_found' });
  }
});
server.keepAliveTimeout = 120_000;
server.listen(Number(PORT), '127.0.0.1', () => {
  const { port } = server.address();
  issuer = `http://127.0.0.1:${port}`;
  console.log(JSON.stringify({ port, client: `bench:${SECRET}`, username: 'bench-user', password: PASSWORD, alg: ALG }));
});
process.on('SIGTERM', () => process.exit(0));
