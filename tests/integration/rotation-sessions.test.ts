import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { newPerson, type Person } from '../support/people'
import { get, startPayment } from '../support/requests'
import { newSigningKey, type RollingAuth, type SigningKey, startRollingAuth } from '../support/rolling-auth'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'

const projectKey = () => `sb_publishable_${randomUUID().replaceAll('-', '')}`

let auth: RollingAuth
let earlier: SigningKey
let later: SigningKey
let before: Person
let after: Person
beforeAll(async () => {
  ;[auth, earlier, later] = await Promise.all([
    startRollingAuth(),
    newSigningKey('earlier'),
    newSigningKey('later'),
  ])
  const person = await newPerson()
  before = await auth.sessionOf(person, earlier)
  after = await auth.sessionOf(person, later)
})
afterAll(() => auth?.close())

async function deploy(key: string) {
  const port = await freePort()
  const server = startServer(port, { ...stack().env, SUPABASE_URL: auth.url, SUPABASE_PUBLISHABLE_KEY: key })
  const url = `http://localhost:${port}`
  await waitUntilReady(url, 60_000)
  return { url, stop: server.stop }
}

/** What a person gets to read, and what they get where Auth itself is asked: 404 for an order that nobody has. */
const answers = async (person: Person, { url: server }: { url: string }) => [
  (await get('/api/payments/history', person, { server })).status,
  (await startPayment(person, randomUUID(), { server })).status,
]
const MAY = [200, 404]
const IS_NOBODY = [401, 401]

it('rolling the key that signs sessions, and the key of the project, fails nobody while both hold; then the old ones are dead [S-10]', async () => {
  const [oldKey, newKey] = [projectKey(), projectKey()]
  auth.accept({ signing: [earlier], project: [oldKey] })
  const first = await deploy(oldKey)
  const alone = [await answers(before, first), await answers(after, first)]

  // Supabase publishes the new key beside the old one, and takes both keys of the project: no server has heard of it.
  auth.accept({ signing: [earlier, later], project: [oldKey, newKey] })
  const together = [await answers(before, first), await answers(after, first)]
  const second = await deploy(newKey)
  const deployed = [await answers(before, second), await answers(after, second)]
  await first.stop()
  // The old ones are revoked.
  auth.accept({ signing: [later], project: [newKey] })
  const going = [await answers(before, second), await answers(after, second)]
  await second.stop()
  const third = await deploy(newKey)
  const gone = [await answers(before, third), await answers(after, third)]
  await third.stop()

  expect(alone).toEqual([MAY, IS_NOBODY])
  expect(together).toEqual([MAY, MAY])
  expect(deployed).toEqual([MAY, MAY])
  // A server that runs keeps the published keys for ten minutes: it believes the old token, and Supabase does not any more.
  expect(going[0]?.[0]).toBeGreaterThanOrEqual(400)
  expect(going[0]?.[1]).toBe(401)
  expect(going[1]).toEqual(MAY)
  expect(gone).toEqual([IS_NOBODY, MAY])
}, 120_000)
