// An API that checks Grantor's access tokens offline: no call to Grantor but for its public keys.
//
//   npm ci
//   ISSUER=http://127.0.0.1:8080 AUDIENCE=http://127.0.0.1:8080 PORT=9000 node server.mjs
//
// With CLIENT_ID and CLIENT_SECRET of a client that may introspect, it also keeps a copy of what was revoked, two
// seconds old at most, and refuses a revoked token before its time is over.

import { createServer } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { ISSUER, AUDIENCE, PORT, CLIENT_ID, CLIENT_SECRET } = process.env
if (!ISSUER || !AUDIENCE || !PORT) throw new Error('ISSUER, AUDIENCE and PORT must be set')

// A copy of the keys is kept for a minute. An unknown key id fetches it anew, but not for every bad token.
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`), {
  cacheMaxAge: 60_000,
  cooldownDuration: 10_000,
})

const rules = {
  issuer: ISSUER,
  audience: AUDIENCE,
  typ: 'at+jwt', // RFC 9068: an ID token is signed by the same keys, and must not open an API
  algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
  requiredClaims: ['exp', 'sub'],
  clockTolerance: 5, // seconds that the two clocks may differ
}

/** A copy of what ended tokens early. */
const revoked = { change: undefined, readAt: -Infinity, wholeAt: -Infinity, tokens: new Set(), families: new Set(), epochs: {} }

async function followRevocations() {
  // No token lives longer than a day: what was told before may be forgotten.
  const whole = revoked.change === undefined || performance.now() - revoked.wholeAt > 86_400_000
  const query = whole ? '' : `?since=${revoked.change}`
  try {
    const headers = { 'Client-ID': CLIENT_ID, 'Client-Secret': CLIENT_SECRET }
    const answer = await fetch(`${ISSUER}/api/v1/revocations${query}`, { headers, signal: AbortSignal.timeout(5000) })
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    const told = await answer.json()
    const now = performance.now()
    if (told.complete) Object.assign(revoked, { wholeAt: now, tokens: new Set(), families: new Set(), epochs: {} })
    for (const jti of told.tokens) revoked.tokens.add(jti)
    for (const sid of told.families) revoked.families.add(sid)
    for (const [kind, raised] of Object.entries(told.epochs)) revoked.epochs[kind] = { ...revoked.epochs[kind], ...raised }
    Object.assign(revoked, { change: told.change, readAt: now })
  } catch (error) {
    console.warn(`what was revoked is not known: ${error.message}`)
  }
  setTimeout(followRevocations, 1000)
}
if (CLIENT_ID && CLIENT_SECRET) await followRevocations()

/** Whether something has ended the token. Without a copy for half a minute nothing is taken. */
function isRevoked(claims) {
  if (!CLIENT_ID || !CLIENT_SECRET) return false
  if (performance.now() - revoked.readAt > 30_000) return true
  const [client, user, organization] = claims.epoch.split('.').map(Number)
  const epoch = (kind, id) => revoked.epochs[kind]?.[id] ?? 0
  return (
    revoked.tokens.has(claims.jti) ||
    revoked.families.has(claims.sid) ||
    client < epoch('clients', claims.client_id) ||
    user < epoch('users', claims.sub) ||
    organization < epoch('organizations', claims.org)
  )
}

/** Who sent this request; undefined if there is no good token in it. */
async function caller(request) {
  const token = request.headers.authorization?.match(/^Bearer (\S+)$/i)?.[1]
  if (!token) return undefined
  try {
    const { payload } = await jwtVerify(token, keys, rules)
    return isRevoked(payload) ? undefined : { sub: payload.sub, scope: payload.scope }
  } catch (error) {
    console.warn(`refused: ${error.code ?? error.message}`)
    return undefined
  }
}

const server = createServer(async (request, response) => {
  if (request.method !== 'GET' || request.url !== '/orders') {
    response.writeHead(404).end()
    return
  }
  const who = await caller(request)
  if (who) {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(who))
  } else {
    response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end()
  }
})

server.listen(Number(PORT), '127.0.0.1')
