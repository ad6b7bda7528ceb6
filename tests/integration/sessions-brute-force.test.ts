import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EdgeServer, startEdgeServer } from '../support/edge-server'
import { sendForm } from '../support/forms'
import { mailedToken, newPassword, newPerson, type Person } from '../support/people'
import { cookieAfter, signIn } from '../support/sessions'
import { stack } from '../support/stack-in-test'

const { env, mailboxUrl } = stack()

/** Documentation addresses nobody else counts by: each test takes a block of its own. */
let block = Math.floor(Math.random() * 200)
const nextBlock = () => `198.${18 + (block % 2)}.${(block++ % 200) + 1}`

let first: EdgeServer
let second: EdgeServer
beforeAll(async () => {
  ;[first, second] = await Promise.all([startEdgeServer(), startEdgeServer()])
})
afterAll(async () => {
  await Promise.all([first?.stop(), second?.stop()])
})

const attempt = (email: string, address: string, password = 'not the password', index = 0) =>
  signIn(
    { email, password },
    { server: index % 2 ? second.url : first.url, headers: { 'x-forwarded-for': address } },
  )

/** So many: more at once than any limit lets pass, and no more than the local Redis can count in time on a busy machine. */
async function attempts(count: number, of: (index: number) => Promise<Response>): Promise<Response[]> {
  const answers: Response[] = []
  let index = 0
  const next = async () => {
    while (index < count) answers.push(await of(index++))
  }
  await Promise.all(Array.from({ length: 16 }, next))
  return answers
}

const counts = (answers: Response[]) => ({
  tried: answers.filter(({ status }) => status === 401).length,
  refused: answers.filter(({ status }) => status === 429).length,
})

describe('guessing passwords', () => {
  it('from one address: ten of a hundred at once are tried, over two servers, whoever they are for (A7, F7)', async () => {
    const network = nextBlock()

    const answers = await attempts(100, (index) =>
      attempt(`${randomUUID()}@example.test`, `${network}.7`, 'wrong', index),
    )

    expect(counts(answers)).toEqual({ tried: 10, refused: 90 })
    for (const refusal of answers.filter(({ status }) => status === 429)) {
      const seconds = Number(refusal.headers.get('retry-after'))
      expect(seconds).toBeGreaterThan(0)
      expect(seconds).toBeLessThanOrEqual(300)
    }
    expect((await attempt(`${randomUUID()}@example.test`, `${network}.8`)).status).toBe(401)
  })

  it('for one account: five of a hundred from a hundred addresses are tried (A7, F7)', async () => {
    const person = await newPerson()
    const network = nextBlock()

    const answers = await attempts(100, (index) =>
      attempt(
        index % 3 ? person.email : person.email.toUpperCase(),
        `${network}.${index + 1}`,
        'wrong',
        index,
      ),
    )

    expect(counts(answers)).toEqual({ tried: 5, refused: 95 })
    const seconds = Number(answers.find(({ status }) => status === 429)?.headers.get('retry-after'))
    expect(seconds).toBeGreaterThan(800)
    expect(seconds).toBeLessThanOrEqual(900)
  })

  it('for an account that does not exist is limited just the same (A8)', async () => {
    const email = `${randomUUID()}@example.test`
    const network = nextBlock()

    const answers = await attempts(8, (index) => attempt(email, `${network}.${index + 1}`, 'wrong', index))

    expect(counts(answers)).toEqual({ tried: 5, refused: 3 })
  })

  it('a forged address before the one our proxy saw changes nothing (A7, H12)', async () => {
    const network = nextBlock()

    const answers = await attempts(14, (index) =>
      attempt(`${randomUUID()}@example.test`, `203.0.113.${index}, ${network}.9`, 'wrong', index),
    )

    expect(counts(answers)).toEqual({ tried: 10, refused: 4 })
  })

  it('right passwords are not counted', async () => {
    const person = await newPerson()
    const network = nextBlock()

    for (let index = 0; index < 12; index++)
      expect((await attempt(person.email, `${network}.1`, person.password, index)).status).toBe(200)
  })

  it('keeps no address of anybody in Redis: accounts are counted by a hash', async () => {
    const email = `${randomUUID()}@example.test`
    await attempt(email, `${nextBlock()}.1`)

    const keys = await redis(['keys', 'log:sign-in:*'])

    expect(keys).toContain(`log:sign-in:${createHash('sha256').update(email).digest('hex').slice(0, 32)}`)
    expect(JSON.stringify(keys)).not.toContain(email)
  })
})

describe('an owner whose account is under attack', () => {
  let owner: Person
  let network: string
  beforeAll(async () => {
    owner = await newPerson()
    network = nextBlock()
    await attempts(6, (index) => attempt(owner.email, `${network}.${index + 1}`, 'wrong', index))
  })

  it('is told how to get in at once, and gets in by the link of a mail; then by the password again (A7)', async () => {
    const at = { server: first.url, headers: { 'x-forwarded-for': `${network}.200` } }
    const refused = await attempt(owner.email, `${network}.200`, owner.password)

    await sendForm('/forgotten-password', { email: owner.email }, at)
    const token = await mailedToken(mailboxUrl, owner.email, 'recovery')
    const confirmed = await sendForm(
      `/auth/confirm?token_hash=${token}&type=recovery`,
      { tokenHash: token, type: 'recovery' },
      at,
    )
    const password = newPassword()
    const changed = await sendForm('/new-password', { password }, { ...at, cookie: cookieAfter(confirmed) })

    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({
      error: { code: 'too_many_sign_ins', message: expect.stringContaining('Forgotten your password') },
    })
    expect(changed.headers.get('location')).toContain('/payments')
    expect((await attempt(owner.email, `${network}.200`, password)).status).toBe(200)
  })
})

it('while Redis is away each server still counts for itself (A7)', async () => {
  const person = await newPerson()
  const away = await startEdgeServer({ UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9' })
  try {
    const network = nextBlock()
    const answers = await attempts(20, (index) =>
      signIn(
        { email: person.email, password: 'wrong' },
        { server: away.url, headers: { 'x-forwarded-for': `${network}.${index + 1}` } },
      ),
    )

    expect(counts(answers)).toEqual({ tried: 5, refused: 15 })
  } finally {
    await away.stop()
  }
})

async function redis(command: string[]): Promise<unknown> {
  const response = await fetch(env.UPSTASH_REDIS_REST_URL ?? '', {
    method: 'POST',
    headers: { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` },
    body: JSON.stringify(command),
  })
  return ((await response.json()) as { result: unknown }).result
}
