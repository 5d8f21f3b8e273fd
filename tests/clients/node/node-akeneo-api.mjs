// What a program with the npm package node-akeneo-api does, unmodified: it signs in and calls.
import assert from 'node:assert/strict'
import akeneo from 'node-akeneo-api'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, LOGIN_NAME, LOGIN_PASSWORD } = process.env
akeneo.setBaseUrl(ISSUER)
akeneo.setClientId(CLIENT_ID)
akeneo.setSecret(CLIENT_SECRET)
akeneo.setUsername(LOGIN_NAME)
akeneo.setPassword(LOGIN_PASSWORD)
// Its own request, with the token of its own sign-in. It ends the program where an answer is no list of Akeneo's shape.
const organizations = await akeneo.get('/api/v1/organizations')
assert.deepEqual(organizations.map((one) => one.slug), ['default'])
console.log('all good')
process.exit(0)
