// What a program with openid-client does with a Grantor: discovery, tokens, refresh, introspection, revocation.

import assert from 'node:assert/strict'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, LOGIN_NAME, LOGIN_PASSWORD } = process.env

// The package allows plain http only when told so; the tests' server is on this machine.
const insecure = { execute: [client.allowInsecureRequests] }
const ways = [client.ClientSecretBasic(CLIENT_SECRET), client.ClientSecretPost(CLIENT_SECRET)]

for (const authentication of ways) {
  const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, authentication, insecure)
  assert.equal(config.serverMetadata().token_endpoint, `${ISSUER}/oauth/token`)

  const own = await client.clientCredentialsGrant(config, { scope: 'orders:read' })
  assert.equal(own.token_type, 'bearer')
  assert.equal(own.scope, 'orders:read')
  assert.equal(own.refresh_token, undefined)

  const login = { username: LOGIN_NAME, password: LOGIN_PASSWORD, scope: 'openid orders:read' }
  const tokens = await client.genericGrantRequest(config, 'password', login)
  // The package checked the ID token: issuer, audience, expiry, shape.
  assert.ok(tokens.claims().sub)

  const successor = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(successor.refresh_token, tokens.refresh_token)
  assert.equal(successor.claims().sub, tokens.claims().sub)

  const seen = await client.tokenIntrospection(config, successor.access_token)
  assert.equal(seen.active, true)
  assert.equal(seen.sub, tokens.claims().sub)

  const user = await client.fetchUserInfo(config, successor.access_token, tokens.claims().sub)
  assert.equal(user.sub, tokens.claims().sub)

  await client.tokenRevocation(config, successor.refresh_token)
  await client.tokenRevocation(config, own.access_token)
  for (const dead of [successor.access_token, own.access_token]) {
    assert.deepEqual(await client.tokenIntrospection(config, dead), { active: false })
  }
  await assert.rejects(client.refreshTokenGrant(config, successor.refresh_token), { error: 'invalid_grant' })
  await assert.rejects(client.clientCredentialsGrant(config, { scope: 'nonsense' }), { error: 'invalid_scope' })
}

console.log('all good')
