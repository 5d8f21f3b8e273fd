// An API that checks Grantor's access tokens offline: no call to Grantor but for its public keys.
//
//   npm ci
//   ISSUER=http://127.0.0.1:8080 AUDIENCE=http://127.0.0.1:8080 PORT=9000 node server.mjs

import { createServer } from 'node:http'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const { ISSUER, AUDIENCE, PORT } = process.env
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

/** Who sent this request; undefined if there is no good token in it. */
async function caller(request) {
  const token = request.headers.authorization?.match(/^Bearer (\S+)$/i)?.[1]
  if (!token) return undefined
  try {
    const { payload } = await jwtVerify(token, keys, rules)
    return { sub: payload.sub, scope: payload.scope }
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
