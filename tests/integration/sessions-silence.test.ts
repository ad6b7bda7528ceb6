import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { type EdgeServer, startEdgeServer } from '../support/edge-server'
import { sendForm } from '../support/forms'
import { newPassword, newPerson } from '../support/people'
import { signIn } from '../support/sessions'
import { inSoak } from '../support/soak'

/** Pairs of one with and one without an account. */
const SAMPLES = inSoak(30, 200)
const MOST_MS = 20
/** An account has five attempts of each kind. */
const MOST_ROUNDS = 4

let edge: EdgeServer
let known: string[]
beforeAll(async () => {
  edge = await startEdgeServer()
  const person = await newPerson()
  // As many accounts as samples: one account has five attempts.
  const rows = await adminSql()<{ email: string }[]>`
    with copies as (
      insert into auth.users (id, aud, role, email, encrypted_password, email_confirmed_at, raw_app_meta_data)
      select gen_random_uuid(), aud, role, gen_random_uuid() || '@example.test', encrypted_password, now(), raw_app_meta_data
      from auth.users cross join generate_series(1, ${SAMPLES}) where id = ${person.id} returning id, email),
    identities as (
      insert into auth.identities (id, provider, provider_id, user_id, identity_data)
      select gen_random_uuid(), 'email', id, id, jsonb_build_object('sub', id, 'email', email) from copies)
    select email from copies`
  known = rows.map(({ email }) => email)
})
afterAll(() => edge?.stop())

let host = 1
const from = () => ({
  server: edge.url,
  headers: { 'x-forwarded-for': `100.64.${(host >> 8) & 255}.${host++ & 255}` },
})

type Send = (email: string) => Promise<Response>

/** How to ask, and how many pairs at once: checking passwords is work for this machine, waiting is not. */
const WAYS: [string, RegExp, number, Send][] = [
  [
    'signing in',
    /^401 .*wrong_credentials/,
    2,
    (email) => signIn({ email, password: 'not the password' }, from()),
  ],
  [
    'signing up',
    /^303 .*check-your-mail/,
    8,
    (email) => sendForm('/sign-up', { email, password: newPassword() }, from()),
  ],
  ['recovering', /^303 .*check-your-mail/, 8, (email) => sendForm('/forgotten-password', { email }, from())],
]

it.each(WAYS)(
  '%s does not tell who has an account: status, words, time (A8)',
  async (_way, answer, atOnce, send) => {
    const pairs: Pair[] = []
    // A busy machine blurs the times: what is only that goes away with more of them, what tells who has an account stays.
    do pairs.push(...(await measure(send, atOnce)))
    while (differenceOf(pairs) >= MOST_MS && pairs.length < MOST_ROUNDS * SAMPLES)

    console.log(
      `median difference ${differenceOf(pairs).toFixed(1)} ms of ${median(pairs.map(({ has }) => has.ms)).toFixed(0)} ms, ${pairs.length} pairs`,
    )
    expect(differenceOf(pairs)).toBeLessThan(MOST_MS)
    expect(pairs[0]?.has.said).toMatch(answer)
    expect(new Set(pairs.flatMap(({ has, hasNot }) => [has.said, hasNot.said])).size).toBe(1)
  },
  // Four rounds of fifteen times two seconds are more than the usual time.
  inSoak(240_000, 1_200_000),
)

type Answer = { ms: number; said: string }
type Pair = { has: Answer; hasNot: Answer; hasFirst: boolean }

/** The answer to the second waits for the first one's: the two orders are looked at apart, and count the same. */
function differenceOf(pairs: Pair[]): number {
  const [first = 0, second = 0] = [true, false].map((hasFirst) =>
    median(pairs.filter((pair) => pair.hasFirst === hasFirst).map(({ has, hasNot }) => has.ms - hasNot.ms)),
  )
  return Math.abs(first + second) / 2
}

/**
 * One with an account and one without ask at the same moment, now this one first and now the other: whatever else this
 * machine is doing, it does to both.
 */
async function measure(send: Send, atOnce: number): Promise<Pair[]> {
  // The first looks at the form; these are not counted.
  for (let index = 0; index < 3; index++) await timed(send, `${randomUUID()}@example.test`)
  const left = [...known]
  const pairs: Pair[] = []
  const next = async () => {
    for (let email = left.shift(); email !== undefined; email = left.shift()) {
      const stranger = `${randomUUID()}@example.test`
      const hasFirst = left.length % 2 === 1
      const order = hasFirst ? [email, stranger] : [stranger, email]
      const answers = await Promise.all(order.map((one) => timed(send, one)))
      const [has, hasNot] = hasFirst ? answers : answers.toReversed()
      if (has && hasNot) pairs.push({ has, hasNot, hasFirst })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, next))
  return pairs
}

async function timed(send: Send, email: string): Promise<Answer> {
  const startedAt = performance.now()
  const response = await send(email)
  const text = (await response.text()).replaceAll(email, '…')
  const ms = performance.now() - startedAt
  const cookies = response.headers.getSetCookie()
  return { ms, said: `${response.status} ${response.headers.get('location')} ${neutral(text)} ${cookies}` }
}

/** What differs in each answer: ids of requests, nonces. */
const neutral = (text: string) =>
  text.replace(/[0-9a-f-]{36}/g, '…').replace(/[A-Za-z0-9+/]{40,}={0,2}/g, '…')

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
