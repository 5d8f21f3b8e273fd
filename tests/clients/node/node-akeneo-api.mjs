// What a program with the npm package node-akeneo-api does, unmodified: it signs in and calls.
import assert from 'node:assert/strict'
import akeneo from 'node-akeneo-api'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, LOGIN_NAME, LOGIN_PASSWORD } = process.env
akeneo.setBaseUrl(ISSUER)
akeneo.setClientId(CLIENT_ID)
akeneo.setSecret(CLIENT_SECRET)
akeneo.setUsername(LOGIN_NAME)
akeneo.setPassword(LOGIN_PASSWORD)
// Its own request, with the token that it got by its own sign-in.
const me = await akeneo.get('/api/v1/me')
const who = Array.isArray(me) ? me[0] : me
assert.equal(who.username, LOGIN_NAME, JSON.stringify(me))
console.log('all good')
process.exit(0)
